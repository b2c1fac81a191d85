/* SPDX-License-Identifier: MIT */
/*
 * align_shift.c - one page at each power of two, until one is refused
 * (test_vmalloc's align_shift_alloc_test, where that is what is expected).
 *
 * An operation is a request; then the smallest alignment comes again.
 */
#include <errno.h>

#include "workload/range.h"
#include "workload/workloads.h"

enum { ALIGN_SHIFTS = 64 };

static uint64_t align_shift_run(struct bench_thread *thread, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		const size_t align = (size_t)1
				     << (thread->cursor++ % ALIGN_SHIFTS);
		const uintptr_t address =
			range_try(thread, thread->pages_min, align);

		if (!address) {
			if (timed_is_over(&thread->bench->signal))
				return i;
			thread->cursor = 0;
			continue;
		}

		const struct held held = { address, thread->pages_min };

		if (!range_give(thread, held))
			return i;
	}
	return n;
}

const struct workload workload_align_shift = {
	.name = "align_shift",
	.run = align_shift_run,
};
