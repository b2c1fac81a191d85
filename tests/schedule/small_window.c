/* SPDX-License-Identifier: MIT */
/*
 * small_window.c - the strategy's operations, accounted for.
 */
#include "schedule/small_window.h"

#include <errno.h>
#include <stdalign.h>

#include "schedule/arena.h"
#include "schedule/map_account.h"
#include "schedule/run_account.h"
#include "schedule/schedule.h"
#include "va/strategies.h"

enum {
	START = 1 << 20,
	WORDS_BLOCK = 3, /* arena: behind the three of the page map */
	STATE_BYTES = 4096,
};

static const struct cpu_map one_cpu = { .cpus = 1, .cpu_slots = 1 };
static alignas(FALSE_SHARING_BYTES) unsigned char state[STATE_BYTES];
static struct va va;
static unsigned char contents[SMALL_PAGES];

/* base/cpu.h for the program: all threads run on one CPU. */
struct cpu_id cpu_current(void)
{
	return (struct cpu_id){ 0 };
}

static uintptr_t address_of(uint64_t page)
{
	return START + ((uintptr_t)page << PAGE_SHIFT);
}

/* touch - what only the owner of these pages may do. */
static void touch(uint64_t first, uint64_t pages)
{
	for (uint64_t page = first; page < first + pages; page++)
		schedule_write(&contents[page]);
}

/* ask - a range of its own, not live yet. */
static int ask(uint64_t pages, struct small_area *area)
{
	const struct va_request request = {
		.size = (uintptr_t)pages << PAGE_SHIFT,
		.align = 1,
		.vstart = va.config.start,
		.vend = va.config.end,
	};
	struct va_range range;
	const int error = va_lockfree.alloc(&va, &request, &range);

	if (error != 0)
		return error;
	area->first = (range.start - START) >> PAGE_SHIFT;
	area->pages = (range.end - range.start) >> PAGE_SHIFT;
	schedule_require(area->pages == pages);
	account_own(area->first, area->first + pages);
	touch(area->first, pages);
	return 0;
}

static void publish(const struct small_area *area)
{
	const struct va_range range = {
		.start = address_of(area->first),
		.end = address_of(area->first + area->pages),
	};
	const struct va_request request = {
		.vm = map_account_make(area->first, area->pages),
	};

	schedule_require(va_lockfree.publish(&va, &range, &request));
}

bool small_alloc(uint64_t pages, struct small_area *area)
{
	const struct run_want want = { pages, 1, 0, SMALL_PAGES };

	account_take_begin(&want);
	const int error = ask(pages, area);
	const bool may_fail = account_take_end();

	schedule_require(error == 0 || error == -ENOMEM);
	schedule_require(error == 0 || may_fail || schedule_has_ages());
	if (error == 0)
		publish(area);
	return error == 0;
}

int small_free(uint64_t first)
{
	bool purge_due;

	return va_lockfree.free(&va, address_of(first), &purge_due);
}

void small_give(const struct small_area *area)
{
	touch(area->first, area->pages);
	account_give_begin(area->first, area->first + area->pages);
	schedule_require(small_free(area->first) == 0);
	account_give_end();
}

void small_leave(const struct small_area *area)
{
	touch(area->first, area->pages);
	schedule_require(small_free(area->first) == 0);
}

static void unmap(void *context, struct va_run *runs, size_t count)
{
	(void)context;
	for (size_t i = 0; i < count; i++) {
		const size_t first = (runs[i].start - START) >> PAGE_SHIFT;
		const size_t end = (runs[i].end - START) >> PAGE_SHIFT;

		touch(first, end - first);
		account_give_begin(first, end);
	}
}

void small_purge(void)
{
	static const struct va_unmapper unmapper = { .unmap = unmap };

	schedule_require(va_lockfree.purge(&va, VA_PURGE_FULL, &unmapper) == 0);
	account_give_end();
}

void small_look(uint64_t page)
{
	struct va_found found;

	map_account_look_begin(page);
	map_account_look_end(va_lockfree.find(&va, address_of(page), &found),
			     &found);
}

/* The lowest pages that are left. */
static void begin_alloc(uint64_t pages)
{
	struct small_area area;

	schedule_require(ask(pages, &area) == 0);
	publish(&area);
	account_settle();
}

void small_begin(bool reuse_at_once, bool is_full)
{
	arena_begin();
	va = (struct va){
		.ops = &va_lockfree,
		.config = {
			.os = &arena_os,
			.start = START,
			.end = address_of(SMALL_PAGES),
			.cpus = 1,
			.cpu_map = &one_cpu,
			.reuse_at_once = reuse_at_once,
			.hardened = true,
		},
		.state = state,
	};
	schedule_require(va_lockfree.state_bytes <= sizeof(state));
	schedule_require(va_lockfree.init(&va) == 0);
	account_begin(arena_block(WORDS_BLOCK), SMALL_PAGES / ACCOUNT_WORD,
		      false);
	map_account_begin(va_lockfree.back->map(&va));
	begin_alloc(SMALL_FULL);
	if (is_full)
		begin_alloc(SMALL_LEFT);
}

void small_watch(unsigned thread)
{
	account_watch(thread);
	map_account_watch(thread);
}

void small_check(void)
{
	va_lockfree.check(&va);
}

void small_end(void)
{
	account_end();
	small_check();
}

static void unmap_at_end(void *context, struct va_run *runs, size_t count)
{
	(void)context;
	(void)runs;
	(void)count;
}

void small_end_purged(void)
{
	static const struct va_unmapper unmapper = { .unmap = unmap_at_end };
	struct va_stats stats;

	small_end();
	schedule_require(va_lockfree.purge(&va, VA_PURGE_FULL, &unmapper) == 0);
	small_check();
	va_lockfree.stats(&va, &stats);
	schedule_require(stats.lazy_pages == 0);
	schedule_require(stats.live_pages + stats.hole_pages == SMALL_PAGES);
}

uint64_t small_returned(void)
{
	return va_lockfree.returned(&va);
}
