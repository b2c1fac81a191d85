/* SPDX-License-Identifier: MIT */
/*
 * map_account.c - the heads as they lie in memory, after each operation.
 */
#include "schedule/map_account.h"

#include <string.h>

#include "schedule/schedule.h"

struct made {
	uint64_t first;
	uint64_t pages;
	unsigned char told; /* written by its maker */
};

struct look {
	bool is_on;
	bool was_bare; /* no live area covered the page */
	uint64_t page;
	bool was_covered[MAP_AREAS_MAX]; /* by this one */
};

static struct {
	const struct page_map *map;
	unsigned count;
	struct made areas[MAP_AREAS_MAX];
	struct look looks[SCHEDULE_THREADS_MAX];
} account;

static uint64_t word_now(const _Atomic(uint64_t) *word)
{
	uint64_t value;

	memcpy(&value, (const void *)word, sizeof(value));
	return value;
}

static bool covers_now(const struct made *area, unsigned id, uint64_t page)
{
	const struct page_record *const record =
		page_map_record(account.map, area->first);
	const struct page_head head = { word_now(&record->head) };

	/* `phys` says which of the areas that begin there it is. */
	return page_head_is(head, PAGE_LIVE) &&
	       page_head_covers(head, area->first, page) &&
	       word_now(&record->phys) == id;
}

static void judge(struct look *look)
{
	bool is_covered = false;

	for (unsigned id = 0; id < account.count; id++) {
		if (!covers_now(&account.areas[id], id, look->page))
			continue;
		look->was_covered[id] = true;
		is_covered = true;
	}
	look->was_bare = look->was_bare || !is_covered;
}

void map_account_begin(const struct page_map *map)
{
	account.map = map;
	account.count = 0;
	memset(account.looks, 0, sizeof(account.looks));
}

static struct vm_struct vm_of(unsigned id)
{
	return (struct vm_struct){
		.flags = id,
		.nr_pages = id + 1,
		.caller = (const void *)(uintptr_t)(id + 2),
		.phys = id,
		.size = id + 3,
	};
}

struct vm_struct map_account_make(uint64_t first, uint64_t pages)
{
	const unsigned id = account.count++;

	schedule_require(id < MAP_AREAS_MAX);
	account.areas[id].first = first;
	account.areas[id].pages = pages;
	schedule_write(&account.areas[id].told);
	return vm_of(id);
}

void map_account_own(unsigned id)
{
	schedule_write(&account.areas[id].told);
}

void map_account_watch(unsigned thread)
{
	(void)thread;
	for (unsigned i = 0; i < SCHEDULE_THREADS_MAX; i++) {
		if (account.looks[i].is_on)
			judge(&account.looks[i]);
	}
}

void map_account_look_begin(uint64_t page)
{
	struct look *const look = &account.looks[schedule_thread()];

	*look = (struct look){ .is_on = true, .page = page };
	judge(look);
}

static bool is_whole(const struct va_found *found, unsigned id)
{
	const struct made *const area = &account.areas[id];
	const struct vm_struct vm = vm_of(id);

	return found->start == page_map_address(account.map, area->first) &&
	       found->end == page_map_address(account.map,
					      area->first + area->pages) &&
	       found->vm.flags == vm.flags &&
	       found->vm.nr_pages == vm.nr_pages &&
	       found->vm.caller == vm.caller && found->vm.phys == vm.phys &&
	       found->vm.size == vm.size && !found->lazy;
}

void map_account_look_end(bool is_found, const struct va_found *found)
{
	struct look *const look = &account.looks[schedule_thread()];

	look->is_on = false;
	if (!is_found) {
		schedule_require(schedule_has_ages() ||
				 look->was_bare); /* L3 */
		return;
	}

	const unsigned id = (unsigned)found->vm.phys;

	schedule_require(id < account.count);
	schedule_require(is_whole(found, id)); /* L1 */
	schedule_read(&account.areas[id].told);
	schedule_require(schedule_has_ages() || look->was_covered[id]); /* L2 */
}
