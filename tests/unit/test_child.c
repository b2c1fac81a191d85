/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/child.h"

static const uint64_t PLENTY_NS = UINT64_C(20) * 1000 * 1000 * 1000;
static const uint64_t LITTLE_NS = UINT64_C(50) * 1000 * 1000;
static const unsigned TURNS = 10; /* each twice as long as the one before */

static struct interrupt interrupt;

static int interrupt_start(void **state)
{
	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return interrupt_begin(&interrupt);
}

static int interrupt_stop(void **state)
{
	(void)state;
	interrupt_end(&interrupt);
	return 0;
}

static struct child_end end_of(const char *script, uint64_t limit_ns)
{
	char shell[] = "/bin/sh";
	char flag[] = "-c";
	char *text = strdup(script);
	char *argv[] = { shell, flag, text, NULL };
	struct child_end end;

	assert_int_equal(child_run(argv, limit_ns, &interrupt, &end), 0);
	free(text);
	return end;
}

static void output_and_exit_code_are_kept(void **state)
{
	struct child_end end =
		end_of("echo one; echo two; echo oops >&2; exit 7", PLENTY_NS);

	(void)state;
	assert_string_equal(end.output, "one\ntwo\n");
	assert_string_equal(end.tail, "oops\n");
	assert_int_equal(end.exit_code, 7);
	assert_int_equal(end.signal, 0);
	assert_false(end.overran);
	free(end.output);
}

static void a_signal_is_named(void **state)
{
	struct child_end end = end_of("kill -SEGV $$", PLENTY_NS);

	(void)state;
	assert_int_equal(end.signal, SIGSEGV);
	assert_int_equal(end.exit_code, -1);
	free(end.output);
}

static void what_overruns_is_killed_with_all_it_started(void **state)
{
	pid_t grandchild = 0;
	int status = 0;

	(void)state;
	/* On a busy machine it may be killed before it has started anything. */
	for (unsigned turn = 0; turn < TURNS && grandchild == 0; turn++) {
		struct child_end end =
			end_of("sleep 1000 & echo $!; wait", LITTLE_NS << turn);

		assert_true(end.overran);
		assert_int_equal(end.signal, SIGKILL);
		if (end.output && strchr(end.output, '\n'))
			grandchild = (pid_t)strtol(end.output, NULL, 10);
		free(end.output);
	}
	assert_true(grandchild > 0);
	/* Orphans come to us: see interrupt_start(). */
	assert_int_equal(waitpid(grandchild, &status, 0), grandchild);
	assert_true(WIFSIGNALED(status));
}

static void the_last_words_of_many_are_kept(void **state)
{
	struct child_end end =
		end_of("i=0; while [ $i -lt 3000 ]; do echo line $i >&2; "
		       "i=$((i + 1)); done",
		       PLENTY_NS);

	(void)state;
	assert_true(strlen(end.tail) < CHILD_TAIL_BYTES);
	assert_non_null(strstr(end.tail, "line 2998\nline 2999\n"));
	assert_null(strstr(end.tail, "line 0\n"));
	free(end.output);
}

static void the_end_of_one_long_line_is_kept(void **state)
{
	struct child_end end =
		end_of("s=$(printf %08000d 7); echo $s >&2", PLENTY_NS);

	(void)state;
	assert_int_equal(strlen(end.tail), CHILD_TAIL_BYTES - 1);
	assert_non_null(strstr(end.tail, "07\n"));
	free(end.output);
}

static void a_program_that_is_not_there_says_so(void **state)
{
	char path[] = "/nonexistent";
	char *argv[] = { path, NULL };
	struct child_end end;

	(void)state;
	assert_int_equal(child_run(argv, PLENTY_NS, &interrupt, &end), 0);
	assert_int_equal(end.exit_code, 127);
	assert_string_equal(end.tail, strerror(ENOENT));
	free(end.output);
}

/* Last: the end that was asked for stays asked for. */
static void an_interrupt_breaks_it_off(void **state)
{
	(void)state;
	assert_int_equal(kill(getpid(), SIGTERM), 0);

	struct child_end end = end_of("sleep 1000", PLENTY_NS);

	assert_true(end.broken_off);
	assert_int_equal(interrupt.signal, SIGTERM);
	free(end.output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_exit_code_are_kept),
		cmocka_unit_test(a_signal_is_named),
		cmocka_unit_test(what_overruns_is_killed_with_all_it_started),
		cmocka_unit_test(the_last_words_of_many_are_kept),
		cmocka_unit_test(the_end_of_one_long_line_is_kept),
		cmocka_unit_test(a_program_that_is_not_there_says_so),
		cmocka_unit_test(an_interrupt_breaks_it_off),
	};

	return cmocka_run_group_tests(tests, interrupt_start, interrupt_stop);
}
