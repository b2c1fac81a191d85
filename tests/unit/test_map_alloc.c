/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "unit/map_world.h"

/* The five ways in which a map can work. */
static const struct map_world_config configs[] = {
	{ .frames = "buddy", .flush = MAP_FLUSH_REMAP },
	{ .frames = "buddy", .flush = MAP_FLUSH_GUARD },
	{ .frames = "buddy", .no_markers = true },
	{ .frames = "bitmap", .flush = MAP_FLUSH_REMAP },
	{ .frames = "bitmap", .flush = MAP_FLUSH_GUARD },
	{ .frames = "paired" },
	{ .frames = "paired", .no_markers = true },
};

enum { CONFIGS = sizeof(configs) / sizeof(configs[0]) };

static void an_area_can_be_written_and_its_guard_page_faults(void **state)
{
	struct map_world world;

	(void)state;
	for (int i = 0; i < CONFIGS; i++) {
		world_init(&world, &configs[i]);
		const uintptr_t start = world_page(&world, 8);

		assert_int_equal(map_alloc(&world.map, start, 4, true), 0);
		memset((void *)start, 1, 4 * PAGE_SIZE);
		assert_false(can_read(start + 4 * PAGE_SIZE));
		assert_false(can_read(start - 1));
		world_check(&world);
		world_unmap(&world, 8, 5);
		assert_false(can_read(start));
		world_fini(&world);
	}
}

static void an_area_lies_at_its_own_frames(void **state)
{
	const struct map_world_config config = { .frames = "buddy" };
	struct map_world world;
	uint32_t frame;

	(void)state;
	world_init(&world, &config);
	assert_int_equal(map_alloc(&world.map, world_page(&world, 40), 3, true),
			 0);
	assert_int_equal(
		map_frame_at(&world.map, world_page(&world, 42) + 17, &frame),
		0);
	assert_int_equal(frame, 42);
	world_unmap(&world, 40, 4);
	world_fini(&world);
}

static void neighbours_share_one_mapping(void **state)
{
	struct map_world world;

	(void)state;
	for (int i = 0; i < CONFIGS; i++) {
		world_init(&world, &configs[i]);
		for (size_t area = 0; area < 100; area++)
			assert_int_equal(map_alloc(&world.map,
						   world_page(&world, area * 5),
						   4, true),
					 0);
		world_check(&world);
		/* One and the rest of the window, or a gap behind each. */
		assert_int_equal(world_mappings(&world),
				 configs[i].no_markers ? 200 : 2);
		world_unmap(&world, 0, 500);
		world_fini(&world);
	}
}

static void frames_that_are_gone_leave_everything_as_it_was(void **state)
{
	const struct map_world_config config = { .nr_frames = 100 };
	struct map_world world;

	(void)state;
	world_init(&world, &config);
	assert_int_equal(map_alloc(&world.map, world_page(&world, 0), 60, true),
			 0);
	assert_int_equal(
		map_alloc(&world.map, world_page(&world, 61), 41, true),
		-ENOMEM);
	assert_non_null(strstr(error_text(), "memory_bytes"));
	assert_int_equal(world_frames_free(&world), 40);
	assert_false(can_read(world_page(&world, 61)));
	assert_int_equal(
		map_alloc(&world.map, world_page(&world, 61), 40, true), 0);
	assert_int_equal(world_frames_free(&world), 0);
	world_unmap(&world, 0, 102);
	assert_int_equal(world_frames_free(&world), 100);
	world_fini(&world);
}

static void scattered_frames_make_one_area(void **state)
{
	const struct map_world_config config = { .nr_frames = 64 };
	struct map_world world;
	uint32_t frames[64];

	(void)state;
	world_init(&world, &config);
	for (int i = 0; i < 64; i++)
		assert_int_equal(world.frames.ops->take_order(&world.frames, 0,
							      &frames[i]),
				 0);
	for (int i = 0; i < 64; i++)
		if (frames[i] % 2 == 0)
			assert_int_equal(
				frames_give_order(&world.frames, frames[i], 0),
				0);
	const uintptr_t start = world_page(&world, 1000);

	assert_int_equal(map_alloc(&world.map, start, 32, true), 0);
	memset((void *)start, 1, 32 * PAGE_SIZE);
	assert_false(can_read(start + 32 * PAGE_SIZE));
	world_check(&world);
	world_unmap(&world, 1000, 33);
	assert_int_equal(world_frames_free(&world), 32);
	world_fini(&world);
}

static void an_area_keeps_its_contents_apart_from_others(void **state)
{
	struct map_world world;

	(void)state;
	for (int i = 0; i < CONFIGS; i++) {
		world_init(&world, &configs[i]);
		for (size_t area = 0; area < 50; area++) {
			char *const start =
				(char *)world_page(&world, area * 3);

			assert_int_equal(map_alloc(&world.map, (uintptr_t)start,
						   2, true),
					 0);
			memset(start, (int)area, 2 * PAGE_SIZE);
		}
		for (size_t area = 0; area < 50; area++) {
			const char *const start =
				(char *)world_page(&world, area * 3);

			assert_int_equal(start[0], area);
			assert_int_equal(start[2 * PAGE_SIZE - 1], area);
		}
		world_unmap(&world, 0, 150);
		world_fini(&world);
	}
}

static void what_markers_closed_is_opened_by_one_call(void **state)
{
	const struct map_world_config config = { .flush = MAP_FLUSH_GUARD };
	struct map_world world;
	struct map_stats before;
	struct map_stats after;

	(void)state;
	world_init(&world, &config);
	assert_int_equal(map_alloc(&world.map, world_page(&world, 0), 4, true),
			 0);
	world_unmap(&world, 0, 5);
	map_stats(&world.map, &before);
	assert_int_equal(map_alloc(&world.map, world_page(&world, 0), 4, true),
			 0);
	map_stats(&world.map, &after);
	assert_int_equal(after.map_calls, before.map_calls);
	assert_int_equal(after.guard_calls, before.guard_calls + 1);
	assert_true(can_read(world_page(&world, 3)));
	assert_false(can_read(world_page(&world, 4)));
	world_unmap(&world, 0, 5);
	world_fini(&world);
}

static void paired_memory_is_zero_again_after_a_free(void **state)
{
	const struct map_world_config config = { .frames = "paired" };
	struct map_world world;

	(void)state;
	world_init(&world, &config);
	char *const start = (char *)world_page(&world, 7);

	assert_int_equal(map_alloc(&world.map, (uintptr_t)start, 1, true), 0);
	*start = 1;
	world_unmap(&world, 7, 2);
	assert_int_equal(map_alloc(&world.map, (uintptr_t)start, 1, true), 0);
	assert_int_equal(*start, 0);
	world_unmap(&world, 7, 2);
	world_fini(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_area_can_be_written_and_its_guard_page_faults),
		cmocka_unit_test(an_area_lies_at_its_own_frames),
		cmocka_unit_test(neighbours_share_one_mapping),
		cmocka_unit_test(
			frames_that_are_gone_leave_everything_as_it_was),
		cmocka_unit_test(scattered_frames_make_one_area),
		cmocka_unit_test(an_area_keeps_its_contents_apart_from_others),
		cmocka_unit_test(what_markers_closed_is_opened_by_one_call),
		cmocka_unit_test(paired_memory_is_zero_again_after_a_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
