/* SPDX-License-Identifier: MIT */
/*
 * latency.h - how long single operations took: a histogram with buckets whose
 * width is at most 1/32 of their value.
 *
 * One thread adds; histograms are merged when all have stopped.  What is
 * counted is service time in a closed loop, never latency under load.
 */
#ifndef LFV_BENCH_LATENCY_H
#define LFV_BENCH_LATENCY_H

#include <stdint.h>

enum {
	LATENCY_SUB_BITS = 5,
	LATENCY_SUBS = 1 << LATENCY_SUB_BITS,
	LATENCY_POWERS = 40, /* up to 18 minutes */
	LATENCY_BUCKETS = LATENCY_POWERS * LATENCY_SUBS,
};

struct latency {
	uint64_t count;
	uint64_t max_ns;
	uint32_t buckets[LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, uint64_t ns);
void latency_merge(struct latency *into, const struct latency *from);

/* latency_ns - the value below which `share` of all lie; 0 when empty. */
uint64_t latency_ns(const struct latency *latency, double share);

#endif
