/* SPDX-License-Identifier: MIT */
/*
 * schedule_lazy.c - L1 and L2 of va/lazy_lists.h, under every schedule of two
 * or three threads that leave and take areas of one page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule/arena.h"
#include "schedule/model_check.h"
#include "va/lazy_lists.h"

enum { PAGES = 4, SLOTS = 2, START = 1 << 20, LIMIT = 1000 };

static struct page_map map;
static struct lazy_lists lazy;
static struct cpu_map cpus;
/* Where each area is; an idle one is its thread's. */
static enum place { IDLE, ON_A_LIST, TAKEN } place[PAGES];
static unsigned char contents[PAGES];
static unsigned ended; /* pushes */

/* base/cpu.h for this program: thread 1 runs on a CPU of its own. */
struct cpu_id cpu_current(void)
{
	return (struct cpu_id){ schedule_thread() == 1 };
}

/* push - by its owner, who has written to it. */
static void push(uint64_t first)
{
	schedule_write(&contents[first]);
	place[first] = ON_A_LIST;
	(void)lazy_push(&lazy, first);
	ended++;
}

/* chain_own - L1, and [lazy-handoff]; how many areas. */
static unsigned chain_own(uint64_t chain)
{
	unsigned count = 0;

	for (; chain != 0; count++) {
		const uint64_t first = chain - 1;

		schedule_require(first < PAGES);
		schedule_require(place[first] == ON_A_LIST);
		place[first] = TAKEN;
		schedule_write(&contents[first]);
		chain = page_map_record(&map, first)->next;
	}
	return count;
}

static unsigned take(void)
{
	return chain_own(lazy_take(&lazy));
}

static void begin_on(unsigned slots)
{
	const struct va_range window = {
		.start = START,
		.end = START + ((uintptr_t)PAGES << PAGE_SHIFT),
	};

	arena_begin();
	ended = 0;
	cpus = (struct cpu_map){ .cpus = slots, .cpu_slots = slots };
	schedule_require(page_map_init(&map, &arena_os, &window, false) == 0);
	schedule_require(lazy_init(&lazy, &arena_os, &cpus, &map, LIMIT) == 0);
	for (uint64_t first = 0; first < PAGES; first++) {
		page_map_begin(&map, first, 1);
		place[first] = IDLE;
	}
}

static void begin_idle(void)
{
	begin_on(1);
}

static void begin_two_lists(void)
{
	begin_on(SLOTS);
}

static void begin_pushed(void)
{
	begin_on(1);
	push(0);
	push(1);
}

static void all_are_accounted_for(void)
{
	(void)take();
	schedule_require(lazy_take(&lazy) == 0);
	for (unsigned first = 0; first < PAGES; first++)
		schedule_require(place[first] != ON_A_LIST);
}

static void push_or_take(unsigned thread)
{
	if (thread == 2) {
		(void)take();
		return;
	}
	push(2 * thread);
	push(2 * thread + 1);
}

static const struct schedule_case one_list = {
	.name = "two leave areas on one list that is taken",
	.threads = 3,
	.begin = begin_idle,
	.run = push_or_take,
	.end = all_are_accounted_for,
};

static const struct schedule_case two_lists = {
	.name = "two leave areas on two lists that are taken",
	.threads = 3,
	.begin = begin_two_lists,
	.run = push_or_take,
	.end = all_are_accounted_for,
};

static void take_or_push(unsigned thread)
{
	if (thread < 2)
		(void)take();
	else
		push(2);
}

static const struct schedule_case taken_twice = {
	.name = "two take the lists",
	.threads = 3,
	.begin = begin_pushed,
	.run = take_or_push,
	.end = all_are_accounted_for,
};

/* An area that could not be unmapped. */
static void push_back_or_take(unsigned thread)
{
	uint64_t chain;

	if (thread == 1) {
		(void)take();
		return;
	}
	chain = lazy_take(&lazy);
	while (chain != 0) {
		const uint64_t first = chain - 1;

		chain = page_map_record(&map, first)->next;
		schedule_write(&contents[first]);
		lazy_push_back(&lazy, first);
	}
}

static const struct schedule_case pushed_back = {
	.name = "areas are put back on the list",
	.threads = 2,
	.begin = begin_pushed,
	.run = push_back_or_take,
	.end = all_are_accounted_for,
};

/* Two frees have raced, and both hold the number. */
static void push_one(unsigned thread)
{
	(void)thread;
	place[0] = ON_A_LIST;
	(void)lazy_push(&lazy, 0);
}

static void one_is_there(void)
{
	schedule_require(lazy_pages(&lazy) == 1);
	schedule_require(take() == 1);
}

static const struct schedule_case pushed_twice = {
	.name = "an area that two leave is there once",
	.threads = 2,
	.begin = begin_idle,
	.run = push_one,
	.end = one_is_there,
};

/* L2: what is counted was met, or the count has moved. */
static void empty_or_push(unsigned thread)
{
	unsigned taken = 0;
	uint64_t before;
	uint64_t after;

	if (thread == 1) {
		push(0);
		push(1);
		return;
	}
	do {
		before = lazy_pushed(&lazy);
		taken += take();
		after = lazy_pushed(&lazy);
	} while (before != after);
	schedule_require(taken >= after);
	/* A push has been counted when it ends. */
	schedule_require(schedule_has_ages() || taken >= ended);
}

static const struct schedule_case emptied = {
	.name = "lists that have not moved were empty",
	.threads = 2,
	.begin = begin_two_lists,
	.run = empty_or_push,
	.end = all_are_accounted_for,
};

static void no_area_is_lost_or_taken_twice(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 2,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&one_list, &plan);
	model_check(&two_lists, &plan);
	model_check(&taken_twice, &plan);
	model_check(&pushed_back, &plan);
	model_check(&pushed_twice, &plan);
}

static void a_push_is_told(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.seeds = 5000,
	};
	static const struct model_plan late = {
		.preemptions = 3,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&emptied, &plan);
	model_check(&emptied, &late);
}

static void nobody_waits_for_a_stopped_thread(void **state)
{
	static const struct model_plan plan = { .stop_preemptions = 1 };

	(void)state;
	model_check_stopped(&one_list, &plan);
	model_check_stopped(&taken_twice, &plan);
	model_check_stopped(&pushed_back, &plan);
	model_check_stopped(&emptied, &plan);
}

static void each_order_is_needed(void **state)
{
	static const struct schedule_case *const cases[] = {
		&taken_twice,
		&emptied,
		NULL,
	};
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .preemptions = 1, .ages = 1 },
		.source = "lazy_lists.c",
	};

	(void)state;
	model_check_orders(&orders);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_area_is_lost_or_taken_twice),
		cmocka_unit_test(a_push_is_told),
		cmocka_unit_test(nobody_waits_for_a_stopped_thread),
		cmocka_unit_test(each_order_is_needed),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_lazy", tests, NULL, NULL);
}
