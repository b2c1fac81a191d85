/* SPDX-License-Identifier: MIT */
/*
 * lockfree_world.h - a strategy that purges by itself, or has the cache in
 * front, at work over a small window, told in pages.
 */
#ifndef TESTS_UNIT_LOCKFREE_WORLD_H
#define TESTS_UNIT_LOCKFREE_WORLD_H

#include "va_world.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/percpu.h"
#include "va/strategies.h"

static struct cpu_map world_cpus;

/* world_stay - the set-up of a test whose areas shall come from one stock. */
static inline int world_stay(void **state)
{
	cpu_set_t set;

	(void)state;
	CPU_ZERO(&set);
	CPU_SET(cpu_current().value, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static inline struct va_config world_config(long pages)
{
	const struct cpu_options options = { 0 };

	assert_int_equal(cpu_map_init(&world_cpus, &options, &os_linux), 0);
	return (struct va_config){
		.os = &os_linux,
		.lock = lock_find("pthread-mutex"),
		.start = WORLD_START,
		.end = address_of(pages),
		.cpus = 1,
		.nodes = 1,
		.cpu_map = &world_cpus,
		.percpu = &percpu_cas,
		.address_plane = true,
	};
}

static inline void world_make(struct world *world, const struct va_ops *ops,
			      const struct va_config *config)
{
	world->pages = page_of(config->end);
	world->purge_due = false;
	assert_int_equal(va_init(&world->va, ops, config), 0);
}

/* request_all - of so many pages, anywhere. */
static inline struct va_request request_all(const struct world *world,
					    long pages)
{
	return request_of(pages, 0, 0, world->pages);
}

/* try_request - allocate and publish; where, or NO_PAGE, and how long. */
static inline long try_request(struct world *world,
			       const struct va_request *request, long *pages)
{
	struct va *const va = &world->va;
	struct va_range range = { 0 };
	int error;

	do {
		error = va->ops->alloc(va, request, &range);
		if (error) {
			assert_int_equal(error, -ENOMEM);
			return NO_PAGE;
		}
	} while (va->ops->publish && !va->ops->publish(va, &range, request));
	if (pages)
		*pages = page_of(range.end) - page_of(range.start);
	return page_of(range.start);
}

static inline long take(struct world *world, long pages)
{
	const struct va_request request = request_all(world, pages);

	return try_request(world, &request, NULL);
}

static inline int try_free(struct world *world, long page)
{
	return world->va.ops->free(&world->va, address_of(page),
				   &world->purge_due);
}

static inline void give(struct world *world, long page)
{
	assert_int_equal(try_free(world, page), 0);
}

static inline bool is_found(struct world *world, long page)
{
	struct va_found found;

	return world->va.ops->find(&world->va, address_of(page), &found);
}

/* found_at - the first page of the area that covers `page`, or NO_PAGE. */
static inline long found_at(struct world *world, long page)
{
	struct va_found found;

	return world->va.ops->find(&world->va, address_of(page), &found)
		       ? page_of(found.start)
		       : NO_PAGE;
}

static inline long next_at(struct world *world, uintptr_t address)
{
	struct va_found found;

	return world->va.ops->find_next(&world->va, address, &found)
		       ? page_of(found.start)
		       : NO_PAGE;
}

/* What a purge had unmapped, and what it could not. */
enum { UNMAPPED_MAX = 512 };

struct unmapped {
	unsigned calls;
	unsigned count;
	uint64_t areas;
	struct va_run runs[UNMAPPED_MAX];
	long stuck; /* the run that begins here fails, NO_PAGE: none */
};

static inline void unmapped_add(void *context, struct va_run *runs,
				size_t count)
{
	struct unmapped *const unmapped = context;

	unmapped->calls++;
	assert_true(count > 0 && count <= VA_RUNS_MAX);
	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || runs[i - 1].end < runs[i].start);
		assert_true(unmapped->count < UNMAPPED_MAX);
		if (page_of(runs[i].start) == unmapped->stuck)
			runs[i].error = -ENOMEM;
		unmapped->areas += runs[i].areas;
		unmapped->runs[unmapped->count++] = runs[i];
	}
}

/* purge - of all there is; as the strategy answers. */
static inline int purge(struct world *world, struct unmapped *unmapped)
{
	struct va *const va = &world->va;
	const struct va_unmapper unmapper = { unmapped, unmapped_add };

	if (va->ops->purge)
		return va->ops->purge(va, VA_PURGE_FULL, &unmapper);
	va->ops->purge_give(va, va->ops->purge_take(va, VA_PURGE_FULL),
			    VA_PURGE_FULL);
	return 0;
}

static inline void purge_all(struct world *world)
{
	struct unmapped unmapped = { .stuck = NO_PAGE };

	assert_int_equal(purge(world, &unmapped), 0);
}

/* A walk's areas, in its order. */
struct walked {
	unsigned live;
	unsigned lazy;
	long first[64];
};

static inline void walked_add(void *context, const struct va_found *found)
{
	struct walked *const walked = context;

	if (found->lazy) {
		walked->lazy++;
		return;
	}
	assert_int_equal(walked->lazy, 0); /* the live ones come first */
	assert_true(walked->live < 64);
	walked->first[walked->live++] = page_of(found->start);
}

static inline struct walked walk(struct world *world)
{
	struct walked walked = { 0 };

	world->va.ops->for_each(&world->va, walked_add, &walked);
	return walked;
}

/* Threads that free one area at once, again and again. */
enum { RACERS = 8, RACES = 200 };

struct free_race {
	struct world *world;
	pthread_barrier_t turn;
	_Atomic(long) page;
	_Atomic(unsigned) freed;
	_Atomic(unsigned) refused;
};

static inline void *free_racer(void *context)
{
	struct free_race *const race = context;
	struct va *const va = &race->world->va;

	for (unsigned i = 0; i < RACES; i++) {
		bool due = false;

		pthread_barrier_wait(&race->turn);
		if (va->ops->free(va, address_of(race->page), &due) == 0)
			atomic_fetch_add(&race->freed, 1);
		else
			atomic_fetch_add(&race->refused, 1);
		pthread_barrier_wait(&race->turn);
	}
	return NULL;
}

/* frees_race - of RACERS frees of one area, one is let through. */
static inline void frees_race(struct world *world)
{
	struct free_race race = { .world = world };
	pthread_t threads[RACERS];
	unsigned wrong = 0;

	pthread_barrier_init(&race.turn, NULL, RACERS + 1);
	for (unsigned i = 0; i < RACERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, free_racer, &race),
			0);
	for (unsigned i = 0; i < RACES; i++) {
		race.page = take(world, 4);
		race.freed = 0;
		race.refused = 0;
		pthread_barrier_wait(&race.turn);
		pthread_barrier_wait(&race.turn);
		wrong += race.freed != 1 || race.refused != RACERS - 1;
	}
	for (unsigned i = 0; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&race.turn);
	assert_int_equal(wrong, 0);
}

#endif
