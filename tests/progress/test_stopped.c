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
 *   passes  nobody is blocked, at whatever point stopped_choose() finds: all of
 *           them with LFV_TEST_LONG, else a sample.
 *   passes but where it says
 *           as above, save while the thread is inside of a function whose
 *           name begins as said, which must be seen to block somebody.
 *   passes once it is known
 *           as passes, save that a thread is stopped neither in its first
 *           lookup nor at its end: there liburcu registers it and forgets it,
 *           with all signals blocked, under its mutex, which is where `rcu`
 *           blocks; and a trap whose signal is blocked ends the process.
 *
 * What only makes memory grow, as a reader of RCU that is stopped, blocks
 * nobody.  test_stopped_cached.c has more ways through `lockfree`.
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
	MAGAZINE = 2,   /* of a cache in front: few areas reach all of it */
	BROKEN_MAX = 3, /* a promise that is broken more often is broken */
};

/* BLOCKS unless said */
enum promise { BLOCKS, PASSES, PASSES_BUT, PASSES_KNOWN };

static const struct promised {
	const char *strategy;
	enum promise promise;
	const char *where; /* PASSES_BUT */
	bool is_variant;   /* of the strategy before or after it */
	bool is_sample;    /* one stop that blocks is enough of an operation */
} promises[] = {
	{ .strategy = "list" },
	{ .strategy = "list-2.6.24", .is_variant = true },
	{ .strategy = "rbtree-2.6.28", .is_variant = true },
	{ .strategy = "rbtree" },
	{ .strategy = "augmented-5.10", .is_variant = true },
	{ .strategy = "augmented" },
	{ .strategy = "nodes" },
	{ .strategy = "lockfree", .promise = PASSES },
	{ .strategy = "rcu", .promise = PASSES_KNOWN },
};

enum { PROMISES = sizeof(promises) / sizeof(*promises) };

static bool is_long;

/* is_left_out - what cannot be stepped. */
static bool is_left_out(const struct promised *promised, unsigned operation)
{
	return promised->promise == PASSES_KNOWN &&
	       world_operations[operation].thread == STOPPED_ENDING;
}

/* operation_run - at the points that its promise asks for. */
static void operation_run(struct stopped *stopped,
			  const struct promised *promised,
			  struct stopped_report *report)
{
	const bool is_known = promised->promise == PASSES_KNOWN;
	enum step_points points = STEP_LOCKED;

	stopped->where = promised->where;
	if (is_known)
		stopped->enter = world_look_up;
	/* The thread of deferred functions works when it likes. */
	stopped->is_unmarked = is_known;
	if (promised->promise == PASSES || is_known)
		stopped->blocked_max = BROKEN_MAX;
	if (promised->promise != BLOCKS)
		points = stopped_choose(stopped, !is_long);
	else if (promised->is_sample)
		stopped->blocked_max = 1;
	stopped_run(stopped, points, report);
}

/* row_fill - stop a thread in each operation of the row's strategy. */
static void row_fill(struct stopped_row *row, const struct promised *promised)
{
	const struct world_options options = {
		.strategy = row->strategy,
		.lock = row->lock,
		.frames = row->frames,
		.address_plane = row->address_plane,
		.magazine = MAGAZINE,
		.areas = promised->promise == BLOCKS ? 0 : WORLD_AREAS_FEW,
		.os = world_os_still(),
	};
	static struct world world;

	require(world_init(&world, &options));
	for (unsigned i = 0; i < WORLD_OPERATIONS; i++) {
		struct stopped stopped =
			world_stopped(&world, &world_operations[i]);

		row->left_out |= is_left_out(promised, i) ? 1U << i : 0;
		if (!is_left_out(promised, i))
			operation_run(&stopped, promised, &row->reports[i]);
	}
	world_fini(&world);
}

static void report_check(const struct stopped_report *report,
			 enum promise promise)
{
	assert_int_equal(report->places_lost, 0);
	switch (promise) {
	case BLOCKS:
		assert_true(report->blocked > 0);
		return;
	case PASSES:
	case PASSES_KNOWN:
		assert_true(report->suspensions > 0);
		assert_int_equal(report->blocked, 0);
		return;
	case PASSES_BUT:
		assert_int_equal(report->blocked, report->blocked_there);
		return;
	}
}

/* row_check - how many stops block somebody, all in all. */
static uint64_t row_check(struct stopped_row *row,
			  const struct promised *promised)
{
	uint64_t blocked = 0;

	row_fill(row, promised);
	for (unsigned i = 0; i < WORLD_OPERATIONS; i++) {
		if (is_left_out(promised, i))
			continue;
		stopped_line_print(row, i);
		report_check(&row->reports[i], promised->promise);
		blocked += row->reports[i].blocked;
	}
	return blocked;
}

static void promise_check(const struct promised *promised, const char *lock,
			  bool address_plane)
{
	struct stopped_row row = {
		.strategy = promised->strategy,
		.lock = lock,
		.address_plane = address_plane,
	};

	(void)row_check(&row, promised);
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
		/* Of what passes, test_stopped_cached.c has it by default. */
		if (is_long ||
		    (!promises[i].is_variant && promises[i].promise == BLOCKS))
			promise_check(&promises[i], "pthread-mutex", false);
	}
}

/* As lfv.h has it: the frames `buddy` have a lock. */
static void frames_with_a_lock_block_there_alone(void **state)
{
	const struct promised but = {
		.promise = PASSES_BUT,
		.where = "frame_buddy_",
	};
	struct stopped_row row = {
		.strategy = "lockfree",
		.lock = "pthread-mutex",
		.frames = "buddy",
	};

	(void)state;
	assert_true(row_check(&row, &but) > 0);
}

/* The first kind is the default; `nodes` has the most locks. */
static void promises_hold_under_each_lock(void **state)
{
	const struct promised nodes = { .strategy = "nodes",
					.is_sample = !is_long };
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

	for (unsigned i = 0; i < PROMISES; i++) {
		rows[i] = (struct stopped_row){
			.strategy = promises[i].strategy,
			.lock = "pthread-mutex",
			.address_plane = true,
		};
		row_fill(&rows[i], &promises[i]);
	}
	stopped_tables_print(rows, PROMISES);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_strategy_has_a_promise),
		cmocka_unit_test(promises_hold_on_the_address_plane),
		cmocka_unit_test(promises_hold_on_the_full_plane),
		cmocka_unit_test(frames_with_a_lock_block_there_alone),
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
