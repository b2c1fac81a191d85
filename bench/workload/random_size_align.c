/* SPDX-License-Identifier: MIT */
/*
 * random_size_align.c - sizes and alignments from one random byte, zeroed, of
 * node 0 (test_vmalloc's random_size_align_alloc_test).
 *
 * The byte r gives 1 << (r % 23) bytes of alignment, up to 4 MiB, and
 * r % 10 + 1 pages: the two go together in 230 ways, as in Linux.
 */
#include "workload/range.h"
#include "workload/workloads.h"

enum { ALIGN_BITS = 23, SIZES = 10 };

static int random_size_align_enter(struct bench_thread *thread)
{
	thread->zero = true;
	return bystander_enter(thread);
}

static uint64_t random_size_align_run(struct bench_thread *thread, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		const unsigned r = (uint8_t)random_next(thread);
		const struct held held = { 0, r % SIZES + 1 };

		thread->align = (size_t)1 << (r % ALIGN_BITS);

		const uintptr_t address = range_take(thread, held.pages);

		if (!address ||
		    !range_give(thread, (struct held){ address, held.pages }))
			return i;
	}
	return n;
}

const struct workload workload_random_size_align = {
	.name = "random_size_align",
	.enter = random_size_align_enter,
	.run = random_size_align_run,
	.leave = live_leave,
};
