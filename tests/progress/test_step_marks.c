/* SPDX-License-Identifier: MIT */
/*
 * test_step_marks.c - with marks a thread is suspended where it is without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "progress/step_marks.h"

enum { SKIPPED = 77, TURNS = 3, SEED = 5 };

static uint64_t words[TURNS];

static __attribute__((noinline)) uint64_t mix(uint64_t value)
{
	return value * value + 1;
}

/* A loop, a call, and writes that others can see. */
static void operation(void *argument)
{
	uint64_t value = *(const uint64_t *)argument;

	for (unsigned i = 0; i < TURNS; i++) {
		value = mix(value);
		words[i] = value;
	}
	words[0] += value;
}

static void let_be(void *context)
{
	(void)context;
}

static void run(const struct step_plan *plan, struct step_report *report)
{
	uint64_t seed = SEED;

	stepper_run(plan, operation, &seed, report);
}

static void marks_find(struct step_marks *marks, enum step_points points,
		       struct step_report *whole)
{
	const struct step_plan plan = {
		.points = points,
		.target = UINT64_MAX,
		.look = step_marks_look,
		.context = marks,
	};

	step_marks_init(marks, points, whole);
	run(&plan, whole);
}

/* both_check - the report of a point, by a mark if there is one. */
static void both_check(const struct step_marks *marks, uint64_t target)
{
	struct step_plan plan = {
		.points = marks->points,
		.target = target,
		.suspend = let_be,
	};
	struct step_report all;
	struct step_report marked;

	run(&plan, &all);
	plan.mark = step_marks_before(marks, target);
	run(&plan, &marked);
	assert_true(all.frame_count > 0);
	assert_int_equal(marked.frame_count, all.frame_count);
	assert_int_equal(marked.frames[0], all.frames[0]);
	assert_int_equal(marked.instructions, all.instructions);
}

static void points_check(enum step_points points)
{
	static struct step_marks marks;
	struct step_report whole;

	if (!stepper_has_marks())
		skip();
	marks_find(&marks, points, &whole);
	assert_true(whole.points > 1);
	assert_non_null(step_marks_before(&marks, whole.points - 1));
	for (uint64_t target = 0; target < whole.points; target++)
		both_check(&marks, target);
}

static void each_instruction_is_found_by_its_mark(void **state)
{
	(void)state;
	points_check(STEP_EVERY);
}

static void each_write_is_found_by_its_mark(void **state)
{
	(void)state;
	points_check(STEP_WRITES);
}

static void a_mark_that_is_not_met_is_removed(void **state)
{
	const struct step_mark elsewhere = { .ip = (uintptr_t)let_be };
	const struct step_plan plan = {
		.points = STEP_EVERY,
		.suspend = let_be,
		.mark = &elsewhere,
	};
	struct step_report report;

	(void)state;
	if (!stepper_has_marks())
		skip();
	run(&plan, &report);
	assert_int_equal(report.frame_count, 0);
	let_be(NULL); /* a breakpoint would end the program */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_instruction_is_found_by_its_mark),
		cmocka_unit_test(each_write_is_found_by_its_mark),
		cmocka_unit_test(a_mark_that_is_not_met_is_removed),
	};
	struct stepper_thread thread;
	int failed = 0;

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
