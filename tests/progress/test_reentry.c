/* SPDX-License-Identifier: MIT */
/*
 * test_reentry.c - operations begun inside of operations, as signal handlers
 * do; and who deadlocks by that.
 *
 * `lockfree` is interrupted at CHILDREN_MAX instructions of an operation,
 * spread over it, or, with LFV_TEST_LONG, at every one; and every answer must
 * be right.  So is `rcu`, once the thread has looked something up: at its first
 * look liburcu enters it under the mutex of its list of readers, where a
 * stopped thread blocks others (test_stopped.c), but all signals are blocked
 * there, and no handler begins.  Strategies with locks are interrupted where
 * one has just been taken, in a child: that a lookup in an interrupt waits for
 * ever for the allocation below it must be seen.  The same looks, on the same
 * points of `lockfree`, see nobody wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "progress/reentry.h"

enum {
	SKIPPED = 77,
	CHILDREN_MAX = 96, /* some 20 ms each: one looks on, and collects it */
	RCU_CHILDREN_MAX = 8, /* it shares all with `lockfree` but the tree */
};

enum {
	OUTER_ALLOC,
	OUTER_REFILL,
	OUTER_FREE,
	OUTER_SPILL,
	OUTER_LOOKUP,
	OUTER_PURGE
};

static bool is_long;

/* The ways of keeping areas, and of keeping a CPU's own things. */
static const struct way {
	const char *strategy;
	uint64_t children_max;
	const char *mapping;
	const char *percpu;
	bool is_hardened;
	bool is_long; /* only with LFV_TEST_LONG */
} ways[] = {
	{ .strategy = "lockfree",
	  .children_max = CHILDREN_MAX,
	  .mapping = "lazy",
	  .percpu = "auto" },
	{ .strategy = "lockfree",
	  .children_max = CHILDREN_MAX,
	  .mapping = "keep",
	  .percpu = "auto" },
	{ .strategy = "lockfree",
	  .children_max = CHILDREN_MAX,
	  .mapping = "keep",
	  .percpu = "cas" },
	{ .strategy = "rcu",
	  .children_max = RCU_CHILDREN_MAX,
	  .mapping = "lazy",
	  .percpu = "auto" },
	{ .strategy = "lockfree",
	  .children_max = CHILDREN_MAX,
	  .mapping = "strict",
	  .percpu = "auto",
	  .is_long = true },
	{ .strategy = "lockfree",
	  .children_max = CHILDREN_MAX,
	  .mapping = "keep",
	  .percpu = "auto",
	  .is_hardened = true,
	  .is_long = true },
};

enum { WAYS = sizeof(ways) / sizeof(*ways) };

static struct lfv_options way_options(const struct way *way)
{
	struct lfv_options options = reentry_options(way->strategy, NULL);

	options.cache = "percpu";
	options.mapping = way->mapping;
	options.percpu = way->percpu;
	options.hardened = way->is_hardened;
	options.magazine = REENTRY_MAGAZINE;
	return options;
}

static void way_run(const struct way *way, unsigned outer,
		    enum reentry_inner inner)
{
	const struct lfv_options options = way_options(way);
	static struct reentry reentry;
	struct reentry_report report;

	reentry_init(&reentry, &options);
	reentry.children_max = is_long ? 0 : way->children_max;
	reentry_run(&reentry, outer, inner, STEP_EVERY, &report);
	reentry_fini(&reentry);
	assert_int_equal(report.verdict, VERDICT_PASSED);
	assert_int_equal(report.children, report.outer.points / reentry.stride);
	print_message("%s, %s, %s: %s, interrupted by %s: %lu points of %lu\n",
		      way->strategy, way->mapping, way->percpu,
		      reentry_outer_names[outer], reentry_inner_names[inner],
		      (unsigned long)report.children,
		      (unsigned long)report.outer.points);
}

static void way_run_all(const struct way *way)
{
	for (unsigned outer = 0; outer < REENTRY_OUTERS; outer++) {
		way_run(way, outer, REENTRY_ALL);
		way_run(way, outer, REENTRY_PURGE);
	}
}

static void who_has_no_lock_is_right_at_any_instruction(void **state)
{
	(void)state;
	for (unsigned way = 0; way < WAYS; way++) {
		if (is_long || !ways[way].is_long)
			way_run_all(&ways[way]);
	}
}

/* judged - the table of one strategy: what becomes of each pair. */
struct judged {
	enum verdict verdicts[REENTRY_OUTERS][REENTRY_INNERS];
};

static const char *verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASSED:
		return "gets on";
	case VERDICT_SPINS:
		return "spins for ever";
	case VERDICT_SLEEPS:
		return "sleeps for ever";
	}
	return "?";
}

static struct judged judge(const struct lfv_options *options, const char *name)
{
	static struct reentry reentry;
	struct judged judged;

	reentry_init(&reentry, options);
	for (unsigned outer = 0; outer < REENTRY_OUTERS; outer++) {
		for (int inner = 0; inner < REENTRY_ALL; inner++) {
			struct reentry_report report;

			reentry_run(&reentry, outer, (enum reentry_inner)inner,
				    STEP_LOCKED, &report);
			judged.verdicts[outer][inner] = report.verdict;
			print_message("| %s | %s | %s | %s%s%s |\n", name,
				      reentry_outer_names[outer],
				      reentry_inner_names[inner],
				      verdict_name(report.verdict),
				      report.function[0] != '\0' ? " in " : "",
				      report.function);
		}
	}
	reentry_fini(&reentry);
	return judged;
}

/*
 * A lookup or an allocation in an interrupt: what the kernel forbids.  Whether
 * the other pairs meet on one lock is a matter of the strategy, and with
 * `nodes` of the addresses.
 */
static void must_deadlock(const char *strategy, const char *lock,
			  enum verdict how)
{
	const struct lfv_options options = reentry_options(strategy, lock);
	const struct judged judged = judge(&options, strategy);

	assert_int_equal(judged.verdicts[OUTER_REFILL][REENTRY_LOOKUP], how);
	assert_int_equal(judged.verdicts[OUTER_REFILL][REENTRY_PAIR], how);
	assert_int_equal(judged.verdicts[OUTER_FREE][REENTRY_LOOKUP], how);
}

/*
 * has_locks - by its own count.
 */
static bool has_locks(const char *strategy)
{
	const struct lfv_options options =
		reentry_options(strategy, "pthread-mutex");
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };
	static struct reentry reentry;

	reentry_init(&reentry, &options);
	require(lfv_get_stats(reentry.lfv, &stats) == 0);
	reentry_fini(&reentry);
	return stats.locks_entered > 0;
}

/* Waiters of this lock sleep, which is seen at once. */
static void strategies_with_locks_deadlock(void **state)
{
	struct lfv_choice choice;

	(void)state;
	print_message("| strategy | in | interrupted by | which |\n"
		      "| :--- | :--- | :--- | :--- |\n");
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		if (!choice.busted && has_locks(choice.name))
			must_deadlock(choice.name, "pthread-mutex",
				      VERDICT_SLEEPS);
	}
}

static void a_spinning_lock_spins_for_ever(void **state)
{
	(void)state;
	must_deadlock("nodes", "qspin", VERDICT_SPINS);
}

/* The same points and the same looks: it is not they that see deadlocks. */
static void lockfree_waits_for_nobody(void **state)
{
	const struct lfv_options options = reentry_options("lockfree", NULL);
	const struct judged judged = judge(&options, "lockfree");

	(void)state;
	for (unsigned outer = 0; outer < REENTRY_OUTERS; outer++) {
		for (int inner = 0; inner < REENTRY_ALL; inner++)
			assert_int_equal(judged.verdicts[outer][inner],
					 VERDICT_PASSED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strategies_with_locks_deadlock),
		cmocka_unit_test(a_spinning_lock_spins_for_ever),
		cmocka_unit_test(lockfree_waits_for_nobody),
		cmocka_unit_test(who_has_no_lock_is_right_at_any_instruction),
	};
	struct stepper_thread thread;
	int failed;

	is_long = getenv("LFV_TEST_LONG") != NULL;
	if (!stepper_init()) {
		print_message("a program cannot step itself here\n");
		return SKIPPED;
	}
	stepper_thread_init(&thread);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	stepper_thread_fini(&thread);
	stepper_fini();
	return failed;
}
