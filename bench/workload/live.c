/* SPDX-License-Identifier: MIT */
/*
 * live.c - the areas that a thread holds while others come and go.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/bench_clock.h"
#include "workload/range.h"

enum { LATE_LOOK_EVERY = 16, MAP_COUNT_DEFAULT = 65530, BYSTANDERS_MAX = 16 };

bool setup_is_late(struct bench_thread *thread, size_t reached)
{
	struct bench *bench = thread->bench;

	if (bench_clock_ns() - bench->setup_ns < bench->cell->cell_limit_ns)
		return false;
	/* relaxed: a figure for a message, read when all are joined. */
	store_relaxed(&bench->reached, reached);
	return true;
}

int live_room(struct bench_thread *thread, size_t count)
{
	thread->live = calloc(count ? count : 1, sizeof(*thread->live));
	thread->live_count = 0;
	return thread->live ? 0 : -ENOMEM;
}

int live_fill(struct bench_thread *thread, size_t count, size_t pages_min,
	      size_t pages_max)
{
	const size_t span = pages_max - pages_min + 1;
	const int error = live_room(thread, count);

	if (error)
		return error;
	for (size_t i = 0; i < count; i++) {
		const size_t pages =
			pages_min + random_high(random_next(thread), span);
		const uintptr_t address = range_take(thread, pages);

		if (!address)
			return -EINVAL;
		thread->live[thread->live_count++] =
			(struct held){ address, pages };
		if (i % LATE_LOOK_EVERY == 0 && setup_is_late(thread, i))
			return -ETIME;
		if (timed_is_over(&thread->bench->signal))
			return -ECANCELED;
	}
	return 0;
}

void live_leave(struct bench_thread *thread)
{
	for (size_t i = 0; i < thread->live_count; i++) {
		if (thread->live[i].address &&
		    !range_give(thread, thread->live[i]))
			break;
	}
	free(thread->live);
	thread->live = NULL;
	thread->live_count = 0;
}

int bystander_enter(struct bench_thread *thread)
{
	const size_t sizes = thread->pages_span < BYSTANDERS_MAX
				     ? thread->pages_span
				     : BYSTANDERS_MAX;
	const int error = live_room(thread, sizes);

	if (error)
		return error;
	for (size_t i = 0; i < sizes; i++) {
		const size_t pages = thread->pages_min + i;
		const uintptr_t address = range_take(thread, pages);

		if (!address)
			return -EINVAL;
		thread->live[thread->live_count++] =
			(struct held){ address, pages };
	}
	return 0;
}

static size_t map_count_max(void)
{
	size_t count = MAP_COUNT_DEFAULT;
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");

	if (!file)
		return count;
	if (fscanf(file, "%zu", &count) != 1)
		count = MAP_COUNT_DEFAULT;
	fclose(file);
	return count;
}

size_t live_most(const struct bench_thread *thread, size_t wanted)
{
	if (thread->plane != PLANE_FULL)
		return wanted;

	/* Two mappings an area with its gap, and half of all for the rest. */
	const size_t most = map_count_max() / 4 / thread->bench->cell->threads;

	return wanted < most ? wanted : most;
}
