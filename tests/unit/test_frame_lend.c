/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "backing/frame_kinds.h"
#include "base/error.h"
#include "fault/fault_os.h"

enum { FRAMES = 64 };

static const struct frame_ops *allocator;
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
	return frames_init(&frames, allocator, &config);
}

static int teardown(void **state)
{
	(void)state;
	frames.ops->check(&frames);
	frames_fini(&frames);
	return 0;
}

static uint32_t lend(unsigned order)
{
	uint32_t first = FRAME_NONE;

	assert_int_equal(frames.ops->take_order(&frames, order, &first), 0);
	return first;
}

static uint32_t mapcount(uint32_t frame)
{
	/* relaxed: this test has one thread. */
	return load_relaxed(&frames.pages[frame].mapcount);
}

static void blocks_are_given_back_once_and_whole(void **state)
{
	const uint32_t first = lend(3);

	(void)state;
	assert_int_equal(frames_give_order(&frames, first, 2), -EINVAL);
	assert_int_equal(frames_give_order(&frames, first + 1, 0), -EINVAL);
	assert_int_equal(frames_give_order(&frames, FRAMES, 0), -EINVAL);
	assert_int_equal(frames_give_order(&frames, first, 3), 0);
	assert_int_equal(frames_give_order(&frames, first, 3), -EINVAL);
	assert_non_null(strstr(error_text(), "twice"));
}

static void a_block_is_lent_from_its_first_frame_to_its_last(void **state)
{
	const uint32_t first = lend(2);

	(void)state;
	for (uint32_t frame = 0; frame < FRAMES; frame++)
		assert_int_equal(frames_is_lent(&frames, frame),
				 frame >= first && frame < first + 4);
	assert_false(frames_is_lent(&frames, FRAMES));
	assert_int_equal(frames_give_order(&frames, first, 2), 0);
	assert_false(frames_is_lent(&frames, first));
}

static void a_mapped_frame_keeps_its_block(void **state)
{
	const uint32_t first = lend(3);

	(void)state;
	assert_true(frames_try_map(&frames, first + 5));
	assert_true(frames_try_map(&frames, first + 5));
	assert_int_equal(frames_give_order(&frames, first, 3), -EBUSY);
	assert_true(frames_is_lent(&frames, first + 5));
	frames.ops->check(&frames);
	frames_unmap(&frames, first + 5);
	assert_int_equal(frames_give_order(&frames, first, 3), -EBUSY);
	frames_unmap(&frames, first + 5);
	assert_int_equal(frames_give_order(&frames, first, 3), 0);
}

static void a_mapping_of_what_is_not_lent_leaves_no_trace(void **state)
{
	const uint32_t first = lend(3);
	struct frame_run run;

	(void)state;
	assert_int_equal(frames_give_order(&frames, first, 3), 0);
	assert_int_equal(frames.ops->take(&frames, 40, 2, &run), 0);
	assert_false(frames_try_map(&frames, first));
	assert_false(frames_try_map(&frames, 40));
	assert_int_equal(mapcount(first), 0);
	assert_int_equal(mapcount(40), 0);
}

/* Another thread may be between its count and its look at any time. */
static void a_mapping_that_is_being_refused_disturbs_no_allocator(void **state)
{
	const uint32_t order_max = 6;
	struct frame_run run;

	(void)state;
	for (uint32_t frame = 0; frame < FRAMES; frame++) {
		/* relaxed: this test has one thread. */
		add_relaxed(&frames.pages[frame].mapcount, 1);
	}
	assert_int_equal(frames.ops->take(&frames, 0, FRAMES, &run), 0);
	assert_int_equal(run.count, 1u << order_max);
	frames.ops->give(&frames, (struct frame_run){ 0, 1 });
	frames.ops->give(&frames, (struct frame_run){ 1, FRAMES - 1 });
	for (uint32_t frame = 0; frame < FRAMES; frame++)
		frames_unmap(&frames, frame);
}

static uint32_t given_first;
static bool given_was_mapped;

static void map_while_given(struct frames *memory, struct frame_run run)
{
	given_first = run.first;
	given_was_mapped = frames_try_map(memory, run.first);
	allocator->give(memory, run);
}

/* G1 comes first: from then on nobody gets a mapping. */
static void a_block_that_is_being_given_cannot_be_mapped(void **state)
{
	const uint32_t first = lend(1);
	struct frame_ops ops = *allocator;

	(void)state;
	ops.give = map_while_given;
	frames.ops = &ops;
	given_first = FRAME_NONE;
	assert_int_equal(frames_give_order(&frames, first, 1), 0);
	frames.ops = allocator;
	assert_int_equal(given_first, first);
	assert_false(given_was_mapped);
}

static void check_a_mapping_without_a_block(void)
{
	const int null = open("/dev/null", O_WRONLY);

	(void)dup2(null, STDERR_FILENO);
	/* relaxed: this test has one thread. */
	add_relaxed(&frames.pages[7].mapcount, 1);
	frames.ops->check(&frames);
}

static void unmap_what_is_not_mapped(void)
{
	const int null = open("/dev/null", O_WRONLY);

	(void)dup2(null, STDERR_FILENO);
	frames_unmap(&frames, 7);
}

static bool is_abort(void (*body)(void))
{
	int status = 0;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status);
}

static void a_mapping_without_a_block_is_found(void **state)
{
	(void)state;
	assert_true(is_abort(check_a_mapping_without_a_block));
	assert_true(is_abort(unmap_what_is_not_mapped));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(blocks_are_given_back_once_and_whole),
		TEST(a_block_is_lent_from_its_first_frame_to_its_last),
		TEST(a_mapped_frame_keeps_its_block),
		TEST(a_mapping_of_what_is_not_lent_leaves_no_trace),
		TEST(a_mapping_that_is_being_refused_disturbs_no_allocator),
		TEST(a_block_that_is_being_given_cannot_be_mapped),
		TEST(a_mapping_without_a_block_is_found),
	};

	allocator = &frame_buddy;
	int failed = cmocka_run_group_tests_name("buddy", tests, NULL, NULL);

	allocator = &frame_bitmap;
	failed += cmocka_run_group_tests_name("bitmap", tests, NULL, NULL);
	return failed;
}
