/* SPDX-License-Identifier: MIT */
/*
 * replace.c - a live set whose members are replaced, one at a time.
 *
 *	               sizes                who goes           taken together
 *	replace        uniform              a random one       1
 *	module_load    mostly small         a random group     4
 *	swap_map       uniform, large       the oldest         1
 *
 * A loaded module is a handful of areas with one life (code, data, read-only
 * data, and what init needs); a swap map is large and outlives most things.
 */
#include <errno.h>

#include "harness/bench_clock.h"
#include "workload/range.h"
#include "workload/workloads.h"

enum { MODULE_AREAS = 4, SWAP_MAP_STEP = 256, AGE_LOOK_EVERY = 16 };

static int live_enter(struct bench_thread *thread)
{
	return live_fill(thread, thread->bench->cell->live, thread->pages_min,
			 thread->pages_min + thread->pages_span - 1);
}

/* One member becomes an area of that size; false: the run has failed. */
static inline bool member_replace(struct bench_thread *thread,
				  struct held *member, size_t pages)
{
	if (!range_give(thread, *member)) {
		member->address = 0;
		return false;
	}
	*member = (struct held){ range_take(thread, pages), pages };
	return member->address != 0;
}

static uint64_t replace_run(struct bench_thread *thread, uint64_t n)
{
	struct held *live = thread->live;
	const size_t count = thread->live_count;

	for (uint64_t i = 0; i < n; i++) {
		const uint64_t draw = random_next(thread);

		if (!member_replace(thread, &live[random_low(draw, count)],
				    range_pages(thread, draw)))
			return i;
	}
	return n;
}

/* Half of the set-up's time is for ageing. */
static bool age_is_late(const struct bench_thread *thread)
{
	const struct bench *bench = thread->bench;

	return bench_clock_ns() - bench->setup_ns >
	       bench->cell->cell_limit_ns / 2;
}

/*
 * Areas that were just taken lie packed; replaced once over they lie as they
 * will stay.  A strategy that is too slow for that is measured younger, and
 * the sample says so: cursor counts what was replaced.
 */
static int replace_enter(struct bench_thread *thread)
{
	const int error = live_enter(thread);

	if (error)
		return error;
	while (thread->cursor < thread->live_count && !age_is_late(thread)) {
		if (replace_run(thread, AGE_LOOK_EVERY) < AGE_LOOK_EVERY)
			return -EINVAL;
		if (timed_is_over(&thread->bench->signal))
			return -ECANCELED;
		thread->cursor += AGE_LOOK_EVERY;
	}
	return 0;
}

static void replace_report(struct bench *bench)
{
	bench_count(bench, "aged_replacements",
		    (double)bench->threads[0].cursor);
}

/* The square of a uniform number: half of all are in the lowest quarter. */
static size_t module_pages(struct bench_thread *thread)
{
	const uint64_t u = random_next(thread) >> 32;

	return thread->pages_min + random_high(u * u, thread->pages_span);
}

static bool module_replace(struct bench_thread *thread, struct held *first)
{
	for (size_t i = 0; i < MODULE_AREAS; i++) {
		if (!range_give(thread, first[i])) {
			first[i].address = 0;
			return false;
		}
		first[i].address = 0;
	}
	for (size_t i = 0; i < MODULE_AREAS; i++) {
		const size_t pages = module_pages(thread);

		first[i] = (struct held){ range_take(thread, pages), pages };
		if (!first[i].address)
			return false;
	}
	return true;
}

static uint64_t module_load_run(struct bench_thread *thread, uint64_t n)
{
	const size_t groups = thread->live_count / MODULE_AREAS;
	uint64_t done = 0;

	while (groups && done < n) {
		const size_t group = random_low(random_next(thread), groups);

		if (!module_replace(thread,
				    &thread->live[group * MODULE_AREAS]))
			return done;
		done += MODULE_AREAS;
	}
	return done;
}

/* Swap is made in round sizes, and so are the maps of it. */
static size_t swap_map_pages(struct bench_thread *thread)
{
	const size_t pages = range_pages(thread, random_next(thread));

	return pages < SWAP_MAP_STEP ? pages
				     : pages / SWAP_MAP_STEP * SWAP_MAP_STEP;
}

static int swap_map_enter(struct bench_thread *thread)
{
	const int error = live_room(thread, thread->bench->cell->live);

	if (error)
		return error;
	for (size_t i = 0; i < thread->bench->cell->live; i++) {
		const size_t pages = swap_map_pages(thread);
		const uintptr_t address = range_take(thread, pages);

		if (!address)
			return -EINVAL;
		thread->live[thread->live_count++] =
			(struct held){ address, pages };
		if (setup_is_late(thread, i))
			return -ETIME;
	}
	return 0;
}

static uint64_t swap_map_run(struct bench_thread *thread, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct held *oldest =
			&thread->live[thread->cursor++ % thread->live_count];

		if (!member_replace(thread, oldest, swap_map_pages(thread)))
			return i;
	}
	return n;
}

const struct workload workload_replace = {
	.name = "replace",
	.enter = replace_enter,
	.run = replace_run,
	.leave = live_leave,
	.report = replace_report,
};

const struct workload workload_module_load = {
	.name = "module_load",
	.enter = live_enter,
	.run = module_load_run,
	.leave = live_leave,
};

const struct workload workload_swap_map = {
	.name = "swap_map",
	.enter = swap_map_enter,
	.run = swap_map_run,
	.leave = live_leave,
};

const struct workload workload_floor_replace = {
	.name = "floor_replace",
	.enter = live_enter,
	.run = replace_run,
	.leave = live_leave,
};
