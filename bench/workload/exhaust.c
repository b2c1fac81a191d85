/* SPDX-License-Identifier: MIT */
/*
 * exhaust.c - a small window is filled to the last page, refuses the next
 * area with ENOMEM, and is emptied; again and again.
 *
 * Taking and freeing are half an operation each.  One thread alone can tell
 * that no page was left; several only that the refusal was ENOMEM.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "workload/range.h"
#include "workload/workloads.h"

static int exhaust_enter(struct bench_thread *thread)
{
	const size_t pages = thread->bytes >> PAGE_SHIFT;

	return live_room(thread, pages / (thread->pages_min + 1) + 1);
}

/* The window refused: was that right? */
static bool is_full(struct bench_thread *thread, int error)
{
	struct bench *bench = thread->bench;
	const size_t window = thread->bytes >> PAGE_SHIFT;
	const size_t used = thread->live_count * (thread->pages_min + 1);

	if (error != ENOMEM) {
		bench_fail(bench, "exhaust: thread %u was refused with %s: %s",
			   thread->index, strerror(error), lfv_last_error());
		return false;
	}
	if (bench->cell->threads > 1 || window - used < thread->pages_min + 1)
		return true;
	bench_fail(bench,
		   "exhaust: %zu pages were refused with %zu of %zu pages in "
		   "use: %s",
		   thread->pages_min + 1, used, window, lfv_last_error());
	return false;
}

/* cursor: whether the window is being emptied. */
static bool step(struct bench_thread *thread)
{
	if (thread->cursor) {
		const struct held held = thread->live[--thread->live_count];

		thread->cursor = thread->live_count != 0;
		return range_give(thread, held);
	}

	const uintptr_t address =
		range_try(thread, thread->pages_min, thread->align);
	const int error = errno;

	if (address) {
		thread->live[thread->live_count++] =
			(struct held){ address, thread->pages_min };
		return true;
	}
	if (bench_failed(thread->bench) || !is_full(thread, error))
		return false;
	thread->cursor = thread->live_count != 0;
	return true;
}

static uint64_t exhaust_run(struct bench_thread *thread, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		if (!step(thread) || !step(thread))
			return i;
	}
	return n;
}

const struct workload workload_exhaust = {
	.name = "exhaust",
	.enter = exhaust_enter,
	.run = exhaust_run,
	.leave = live_leave,
};
