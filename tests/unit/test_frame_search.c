/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "unit/frame_rows_world.h"

static void check_most(uint32_t count, uint32_t first, uint32_t expected)
{
	struct frame_run run = { FRAME_NONE, 0 };

	assert_true(rows_take_most(&rows, count, &run));
	assert_int_equal(run.first, first);
	assert_int_equal(run.count, expected);
	note(first, expected, true);
	assert_true(frames_agree());
}

static void check_order(unsigned order, uint32_t expected)
{
	uint32_t first = FRAME_NONE;

	assert_true(rows_take_order(&rows, order, &first));
	assert_int_equal(first, expected);
	note(first, (uint32_t)1 << order, true);
	assert_true(frames_agree());
}

static bool has_none_left(void)
{
	struct frame_run run = { FRAME_NONE, 0 };

	return !rows_take_most(&rows, 1, &run) && run.first == FRAME_NONE;
}

static bool has_no_block(unsigned order)
{
	uint32_t first = FRAME_NONE;

	return !rows_take_order(&rows, order, &first) && first == FRAME_NONE;
}

static void the_first_run_that_is_long_enough_is_taken(void **state)
{
	(void)state;
	assert_true(occupy(0, FRAMES));
	vacate(70, 4);
	vacate(100, 9);
	vacate(150, 20);
	check_most(5, 100, 5);
	check_most(3, 70, 3);
}

static void a_long_run_is_found_across_rows(void **state)
{
	(void)state;
	assert_true(occupy(0, FRAMES));
	vacate(10, 54 + 30);
	vacate(64 * 5 - 1, 150);
	check_most(150, 64 * 5 - 1, 150);
	check_most(150, 10, 84);
}

static void the_longest_run_is_taken_where_none_is_long_enough(void **state)
{
	(void)state;
	assert_true(occupy(0, FRAMES));
	vacate(70, 4);
	vacate(100, 9);
	vacate(FRAMES - 5, 5);
	check_most(50, 100, 9);
	check_most(50, FRAMES - 5, 5);
	check_most(50, 70, 4);
	assert_true(has_none_left());
}

static void a_search_goes_on_where_the_last_one_ended(void **state)
{
	(void)state;
	assert_true(occupy(0, FRAMES));
	vacate(64 * 20, 2);
	check_most(1, 64 * 20, 1);
	vacate(0, 1);
	check_most(1, 64 * 20 + 1, 1);
	check_most(1, 0, 1);
}

static void blocks_lie_at_multiples_of_their_size(void **state)
{
	(void)state;
	assert_true(occupy(0, FRAMES));
	vacate(64 + 3, 13);
	check_order(3, 64 + 8);
	check_order(2, 64 + 4);
	check_order(0, 64 + 3);
	assert_true(has_none_left());
}

static void large_blocks_lie_at_multiples_of_their_size(void **state)
{
	(void)state;
	assert_true(occupy(0, FRAMES));
	vacate(64 * 15, 64 * 18);
	check_order(10, 64 * 16);
	assert_true(has_no_block(7));
	check_order(6, 64 * 15);
	check_order(6, 64 * 32);
	assert_true(has_none_left());
}

static void a_large_block_with_a_hole_is_passed_by(void **state)
{
	(void)state;
	assert_true(occupy(64 * 7 + 5, 1));
	assert_true(occupy(64 * 14, 1));
	check_order(9, 64 * 16);
	check_order(8, 0);
	check_order(8, 64 * 8);
	check_order(7, 64 * 4);
}

/* 80 rows are five such blocks; the row at the end is in none. */
static void large_blocks_end_with_the_memory(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		check_order(10, i * 1024);
	assert_true(has_no_block(10));
	assert_true(has_no_block(6));
	check_most(64, ROWS * 64, 7);
	assert_true(has_none_left());
}

static void every_frame_can_be_had_alone_and_again(void **state)
{
	struct frame_run run;

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < FRAMES; i++) {
			assert_true(rows_take_most(&rows, 1, &run));
			assert_int_equal(run.count, 1);
			assert_false(taken[run.first]);
			note(run.first, 1, true);
		}
		assert_true(has_none_left());
		assert_true(has_no_block(0));
		assert_int_equal(rows_free_frames(&rows), 0);
		for (uint32_t frame = FRAMES; frame > 0; frame--)
			vacate(frame - 1, 1);
	}
	assert_int_equal(rows_free_frames(&rows), FRAMES);
}

static void searches_clear_the_marks_of_empty_rows(void **state)
{
	(void)state;
	assert_true(occupy(0, FRAMES));
	assert_true(is_marked(3));
	vacate(64 * 9, 1);
	check_most(1, 64 * 9, 1);
	assert_false(is_marked(3));
	assert_true(is_marked(9));
}

static void lose_marks(void)
{
	/* relaxed: the test has one thread. */
	store_relaxed(&rows.marks[0], 0);
	/* relaxed: as above. */
	store_relaxed(&rows.marks[1], 0);
}

/* As if the search that cleared them had been stopped before its second look.
 */
static void frames_behind_lost_marks_are_found(void **state)
{
	(void)state;
	assert_true(occupy(0, 64 * 48));
	lose_marks();
	check_most(3, 64 * 48, 3);
	lose_marks();
	check_order(0, 64 * 48 + 3);
	lose_marks();
	check_order(10, 64 * 64);
	for (uint32_t row = 48; row <= ROWS; row++)
		rows_mark(&rows, row);
}

/*
 * Between two looks: the rows fill whole pages, and the second page cannot be
 * touched until a walk comes there.  Whoever touches it is interrupted by the
 * other side of a race, at the one place where it matters.
 */
enum {
	PAGE_ROWS = 512,
	PAGED_ROWS = 2 * PAGE_ROWS,
	PAGED_FRAMES = PAGED_ROWS * 64,
	LOW_FRAME = 1024, /* a multiple of every block */
	HIGH_FRAME = PAGED_FRAMES - 1024,
};

static uint32_t moved_frames;

static int paged_setup(void **state)
{
	const struct frame_config config = {
		.os = &fault_os,
		.nr_frames = PAGED_FRAMES,
		.cpus = 1,
	};

	(void)state;
	return rows_init(&rows, &config);
}

static int paged_teardown(void **state)
{
	(void)state;
	rows_check(&rows);
	rows_fini(&rows);
	return 0;
}

static void protect_second_page(int protection)
{
	if (mprotect((void *)(rows.rows + PAGE_ROWS),
		     PAGE_ROWS * sizeof(*rows.rows), protection) != 0)
		abort();
}

/* move_down - what is free behind the walk was given before the rest was taken.
 */
static void move_down(int signal)
{
	struct frame_run run;

	(void)signal;
	protect_second_page(PROT_READ | PROT_WRITE);
	rows_give(&rows, (struct frame_run){ LOW_FRAME, moved_frames });
	if (!rows_take_at(&rows, HIGH_FRAME, moved_frames, &run) ||
	    run.count != moved_frames)
		abort();
}

/* take_all_but - `frames` at HIGH_FRAME alone are free, and no mark says so. */
static void take_all_but(uint32_t frames)
{
	struct frame_run run;

	assert_true(rows_take_at(&rows, 0, PAGED_FRAMES, &run));
	assert_int_equal(run.count, PAGED_FRAMES);
	rows_give(&rows, (struct frame_run){ HIGH_FRAME, frames });
	for (uint32_t row = 0; row < PAGED_ROWS; row += 64) {
		/* relaxed: the test has one thread. */
		store_relaxed(&rows.marks[row / 64], 0);
	}
	moved_frames = frames;
}

static void interrupt_walks(void)
{
	const struct sigaction action = { .sa_handler = move_down };

	assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
	protect_second_page(PROT_NONE);
}

static void leave_walks_alone(void)
{
	assert_true(signal(SIGSEGV, SIG_DFL) != SIG_ERR);
	/* As HIGH_FRAME: had the walk come there, it would be taken. */
	assert_false(rows_is_free(&rows, HIGH_FRAME));
}

static void a_frame_that_moves_behind_a_walk_is_found(void **state)
{
	struct frame_run run = { FRAME_NONE, 0 };

	(void)state;
	take_all_but(1);
	interrupt_walks();
	assert_true(rows_take_most(&rows, 1, &run));
	leave_walks_alone();
	assert_int_equal(run.first, LOW_FRAME);
	assert_false(rows_take_most(&rows, 1, &run));
}

static void a_block_that_moves_behind_a_walk_is_found(void **state)
{
	const unsigned orders[] = { 0, 6, 10 };

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		uint32_t first = FRAME_NONE;

		take_all_but(1U << orders[i]);
		interrupt_walks();
		assert_true(rows_take_order(&rows, orders[i], &first));
		leave_walks_alone();
		assert_int_equal(first, LOW_FRAME);
		assert_false(rows_take_order(&rows, orders[i], &first));
		rows_give(&rows, (struct frame_run){ 0, PAGED_FRAMES });
	}
}

static void the_last_block_of_whole_rows_can_be_had(void **state)
{
	struct frame_run run;
	uint32_t first = FRAME_NONE;

	(void)state;
	assert_true(rows_take_at(&rows, 0, PAGED_FRAMES - 1024, &run));
	assert_true(rows_take_order(&rows, 10, &first));
	assert_int_equal(first, PAGED_FRAMES - 1024);
	assert_false(rows_take_order(&rows, 10, &first));
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
#define PAGED_TEST(name) \
	cmocka_unit_test_setup_teardown(name, paged_setup, paged_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_run_that_is_long_enough_is_taken),
		TEST(a_long_run_is_found_across_rows),
		TEST(the_longest_run_is_taken_where_none_is_long_enough),
		TEST(a_search_goes_on_where_the_last_one_ended),
		TEST(blocks_lie_at_multiples_of_their_size),
		TEST(large_blocks_lie_at_multiples_of_their_size),
		TEST(a_large_block_with_a_hole_is_passed_by),
		TEST(large_blocks_end_with_the_memory),
		TEST(every_frame_can_be_had_alone_and_again),
		TEST(searches_clear_the_marks_of_empty_rows),
		TEST(frames_behind_lost_marks_are_found),
		PAGED_TEST(a_frame_that_moves_behind_a_walk_is_found),
		PAGED_TEST(a_block_that_moves_behind_a_walk_is_found),
		PAGED_TEST(the_last_block_of_whole_rows_can_be_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
