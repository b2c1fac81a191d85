/* SPDX-License-Identifier: MIT */
/*
 * bench_clock.h - the one clock of the bench: CLOCK_MONOTONIC in nanoseconds.
 *
 * Read through the vDSO, some 25 ns a call; never inside an operation.
 */
#ifndef LFV_BENCH_CLOCK_H
#define LFV_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

static inline uint64_t bench_clock_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

#endif
