/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "backing/frame_kinds.h"
#include "backing/frame_pcp.h"
#include "fault/fault_os.h"

enum { FRAMES = 1000 };

static struct frames frames;

static int setup(void **state)
{
	const struct frame_config config = {
		.os = &fault_os,
		.lock = lock_kinds()[0],
		.nr_frames = FRAMES,
		.cpus = 1,
	};

	(void)state;
	return frames_init(&frames, &frame_buddy, &config);
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

static void the_wanted_frames_are_given_if_they_are_free(void **state)
{
	(void)state;
	const struct frame_run run = take(100, 7);

	assert_int_equal(run.first, 100);
	assert_int_equal(run.count, 7);
	assert_int_equal(take(107, 1).first, 107);
	assert_int_equal(stats_of().frames_free, FRAMES - 8);
}

static void others_are_given_if_they_are_not(void **state)
{
	(void)state;
	(void)take(100, 7);
	const struct frame_run run = take(103, 7);

	assert_int_equal(run.count, 4);
	assert_true(run.first >= 107 || run.first + run.count <= 100);
}

static void a_single_frame_comes_back_to_the_cpu_that_freed_it(void **state)
{
	(void)state;
	frames.ops->give(&frames, take(5, 1));
	assert_int_equal(stats_of().frames_cached, 1);
	const uint64_t entered = stats_of().locks_entered;

	assert_int_equal(take(5, 1).first, 5);
	/* One entry is that of the statistics. */
	assert_int_equal(stats_of().locks_entered, entered + 1);
	assert_int_equal(stats_of().frames_cached, 0);
}

static void single_frames_are_refilled_by_the_batch(void **state)
{
	(void)state;
	(void)take(5, 1);
	(void)take(5, 1);
	assert_int_equal(stats_of().frames_cached, PCP_BATCH - 1);
	assert_int_equal(stats_of().frames_free, FRAMES - 2);
}

static void a_full_list_spills_a_batch(void **state)
{
	(void)state;
	(void)take(0, 200);
	for (uint32_t frame = 0; frame < PCP_FRAMES; frame++)
		frames.ops->give(&frames, (struct frame_run){ frame, 1 });
	assert_int_equal(stats_of().frames_cached, PCP_FRAMES);
	frames.ops->give(&frames, (struct frame_run){ 150, 1 });
	assert_int_equal(stats_of().frames_cached, PCP_FRAMES - PCP_BATCH);
	assert_int_equal(stats_of().frames_free, FRAMES - 200 + PCP_FRAMES + 1);
}

static void frames_on_lists_are_no_cause_for_failure(void **state)
{
	struct frame_run run;
	uint32_t first;

	(void)state;
	while (frames.ops->take(&frames, 0, FRAMES, &run) == 0)
		assert_true(run.count > 0);
	for (uint32_t frame = 64; frame < 72; frame++)
		frames.ops->give(&frames, (struct frame_run){ frame, 1 });
	assert_int_equal(stats_of().frames_cached, 8);
	assert_int_equal(take(0, 8).first, 64);
	for (uint32_t frame = 64; frame < 72; frame++)
		frames.ops->give(&frames, (struct frame_run){ frame, 1 });
	assert_int_equal(frames.ops->take_order(&frames, 3, &first), 0);
	assert_int_equal(first, 64);
	assert_int_equal(frames.ops->take_order(&frames, 0, &first), -ENOMEM);
	assert_int_equal(frames.ops->take(&frames, 0, 1, &run), -ENOMEM);
}

static void a_drain_makes_blocks_whole_again(void **state)
{
	uint32_t first;

	(void)state;
	assert_int_equal(frames.ops->take_order(&frames, 0, &first), 0);
	assert_int_equal(frames_give_order(&frames, first, 0), 0);
	frames.ops->drain(&frames);
	assert_int_equal(stats_of().frames_cached, 0);
	assert_int_equal(stats_of().frames_free, FRAMES);
	assert_int_equal(frames.ops->take_order(&frames, 9, &first), 0);
	assert_int_equal(first, 0);
	assert_int_equal(frames.ops->take_order(&frames, 11, &first), -EINVAL);
}

static void give_free_frame(uint32_t count)
{
	const int null = open("/dev/null", O_WRONLY);

	(void)dup2(null, STDERR_FILENO);
	frames.ops->give(&frames, (struct frame_run){ 10, count });
}

static void a_frame_that_is_free_cannot_be_given(void **state)
{
	(void)state;
	for (uint32_t count = 1; count <= 2; count++) {
		int status;
		const pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			(void)signal(SIGABRT, SIG_DFL);
			give_free_frame(count);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_wanted_frames_are_given_if_they_are_free),
		TEST(others_are_given_if_they_are_not),
		TEST(a_single_frame_comes_back_to_the_cpu_that_freed_it),
		TEST(single_frames_are_refilled_by_the_batch),
		TEST(a_full_list_spills_a_batch),
		TEST(frames_on_lists_are_no_cause_for_failure),
		TEST(a_drain_makes_blocks_whole_again),
		TEST(a_frame_that_is_free_cannot_be_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
