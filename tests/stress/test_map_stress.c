/* SPDX-License-Identifier: MIT */
/*
 * Threads map, write, check and unmap areas in parts of the window that
 * interleave, so that neighbours in one kernel mapping belong to different
 * threads, over a memory that is too small for all of them at times.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/map_world.h"

enum {
	THREADS = 8,
	STEPS = 600,
	SLOTS = 16, /* of each thread */
	SLOT_PAGES = 8,
};

struct worker {
	pthread_t thread;
	pthread_barrier_t *filled;
	struct map_world *world;
	unsigned number;
	uint32_t seed;
	uint64_t refused;
	uint64_t wrong;
	size_t pages[SLOTS]; /* mapped in each slot; 0: none */
};

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* slot_page - threads take turns along the window. */
static size_t slot_page(const struct worker *worker, size_t slot)
{
	return (slot * THREADS + worker->number) * SLOT_PAGES;
}

static char mark_of(const struct worker *worker, size_t slot)
{
	return (char)(1 + worker->number * SLOTS + slot);
}

static void slot_map(struct worker *worker, size_t slot)
{
	const uintptr_t start =
		world_page(worker->world, slot_page(worker, slot));
	const size_t pages = 1 + next_random(&worker->seed) % (SLOT_PAGES - 1);
	const int error = map_alloc(&worker->world->map, start, pages, true);

	if (error != 0) {
		worker->refused += error == -ENOMEM;
		worker->wrong += error != -ENOMEM;
		return;
	}
	for (size_t i = 0; i < pages; i++)
		*(char *)(start + i * PAGE_SIZE) = mark_of(worker, slot);
	worker->pages[slot] = pages;
}

static void slot_unmap(struct worker *worker, size_t slot)
{
	const size_t page = slot_page(worker, slot);
	struct map_run run = {
		.start = world_page(worker->world, page),
		.end = world_page(worker->world, page + SLOT_PAGES),
	};

	for (size_t i = 0; i < worker->pages[slot]; i++)
		worker->wrong += *(char *)(run.start + i * PAGE_SIZE) !=
				 mark_of(worker, slot);
	worker->wrong += map_unmap(&worker->world->map, &run, 1);
	worker->pages[slot] = 0;
}

static void *worker_run(void *argument)
{
	struct worker *const worker = argument;
	uint32_t frame;

	for (size_t slot = 0; slot < SLOTS; slot++)
		slot_map(worker, slot);
	/* All areas at once: what does not fit then never depends on turns. */
	(void)pthread_barrier_wait(worker->filled);
	for (int step = 0; step < STEPS; step++) {
		const size_t slot = next_random(&worker->seed) % SLOTS;

		if (worker->pages[slot] != 0)
			slot_unmap(worker, slot);
		else
			slot_map(worker, slot);
		/* Anybody may look at any page at any time. */
		(void)map_frame_at(
			&worker->world->map,
			world_page(worker->world,
				   next_random(&worker->seed) %
					   (THREADS * SLOTS * SLOT_PAGES)),
			&frame);
	}
	for (size_t slot = 0; slot < SLOTS; slot++)
		if (worker->pages[slot] != 0)
			slot_unmap(worker, slot);
	return NULL;
}

static uint64_t run_with(const struct map_world_config *config)
{
	struct worker workers[THREADS] = { 0 };
	struct map_world world;
	pthread_barrier_t filled;
	uint64_t refused = 0;

	assert_int_equal(pthread_barrier_init(&filled, NULL, THREADS), 0);
	world_init(&world, config);
	const uint64_t frames_free = world_frames_free(&world);

	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].world = &world;
		workers[i].filled = &filled;
		workers[i].number = i;
		workers[i].seed = i + 1;
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						worker_run, &workers[i]),
				 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
		assert_int_equal(workers[i].wrong, 0);
		refused += workers[i].refused;
	}
	assert_int_equal(world_frames_free(&world), frames_free);
	world_fini(&world);
	assert_int_equal(pthread_barrier_destroy(&filled), 0);
	return refused;
}

static void threads_keep_their_areas_apart(void **state)
{
	const struct map_world_config configs[] = {
		{ .flush = MAP_FLUSH_REMAP },
		{ .flush = MAP_FLUSH_GUARD },
		{ .no_markers = true },
		{ .frames = "bitmap", .flush = MAP_FLUSH_REMAP },
		{ .frames = "bitmap", .flush = MAP_FLUSH_GUARD },
		{ .frames = "paired" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		assert_int_equal(run_with(&configs[i]), 0);
}

/* Fewer frames than half of all areas take: most lie elsewhere, some fail. */
static void threads_that_run_out_of_frames_lose_none(void **state)
{
	const struct map_world_config configs[] = {
		{ .flush = MAP_FLUSH_REMAP, .nr_frames = 150 },
		{ .flush = MAP_FLUSH_GUARD, .nr_frames = 150 },
		{ .frames = "bitmap", .nr_frames = 150 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		assert_true(run_with(&configs[i]) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_keep_their_areas_apart),
		cmocka_unit_test(threads_that_run_out_of_frames_lose_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
