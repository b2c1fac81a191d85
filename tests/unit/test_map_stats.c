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

#include "backing/map_steps.h"
#include "unit/map_world.h"

static void calls_and_pages_are_counted(void **state)
{
	const struct map_world_config config = { .frames = "buddy" };
	struct map_world world;
	struct map_stats stats;

	(void)state;
	world_init(&world, &config);
	assert_int_equal(map_alloc(&world.map, world_page(&world, 0), 4, true),
			 0);
	world_unmap(&world, 0, 5);
	map_stats(&world.map, &stats);
	assert_int_equal(stats.map_calls, 1);
	assert_int_equal(stats.guard_calls, 1);
	assert_int_equal(stats.unmap_calls, 1);
	assert_int_equal(stats.mapped_pages, 4);
	assert_int_equal(stats.unmapped_pages, 4);
	assert_int_equal(stats.mappings, 1);
	world_fini(&world);
}

/* A fixed sequence without a pattern (Numerical Recipes' generator). */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static uint64_t mappings_of(const struct map_world *world)
{
	struct map_stats stats;

	map_stats(&world->map, &stats);
	return stats.mappings;
}

/* unmap_foretold - with `remap` it is known which unmapping cuts. */
static void unmap_foretold(struct map_world *world, size_t page, size_t pages)
{
	const bool cuts = map_is_cut_by(&world->map, page, pages);
	const uint64_t before = mappings_of(world);

	world_unmap(world, page, pages);
	if (world->map.flush == MAP_FLUSH_REMAP &&
	    !world->map.frames->ops->fixed)
		assert_int_equal(cuts, mappings_of(world) > before);
}

/* Slots of 8 pages: a random one is mapped, or unmapped if it was. */
static void random_steps(struct map_world *world, uint32_t seed)
{
	enum { SLOTS = 200, SLOT_PAGES = 8, STEPS = 600 };
	bool used[SLOTS] = { false };

	for (int step = 0; step < STEPS; step++) {
		const size_t slot = next_random(&seed) % SLOTS;
		const size_t page = slot * SLOT_PAGES;
		const size_t pages = 1 + next_random(&seed) % SLOT_PAGES;
		const bool guarded = pages < SLOT_PAGES;

		if (used[slot])
			unmap_foretold(world, page, SLOT_PAGES);
		else
			assert_int_equal(map_alloc(&world->map,
						   world_page(world, page),
						   pages, guarded),
					 0);
		used[slot] = !used[slot];
		if (step % 20 == 0)
			world_check(world);
	}
	unmap_foretold(world, 0, SLOTS * SLOT_PAGES);
}

static void mappings_are_counted_as_the_kernel_does(void **state)
{
	const struct map_world_config configs[] = {
		{ .flush = MAP_FLUSH_REMAP },
		{ .flush = MAP_FLUSH_GUARD },
		{ .no_markers = true },
		{ .frames = "bitmap" },
		{ .frames = "paired" },
		/* So few that most frames lie at another page's offset. */
		{ .flush = MAP_FLUSH_REMAP, .nr_frames = 1001 },
		{ .flush = MAP_FLUSH_GUARD, .nr_frames = 1001 },
	};
	struct map_world world;

	(void)state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		world_init(&world, &configs[i]);
		random_steps(&world, (uint32_t)i + 1);
		world_fini(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_and_pages_are_counted),
		cmocka_unit_test(mappings_are_counted_as_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
