/* SPDX-License-Identifier: MIT */
/*
 * va_threads.h - eight threads allocate, look up, free and purge one window,
 * and each page says whose it is.
 */
#ifndef TESTS_UNIT_VA_THREADS_H
#define TESTS_UNIT_VA_THREADS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "va_world.h"

enum {
	CROWD_THREADS = 8,
	CROWD_SLOTS = 16,
	CROWD_STEPS = 6000,
	CROWD_PAGES = 4096,
	CROWD_AREA_PAGES = 12,
};

struct crowd {
	struct world world;
	_Atomic(unsigned) owner[CROWD_PAGES]; /* thread + 1; 0: nobody */
	_Atomic(unsigned) conflicts;
	pthread_mutex_t purge; /* the core runs one at a time */
	pthread_barrier_t start;
};

struct crowd_thread {
	struct crowd *crowd;
	unsigned id;
	uint64_t random;
	long pages[CROWD_SLOTS]; /* of the area in the slot; 0: none */
	long start[CROWD_SLOTS];
};

static inline void crowd_own(struct crowd_thread *thread, unsigned slot,
			     unsigned from, unsigned to)
{
	struct crowd *const crowd = thread->crowd;
	const long end = thread->start[slot] + thread->pages[slot];

	for (long page = thread->start[slot]; page < end; page++) {
		if (atomic_exchange_explicit(&crowd->owner[page], to,
					     memory_order_relaxed) != from)
			atomic_fetch_add(&crowd->conflicts, 1);
	}
}

static inline void crowd_purge(struct crowd *crowd, enum va_purge how)
{
	struct va *const va = &crowd->world.va;

	pthread_mutex_lock(&crowd->purge);
	va->ops->purge_give(va, va->ops->purge_take(va, how), how);
	pthread_mutex_unlock(&crowd->purge);
}

static inline void crowd_alloc(struct crowd_thread *thread, unsigned slot)
{
	struct crowd *const crowd = thread->crowd;
	const long pages = 1 + random_below(&thread->random, CROWD_AREA_PAGES);
	const long align = random_below(&thread->random, 4) ? 0 : 4;
	const struct va_request request =
		request_of(pages, align, 0, CROWD_PAGES);
	struct va_range range;

	if (crowd->world.va.ops->alloc(&crowd->world.va, &request, &range)) {
		crowd_purge(crowd, VA_PURGE_FULL);
		return;
	}
	thread->start[slot] = page_of(range.start);
	thread->pages[slot] = pages;
	crowd_own(thread, slot, 0, thread->id + 1);
}

static inline void crowd_free(struct crowd_thread *thread, unsigned slot)
{
	struct va *const va = &thread->crowd->world.va;
	bool due = false;

	crowd_own(thread, slot, thread->id + 1, 0);
	if (va->ops->free(va, address_of(thread->start[slot]), &due) != 0)
		atomic_fetch_add(&thread->crowd->conflicts, 1);
	thread->pages[slot] = 0;
	/* Far below the true limit, so that purges are many. */
	if (random_below(&thread->random, 16) == 0)
		crowd_purge(thread->crowd, VA_PURGE_DECAY);
}

static inline void crowd_count(void *context, const struct va_found *found)
{
	*(unsigned *)context += found->lazy ? 0 : 1;
}

static inline void crowd_lookup(struct crowd_thread *thread, unsigned slot)
{
	struct va *const va = &thread->crowd->world.va;
	const uintptr_t address =
		address_of(thread->start[slot]) + PAGE_SIZE / 2;
	struct va_found found = { 0 };
	struct va_found next = { 0 };
	unsigned live = 0;

	if (!va->ops->find(va, address, &found) ||
	    page_of(found.start) != thread->start[slot] ||
	    !va->ops->find_next(va, address, &next) ||
	    next.start != found.start)
		atomic_fetch_add(&thread->crowd->conflicts, 1);
	if (random_below(&thread->random, 8) == 0)
		va->ops->for_each(va, crowd_count, &live);
}

static inline void *crowd_main(void *context)
{
	struct crowd_thread *const thread = context;

	pthread_barrier_wait(&thread->crowd->start);
	for (unsigned step = 0; step < CROWD_STEPS; step++) {
		const unsigned slot =
			random_below(&thread->random, CROWD_SLOTS);

		if (!thread->pages[slot])
			crowd_alloc(thread, slot);
		else if (random_below(&thread->random, 4) == 0)
			crowd_lookup(thread, slot);
		else
			crowd_free(thread, slot);
	}
	for (unsigned slot = 0; slot < CROWD_SLOTS; slot++)
		if (thread->pages[slot])
			crowd_free(thread, slot);
	return NULL;
}

/* threads_run - no page ever has two owners, and all comes back. */
static inline void threads_run(const struct va_ops *ops, unsigned cpus)
{
	static struct crowd crowd;
	struct crowd_thread threads[CROWD_THREADS] = { 0 };
	pthread_t ids[CROWD_THREADS];

	memset(&crowd, 0, sizeof(crowd));
	pthread_mutex_init(&crowd.purge, NULL);
	pthread_barrier_init(&crowd.start, NULL, CROWD_THREADS);
	world_begin_with(&crowd.world, ops, CROWD_PAGES, cpus, "pthread-mutex");
	for (unsigned i = 0; i < CROWD_THREADS; i++) {
		threads[i].crowd = &crowd;
		threads[i].id = i;
		threads[i].random = 0x9e3779b97f4a7c15 + i;
		assert_int_equal(
			pthread_create(&ids[i], NULL, crowd_main, &threads[i]),
			0);
	}
	for (unsigned i = 0; i < CROWD_THREADS; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
	assert_int_equal(crowd.conflicts, 0);
	ops->check(&crowd.world.va);
	crowd_purge(&crowd, VA_PURGE_FULL);
	assert_int_equal(world_stats(&crowd.world).live_areas, 0);
	assert_int_equal(world_stats(&crowd.world).lazy_pages, 0);
	assert_int_equal(world_stats(&crowd.world).holes, 1);
	world_end(&crowd.world);
	pthread_barrier_destroy(&crowd.start);
	pthread_mutex_destroy(&crowd.purge);
}

#endif
