/* SPDX-License-Identifier: MIT */
/*
 * remote_free.c - one thread takes areas, another frees them.
 *
 * Threads 2i and 2i + 1 are a pair with a ring of 1,024 between them.  An
 * operation is an area that was taken and freed; the freeing thread counts it.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "workload/range.h"
#include "workload/workloads.h"

enum { RING_ENTRIES = 1024, YIELD_SPINS = 64 };

/*
 * ring - one producer, one consumer; each looks at the other's index only when
 * what it saw of it last is used up.
 */
struct ring {
	_Alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) pushed;
	uint64_t taken_seen; /* producer only */
	_Alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) taken;
	uint64_t pushed_seen; /* consumer only */
	_Alignas(FALSE_SHARING_BYTES) struct held entries[RING_ENTRIES];
};

static bool is_consumer(const struct bench_thread *thread)
{
	return thread->index % 2;
}

static struct ring *ring_of(const struct bench_thread *thread)
{
	struct ring *rings = thread->bench->own;

	return &rings[thread->index / 2];
}

static int remote_free_init(struct bench *bench)
{
	const size_t bytes = bench->cell->threads / 2 * sizeof(struct ring);

	bench->own = aligned_alloc(FALSE_SHARING_BYTES, bytes);
	if (!bench->own)
		return -ENOMEM;
	memset(bench->own, 0, bytes);
	return 0;
}

static int remote_free_enter(struct bench_thread *thread)
{
	thread->own = ring_of(thread);
	thread->uncounted = !is_consumer(thread);
	return 0;
}

/* Wait for the other side; false when the run is over. */
static bool ring_wait(const struct bench_thread *thread, unsigned *spins)
{
	if (timed_is_over(&thread->bench->signal))
		return false;
	if (++*spins % YIELD_SPINS == 0 && thread->bench->cell->oversubscribe)
		(void)sched_yield();
	cpu_relax();
	return true;
}

static bool ring_has_room(const struct bench_thread *thread, struct ring *ring,
			  uint64_t pushed)
{
	unsigned spins = 0;

	while (pushed - ring->taken_seen == RING_ENTRIES) {
		/* acquire [bench-ring-room]: the entry was read before. */
		ring->taken_seen = load_acquire(&ring->taken);
		if (pushed - ring->taken_seen == RING_ENTRIES &&
		    !ring_wait(thread, &spins))
			return false;
	}
	return true;
}

static bool ring_has_entry(const struct bench_thread *thread, struct ring *ring,
			   uint64_t taken)
{
	unsigned spins = 0;

	while (taken == ring->pushed_seen) {
		/* acquire [bench-ring]: the entry is there. */
		ring->pushed_seen = load_acquire(&ring->pushed);
		if (taken == ring->pushed_seen && !ring_wait(thread, &spins))
			return false;
	}
	return true;
}

static uint64_t produce(struct bench_thread *thread, uint64_t n)
{
	struct ring *ring = thread->own;

	for (uint64_t i = 0; i < n; i++) {
		/* relaxed: only this thread writes it. */
		const uint64_t pushed = load_relaxed(&ring->pushed);

		if (!ring_has_room(thread, ring, pushed))
			return i;

		const size_t pages = range_pages(thread, random_next(thread));
		const uintptr_t address = range_take(thread, pages);

		if (!address)
			return i;
		ring->entries[pushed % RING_ENTRIES] =
			(struct held){ address, pages };
		/* release [bench-ring]: the entry. */
		store_release(&ring->pushed, pushed + 1);
	}
	return n;
}

static uint64_t consume(struct bench_thread *thread, uint64_t n)
{
	struct ring *ring = thread->own;
	const uint32_t stamp = thread->stamp - 1; /* the producer's */

	for (uint64_t i = 0; i < n; i++) {
		/* relaxed: only this thread writes it. */
		const uint64_t taken = load_relaxed(&ring->taken);

		if (!ring_has_entry(thread, ring, taken))
			return i;

		const struct held held = ring->entries[taken % RING_ENTRIES];

		/* release [bench-ring-room]: the entry has been read. */
		store_release(&ring->taken, taken + 1);
		if (!range_give_of(thread, held, stamp))
			return i;
	}
	return n;
}

static uint64_t remote_free_run(struct bench_thread *thread, uint64_t n)
{
	return is_consumer(thread) ? consume(thread, n) : produce(thread, n);
}

/* What is left in the ring when all have stopped. */
static void remote_free_leave(struct bench_thread *thread)
{
	if (!is_consumer(thread) || !thread->own)
		return;

	struct ring *ring = thread->own;
	/* relaxed: the threads are joined. */
	const uint64_t left =
		load_relaxed(&ring->pushed) - load_relaxed(&ring->taken);

	(void)consume(thread, left);
}

static void remote_free_fini(struct bench *bench)
{
	free(bench->own);
}

const struct workload workload_remote_free = {
	.name = "remote_free",
	.init = remote_free_init,
	.enter = remote_free_enter,
	.run = remote_free_run,
	.leave = remote_free_leave,
	.fini = remote_free_fini,
};

const struct workload workload_floor_remote_free = {
	.name = "floor_remote_free",
	.init = remote_free_init,
	.enter = remote_free_enter,
	.run = remote_free_run,
	.leave = remote_free_leave,
	.fini = remote_free_fini,
};
