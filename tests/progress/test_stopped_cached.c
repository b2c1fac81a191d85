/* SPDX-License-Identifier: MIT */
/*
 * test_stopped_cached.c - `lockfree`, stopped on each way through its cache,
 * with mapping `lazy` and `keep`, on both planes.
 *
 * Nobody is blocked, wherever a thread stands; of pages and frames no more is
 * missing meanwhile than it holds, and none when it has gone on; then the
 * figures add up, and the engine's own check passes.  It is stopped where
 * stopped_choose() has it; all of these points with LFV_TEST_LONG, else a
 * sample.
 *
 * All threads run on one CPU: they meet the same stock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/check.h"
#include "progress/audited_world.h"

enum {
	SKIPPED = 77,
	BROKEN_MAX = 3, /* a promise that is broken more often is broken */
};

static bool is_long;

static void operation_check(struct audited_world *audited,
			    const struct audited_operation *operation)
{
	struct stopped stopped = audited_world_stopped(audited, operation);
	const enum step_points points = stopped_choose(&stopped, !is_long);
	struct stopped_report report;

	stopped.blocked_max = BROKEN_MAX;
	stopped_run(&stopped, points, &report);
	print_message("%s: %lu instructions, %lu stops, %lu block; missing "
		      "%lu pages, %lu frames of %lu; then %lu, %lu\n",
		      operation->name, (unsigned long)report.whole.instructions,
		      (unsigned long)report.suspensions,
		      (unsigned long)report.blocked,
		      (unsigned long)audited->stopped.pages,
		      (unsigned long)audited->stopped.frames,
		      (unsigned long)operation->holds,
		      (unsigned long)audited->over.pages,
		      (unsigned long)audited->over.frames);
	if (report.blocked > 0)
		print_message("first in %s, %lu\n", report.places[0].function,
			      (unsigned long)report.places[0].step);
	assert_int_equal(report.blocked, 0);
	assert_true(report.suspensions > 0);
	assert_true(audited->stopped.pages <= operation->holds);
	assert_true(audited->stopped.frames <= operation->holds);
	assert_int_equal(audited->over.pages, 0);
	assert_int_equal(audited->over.frames, 0);
	assert_int_equal(audited->unaccounted, 0);
	lfv_check(audited->world.lfv);
}

static void strategy_check(const char *mapping, bool address_plane,
			   unsigned magazine)
{
	const struct world_options options = {
		.strategy = "lockfree",
		.mapping = mapping,
		.address_plane = address_plane,
		.magazine = magazine,
		.areas = CACHED_AREAS,
		.os = world_os_still(),
	};
	static struct audited_world audited;

	assert_true(audited_world_init(&audited, &options));
	for (unsigned i = 0; i < AUDITED_OPERATIONS; i++)
		operation_check(&audited, &audited_operations[i]);
	audited_world_fini(&audited);
}

static void nobody_waits_where_ranges_are_lazy(void **state)
{
	(void)state;
	strategy_check("lazy", true, CACHED_MAGAZINE_LAZY);
}

static void nobody_waits_where_ranges_are_kept(void **state)
{
	(void)state;
	strategy_check("keep", true, CACHED_MAGAZINE);
}

static void nobody_waits_where_pages_are_lazy(void **state)
{
	(void)state;
	strategy_check("lazy", false, CACHED_MAGAZINE_LAZY);
}

static void nobody_waits_where_pages_are_kept(void **state)
{
	(void)state;
	strategy_check("keep", false, CACHED_MAGAZINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_waits_where_ranges_are_lazy),
		cmocka_unit_test(nobody_waits_where_ranges_are_kept),
		cmocka_unit_test(nobody_waits_where_pages_are_lazy),
		cmocka_unit_test(nobody_waits_where_pages_are_kept),
	};
	struct stepper_thread thread;
	int failed = 0;

	is_long = getenv("LFV_TEST_LONG") != NULL;
	if (!stepper_init()) {
		print_message("a program cannot step itself here\n");
		return SKIPPED;
	}
	world_pin();
	world_warm_up();
	stopped_init();
	stepper_thread_init(&thread);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	stepper_thread_fini(&thread);
	stepper_fini();
	return failed;
}
