/* SPDX-License-Identifier: MIT */
/*
 * va_suite.c - every strategy, with two lock kinds; with --long, or
 * LFV_TEST_LONG in the environment, with all of them, more threads and more
 * steps.
 *
 * `busted` and the lock kind of that name must be caught, and each test says
 * which check saw it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "contract/va_suite.h"
#include "va/strategies.h"

enum {
	CASES_MAX = 128,
	NAME_BYTES = 96,
	ORACLE_STEPS = 4000,
	ORACLE_STEPS_LONG = 40000,
	CHURN_STEPS = 2000,
	CHURN_STEPS_LONG = 20000,
	THREADS = 4,
	THREADS_LONG = 8,
	NODES = 2,
	NODES_LONG = 7,
	CHILD_SECONDS_MAX = 20,
	LOCK_ROUNDS = 20,
	PAIRS = 1000,
};

static bool is_long;

static struct suite_case cases[CASES_MAX];

static void strategy_agrees_with_the_oracle(void **state)
{
	struct suite_case test = *(const struct suite_case *)*state;
	const char *breach = NULL;

	test.steps = is_long ? ORACLE_STEPS_LONG : ORACLE_STEPS;
	for (uint64_t seed = 1; seed <= 3 && !breach; seed++)
		breach = oracle_breach(&test, seed * 0x2545f4914f6cdd1d);
	if (breach)
		fail_msg("%s", breach);
}

static void no_page_has_two_owners_while_threads_churn(void **state)
{
	struct suite_case test = *(const struct suite_case *)*state;

	test.steps = is_long ? CHURN_STEPS_LONG : CHURN_STEPS;

	const char *const breach = churn_breach(&test, 42);

	if (breach)
		fail_msg("%s", breach);
}

static struct suite_case busted_case(void)
{
	return (struct suite_case){
		.ops = &va_busted,
		.lock = lock_find("pthread-mutex"),
		.nodes = 1,
		.threads = THREADS,
		.steps = CHURN_STEPS,
	};
}

static void busted_is_caught_by_the_oracle(void **state)
{
	(void)state;
	const struct suite_case test = busted_case();
	const char *const breach = oracle_breach(&test, 0x2545f4914f6cdd1d);

	assert_non_null(breach);
	print_message("caught by %s\n", breach);
	assert_non_null(strstr(breach, "two owners"));
}

static void busted_is_caught_by_the_stamps_of_the_churn(void **state)
{
	(void)state;
	const struct suite_case test = busted_case();
	const char *const breach = churn_breach(&test, 42);

	assert_non_null(breach);
	print_message("caught by %s\n", breach);
	assert_non_null(strstr(breach, "owner"));
}

/*
 * child_output - what a child wrote to its stderr; its status is the result.
 *
 * A child that hangs is ended by its alarm.
 */
static int child_output(void (*body)(void), char *text, size_t bytes)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);

	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* No handler of the frame's may turn an abort into a test. */
		signal(SIGABRT, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGALRM, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		alarm(CHILD_SECONDS_MAX);
		body();
		_exit(0);
	}
	close(ends[1]);

	size_t length = 0;
	ssize_t got;

	while (length + 1 < bytes &&
	       (got = read(ends[0], text + length, bytes - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	close(ends[0]);

	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void pairs_run(struct va *va, unsigned count, bool keep)
{
	const struct va_request request = {
		.size = 2 * PAGE_SIZE,
		.align = 1,
		.vstart = va->config.start,
		.vend = va->config.end,
		.node = -1,
	};

	for (unsigned i = 0; i < count; i++) {
		struct va_range range;
		bool purge_due = false;

		if (suite_alloc(va, &request, &range))
			_exit(1);
		if (!keep && va->ops->free(va, range.start, &purge_due))
			_exit(1);
	}
}

static void busted_check_child(void)
{
	const struct suite_case test = busted_case();
	const struct va_config config = suite_config(&test, 4096);
	struct va va;

	if (va_init(&va, test.ops, &config))
		_exit(1);
	pairs_run(&va, 300, true);
	va.ops->check(&va);
}

static void busted_is_caught_by_its_check_with_the_number_a2(void **state)
{
	(void)state;
	char text[512];
	const int status = child_output(busted_check_child, text, sizeof(text));

	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(text, "invariant A2"));
}

/* What a list without a lock does to itself is anything: hence a child. */
static void lock_busted_child(void)
{
	const struct suite_case test = {
		.ops = &va_rbtree,
		.lock = lock_find("busted"),
		.nodes = 1,
		.threads = THREADS,
		.steps = CHURN_STEPS,
		.linger = true,
	};

	for (unsigned round = 1; round <= LOCK_ROUNDS; round++) {
		const char *const breach = churn_breach(&test, round);

		if (breach) {
			dprintf(STDERR_FILENO, "%s", breach);
			_exit(2);
		}
	}
}

static void a_lock_that_locks_nothing_is_caught(void **state)
{
	(void)state;
	char text[512];
	const int status = child_output(lock_busted_child, text, sizeof(text));

	assert_true(status != 0);
	print_message("caught by %s\n", text[0] ? text
					: WIFSIGNALED(status)
						? strsignal(WTERMSIG(status))
						: "a sanitizer");
}

struct golden {
	const char *name;
	unsigned nodes;
	unsigned locks; /* entered in a pair of alloc and free */
};

static void each_generation_enters_its_locks_as_often_as_told(void **state)
{
	(void)state;
	static const struct golden golden[] = {
		{ "list", 1, 2 },           /* vmlist_lock: insert, unlink */
		{ "list-2.6.24", 1, 2 },    /* the same */
		{ "rbtree-2.6.28", 1, 4 },  /* area and vmlist, twice each */
		{ "rbtree", 1, 4 },         /* add, attach; look up, mark */
		{ "augmented-5.10", 1, 5 }, /* free; busy four times */
		{ "augmented", 1, 6 },      /* free; busy four times; lazy */
		{ "nodes", 2, 4 },          /* free; busy twice; lazy */
	};

	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		const struct suite_case test = {
			.ops = va_find_ops(golden[i].name),
			.lock = lock_find("pthread-mutex"),
			.nodes = golden[i].nodes,
		};
		const struct va_config config = suite_config(&test, 4096);
		struct va_stats before;
		struct va_stats after;
		struct va va;

		assert_int_equal(va_init(&va, test.ops, &config), 0);
		/* The first pair may stock up: a preload, a slab. */
		pairs_run(&va, 1, false);
		va.ops->stats(&va, &before);
		pairs_run(&va, PAIRS, false);
		va.ops->stats(&va, &after);
		print_message(
			"%s: %.3f locks a pair\n", golden[i].name,
			(double)(after.locks_entered - before.locks_entered) /
				PAIRS);
		assert_int_equal(after.locks_entered - before.locks_entered,
				 PAIRS * golden[i].locks);
		va_fini(&va);
	}
}

static void every_name_variant_and_alias_finds_its_row(void **state)
{
	(void)state;
	assert_ptr_equal(va_find_ops("linux-2.4"), &va_list_24);
	assert_ptr_equal(va_find_ops("linux-2.6.28"), &va_rbtree_2628);
	assert_ptr_equal(va_find_ops("linux-4.19"), &va_rbtree);
	assert_ptr_equal(va_find_ops("linux-5.10"), &va_augmented_510);
	assert_ptr_equal(va_find_ops("linux-6.1"), &va_augmented);
	assert_ptr_equal(va_find_ops("linux-6.12"), &va_nodes);
	assert_ptr_equal(va_find_ops("2.6.24"), &va_list_2624);
	assert_null(va_find_ops("linux-0.01"));
	for (const struct va_ops *const *row = va_strategies(); *row; row++) {
		assert_ptr_equal(va_find_ops((*row)->name), *row);
		assert_ptr_equal(va_find_ops((*row)->variant), *row);
	}
}

const struct cpu_map *suite_cpus(void)
{
	static struct cpu_map cpus;

	if (cpus.cpus == 0) {
		const struct cpu_options options = { 0 };

		require(cpu_map_init(&cpus, &options, &os_linux) == 0);
	}
	return &cpus;
}

static bool is_wanted(const struct lock_ops *lock)
{
	if (lock->busted)
		return false;
	return is_long || strcmp(lock->name, "pthread-mutex") == 0 ||
	       strcmp(lock->name, "qspin") == 0;
}

static struct suite_case case_of(const struct va_ops *ops,
				 const struct lock_ops *lock)
{
	return (struct suite_case){
		.ops = ops,
		.lock = lock,
		.nodes = is_long ? NODES_LONG : NODES,
		.threads = is_long ? THREADS_LONG : THREADS,
	};
}

static size_t cases_make(void)
{
	size_t count = 0;

	for (const struct va_ops *const *row = va_strategies(); *row; row++) {
		if ((*row)->busted)
			continue;
		for (const struct lock_ops *const *lock = lock_kinds(); *lock;
		     lock++) {
			if (!is_wanted(*lock) || count == CASES_MAX)
				continue;
			cases[count++] = case_of(*row, *lock);
		}
	}
	return count;
}

/* With the cache in front, and what may be used again at once. */
static size_t cached_cases_make(struct suite_case *made)
{
	size_t count = 0;

	for (const struct va_ops *const *row = va_strategies(); *row; row++) {
		struct suite_case test =
			case_of(*row, lock_find("pthread-mutex"));

		if ((*row)->busted)
			continue;
		test.cached = true;
		made[count++] = test;
		test.reuse_at_once = true;
		made[count++] = test;
	}

	/* Those with heads of their own can do so without it. */
	for (const struct va_ops *const *row = va_strategies(); *row; row++) {
		struct suite_case bare =
			case_of(*row, lock_find("pthread-mutex"));

		if (!(*row)->back)
			continue;
		bare.reuse_at_once = true;
		made[count++] = bare;
		bare.hardened = true;
		made[count++] = bare;
	}
	return count;
}

static size_t tests_add(struct CMUnitTest *tests, size_t count)
{
	static char names[2 * CASES_MAX][NAME_BYTES];
	size_t added = 0;

	for (size_t i = 0; i < count; i++) {
		char strategy[NAME_BYTES / 2];
		const char *const lock = cases[i].lock->name;

		snprintf(strategy, sizeof(strategy), "%s%s%s%s",
			 cases[i].ops->name, cases[i].cached ? ", cached" : "",
			 cases[i].reuse_at_once ? ", at once" : "",
			 cases[i].hardened ? ", hardened" : "");
		snprintf(names[added], NAME_BYTES,
			 "%s with %s agrees with the oracle", strategy, lock);
		tests[added] = (struct CMUnitTest){
			.name = names[added],
			.test_func = strategy_agrees_with_the_oracle,
			.initial_state = &cases[i],
		};
		added++;
		snprintf(names[added], NAME_BYTES,
			 "%s with %s gives no page two owners", strategy, lock);
		tests[added] = (struct CMUnitTest){
			.name = names[added],
			.test_func = no_page_has_two_owners_while_threads_churn,
			.initial_state = &cases[i],
		};
		added++;
	}
	return added;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest fixed[] = {
		cmocka_unit_test(every_name_variant_and_alias_finds_its_row),
		cmocka_unit_test(
			each_generation_enters_its_locks_as_often_as_told),
		cmocka_unit_test(busted_is_caught_by_the_oracle),
		cmocka_unit_test(busted_is_caught_by_the_stamps_of_the_churn),
		cmocka_unit_test(
			busted_is_caught_by_its_check_with_the_number_a2),
		cmocka_unit_test(a_lock_that_locks_nothing_is_caught),
	};
	static struct CMUnitTest tests[2 * CASES_MAX + 16];
	size_t count = sizeof(fixed) / sizeof(fixed[0]);

	is_long = (argc > 1 && strcmp(argv[1], "--long") == 0) ||
		  getenv("LFV_TEST_LONG") != NULL;
	memcpy(tests, fixed, sizeof(fixed));
	size_t made = cases_make();

	made += cached_cases_make(cases + made);
	count += tests_add(tests + count, made);
	return _cmocka_run_group_tests("va_suite", tests, count, NULL, NULL);
}
