/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/frame_rows_world.h"

static void all_frames_are_free_at_first(void **state)
{
	(void)state;
	assert_int_equal(rows_free_frames(&rows), FRAMES);
	assert_true(frames_agree());
	for (uint32_t row = 0; row <= ROWS; row++)
		assert_true(is_marked(row));
}

static void runs_cross_rows(void **state)
{
	(void)state;
	assert_true(occupy(60, 200));
	assert_int_equal(rows_free_frames(&rows), FRAMES - 200);
	assert_true(frames_agree());
	vacate(100, 31);
	assert_true(frames_agree());
	vacate(60, 40);
	vacate(131, 129);
	assert_int_equal(rows_free_frames(&rows), FRAMES);
}

static void check_run(uint32_t first, uint32_t count, uint32_t expected)
{
	struct frame_run run = { FRAME_NONE, 0 };

	assert_true(rows_take_at(&rows, first, count, &run));
	assert_int_equal(run.first, first);
	assert_int_equal(run.count, expected);
	note(first, expected, true);
	assert_true(frames_agree());
}

static void a_run_ends_before_a_taken_frame(void **state)
{
	struct frame_run run = { FRAME_NONE, 0 };

	(void)state;
	assert_true(occupy(40, 1));
	assert_true(occupy(128, 1));
	assert_true(occupy(250, 1));
	check_run(30, 20, 10);
	check_run(41, 200, 128 - 41);
	check_run(129, 200, 250 - 129);
	assert_false(rows_take_at(&rows, 250, 5, &run));
	assert_int_equal(run.first, FRAME_NONE);
}

static void a_run_ends_with_the_memory(void **state)
{
	(void)state;
	check_run(FRAMES - 100, 1000, 100);
}

static void a_run_ends_with_the_last_row(void **state)
{
	const struct frame_config config = {
		.os = &fault_os,
		.nr_frames = 64 * 64,
		.cpus = 1,
	};
	struct frame_rows whole;
	struct frame_run run;

	(void)state;
	assert_int_equal(rows_init(&whole, &config), 0);
	assert_true(rows_take_at(&whole, 64 * 63, 1000, &run));
	assert_int_equal(run.count, 64);
	rows_check(&whole);
	rows_fini(&whole);
}

static void rows_are_claimed_whole(void **state)
{
	(void)state;
	assert_true(rows_claim(&rows, 4, 16));
	note(4 * 64, 16 * 64, true);
	assert_true(frames_agree());
}

/* Ownership, not sums: each row of each claim that fails is looked at. */
static void a_claim_that_fails_leaves_everything_as_it_was(void **state)
{
	(void)state;
	for (uint32_t blocked = 0; blocked < 16; blocked++) {
		assert_true(occupy((4 + blocked) * 64 + 13, 1));
		assert_false(rows_claim(&rows, 4, 16));
		assert_true(frames_agree());
		rows_check(&rows);
		vacate((4 + blocked) * 64 + 13, 1);
	}
}

static void a_give_marks_its_row(void **state)
{
	(void)state;
	assert_true(occupy(0, 128));
	rows_unmark(&rows, 0);
	rows_unmark(&rows, 1);
	assert_false(is_marked(0));
	assert_false(is_marked(1));
	vacate(63, 2);
	assert_true(is_marked(0));
	assert_true(is_marked(1));
}

/* A give came between the search's look and the clearing of the mark. */
static void a_row_that_is_not_empty_any_more_stays_marked(void **state)
{
	(void)state;
	assert_true(occupy(70 * 64, 63));
	rows_unmark(&rows, 70);
	assert_true(is_marked(70));
}

/*
 * What is written to a frame is not atomic; that the frame is free is all that
 * the next owner looks at before he takes it.
 */
static unsigned contents;

static void *write_and_give(void *argument)
{
	(void)argument;
	contents++;
	rows_give(&rows, (struct frame_run){ 128, 64 });
	return NULL;
}

static void hand_over(bool (*take)(void))
{
	pthread_t giver;

	assert_true(occupy(128, 64));
	contents = 0;
	assert_int_equal(pthread_create(&giver, NULL, write_and_give, NULL), 0);
	while (!rows_is_free(&rows, 128))
		(void)sched_yield();
	assert_true(take());
	contents++;
	assert_int_equal(contents, 2);
	assert_int_equal(pthread_join(giver, NULL), 0);
	vacate(128, 64);
}

static bool take_it(void)
{
	struct frame_run run;

	return rows_take_at(&rows, 128, 64, &run) && run.count == 64;
}

static bool claim_it(void)
{
	return rows_claim(&rows, 2, 1);
}

static void what_was_written_to_a_frame_goes_with_it(void **state)
{
	(void)state;
	hand_over(take_it);
	hand_over(claim_it);
}

static void no_address_space_is_an_error(void **state)
{
	const struct frame_config config = {
		.os = &fault_os,
		.nr_frames = FRAMES,
		.cpus = 1,
	};
	struct frame_rows none;

	(void)state;
	for (uint64_t nth = 1; nth <= 2; nth++) {
		fault_arm(FAULT_MMAP_ANON, nth, FAULT_ONCE, 0);
		assert_int_equal(rows_init(&none, &config), -ENOMEM);
		assert_true(fault_was_hit());
		fault_disarm();
	}
}

static void each_cpu_begins_in_rows_of_its_own(void **state)
{
	const struct frame_config config = {
		.os = &fault_os,
		.nr_frames = 64 * 64,
		.cpus = 4,
	};
	struct frame_rows spread;

	(void)state;
	assert_int_equal(rows_init(&spread, &config), 0);
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		/* relaxed: the test has one thread. */
		assert_int_equal(load_relaxed(&spread.cpus[cpu].row), cpu * 16);
	}
	rows_fini(&spread);
}

static void give_free_frame(void)
{
	rows_give(&rows, (struct frame_run){ 200, 2 });
}

static void give_beyond_the_end(void)
{
	rows_give(&rows, (struct frame_run){ FRAMES - 1, 2 });
}

static void check_a_lost_mark(void)
{
	/* relaxed: the test has one thread. */
	store_relaxed(&rows.marks[1], 0);
	rows_check(&rows);
}

static void check_a_frame_beyond_the_end(void)
{
	/* relaxed: the test has one thread. */
	or_relaxed(&rows.rows[ROWS], (uint64_t)1 << 7);
	rows_check(&rows);
}

static bool is_abort(void (*body)(void))
{
	int status = 0;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status);
}

static void what_cannot_be_given_is_named(void **state)
{
	(void)state;
	assert_true(occupy(201, 1));
	assert_true(is_abort(give_free_frame));
	assert_true(is_abort(give_beyond_the_end));
}

static void broken_rows_are_found(void **state)
{
	(void)state;
	assert_true(is_abort(check_a_lost_mark));
	assert_true(is_abort(check_a_frame_beyond_the_end));
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_frames_are_free_at_first),
		TEST(runs_cross_rows),
		TEST(a_run_ends_before_a_taken_frame),
		TEST(a_run_ends_with_the_memory),
		TEST(a_run_ends_with_the_last_row),
		TEST(rows_are_claimed_whole),
		TEST(a_claim_that_fails_leaves_everything_as_it_was),
		TEST(a_give_marks_its_row),
		TEST(a_row_that_is_not_empty_any_more_stays_marked),
		TEST(what_was_written_to_a_frame_goes_with_it),
		TEST(no_address_space_is_an_error),
		TEST(each_cpu_begins_in_rows_of_its_own),
		TEST(what_cannot_be_given_is_named),
		TEST(broken_rows_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
