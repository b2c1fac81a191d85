/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "unit/map_world.h"

enum { AREAS = 1000, AREA_PAGES = 3, STEP = 4 };

static void areas_map(struct map_world *world)
{
	for (size_t i = 0; i < AREAS; i++)
		assert_int_equal(map_alloc(&world->map,
					   world_page(world, i * STEP),
					   AREA_PAGES, true),
				 0);
}

static void adjacent_areas_of_one_run_cost_one_call(void **state)
{
	const struct map_world_config config = { .flush = MAP_FLUSH_REMAP };
	struct map_world world;

	(void)state;
	world_init(&world, &config);
	areas_map(&world);
	const uint64_t calls = fault_count(FAULT_ANY);
	const uint64_t remaps = fault_count(FAULT_REMAP_NONE);

	world_unmap(&world, 0, AREAS * STEP);
	assert_int_equal(fault_count(FAULT_ANY), calls + 1);
	assert_int_equal(fault_count(FAULT_REMAP_NONE), remaps + 1);
	assert_int_equal(world_mappings(&world), 1);
	assert_int_equal(world_frames_free(&world), 4096);
	world_fini(&world);
}

/* Every second area stays: as many runs as areas are unmapped. */
static void scattered_unmap(struct map_world *world)
{
	struct map_run runs[AREAS / 2];

	for (size_t i = 0; i < AREAS / 2; i++)
		runs[i] = (struct map_run){
			.start = world_page(world, 2 * i * STEP),
			.end = world_page(world, (2 * i + 1) * STEP),
		};
	assert_int_equal(map_unmap(&world->map, runs, AREAS / 2), 0);
}

static void scattered_runs_cost_one_call_with_markers(void **state)
{
	const struct map_world_config config = { .flush = MAP_FLUSH_GUARD };
	struct map_world world;

	(void)state;
	world_init(&world, &config);
	areas_map(&world);
	const uint64_t calls = fault_count(FAULT_ANY);

	scattered_unmap(&world);
	assert_int_equal(fault_count(FAULT_ANY), calls + 1);
	assert_false(can_read(world_page(&world, 0)));
	assert_true(can_read(world_page(&world, STEP)));
	/* All still lie in one kernel mapping. */
	assert_int_equal(world_mappings(&world), 2);
	world_unmap(&world, 0, AREAS * STEP);
	world_fini(&world);
}

static void scattered_runs_cost_a_call_each_without_markers(void **state)
{
	const struct map_world_config config = { .flush = MAP_FLUSH_REMAP };
	struct map_world world;

	(void)state;
	world_init(&world, &config);
	areas_map(&world);
	const uint64_t calls = fault_count(FAULT_ANY);

	scattered_unmap(&world);
	assert_int_equal(fault_count(FAULT_ANY), calls + AREAS / 2);
	world_unmap(&world, 0, AREAS * STEP);
	world_fini(&world);
}

static void a_run_with_nothing_mapped_costs_no_call(void **state)
{
	const struct map_world_config config = { .flush = MAP_FLUSH_REMAP };
	struct map_world world;

	(void)state;
	world_init(&world, &config);
	const uint64_t calls = fault_count(FAULT_ANY);

	world_unmap(&world, 0, 10000);
	assert_int_equal(fault_count(FAULT_ANY), calls);
	world_fini(&world);
}

static void a_run_that_fails_keeps_its_frames(void **state)
{
	const struct map_world_config config = { .flush = MAP_FLUSH_REMAP };
	struct map_world world;
	uint32_t frame;

	(void)state;
	world_init(&world, &config);
	areas_map(&world);
	const uint64_t free_before = world_frames_free(&world);
	struct map_run runs[] = {
		{ world_page(&world, 0), world_page(&world, STEP), 0 },
		{ world_page(&world, 8), world_page(&world, 8 + STEP), 0 },
	};

	/* No ENOMEM: that would be tried again without the spare. */
	fault_arm(FAULT_REMAP_NONE, 1, FAULT_ONCE, -EACCES);
	assert_int_equal(map_unmap(&world.map, runs, 2), 1);
	fault_disarm();
	assert_int_equal(runs[0].error, -EACCES);
	assert_int_equal(runs[1].error, 0);
	assert_int_equal(world_frames_free(&world), free_before + AREA_PAGES);
	assert_int_equal(map_frame_at(&world.map, runs[0].start, &frame), 0);
	assert_int_equal(map_frame_at(&world.map, runs[1].start, &frame),
			 -ENOENT);
	world_unmap(&world, 0, AREAS * STEP);
	world_fini(&world);
}

static void runs_that_fail_together_are_tried_one_by_one(void **state)
{
	const struct map_world_config config = { .flush = MAP_FLUSH_GUARD };
	struct map_world world;

	(void)state;
	world_init(&world, &config);
	areas_map(&world);
	struct map_run runs[] = {
		{ world_page(&world, 0), world_page(&world, STEP), 0 },
		{ world_page(&world, 8), world_page(&world, 8 + STEP), 0 },
	};

	/* Only the vector fails: each run goes well by itself. */
	fault_arm(FAULT_ANY, 1, FAULT_ONCE, 0);
	assert_int_equal(map_unmap(&world.map, runs, 2), 0);
	assert_int_equal(map_alloc(&world.map, runs[0].start, 3, true), 0);
	assert_int_equal(map_alloc(&world.map, runs[1].start, 3, true), 0);
	/* The vector fails, and both singly. */
	fault_arm(FAULT_ANY, 1, FAULT_FROM_THEN_ON, 0);
	assert_int_equal(map_unmap(&world.map, runs, 2), 2);
	fault_disarm();
	assert_int_equal(runs[1].error, -ENOMEM);
	assert_non_null(strstr(error_text(), "mappings"));
	world_unmap(&world, 0, AREAS * STEP);
	world_fini(&world);
}

static size_t ranges_seen;

static int count_ranges(const struct iovec *ranges, size_t count)
{
	ranges_seen += count;
	return os_linux.guard_install_many(ranges, count);
}

static void markers_are_not_put_on_bare_pages(void **state)
{
	const struct map_world_config config = { .flush = MAP_FLUSH_GUARD };
	struct map_world world;
	struct os counting = fault_os;

	(void)state;
	world_init(&world, &config);
	assert_int_equal(map_alloc(&world.map, world_page(&world, 0), 4, false),
			 0);
	assert_int_equal(map_alloc(&world.map, world_page(&world, 8), 4, false),
			 0);
	counting.guard_install_many = count_ranges;
	world.map.os = &counting;
	ranges_seen = 0;
	world_unmap(&world, 0, 12);
	assert_int_equal(ranges_seen, 2);
	world_fini(&world);
}

static void frames_go_back_only_when_nothing_maps_them(void **state)
{
	const struct map_world_config config = { .nr_frames = 64 };
	struct map_world world;

	(void)state;
	world_init(&world, &config);
	assert_int_equal(
		map_alloc(&world.map, world_page(&world, 0), 64, false), 0);
	memset((void *)world_page(&world, 0), 1, 64 * PAGE_SIZE);
	world_unmap(&world, 0, 64);
	assert_int_equal(
		map_alloc(&world.map, world_page(&world, 128), 64, false), 0);
	assert_false(can_read(world_page(&world, 0)));
	assert_true(can_read(world_page(&world, 128)));
	world_unmap(&world, 128, 64);
	world_fini(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adjacent_areas_of_one_run_cost_one_call),
		cmocka_unit_test(scattered_runs_cost_one_call_with_markers),
		cmocka_unit_test(
			scattered_runs_cost_a_call_each_without_markers),
		cmocka_unit_test(a_run_with_nothing_mapped_costs_no_call),
		cmocka_unit_test(a_run_that_fails_keeps_its_frames),
		cmocka_unit_test(runs_that_fail_together_are_tried_one_by_one),
		cmocka_unit_test(markers_are_not_put_on_bare_pages),
		cmocka_unit_test(frames_go_back_only_when_nothing_maps_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
