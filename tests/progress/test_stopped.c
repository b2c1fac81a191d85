/* SPDX-License-Identifier: MIT */
/*
 * test_stopped.c - who is blocked by a thread that stops, strategy by strategy.
 *
 * A thread is stopped at the points of each operation; bystanders must then do
 * a set number of lookups, frees, allocations and purges.  Each strategy is
 * held to what it promises, in the table `promises`:
 *
 *   blocks  a stopped thread is seen to block others, in each operation.  One
 *           point behind each atomic read-modify-write is enough: it meets each
 *           lock once, taken.
 *   passes  nobody is blocked, at whatever instruction: all of them up to
 *           EVERY_MAX instructions an operation, above that behind each write
 *           that others can see, which is as good (progress/stepper.h).
 *
 *   unstepped  `rcu` cannot be stepped: liburcu blocks all signals where it
 *           registers a thread, under its mutex, and a trap whose signal is
 *           blocked ends the process.  That mutex is where it blocks.
 *
 * Strategies with locks are run with `pthread-mutex`, whose waiters sleep: that
 * is seen at once, where a spinning one takes CPU time; and `nodes` with the
 * default lock as well, or with LFV_TEST_LONG with each kind.  Then the second
 * form of a generation is run on the full plane, too.
 *
 *	test_stopped             the tests
 *	test_stopped --markdown  tables of the address plane, for README.md
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "progress/stopped_table.h"

enum {
	SKIPPED = 77,
	EVERY_MAX = 800,
	EVERY_MAX_LONG = 3000,
	MAGAZINE = 2,   /* of a cache in front: few areas reach all of it */
	BROKEN_MAX = 3, /* a promise that is broken more often is broken */
};

enum promise { BLOCKS, PASSES, UNSTEPPED }; /* BLOCKS unless said */

static const struct promised {
	const char *strategy;
	enum promise promise;
	bool is_variant; /* of the strategy before or after it */
} promises[] = {
	{ .strategy = "list" },
	{ .strategy = "list-2.6.24", .is_variant = true },
	{ .strategy = "rbtree-2.6.28", .is_variant = true },
	{ .strategy = "rbtree" },
	{ .strategy = "augmented-5.10", .is_variant = true },
	{ .strategy = "augmented" },
	{ .strategy = "nodes" },
	{ .strategy = "lockfree", .promise = PASSES },
	{ .strategy = "rcu", .promise = UNSTEPPED },
};

enum { PROMISES = sizeof(promises) / sizeof(*promises) };

static bool is_long;

static enum step_points points_of(enum promise promise,
				  const struct stopped *stopped)
{
	const uint64_t most = is_long ? EVERY_MAX_LONG : EVERY_MAX;
	struct step_report once;

	if (promise == BLOCKS)
		return STEP_LOCKED;
	stopped_count(stopped, &once);
	return once.instructions <= most ? STEP_EVERY : STEP_WRITES;
}

/* row_fill - stop a thread in each operation of the row's strategy. */
static void row_fill(struct stopped_row *row, enum promise promise)
{
	const struct world_options options = {
		.strategy = row->strategy,
		.lock = row->lock,
		.address_plane = row->address_plane,
		.magazine = MAGAZINE,
		.os = world_os_still(),
	};
	static struct world world;

	require(world_init(&world, &options));
	for (unsigned i = 0; i < WORLD_OPERATIONS; i++) {
		struct stopped stopped =
			world_stopped(&world, &world_operations[i]);

		if (promise == PASSES)
			stopped.blocked_max = BROKEN_MAX;
		stopped_run(&stopped, points_of(promise, &stopped),
			    &row->reports[i]);
	}
	world_fini(&world);
}

static void promise_check(const struct promised *promised, const char *lock,
			  bool address_plane)
{
	struct stopped_row row = {
		.strategy = promised->strategy,
		.lock = lock,
		.address_plane = address_plane,
	};

	if (promised->promise == UNSTEPPED)
		return;
	row_fill(&row, promised->promise);
	for (unsigned i = 0; i < WORLD_OPERATIONS; i++) {
		stopped_line_print(&row, i);
		assert_int_equal(row.reports[i].places_lost, 0);
		if (promised->promise == BLOCKS)
			assert_true(row.reports[i].blocked > 0);
		else
			assert_int_equal(row.reports[i].blocked, 0);
	}
}

static void each_strategy_has_a_promise(void **state)
{
	struct lfv_choice choice;

	(void)state;
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		bool has_one = choice.busted;

		for (unsigned j = 0; j < PROMISES; j++)
			has_one |=
				strcmp(promises[j].strategy, choice.name) == 0;
		if (!has_one)
			fail_msg("%s promises nothing", choice.name);
	}
}

static void promises_hold_on_the_address_plane(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PROMISES; i++)
		promise_check(&promises[i], "pthread-mutex", true);
}

static void promises_hold_on_the_full_plane(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PROMISES; i++) {
		if (is_long || !promises[i].is_variant)
			promise_check(&promises[i], "pthread-mutex", false);
	}
}

/* The first kind is the default; `nodes` has the most locks. */
static void promises_hold_under_each_lock(void **state)
{
	const struct promised nodes = { .strategy = "nodes" };
	struct lfv_choice lock;

	(void)state;
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_LOCK, i, &lock); i++) {
		const bool is_default = i == 0;

		if (!lock.busted && (is_long || is_default))
			promise_check(&nodes, lock.name, true);
	}
}

static void tables_print(void)
{
	static struct stopped_row rows[PROMISES];
	unsigned count = 0;

	for (unsigned i = 0; i < PROMISES; i++) {
		if (promises[i].promise == UNSTEPPED)
			continue;
		rows[count] = (struct stopped_row){
			.strategy = promises[i].strategy,
			.lock = "pthread-mutex",
			.address_plane = true,
		};
		row_fill(&rows[count++], promises[i].promise);
	}
	stopped_tables_print(rows, count);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_strategy_has_a_promise),
		cmocka_unit_test(promises_hold_on_the_address_plane),
		cmocka_unit_test(promises_hold_on_the_full_plane),
		cmocka_unit_test(promises_hold_under_each_lock),
	};
	struct stepper_thread thread;
	int failed = 0;

	is_long = getenv("LFV_TEST_LONG") != NULL;
	if (!stepper_init()) {
		print_message("a program cannot step itself here\n");
		return SKIPPED;
	}
	world_warm_up();
	stopped_init();
	stepper_thread_init(&thread);
	if (argc > 1 && strcmp(argv[1], "--markdown") == 0)
		tables_print();
	else
		failed = cmocka_run_group_tests(tests, NULL, NULL);
	stepper_thread_fini(&thread);
	stepper_fini();
	return failed;
}
