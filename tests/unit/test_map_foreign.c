/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "unit/map_world.h"

static const struct map_world_config buddy = { .frames = "buddy" };

static void a_frame_may_be_mapped_twice(void **state)
{
	struct map_world world;
	uint32_t first;

	(void)state;
	world_init(&world, &buddy);
	assert_int_equal(world.frames.ops->take_order(&world.frames, 2, &first),
			 0);
	const uint32_t frames[] = { first, first + 1, first, first + 3 };
	char *const start = (char *)world_page(&world, 100);

	assert_int_equal(map_frames(&world.map, (uintptr_t)start, frames, 4),
			 0);
	start[0] = 42;
	assert_int_equal(start[2 * PAGE_SIZE], 42);
	assert_int_equal(frames_give_order(&world.frames, first, 2), -EBUSY);
	world_check(&world);
	world_unmap(&world, 100, 5);
	assert_false(can_read((uintptr_t)start));
	assert_int_equal(frames_give_order(&world.frames, first, 2), 0);
	world_fini(&world);
}

static void frames_that_do_not_exist_are_refused(void **state)
{
	struct map_world world;
	const uint32_t frames[] = { 4096 };

	(void)state;
	world_init(&world, &buddy);
	assert_int_equal(
		map_frames(&world.map, world_page(&world, 0), frames, 1),
		-EINVAL);
	world_fini(&world);
}

static void one_frame_that_is_not_lent_refuses_all(void **state)
{
	struct map_world world;
	uint32_t first;

	(void)state;
	world_init(&world, &buddy);
	assert_int_equal(world.frames.ops->take_order(&world.frames, 1, &first),
			 0);
	const uint32_t frames[] = { first, first + 1, first ^ 2 };
	const uintptr_t start = world_page(&world, 8);

	assert_int_equal(map_frames(&world.map, start, frames, 3), -EINVAL);
	assert_non_null(strstr(error_text(), "lfv_alloc_pages"));
	assert_false(can_read(start));
	world_check(&world);
	assert_int_equal(frames_give_order(&world.frames, first, 1), 0);
	world_fini(&world);
}

static void paired_frames_are_mapped_nowhere_else(void **state)
{
	const struct map_world_config config = { .frames = "paired" };
	struct map_world world;
	const uint32_t frames[] = { 0 };

	(void)state;
	world_init(&world, &config);
	assert_int_equal(
		map_frames(&world.map, world_page(&world, 0), frames, 1),
		-EOPNOTSUPP);
	world_fini(&world);
}

static int file_make(size_t pages)
{
	const int fd = memfd_create("foreign", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(pages * PAGE_SIZE)), 0);
	assert_int_equal(pwrite(fd, "abc", 3, (off_t)PAGE_SIZE), 3);
	return fd;
}

static void a_file_is_seen_where_it_is_mapped_until_unmapped(void **state)
{
	const enum map_flush flushes[] = { MAP_FLUSH_REMAP, MAP_FLUSH_GUARD };

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct map_world_config config = { .flush = flushes[i] };
		struct map_world world;
		uint32_t frame;

		world_init(&world, &config);
		const int fd = file_make(3);
		const struct map_source source = {
			.fd = fd,
			.prot = PROT_READ,
			.offset = PAGE_SIZE,
		};
		const uintptr_t start = world_page(&world, 64);

		assert_int_equal(
			map_file(&world.map, start, 2 * PAGE_SIZE, &source), 0);
		assert_int_equal(close(fd), 0);
		assert_memory_equal((void *)start, "abc", 3);
		assert_int_equal(map_frame_at(&world.map, start, &frame),
				 -ENOENT);
		world_check(&world);
		world_unmap(&world, 64, 3);
		assert_false(can_read(start));
		assert_int_equal(world_mappings(&world), 1);
		world_fini(&world);
	}
}

static void a_file_that_is_refused_leaves_the_window_closed(void **state)
{
	struct map_world world;
	const struct map_source source = { .fd = -1, .prot = PROT_READ };

	(void)state;
	world_init(&world, &buddy);
	assert_int_equal(
		map_file(&world.map, world_page(&world, 1), PAGE_SIZE, &source),
		-EBADF);
	assert_int_equal(world_mappings(&world), 1);
	world_fini(&world);
}

/* Kernels before 6.12 take the old mapping away before the file refuses. */
static int refuse_late(void *base, size_t bytes, int prot, int fd, off_t offset)
{
	(void)prot;
	(void)fd;
	(void)offset;
	(void)munmap(base, bytes);
	return -EACCES;
}

static void a_late_refusal_leaves_the_window_closed(void **state)
{
	struct map_world world;
	struct os late = fault_os;
	const struct map_source source = { .fd = 0, .prot = PROT_READ };

	(void)state;
	world_init(&world, &buddy);
	late.map_file = refuse_late;
	world.map.os = &late;
	assert_int_equal(
		map_file(&world.map, world_page(&world, 1), PAGE_SIZE, &source),
		-EACCES);
	assert_int_equal(world_mappings(&world), 1);
	world_fini(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_may_be_mapped_twice),
		cmocka_unit_test(frames_that_do_not_exist_are_refused),
		cmocka_unit_test(one_frame_that_is_not_lent_refuses_all),
		cmocka_unit_test(paired_frames_are_mapped_nowhere_else),
		cmocka_unit_test(
			a_file_is_seen_where_it_is_mapped_until_unmapped),
		cmocka_unit_test(
			a_file_that_is_refused_leaves_the_window_closed),
		cmocka_unit_test(a_late_refusal_leaves_the_window_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
