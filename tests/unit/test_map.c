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

static void lookups_miss_where_nothing_is_mapped(void **state)
{
	const struct map_world_config config = { .frames = "buddy" };
	struct map_world world;
	uint32_t frame = 7;

	(void)state;
	world_init(&world, &config);
	assert_int_equal(map_frame_at(&world.map, world.window.start, &frame),
			 -ENOENT);
	assert_int_equal(
		map_frame_at(&world.map, world.window.start - 1, &frame),
		-ENOENT);
	assert_int_equal(map_frame_at(&world.map, world.window.end, &frame),
			 -ENOENT);
	assert_int_equal(frame, 7);
	assert_int_equal(map_alloc(&world.map, world_page(&world, 0), 1, true),
			 0);
	assert_int_equal(
		map_frame_at(&world.map, world_page(&world, 1), &frame),
		-ENOENT);
	world_unmap(&world, 0, 2);
	world_fini(&world);
}

static void the_probe_leaves_the_window_bare(void **state)
{
	const struct map_world_config config = { .frames = "buddy" };
	struct map_world world;

	(void)state;
	world_init(&world, &config);
	assert_int_equal(world_mappings(&world), 1);
	world_fini(&world);
}

static void markers_cannot_be_chosen_where_there_are_none(void **state)
{
	const struct map_world_config config = {
		.flush = MAP_FLUSH_GUARD,
		.no_markers = true,
	};
	struct map_world world;

	(void)state;
	assert_int_equal(world_try_init(&world, &config), -EOPNOTSUPP);
	assert_non_null(strstr(error_text(), "remap"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookups_miss_where_nothing_is_mapped),
		cmocka_unit_test(the_probe_leaves_the_window_bare),
		cmocka_unit_test(markers_cannot_be_chosen_where_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
