/* SPDX-License-Identifier: MIT */
/*
 * timed_threads.h - a run while it runs: timed_run.c fills it, timed_result.c
 * sums it up when the threads are joined.
 */
#ifndef LFV_BENCH_TIMED_THREADS_H
#define LFV_BENCH_TIMED_THREADS_H

#include <pthread.h>

#include "harness/line_transfer.h"
#include "harness/noise.h"
#include "harness/timed_run.h"

/* timed_worker - one thread's own lines; nobody else writes here. */
struct timed_worker {
	/* constant after init */
	_Alignas(FALSE_SHARING_BYTES) struct timed_threads *run;
	unsigned index;
	pthread_t id;
	/* owner only, until it is joined */
	uint64_t batch;
	uint64_t start_ns;
	uint64_t stop_ns;
	uint64_t ops;
	uint64_t ops_all;
	uint64_t migrations;
	struct noise_thread before;
	struct noise_thread after;
	struct latency latency;
	int error;
	bool has_window;
};

/* timed_threads - what the threads share; lives on when threads are left
 * behind. */
struct timed_threads {
	/* constant after init */
	struct timed_plan plan;
	struct timed_work work;
	struct timed_worker *threads;
	/* shared */
	_Alignas(FALSE_SHARING_BYTES) _Atomic(unsigned) arrived;
	_Atomic(unsigned) failed;
	_Atomic(bool) gathered; /* all are set up */
	_Atomic(uint64_t) deadline_ns;
	_Alignas(FALSE_SHARING_BYTES) _Atomic(unsigned) out;
	_Atomic(bool) loops_done;
	/* threads 0 and 1 only: W6 */
	struct line_transfer line_before;
	struct line_transfer line_after;
	/* thread 0 only, until it is joined */
	_Alignas(FALSE_SHARING_BYTES) struct noise_machine before;
	struct noise_machine after;
	uint64_t noise_ns;
	uint64_t transfer_before_ns;
	uint64_t transfer_after_ns;
};

/* timed_result_add - the figures of all threads; they are joined. */
void timed_result_add(const struct timed_threads *run,
		      struct timed_result *result);

#endif
