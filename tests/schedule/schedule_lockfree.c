/* SPDX-License-Identifier: MIT */
/*
 * schedule_lockfree.c - the strategy `lockfree` as a whole: who owns which
 * page, that -ENOMEM is never for nothing, and what lookups say, under every
 * schedule of two or three threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "schedule/model_check.h"
#include "schedule/small_window.h"

static const struct small_area last = { SMALL_FULL, SMALL_LEFT };
static unsigned winners;
static bool has_freed; /* a free has ended */

static void begin_with(bool reuse_at_once, bool is_full)
{
	winners = 0;
	has_freed = false;
	small_begin(reuse_at_once, is_full);
}

static void begin_strict(void)
{
	begin_with(true, false);
}

static void begin_lazy(void)
{
	begin_with(false, false);
}

static void begin_full_strict(void)
{
	begin_with(true, true);
}

static void begin_full_lazy(void)
{
	begin_with(false, true);
}

static void one_has_won(void)
{
	schedule_require(winners == 1);
	small_check();
}

static void alloc_and_give(unsigned thread)
{
	struct small_area area;

	for (unsigned turn = 0; turn < 2; turn++) {
		if (small_alloc(1 + (thread + turn) % 2, &area))
			small_give(&area);
	}
}

static const struct schedule_case scarce = {
	.name = "two in a nearly full window",
	.threads = 2,
	.begin = begin_strict,
	.run = alloc_and_give,
	.end = small_end,
	.watch = small_watch,
};

static void alloc_and_give_once(unsigned thread)
{
	struct small_area area;

	if (small_alloc(1 + thread % 2, &area))
		small_give(&area);
}

static const struct schedule_case scarce_three = {
	.name = "three in a nearly full window",
	.threads = 3,
	.begin = begin_strict,
	.run = alloc_and_give_once,
	.end = small_end,
	.watch = small_watch,
};

/* The pages of one area become those of another. */
static void give_or_alloc(unsigned thread)
{
	struct small_area area;

	if (thread == 0)
		small_give(&last);
	else
		(void)small_alloc(2, &area);
}

static const struct schedule_case handed_on = {
	.name = "pages go from owner to owner",
	.threads = 2,
	.begin = begin_full_strict,
	.run = give_or_alloc,
	.end = small_end,
	.watch = small_watch,
};

static void give_alloc_or_look(unsigned thread)
{
	struct small_area area;

	if (thread == 1) {
		small_look(SMALL_FULL + 1);
		return;
	}
	small_give(&last);
	schedule_require(small_alloc(2, &area));
}

static const struct schedule_case looked_up = {
	.name = "a lookup beside a free and an allocation",
	.threads = 2,
	.begin = begin_full_strict,
	.run = give_alloc_or_look,
	.end = small_end,
	.watch = small_watch,
};

static void free_one(unsigned thread)
{
	(void)thread;
	const int error = small_free(SMALL_FULL);

	schedule_require(error == 0 || error == -ENOENT);
	winners += error == 0;
}

static const struct schedule_case freed_twice = {
	.name = "of two frees one succeeds",
	.threads = 2,
	.begin = begin_full_strict,
	.run = free_one,
	.end = one_has_won,
};

static const struct schedule_case left_twice = {
	.name = "of two lazy frees one succeeds",
	.threads = 2,
	.begin = begin_full_lazy,
	.run = free_one,
	.end = one_has_won,
};

static void leave_or_purge(unsigned thread)
{
	struct small_area area;

	if (thread == 0) {
		small_leave(&last);
		small_purge();
		return;
	}
	small_purge();
	if (small_alloc(2, &area))
		small_leave(&area);
}

static const struct schedule_case purged = {
	.name = "an area is freed, purged and used again",
	.threads = 2,
	.begin = begin_full_lazy,
	.run = leave_or_purge,
	.end = small_end_purged,
	.watch = small_watch,
};

static void alloc_and_leave_or_purge(unsigned thread)
{
	struct small_area area;

	if (thread == 2)
		small_purge();
	else if (small_alloc(1, &area))
		small_leave(&area);
}

static const struct schedule_case purged_three = {
	.name = "two leave areas to one who purges",
	.threads = 3,
	.begin = begin_lazy,
	.run = alloc_and_leave_or_purge,
	.end = small_end_purged,
	.watch = small_watch,
};

/*
 * What is said of `returned` in va/va.h: an alloc that fails between two
 * purges is right if nothing has come back meanwhile.
 */
static void alloc_until_sure(unsigned thread)
{
	struct small_area area;
	uint64_t before;
	uint64_t now;

	if (thread == 0) {
		small_leave(&last);
		has_freed = true;
		return;
	}
	now = small_returned();
	small_purge();
	do {
		before = now;
		if (small_alloc(2, &area))
			return;
		now = small_returned();
		small_purge();
	} while (small_returned() != before);
	schedule_require(schedule_has_ages() || !has_freed);
}

static const struct schedule_case sure = {
	.name = "an allocation that asks again misses no free that ended",
	.threads = 2,
	.begin = begin_full_lazy,
	.run = alloc_until_sure,
	.end = small_end_purged,
	.watch = small_watch,
};

static void no_page_has_two_owners_and_no_refusal_is_spurious(void **unused)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.seeds = 5000,
	};

	(void)unused;
	model_check(&scarce, &plan);
	model_check(&handed_on, &plan);
	model_check(&purged, &plan);
}

static void three_threads_do_no_harm_either(void **unused)
{
	static const struct model_plan plan = {
		.preemptions = 2,
		.seeds = 5000,
	};

	(void)unused;
	model_check(&scarce_three, &plan);
	model_check(&purged_three, &plan);
}

static void a_lookup_hits_iff_an_area_is_there(void **unused)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.seeds = 5000,
	};

	(void)unused;
	model_check(&looked_up, &plan);
}

static void of_two_frees_one_succeeds(void **unused)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.ages = 1,
		.seeds = 5000,
	};

	(void)unused;
	model_check(&freed_twice, &plan);
	model_check(&left_twice, &plan);
}

static void a_failure_is_sure_when_nothing_came_back(void **unused)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.seeds = 5000,
	};

	(void)unused;
	model_check(&sure, &plan);
}

static void values_that_come_late_do_no_harm(void **unused)
{
	static const struct model_plan plan = {
		.preemptions = 1,
		.ages = 1,
		.seeds = 5000,
	};

	(void)unused;
	model_check(&scarce, &plan);
	model_check(&handed_on, &plan);
	model_check(&looked_up, &plan);
	model_check(&purged, &plan);
}

static void nobody_waits_for_a_stopped_thread(void **unused)
{
	static const struct model_plan one = { .stop_preemptions = 1 };
	static const struct model_plan none = { .stop_preemptions = 0 };

	(void)unused;
	model_check_stopped(&handed_on, &one);
	model_check_stopped(&looked_up, &one);
	model_check_stopped(&scarce_three, &none);
	model_check_stopped(&purged_three, &none);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			no_page_has_two_owners_and_no_refusal_is_spurious),
		cmocka_unit_test(three_threads_do_no_harm_either),
		cmocka_unit_test(a_lookup_hits_iff_an_area_is_there),
		cmocka_unit_test(of_two_frees_one_succeeds),
		cmocka_unit_test(a_failure_is_sure_when_nothing_came_back),
		cmocka_unit_test(values_that_come_late_do_no_harm),
		cmocka_unit_test(nobody_waits_for_a_stopped_thread),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_lockfree", tests, NULL,
					   NULL);
}
