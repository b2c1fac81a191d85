/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "backing/frame_kinds.h"
#include "base/page.h"
#include "fault/fault_os.h"

static struct frames frames;

static int setup(void **state)
{
	const struct frame_config config = {
		.os = &fault_os,
		.lock = lock_kinds()[0],
		.nr_frames = (uint64_t)1 << 24, /* 64 GiB */
		.cpus = 1,
	};

	(void)state;
	return frames_init(&frames, &frame_paired, &config);
}

static int teardown(void **state)
{
	(void)state;
	frames.ops->check(&frames);
	frames_fini(&frames);
	return 0;
}

static void the_frames_of_a_page_are_its_own(void **state)
{
	struct frame_run run;

	(void)state;
	assert_int_equal(frames.ops->take(&frames, 12345678, 300, &run), 0);
	assert_int_equal(run.first, 12345678);
	assert_int_equal(run.count, 300);
}

static void given_frames_are_empty(void **state)
{
	const off_t at = 7 * (off_t)PAGE_SIZE;
	char byte = 'x';

	(void)state;
	assert_int_equal(pwrite(frames.fd, &byte, 1, at), 1);
	const uint64_t holes = fault_count(FAULT_PUNCH_HOLE);

	frames.ops->give(&frames, (struct frame_run){ 6, 3 });
	assert_int_equal(fault_count(FAULT_PUNCH_HOLE), holes + 1);
	assert_int_equal(pread(frames.fd, &byte, 1, at), 1);
	assert_int_equal(byte, 0);
}

static void there_are_no_frames_without_an_address(void **state)
{
	uint32_t first;

	(void)state;
	assert_int_equal(frames.ops->take_order(&frames, 0, &first),
			 -EOPNOTSUPP);
	assert_int_equal(frames_give_order(&frames, 0, 0), -EOPNOTSUPP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_frames_of_a_page_are_its_own),
		TEST(given_frames_are_empty),
		TEST(there_are_no_frames_without_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
