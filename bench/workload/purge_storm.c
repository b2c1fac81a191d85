/* SPDX-License-Identifier: MIT */
/*
 * purge_storm.c - what unmapping costs: areas that were written to are freed
 * in bursts, while other threads write to live ones and so have them in their
 * translation caches.
 *
 * The first half of the threads storms (all of them where nothing is mapped),
 * the others touch.  A burst frees its areas in the order of their addresses'
 * making; `scattered` lets every other one live until the next burst, so that
 * no two that go together are neighbours.
 */
#include "workload/range.h"
#include "workload/workloads.h"

enum { TOUCHED_AREAS = 64, TOUCHED_PAGES = 4 };

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

/* Every `step`-th of the live set, from `first`, goes and is taken anew. */
static uint64_t burst(struct bench_thread *thread, size_t first, size_t step)
{
	struct held *live = thread->live;
	uint64_t freed = 0;

	for (size_t i = first; i < thread->live_count; i += step) {
		if (!range_give(thread, live[i]))
			return freed;
		live[i].address = 0;
		freed++;
	}
	for (size_t i = first; i < thread->live_count; i += step) {
		const size_t pages = range_pages(thread, random_next(thread));

		live[i] = (struct held){ range_take(thread, pages), pages };
		if (!live[i].address)
			return freed;
	}
	return freed;
}

static int adjacent_enter(struct bench_thread *thread)
{
	return storm_enter(thread, thread->bench->cell->live);
}

static uint64_t adjacent_run(struct bench_thread *thread, uint64_t n)
{
	uint64_t done = 0;

	if (thread->uncounted)
		return touch_run(thread, n);
	while (done < n && !timed_is_over(&thread->bench->signal))
		done += burst(thread, 0, 1);
	return done;
}

static int scattered_enter(struct bench_thread *thread)
{
	return storm_enter(thread, 2 * thread->bench->cell->live);
}

static uint64_t scattered_run(struct bench_thread *thread, uint64_t n)
{
	uint64_t done = 0;

	if (thread->uncounted)
		return touch_run(thread, n);
	while (done < n && !timed_is_over(&thread->bench->signal))
		done += burst(thread, thread->cursor++ % 2, 2);
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
