/* SPDX-License-Identifier: MIT */
/*
 * schedule_page_map.c - M1 to M3 of va/page_map.h, and who of two that race is
 * refused, under every schedule of two or three threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule/arena.h"
#include "schedule/map_account.h"
#include "schedule/model_check.h"

enum {
	PAGES = 3 * MAP_CHUNK_PAGES,
	START = 1 << 20,
	LARGE = 2 * MAP_CHUNK_PAGES,   /* an area of chunks alone, */
	LARGE_FIRST = MAP_CHUNK_PAGES, /* and its first page */
	SMALL_FIRST = LARGE_FIRST + 3, /* a page of it, but not the first */
};

static struct page_map map;
static unsigned winners;
/* The area at page 0, when thread 0 did its last operations. */
static uint64_t begun[2];

static void begin_bare(void)
{
	const struct va_range window = {
		.start = START,
		.end = START + ((uintptr_t)PAGES << PAGE_SHIFT),
	};

	arena_begin();
	winners = 0;
	begun[0] = 0;
	begun[1] = 0;
	schedule_require(page_map_init(&map, &arena_os, &window, true) == 0);
	map_account_begin(&map);
}

static void publish(uint64_t first, uint64_t pages)
{
	const struct vm_struct vm = map_account_make(first, pages);

	schedule_require(page_map_publish(&map, first, pages, &vm));
}

static void make(uint64_t first, uint64_t pages)
{
	page_map_begin(&map, first, pages);
	publish(first, pages);
}

static void retract(uint64_t first)
{
	struct page_head before;

	schedule_require(page_map_retract(&map, first, &before));
}

static void end(uint64_t first)
{
	struct page_head before;

	schedule_require(page_map_retract_once(&map, first, &before));
	schedule_require(page_map_end(&map, first, &before));
}

static void purge(uint64_t first)
{
	struct page_head before;

	schedule_require(page_map_retract_once(&map, first, &before));
	schedule_require(page_map_to_lazy(&map, first, &before));
	page_map_from_lazy(&map, first);
}

static void look(uint64_t page)
{
	struct va_found found;

	map_account_look_begin(page);
	map_account_look_end(page_map_find(&map, page, &found), &found);
}

static void begin_pair(void)
{
	begin_bare();
	make(0, 2);
}

static void begin_large(void)
{
	begin_bare();
	make(LARGE_FIRST, LARGE);
}

static void begin_small(void)
{
	begin_bare();
	make(SMALL_FIRST, 1);
}

static void make_or_look(unsigned thread)
{
	if (thread == 0)
		make(0, 2);
	else
		look(1);
}

static const struct schedule_case made = {
	.name = "an area is made",
	.threads = 2,
	.begin = begin_bare,
	.run = make_or_look,
	.watch = map_account_watch,
};

/* As the cache in front does: the range is used again whole. */
static void use_again_or_look(unsigned thread)
{
	if (thread == 0) {
		retract(0);
		publish(0, 2);
	} else {
		look(1);
	}
}

static const struct schedule_case used_again = {
	.name = "an area is used again whole",
	.threads = 2,
	.begin = begin_pair,
	.run = use_again_or_look,
	.watch = map_account_watch,
};

static const struct schedule_case used_again_for_two = {
	.name = "an area is used again beside two who look",
	.threads = 3,
	.begin = begin_pair,
	.run = use_again_or_look,
	.watch = map_account_watch,
};

static void carve_or_look(unsigned thread)
{
	if (thread == 0) {
		end(0);
		make(0, 1);
		make(1, 1);
	} else {
		look(1);
	}
}

static const struct schedule_case carved = {
	.name = "an area becomes two",
	.threads = 2,
	.begin = begin_pair,
	.run = carve_or_look,
	.watch = map_account_watch,
};

static void shrink_or_look(unsigned thread)
{
	if (thread == 0) {
		purge(LARGE_FIRST);
		make(SMALL_FIRST, 1);
	} else {
		look(SMALL_FIRST);
	}
}

static const struct schedule_case shrunk = {
	.name = "a page of an area of chunks becomes an area",
	.threads = 2,
	.begin = begin_large,
	.run = shrink_or_look,
	.watch = map_account_watch,
};

static void grow_or_look(unsigned thread)
{
	if (thread == 0) {
		end(SMALL_FIRST);
		make(LARGE_FIRST, LARGE);
	} else {
		look(SMALL_FIRST);
	}
}

static const struct schedule_case grown = {
	.name = "an area becomes part of one of chunks",
	.threads = 2,
	.begin = begin_small,
	.run = grow_or_look,
	.watch = map_account_watch,
};

static void one_has_won(void)
{
	schedule_require(winners == 1);
}

static void free_once(unsigned thread)
{
	struct page_head before;

	(void)thread;
	if (page_map_retract_once(&map, 0, &before))
		winners++;
}

static const struct schedule_case freed_twice = {
	.name = "of two who free one area one does",
	.threads = 2,
	.begin = begin_pair,
	.run = free_once,
	.end = one_has_won,
};

static void free_by(bool (*retract_by)(struct page_map *map, uint64_t first,
				       struct page_head *before))
{
	struct page_head before;

	if (retract_by(&map, 0, &before))
		map_account_own(0);
}

static void begin_idle(void)
{
	begin_bare();
	page_map_begin(&map, 0, 2);
}

/* Of an address that came to the one who frees on some way of his own. */
static void make_or_free(unsigned thread)
{
	if (thread == 0)
		make(0, 2);
	else
		free_by(page_map_retract);
}

static void make_or_free_once(unsigned thread)
{
	if (thread == 0)
		make(0, 2);
	else
		free_by(page_map_retract_once);
}

static const struct schedule_case made_and_freed = {
	.name = "who frees an area sees it as it was made",
	.threads = 2,
	.begin = begin_bare,
	.run = make_or_free,
};

static const struct schedule_case made_and_freed_once = {
	.name = "who frees an area, by exchange, sees it as it was made",
	.threads = 2,
	.begin = begin_bare,
	.run = make_or_free_once,
};

static void end_or_purge(unsigned thread)
{
	struct page_head before;

	if (thread == 0 ? page_map_end(&map, 0, &before)
			: page_map_to_lazy(&map, 0, &before))
		winners++;
}

static void end_twice(unsigned thread)
{
	(void)thread;
	end_or_purge(0);
}

static const struct schedule_case ended_and_purged = {
	.name = "an idle area ends or becomes lazy",
	.threads = 2,
	.begin = begin_idle,
	.run = end_or_purge,
	.end = one_has_won,
};

static const struct schedule_case ended_twice = {
	.name = "an idle area ends once",
	.threads = 2,
	.begin = begin_idle,
	.run = end_twice,
	.end = one_has_won,
};

/* The free that is stopped half-way ends the area that it has looked at. */
static void free_late_or_use_again(unsigned thread)
{
	struct page_head before;
	const bool is_freed = page_map_retract_once(&map, 0, &before);

	if (thread == 0)
		schedule_require(!is_freed || begun[0] == begun[1]);
	else if (is_freed)
		publish(0, 2);
}

static void remember(unsigned thread)
{
	if (thread != 0)
		return;
	begun[0] = begun[1];
	__builtin_memcpy(&begun[1], (const void *)&map.records[0].seq,
			 sizeof(begun[1]));
}

static const struct schedule_case freed_late = {
	.name = "a late free does not end the next area",
	.threads = 2,
	.begin = begin_pair,
	.run = free_late_or_use_again,
	.watch = remember,
};

static void a_lookup_hits_iff_an_area_is_there(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.seeds = 5000,
	};

	(void)state;
	model_check(&made, &plan);
	model_check(&used_again, &plan);
	model_check(&carved, &plan);
	model_check(&shrunk, &plan);
	model_check(&grown, &plan);
}

static void a_copy_is_of_one_area(void **state)
{
	static const struct model_plan deep = {
		.preemptions = 2,
		.ages = 2,
		.seeds = 5000,
	};
	static const struct model_plan shallow = {
		.preemptions = 1,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&used_again, &deep);
	model_check(&made, &deep);
	model_check(&used_again_for_two, &shallow);
	model_check(&carved, &shallow);
	model_check(&shrunk, &shallow);
	model_check(&grown, &shallow);
	model_check(&made_and_freed, &deep);
	model_check(&made_and_freed_once, &deep);
}

static void of_two_that_race_one_is_refused(void **state)
{
	static const struct model_plan plan = {
		.preemptions = UINT32_MAX,
		.ages = 2,
	};

	(void)state;
	model_check(&freed_twice, &plan);
	model_check(&ended_twice, &plan);
	model_check(&ended_and_purged, &plan);
	model_check(&freed_late, &plan);
}

static void nobody_waits_for_a_stopped_thread(void **state)
{
	static const struct model_plan plan = { .stop_preemptions = 1 };

	(void)state;
	model_check_stopped(&used_again_for_two, &plan);
	model_check_stopped(&carved, &plan);
	model_check_stopped(&shrunk, &plan);
}

static void each_order_is_needed(void **state)
{
	static const struct schedule_case *const cases[] = {
		&made,        &used_again,     &carved,
		&shrunk,      &made_and_freed, &made_and_freed_once,
		&freed_twice, &freed_late,     NULL,
	};
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .preemptions = 2, .ages = 2 },
		.source = "page_map.",
	};

	(void)state;
	model_check_orders(&orders);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lookup_hits_iff_an_area_is_there),
		cmocka_unit_test(a_copy_is_of_one_area),
		cmocka_unit_test(of_two_that_race_one_is_refused),
		cmocka_unit_test(nobody_waits_for_a_stopped_thread),
		cmocka_unit_test(each_order_is_needed),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_page_map", tests, NULL,
					   NULL);
}
