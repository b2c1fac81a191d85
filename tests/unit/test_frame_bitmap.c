/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "backing/frame_kinds.h"
#include "base/error.h"
#include "fault/fault_os.h"

enum { FRAMES = 4096 + 100 };

static struct frames frames;

static const struct frame_config config = {
	.os = &fault_os,
	.nr_frames = FRAMES,
	.cpus = 1,
};

static int setup(void **state)
{
	(void)state;
	return frames_init(&frames, &frame_bitmap, &config);
}

static int teardown(void **state)
{
	(void)state;
	frames.ops->check(&frames);
	frames_fini(&frames);
	return 0;
}

static struct frame_stats stats_of(void)
{
	struct frame_stats stats;

	frames.ops->stats(&frames, &stats);
	return stats;
}

static struct frame_run take(uint32_t wanted, uint32_t count)
{
	struct frame_run run = { FRAME_NONE, 0 };

	assert_int_equal(frames.ops->take(&frames, wanted, count, &run), 0);
	return run;
}

static uint32_t lend(unsigned order)
{
	uint32_t first = FRAME_NONE;

	assert_int_equal(frames.ops->take_order(&frames, order, &first), 0);
	return first;
}

static void the_wanted_frames_are_given_if_they_are_free(void **state)
{
	(void)state;
	const struct frame_run run = take(100, 300);

	assert_int_equal(run.first, 100);
	assert_int_equal(run.count, 300);
	assert_int_equal(take(400, 1).first, 400);
	assert_int_equal(stats_of().frames_free, FRAMES - 301);
}

static void as_many_others_are_given_if_they_are_not(void **state)
{
	(void)state;
	(void)take(100, 300);
	const struct frame_run run = take(200, 300);

	assert_int_equal(run.count, 300);
	assert_true(run.first >= 400 || run.first + run.count <= 100);
}

/* No list of another CPU, nor of this one, keeps it. */
static void a_frame_can_be_wanted_again_once_it_was_given(void **state)
{
	(void)state;
	(void)take(0, FRAMES);
	frames.ops->give(&frames, (struct frame_run){ 5, 1 });
	frames.ops->give(&frames, (struct frame_run){ 900, 1 });
	assert_int_equal(take(900, 1).first, 900);
	assert_int_equal(take(5, 1).first, 5);
	assert_int_equal(stats_of().frames_cached, 0);
}

static void no_lock_is_entered(void **state)
{
	const uint32_t first = lend(9);
	struct frame_run run;

	(void)state;
	assert_int_equal(frames_give_order(&frames, first, 9), 0);
	frames.ops->give(&frames, take(5, 64));
	while (frames.ops->take(&frames, 0, FRAMES, &run) == 0)
		assert_true(run.count > 0);
	frames.ops->drain(&frames);
	assert_int_equal(stats_of().locks_entered, 0);
	assert_int_equal(stats_of().locks_waited, 0);
}

static void what_cannot_be_had_is_refused_by_name(void **state)
{
	struct frame_run run = { FRAME_NONE, 0 };
	uint32_t first = FRAME_NONE;

	(void)state;
	assert_int_equal(frames.ops->take_order(&frames, 11, &first), -EINVAL);
	while (frames.ops->take(&frames, 0, FRAMES, &run) == 0)
		assert_true(run.count > 0);
	assert_non_null(strstr(error_text(), "none is free"));
	assert_int_equal(frames.ops->take_order(&frames, 10, &first), -ENOMEM);
	assert_non_null(strstr(error_text(), "1024 contiguous"));
	assert_int_equal(first, FRAME_NONE);
}

static void blocks_of_each_order_are_lent_and_given(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
		const uint32_t first = lend(order);

		assert_int_equal(first & ((1U << order) - 1), 0);
		assert_true(frames_is_lent(&frames, first + (1U << order) - 1));
		assert_int_equal(stats_of().frames_free,
				 FRAMES - (1U << order));
		frames.ops->check(&frames);
		assert_int_equal(frames_give_order(&frames, first, order), 0);
		assert_false(frames_is_lent(&frames, first));
		assert_int_equal(stats_of().frames_free, FRAMES);
	}
}

/* What was lent once is an area's later, and in pieces. */
static void a_block_that_was_given_back_leaves_no_trace(void **state)
{
	const uint32_t first = lend(3);

	(void)state;
	assert_int_equal(frames_give_order(&frames, first, 3), 0);
	assert_int_equal(take(first, 8).first, first);
	assert_int_equal(frames_give_order(&frames, first, 3), -EINVAL);
	frames.ops->give(&frames, (struct frame_run){ first + 4, 4 });
	frames.ops->give(&frames, (struct frame_run){ first, 4 });
}

static void no_address_space_is_an_error(void **state)
{
	struct frames none;

	(void)state;
	/* The state and the array of pages are made before. */
	for (uint64_t nth = 1; nth <= 4; nth++) {
		fault_arm(FAULT_MMAP_ANON, nth, FAULT_ONCE, 0);
		assert_int_equal(frames_init(&none, &frame_bitmap, &config),
				 -ENOMEM);
		assert_non_null(strstr(error_text(), "RLIMIT_AS"));
		fault_disarm();
	}
}

static void give_free_frame(void)
{
	frames.ops->give(&frames, (struct frame_run){ 10, 1 });
}

static void give_lent_frames(void)
{
	frames.ops->give(&frames, (struct frame_run){ lend(2), 4 });
}

static void store_word(uint32_t frame, enum frame_state word, unsigned order)
{
	/* relaxed: the test has one thread. */
	store_relaxed(&frames.pages[frame].word,
		      frame_word_of(word, order).bits);
}

static void check_a_block_of_free_frames(void)
{
	store_word(64, FRAME_BLOCK, 2);
	frames.ops->check(&frames);
}

static void check_a_block_in_a_block(void)
{
	store_word(lend(3) + 4, FRAME_BLOCK, 1);
	frames.ops->check(&frames);
}

static void check_a_block_off_its_place(void)
{
	(void)take(64, 16);
	store_word(65, FRAME_BLOCK, 1);
	frames.ops->check(&frames);
}

static void check_a_word_left_behind(void)
{
	(void)take(64, 16);
	store_word(64, FRAME_TAKEN, 0);
	frames.ops->check(&frames);
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

static void what_is_not_taken_cannot_be_given(void **state)
{
	(void)state;
	assert_true(is_abort(give_free_frame));
	assert_true(is_abort(give_lent_frames));
}

static void words_that_are_wrong_are_found(void **state)
{
	(void)state;
	assert_true(is_abort(check_a_block_of_free_frames));
	assert_true(is_abort(check_a_block_in_a_block));
	assert_true(is_abort(check_a_block_off_its_place));
	assert_true(is_abort(check_a_word_left_behind));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_wanted_frames_are_given_if_they_are_free),
		TEST(as_many_others_are_given_if_they_are_not),
		TEST(a_frame_can_be_wanted_again_once_it_was_given),
		TEST(no_lock_is_entered),
		TEST(what_cannot_be_had_is_refused_by_name),
		TEST(blocks_of_each_order_are_lent_and_given),
		TEST(a_block_that_was_given_back_leaves_no_trace),
		TEST(no_address_space_is_an_error),
		TEST(what_is_not_taken_cannot_be_given),
		TEST(words_that_are_wrong_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
