/* SPDX-License-Identifier: MIT */
/*
 * fix_size.c - an area of fixed size, freed at once (test_vmalloc's
 * fix_size_alloc_test).  Without an engine it is the floor row.
 */
#include "workload/range.h"
#include "workload/workloads.h"

static uint64_t fix_size_run(struct bench_thread *thread, uint64_t n)
{
	const size_t pages = thread->pages_min;

	for (uint64_t i = 0; i < n; i++) {
		const uintptr_t address = range_take(thread, pages);

		if (!address ||
		    !range_give(thread, (struct held){ address, pages }))
			return i;
	}
	return n;
}

const struct workload workload_fix_size = {
	.name = "fix_size",
	.enter = bystander_enter,
	.leave = live_leave,
	.run = fix_size_run,
};

const struct workload workload_floor = {
	.name = "floor",
	.enter = bystander_enter,
	.leave = live_leave,
	.run = fix_size_run,
};
