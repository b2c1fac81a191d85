/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/progress.h"
#include "harness/bench_clock.h"

enum { TEXT_BYTES = 256, TOTAL = 4, DONE = 1, TURNS = 10 };

static const uint64_t SHORT_NS = UINT64_C(1) * NS_PER_S;

/* step_text - what a step writes to a stderr that is a file. */
static void step_text(const struct progress *progress, char text[TEXT_BYTES])
{
	FILE *file = tmpfile();
	const int kept = dup(STDERR_FILENO);
	struct cell cell;

	assert_non_null(file);
	assert_true(kept >= 0);
	cell_default(&cell);
	assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
	progress_step(progress, DONE, &cell);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	close(kept);
	rewind(file);
	text[fread(text, 1, TEXT_BYTES - 1, file)] = '\0';
	fclose(file);
}

static void a_long_run_has_a_line_for_each_sample(void **state)
{
	(void)state;
	/* Begun with the machine: longer ago than two seconds. */
	const struct progress progress = { .in_lines = true, .total = TOTAL };
	char text[TEXT_BYTES];

	step_text(&progress, text);
	assert_ptr_equal(strstr(text, "[1/4] "), text);
	assert_non_null(
		strstr(text, "left: fix_size lockfree qspin, 1 thread\n"));
}

static void a_short_run_has_none(void **state)
{
	(void)state;
	struct progress progress;
	char text[TEXT_BYTES];
	uint64_t spent_ns = SHORT_NS;

	/* Again, if it was no short run for the machine. */
	for (unsigned turn = 0; turn < TURNS && spent_ns >= SHORT_NS; turn++) {
		progress_begin(&progress, TOTAL, true);
		progress.in_lines = true;
		step_text(&progress, text);
		spent_ns = bench_clock_ns() - progress.began_ns;
	}
	assert_true(spent_ns < SHORT_NS);
	assert_string_equal(text, "");
}

static void who_did_not_ask_for_lines_gets_none(void **state)
{
	(void)state;
	const struct progress progress = { .total = TOTAL };
	char text[TEXT_BYTES];

	step_text(&progress, text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_run_has_a_line_for_each_sample),
		cmocka_unit_test(a_short_run_has_none),
		cmocka_unit_test(who_did_not_ask_for_lines_gets_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
