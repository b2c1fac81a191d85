/* SPDX-License-Identifier: MIT */
/*
 * fake_rseq.h - an area of this thread's that the kernel knows nothing of.
 *
 * A percpu that looks there runs its sections on whatever CPU the test says,
 * and nothing aborts them: they can be stepped through, and on a machine
 * without rseq they run all the same.  One thread at a time, then.
 */
#ifndef LFV_TESTS_FAKE_RSEQ_H
#define LFV_TESTS_FAKE_RSEQ_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

struct fake_rseq {
	alignas(32) uint32_t cpu_id_start;
	uint32_t cpu_id;
	uint64_t rseq_cs;
	uint32_t flags;
};

static _Thread_local struct fake_rseq fake_rseq;

/* fake_rseq_offset - the same in each thread of the program. */
static inline ptrdiff_t fake_rseq_offset(void)
{
	return (char *)&fake_rseq - (char *)__builtin_thread_pointer();
}

#endif
