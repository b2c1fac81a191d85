/* SPDX-License-Identifier: MIT */
/*
 * purge_storm.c - what unmapping costs: areas that were written to are freed
 * in bursts, while other threads write to live ones and so have them in their
 * translation caches.
 *
 * The first half of the threads storms (all of them where nothing is mapped),
 * the others touch.  A burst frees its areas in the order in which they were
 * made, so that neighbours go together.  `scattered` makes a keeper beside each
 * area, which lives through the next purges: what goes has live neighbours.
 * Linux purges some 8,192 areas of a page at a time on two CPUs.
 */
#include "workload/range.h"
#include "workload/workloads.h"

enum { TOUCHED_AREAS = 64, TOUCHED_PAGES = 4, KEEPERS = 8192 };

static bool is_toucher(const struct bench_thread *thread)
{
	const unsigned threads = thread->bench->cell->threads;

	return thread->plane == PLANE_FULL && threads > 1 &&
	       thread->index >= (threads + 1) / 2;
}

static int storm_enter(struct bench_thread *thread, size_t areas)
{
	/* What is freed was written to: that is what makes a flush dear. */
	thread->touch = thread->plane == PLANE_FULL;
	if (!is_toucher(thread))
		return live_fill(thread, areas, thread->pages_min,
				 thread->pages_min + thread->pages_span - 1);
	thread->uncounted = true;
	return live_fill(thread, TOUCHED_AREAS, TOUCHED_PAGES, TOUCHED_PAGES);
}

static uint64_t touch_run(struct bench_thread *thread, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		range_write(thread,
			    thread->live[thread->cursor++ % TOUCHED_AREAS]);
	return n;
}

/* Member i of the live set goes; false: the run has failed. */
static bool member_give(struct bench_thread *thread, size_t i)
{
	const struct held held = thread->live[i];

	thread->live[i].address = 0;
	return range_give(thread, held);
}

static bool member_take(struct bench_thread *thread, size_t i)
{
	const size_t pages = range_pages(thread, random_next(thread));

	thread->live[i] = (struct held){ range_take(thread, pages), pages };
	return thread->live[i].address != 0;
}

static int adjacent_enter(struct bench_thread *thread)
{
	return storm_enter(thread, thread->bench->cell->live);
}

/* The whole live set goes and is taken anew; says how many went. */
static uint64_t adjacent_burst(struct bench_thread *thread)
{
	const size_t count = thread->live_count;

	for (size_t i = 0; i < count; i++) {
		if (!member_give(thread, i))
			return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (!member_take(thread, i))
			return 0;
	}
	return count;
}

static uint64_t adjacent_run(struct bench_thread *thread, uint64_t n)
{
	uint64_t done = 0;

	if (thread->uncounted)
		return touch_run(thread, n);
	while (done < n && !timed_is_over(&thread->bench->signal))
		done += adjacent_burst(thread);
	return done;
}

static int scattered_enter(struct bench_thread *thread)
{
	const size_t areas = thread->bench->cell->live + KEEPERS;

	return storm_enter(thread, live_most(thread, areas));
}

/*
 * The members below `burst` go at once; each comes back with a keeper beside
 * it, in whose place the oldest keeper goes.  Says how many went.
 */
static uint64_t scattered_burst(struct bench_thread *thread, size_t burst)
{
	const size_t keepers = thread->live_count - burst;

	for (size_t i = 0; i < burst; i++) {
		if (!member_give(thread, i))
			return 0;
	}
	for (size_t i = 0; i < burst; i++) {
		const size_t oldest = burst + thread->cursor++ % keepers;

		if (!member_give(thread, oldest) || !member_take(thread, i) ||
		    !member_take(thread, oldest))
			return 0;
	}
	return 2 * burst;
}

static uint64_t scattered_run(struct bench_thread *thread, uint64_t n)
{
	const size_t wanted = thread->bench->cell->live;
	const size_t half = thread->live_count / 2;
	const size_t burst = wanted < half ? wanted : half;
	uint64_t done = 0;

	if (thread->uncounted)
		return touch_run(thread, n);
	while (done < n && !timed_is_over(&thread->bench->signal))
		done += scattered_burst(thread, burst);
	return done;
}

const struct workload workload_purge_storm = {
	.name = "purge_storm",
	.settles = true,
	.enter = adjacent_enter,
	.run = adjacent_run,
	.leave = live_leave,
};

const struct workload workload_purge_storm_scattered = {
	.name = "purge_storm_scattered",
	.settles = true,
	.enter = scattered_enter,
	.run = scattered_run,
	.leave = live_leave,
};
