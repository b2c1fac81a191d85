/* SPDX-License-Identifier: MIT */
/*
 * workload.h - what is done to an engine, over and over.
 *
 * Each workload is one constant table; its loop of n operations is inside
 * run(), so that no indirect call is measured.
 *
 *	init -> enter (each thread) -> run... -> check -> leave -> fini
 *
 *   init    alone, before the threads: what they share;
 *   enter   in the thread, pinned: its live set.  -ETIME when the set-up took
 *           longer than the cell allows;
 *   run     about n operations; says how many it did.  Comes back early when
 *           the run is over;
 *   leave   alone, for each thread: gives back what it holds;
 *   report  alone: counters of its own;
 *   fini    alone.
 *
 * All but run may be NULL.  Ranges are taken and given through range.h, which
 * checks each of them.
 */
#ifndef LFV_BENCH_WORKLOAD_H
#define LFV_BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/page.h"
#include "common/cell.h"
#include "common/workload_info.h"
#include "harness/timed_run.h"
#include "lfv/lfv.h"

/* What stands behind range_take(). */
enum plane {
	PLANE_NONE,    /* nothing but spares.h */
	PLANE_ADDRESS, /* lfv_get_vm_area() */
	PLANE_FULL,    /* lfv_vmalloc() */
};

/* held - an area that a thread holds. */
struct held {
	uintptr_t address;
	size_t pages;
};

struct spares;

/* bench_thread - one thread at work; nobody else touches its lines. */
struct bench_thread {
	/* constant after enter */
	_Alignas(FALSE_SHARING_BYTES) struct bench *bench;
	struct lfv *lfv;
	_Atomic(uint32_t) *shadow; /* a word for each page of the window */
	uintptr_t start;
	uintptr_t bytes;
	size_t pages_min;
	size_t pages_span; /* sizes are pages_min + [0, pages_span) */
	size_t align;      /* 0: none */
	uint32_t stamp;
	unsigned index;
	enum plane plane;
	bool touch;
	bool zero;      /* zeroed, on node 0: test_vmalloc's align tests */
	bool uncounted; /* its operations are not those that are measured */
	struct held *live;
	size_t live_count;
	void *own;
	/* owner only */
	uint64_t random;
	uint32_t takes;
	uint64_t requests; /* of range_try() */
	uint64_t refused;
	uint64_t cursor;
	struct spares *spares;
};

enum { BENCH_FAILURE_BYTES = 512, BENCH_COUNTERS_MAX = 16 };

struct bench_counter {
	const char *name; /* without prefix */
	double value;
};

/* bench - one cell at work. */
struct bench {
	/* constant after init */
	const struct cell *cell;
	const struct workload *workload;
	const struct workload_info *info;
	struct lfv *lfv; /* NULL in floor rows */
	struct bench_thread *threads;
	size_t memory_bytes; /* init may set it: of the engine's memfd */
	uint64_t setup_ns;   /* when the set-up began */
	void *own;
	_Atomic(uint32_t) *shadow;
	uintptr_t start;
	uintptr_t bytes;
	/* shared */
	struct timed_signal signal;
	_Atomic(int) failing;
	_Atomic(size_t) reached; /* areas a thread had when time was up */
	char failure[BENCH_FAILURE_BYTES];
	/* alone */
	struct lfv_stats begun; /* when all was set up */
	struct bench_counter counters[BENCH_COUNTERS_MAX];
	size_t counter_count;
};

struct workload {
	const char *name;
	bool settles; /* all that is lazy is purged before figures are read */
	int (*init)(struct bench *bench);
	int (*enter)(struct bench_thread *thread);
	uint64_t (*run)(struct bench_thread *thread, uint64_t n);
	void (*leave)(struct bench_thread *thread);
	void (*report)(struct bench *bench);
	void (*fini)(struct bench *bench);
};

/* workload_find - the workload of that name, or NULL. */
const struct workload *workload_find(const char *name);

/*
 * bench_fail - a check has caught something: the first text stays, everybody
 * ends.  Says strategy, lock, thread count and seed by itself.
 */
__attribute__((format(printf, 2, 3), cold)) void
bench_fail(struct bench *bench, const char *format, ...);

/* bench_failed - whether bench_fail() was called. */
bool bench_failed(struct bench *bench);

/* bench_count - a counter of the workload's own, without the prefix. */
void bench_count(struct bench *bench, const char *name, double value);

/* random_next - SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t random_next(struct bench_thread *thread)
{
	uint64_t z = thread->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* random_low, random_high - two numbers below a limit from one draw. */
static inline size_t random_low(uint64_t draw, size_t limit)
{
	return ((draw & UINT32_MAX) * limit) >> 32;
}

static inline size_t random_high(uint64_t draw, size_t limit)
{
	return ((draw >> 32) * limit) >> 32;
}

#endif
