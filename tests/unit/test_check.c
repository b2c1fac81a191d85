/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "engine_fixture.h"

enum { TEXT_BYTES = 1024 };

/* last_words - what a child wrote before `body` ended it with SIGABRT. */
static void last_words(void (*body)(void), char text[TEXT_BYTES])
{
	int ends[2];
	int status = 0;

	assert_int_equal(pipe(ends), 0);

	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)dup2(ends[1], STDERR_FILENO);
		body();
		_exit(0);
	}
	(void)close(ends[1]);

	const ssize_t bytes = read(ends[0], text, TEXT_BYTES - 1);

	text[bytes > 0 ? bytes : 0] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void require_a_lie(void)
{
	require(1 + 1 == 3);
}

static void require_invariant_a_lie(void)
{
	require_invariant(1 + 1 == 3, "Z9");
}

static void a_failed_require_names_place_and_condition(void **state)
{
	char text[TEXT_BYTES];

	(void)state;
	last_words(require_a_lie, text);
	assert_non_null(strstr(text, "test_check.c:"));
	assert_non_null(strstr(text, "1 + 1 == 3"));
}

static void a_failed_invariant_names_its_number(void **state)
{
	char text[TEXT_BYTES];

	(void)state;
	last_words(require_invariant_a_lie, text);
	assert_non_null(strstr(text, "invariant Z9"));
}

static void what_holds_is_silent(void **state)
{
	(void)state;
	require(true);
	require_invariant(true, "Z9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_require_names_place_and_condition),
		cmocka_unit_test(a_failed_invariant_names_its_number),
		cmocka_unit_test(what_holds_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
