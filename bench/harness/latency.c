/* SPDX-License-Identifier: MIT */
#include "harness/latency.h"

static unsigned bucket_of(uint64_t ns)
{
	if (ns < LATENCY_SUBS)
		return (unsigned)ns;

	const unsigned power = 63 - (unsigned)__builtin_clzll(ns);
	const unsigned shift = power - LATENCY_SUB_BITS;
	const unsigned row = shift + 1;

	if (row >= LATENCY_POWERS)
		return LATENCY_BUCKETS - 1;
	return row * LATENCY_SUBS + (unsigned)(ns >> shift) - LATENCY_SUBS;
}

/* The highest value of a bucket: a quantile is never flattered. */
static uint64_t bucket_top(unsigned bucket)
{
	const unsigned row = bucket / LATENCY_SUBS;
	const uint64_t sub = bucket % LATENCY_SUBS;

	if (row == 0)
		return sub;
	return ((sub + LATENCY_SUBS + 1) << (row - 1)) - 1;
}

void latency_add(struct latency *latency, uint64_t ns)
{
	latency->buckets[bucket_of(ns)]++;
	latency->count++;
	if (ns > latency->max_ns)
		latency->max_ns = ns;
}

void latency_merge(struct latency *into, const struct latency *from)
{
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	into->count += from->count;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
}

uint64_t latency_ns(const struct latency *latency, double share)
{
	const double wanted = share * (double)latency->count;
	uint64_t below = 0;

	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		below += latency->buckets[i];
		if (latency->buckets[i] && (double)below >= wanted) {
			const uint64_t top = bucket_top(i);

			return top < latency->max_ns ? top : latency->max_ns;
		}
	}
	return latency->max_ns;
}
