/* SPDX-License-Identifier: MIT */
/*
 * lock_suite.c - the contract of lock/lock.h, put to every kind.
 *
 * The kinds must pass all checks; `busted` must be caught, by the checks that
 * are marked so, in a process of its own: there a data race harms nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/tsan.h"
#include "contract/lock_checks.h"
#include "lock/lock.h"

enum {
	KINDS_MAX = 16,
	NAME_BYTES = 96,
	RACE_EXIT_CODE = 66, /* ThreadSanitizer's */
	TURNS = 5,
};

/* question - one check put to one kind. */
struct question {
	const struct lock_ops *kind;
	const struct lock_check *check;
	char name[NAME_BYTES];
};

static void kind_keeps_its_contract(void **state)
{
	const struct question *const question = *state;
	const char *const breach = question->check->look(question->kind);

	if (breach != NULL)
		fail_msg("%s", breach);
}

/*
 * breach_in_child - what a check says of a kind, in a process of its own.
 *
 * True when the child saw a breach; `race` when ThreadSanitizer ended it.
 */
static bool breach_in_child(const struct question *question, bool *race)
{
	int status;
	const pid_t child = fork();

	require(child >= 0);
	if (child == 0) {
		/* The report of the race it is meant to have is no news. */
		(void)!freopen("/dev/null", "w", stderr);
		close(STDERR_FILENO);
		_exit(question->check->look(question->kind) != NULL);
	}
	require(waitpid(child, &status, 0) == child);
	require(WIFEXITED(status));
	*race = TSAN_ENABLED && WEXITSTATUS(status) == RACE_EXIT_CODE;
	return WEXITSTATUS(status) == 1;
}

/* A machine that stalls may keep the threads of one turn apart. */
static void check_catches_busted(void **state)
{
	const struct question *const question = *state;
	bool breach = false;
	bool race = false;

	for (unsigned turn = 0; turn < TURNS && !breach && !race; turn++)
		breach = breach_in_child(question, &race);
	assert_true(breach || race);
}

static void a_race_is_reported_for_busted(void **state)
{
	const struct question question = {
		.kind = lock_find("busted"),
		.check = &lock_checks[5],
	};
	bool race = false;

	(void)state;
	if (!TSAN_ENABLED)
		skip();
	assert_string_equal(question.check->name, "loses_no_increment");
	for (unsigned turn = 0; turn < TURNS && !race; turn++)
		(void)breach_in_child(&question, &race);
	assert_true(race);
}

/* ask - the test of one question, or none: busted and a check that may miss. */
static bool ask(struct question *question, struct CMUnitTest *test)
{
	const bool busted = question->kind->busted;

	if (busted && !question->check->catches_busted)
		return false;
	(void)snprintf(question->name, sizeof(question->name), "%s %s%s",
		       question->kind->name, busted ? "is caught by " : "",
		       question->check->name);
	*test = (struct CMUnitTest){
		.name = question->name,
		.test_func =
			busted ? check_catches_busted : kind_keeps_its_contract,
		.initial_state = question,
	};
	return true;
}

/* add_questions - every check to every kind. */
static size_t add_questions(struct CMUnitTest *tests)
{
	static struct question questions[KINDS_MAX * LOCK_CHECKS];
	size_t count = 0;

	for (const struct lock_ops *const *kind = lock_kinds(); *kind != NULL;
	     kind++) {
		for (unsigned i = 0; i < LOCK_CHECKS; i++) {
			require(count < KINDS_MAX * LOCK_CHECKS);
			questions[count].kind = *kind;
			questions[count].check = &lock_checks[i];
			count += ask(&questions[count], &tests[count]);
		}
	}
	return count;
}

int main(void)
{
	static struct CMUnitTest tests[KINDS_MAX * LOCK_CHECKS + 1];
	size_t count = add_questions(tests);

	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
		a_race_is_reported_for_busted);
	return _cmocka_run_group_tests("lock_suite", tests, count, NULL, NULL);
}
