/* SPDX-License-Identifier: MIT */
/*
 * schedule_qspin.c - K1 and K2 of lock/lock.h for the queued spinlock: with two
 * threads the pending bit, with three the queue, with four a queue of two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "lock/lock_kinds.h"
#include "schedule/model_check.h"

static struct lock lock;
static unsigned inside;
static unsigned guarded;
static unsigned entries;

static void begin(void)
{
	lock = (struct lock){ .ops = &lock_qspin, .yield = true };
	schedule_require(lock_qspin.init(&lock) == 0);
	inside = 0;
	guarded = 0;
	entries = 0;
}

static void enter_and_leave(unsigned thread)
{
	struct lock_turn turn;

	(void)thread;
	(void)lock_enter(&lock, &turn);
	schedule_require(inside == 0); /* K1 */
	inside++;
	schedule_write(&guarded); /* K2 */
	guarded++;
	/* A point, so that others can be found inside. */
	(void)load_relaxed(&lock.entered);
	inside--;
	lock_leave(&lock, &turn);
	entries++;
}

static void enter_twice(unsigned thread)
{
	enter_and_leave(thread);
	enter_and_leave(thread);
}

static void all_were_inside(void)
{
	schedule_require(guarded == entries);
	schedule_require(load_relaxed(&lock.entered) == entries);
	lock_qspin.fini(&lock);
}

#define ENTRIES(count)                                               \
	{                                                            \
		.name = #count " threads enter", .threads = (count), \
		.begin = begin, .run = enter_and_leave,              \
		.end = all_were_inside,                              \
	}

static const struct schedule_case two_threads = ENTRIES(2);
static const struct schedule_case three_threads = ENTRIES(3);
static const struct schedule_case four_threads = ENTRIES(4);

static const struct schedule_case two_threads_twice = {
	.name = "2 threads enter twice",
	.threads = 2,
	.begin = begin,
	.run = enter_twice,
	.end = all_were_inside,
};

static void two_threads_are_kept_apart(void **state)
{
	static const struct model_plan all = {
		.preemptions = UINT32_MAX,
		.seeds = 1000,
	};
	static const struct model_plan late = {
		.preemptions = 3,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&two_threads, &all);
	model_check(&two_threads, &late);
	model_check(&two_threads_twice, &late);
}

static void a_queue_is_kept_apart(void **state)
{
	static const struct model_plan three = {
		.preemptions = 2,
		.ages = 1,
		.seeds = 10000,
	};
	static const struct model_plan four = { .preemptions = 1 };
	static const struct model_plan four_late = {
		.ages = 1,
		.seeds = 10000,
	};

	(void)state;
	model_check(&three_threads, &three);
	model_check(&four_threads, &four);
	model_check(&four_threads, &four_late);
}

/* The checks above see a lock that is none. */
static void begin_busted(void)
{
	begin();
	lock.ops = &lock_busted;
}

static void a_busted_lock_is_found(void **state)
{
	static const struct schedule_case busted = {
		.name = "a busted lock",
		.threads = 2,
		.begin = begin_busted,
		.run = enter_and_leave,
	};
	static const struct model_plan plan = { .preemptions = 1 };

	(void)state;
	model_find(&busted, &plan, "");
}

static void each_order_is_needed(void **state)
{
	static const struct schedule_case *const cases[] = {
		&two_threads,
		&three_threads,
		&four_threads,
		NULL,
	};
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .ages = 1, .seeds = 5000 },
		.source = "lock_qspin.c",
	};

	(void)state;
	model_check_orders(&orders);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_threads_are_kept_apart),
		cmocka_unit_test(a_queue_is_kept_apart),
		cmocka_unit_test(a_busted_lock_is_found),
		cmocka_unit_test(each_order_is_needed),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_qspin", tests, NULL, NULL);
}
