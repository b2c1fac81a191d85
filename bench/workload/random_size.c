/* SPDX-License-Identifier: MIT */
/*
 * random_size.c - an area of random size, freed at once (test_vmalloc's
 * random_size_alloc_test).
 */
#include "workload/range.h"
#include "workload/workloads.h"

static uint64_t random_size_run(struct bench_thread *thread, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		const size_t pages = range_pages(thread, random_next(thread));
		const uintptr_t address = range_take(thread, pages);

		if (!address ||
		    !range_give(thread, (struct held){ address, pages }))
			return i;
	}
	return n;
}

const struct workload workload_random_size = {
	.name = "random_size",
	.enter = bystander_enter,
	.leave = live_leave,
	.run = random_size_run,
};
