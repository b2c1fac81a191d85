/* SPDX-License-Identifier: MIT */
/*
 * test_cached_counts.c - what `lockfree` promises in counts, whatever the
 * compiler: counts.golden holds the figures of today, this what they must not
 * exceed.
 *
 * All threads run on one CPU, whose stock it is: what is remote of a free is
 * that more of them come to it than allocations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/percpu.h"
#include "progress/audited_world.h"

enum {
	SKIPPED = 77,
	REMOTE_FREES_A_LOCKED = 32, /* at least */
};

static void counted(const struct audited_operation *operation,
		    bool address_plane, struct step_report *report)
{
	const struct world_options options = {
		.strategy = "lockfree",
		.mapping = "keep",
		.frames = "bitmap",
		.address_plane = address_plane,
		.is_bare = true,
		.os = world_os_still(),
	};
	static struct audited_world audited;

	assert_true(audited_world_init(&audited, &options));

	const struct stopped stopped =
		audited_world_stopped(&audited, operation);

	/* The first time, lazy binding and first touches are in it. */
	stopped_count(&stopped, report);
	stopped_count(&stopped, report);
	audited_world_fini(&audited);
}

static void nothing_check(const struct audited_operation *operation)
{
	struct step_report report;

	for (unsigned plane = 0; plane < 2; plane++) {
		counted(operation, plane == 0, &report);
		assert_true(report.instructions > 0);
		assert_int_equal(report.locked, 0);
		assert_int_equal(report.syscalls, 0);
	}
}

static void a_recycled_pair_locks_nothing_and_calls_nobody(void **state)
{
	(void)state;
	nothing_check(&audited_counted[CACHED_PAIR]);
}

static void a_lookup_locks_nothing_and_calls_nobody(void **state)
{
	(void)state;
	nothing_check(&audited_counted[CACHED_LOOKUP]);
}

static void remote_frees_lock_once_for_many(void **state)
{
	struct step_report report;

	(void)state;
	for (unsigned plane = 0; plane < 2; plane++) {
		counted(&audited_counted[CACHED_FREES], plane == 0, &report);
		print_message("%lu locked for %d frees\n",
			      (unsigned long)report.locked, CACHED_FREED);
		assert_true(report.locked > 0);
		assert_true(report.locked * REMOTE_FREES_A_LOCKED <=
			    CACHED_FREED);
		assert_int_equal(report.syscalls, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_recycled_pair_locks_nothing_and_calls_nobody),
		cmocka_unit_test(a_lookup_locks_nothing_and_calls_nobody),
		cmocka_unit_test(remote_frees_lock_once_for_many),
	};
	struct stepper_thread thread;
	int failed = 0;

	if (percpu_choose(PERCPU_AUTO, &os_linux) == &percpu_cas) {
		print_message("no restartable sequences here\n");
		return SKIPPED;
	}
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
