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

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "backing/frame_kinds.h"
#include "base/error.h"
#include "base/page.h"
#include "fault/fault_os.h"

static struct frame_config config_of(uint64_t nr_frames)
{
	return (struct frame_config){
		.os = &fault_os,
		.lock = lock_kinds()[0],
		.nr_frames = nr_frames,
		.cpus = 2,
	};
}

static void allocators_are_found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(frame_find_ops("buddy"), &frame_buddy);
	assert_ptr_equal(frame_find_ops("bitmap"), &frame_bitmap);
	assert_ptr_equal(frame_find_ops("paired"), &frame_paired);
	assert_null(frame_find_ops("slab"));
}

static void the_memory_is_sealed_at_its_size(void **state)
{
	const struct frame_config config = config_of(16);
	struct frames frames;

	(void)state;
	assert_int_equal(frames_init(&frames, &frame_buddy, &config), 0);
	assert_int_equal(lseek(frames.fd, 0, SEEK_END), 16 * PAGE_SIZE);
	assert_int_equal(ftruncate(frames.fd, 0), -1);
	frames_fini(&frames);
}

static void sizes_out_of_bounds_are_refused(void **state)
{
	const struct frame_config none = config_of(0);
	const struct frame_config many = config_of(FRAMES_MAX + 1);
	struct frames frames;

	(void)state;
	assert_int_equal(frames_init(&frames, &frame_buddy, &none), -EINVAL);
	assert_int_equal(frames_init(&frames, &frame_buddy, &many), -EINVAL);
	assert_non_null(strstr(error_text(), "memory_bytes"));
}

static void a_linear_mapping_shows_all_frames(void **state)
{
	const struct frame_config config = config_of(16);
	struct frames frames;
	void *base;
	void *again;
	char byte;

	(void)state;
	assert_int_equal(frames_init(&frames, &frame_buddy, &config), 0);
	assert_int_equal(frames_linear(&frames, &base), 0);
	assert_int_equal(frames_linear(&frames, &again), 0);
	assert_ptr_equal(base, again);
	((char *)base)[5 * PAGE_SIZE] = 'x';
	assert_int_equal(pread(frames.fd, &byte, 1, 5 * (off_t)PAGE_SIZE), 1);
	assert_int_equal(byte, 'x');
	frames_fini(&frames);
}

static void a_linear_mapping_that_cannot_be_made_is_an_error(void **state)
{
	const struct frame_config config = config_of(16);
	struct frames frames;
	void *base = &frames;

	(void)state;
	assert_int_equal(frames_init(&frames, &frame_buddy, &config), 0);
	fault_arm(FAULT_MAP_LINEAR, 1, FAULT_ONCE, 0);
	assert_int_equal(frames_linear(&frames, &base), -ENOMEM);
	fault_disarm();
	assert_ptr_equal(base, &frames);
	assert_int_equal(frames_linear(&frames, &base), 0);
	frames_fini(&frames);
}

static bool is_refused_by_file_limit(void)
{
	const struct rlimit limit = { 8 * PAGE_SIZE, 8 * PAGE_SIZE };
	const struct frame_config config = config_of(16);
	struct frames frames;

	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return false;
	return frames_init(&frames, &frame_buddy, &config) == -EFBIG &&
	       strstr(error_text(), "RLIMIT_FSIZE") != NULL;
}

/* Without the check it is a signal that kills: SIGXFSZ. */
static void the_file_size_limit_is_an_ordinary_error(void **state)
{
	int status;
	const pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(is_refused_by_file_limit() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocators_are_found_by_name),
		cmocka_unit_test(the_memory_is_sealed_at_its_size),
		cmocka_unit_test(sizes_out_of_bounds_are_refused),
		cmocka_unit_test(a_linear_mapping_shows_all_frames),
		cmocka_unit_test(
			a_linear_mapping_that_cannot_be_made_is_an_error),
		cmocka_unit_test(the_file_size_limit_is_an_ordinary_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
