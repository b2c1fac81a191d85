/* SPDX-License-Identifier: MIT */
/*
 * timed_run.h - one timed window with threads of our own.
 *
 *	      warm-up         window          cool-down
 *	t0  ---======|#######################|====
 *	t1   ----====|#######################|======
 *	    ^        ^ latest start          ^ earliest stop
 *	    common deadline
 *
 *   W1  a thread is pinned before it sets up anything, so that it touches its
 *       own memory first;
 *   W2  all begin at one reading of the clock, some 200 us after the last has
 *       arrived (and W6), and warm up inside the same loop that is measured;
 *   W3  nobody stops working before everybody has left the window: no thread
 *       ever runs against less competition than the others did;
 *   W4  only [latest start, earliest stop] counts.  A thread's operations are
 *       taken in proportion to its share of its own window that lies in it;
 *   W5  the clock is read once a batch of some 10 us; the batch is found in
 *       the warm-up.  One operation after each batch is timed by itself;
 *   W6  pinned threads 0 and 1, where each has a CPU, probe how long a cache
 *       line takes between them: before the common beginning, while all others
 *       wait for it, and when all are out of the cool-down or about to be, and
 *       the noise has been read.  Neither probe touches what is measured.
 *
 * A check that failed ends the run at the next batch, with no tear-down: the
 * engine may be in any state.  Threads that never come back are left behind,
 * and with them their memory.
 *
 * Who may run with whom: one run at a time in a process.
 */
#ifndef LFV_BENCH_TIMED_RUN_H
#define LFV_BENCH_TIMED_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"
#include "common/placement.h"
#include "harness/latency.h"

/* timed_signal - what all threads look at once a batch; alone on its lines. */
enum timed_state { TIMED_RUNNING, TIMED_STOPPED, TIMED_ABORTED };

struct timed_signal {
	_Alignas(FALSE_SHARING_BYTES) _Atomic(int) state;
	char rest[FALSE_SHARING_BYTES - sizeof(int)];
};

static inline bool timed_is_over(const struct timed_signal *signal)
{
	/* relaxed: what is read after it was ordered by joining the threads. */
	return load_relaxed(&signal->state) != TIMED_RUNNING;
}

/* timed_abort - a check failed: everybody ends at the next batch. */
void timed_abort(struct timed_signal *signal);

/*
 * timed_work - what the threads do.
 *
 * enter  in the thread, pinned, before the start: 0 or -errno;
 * ready  in the last to arrive, when all are set up; may be NULL;
 * batch  some `n` operations; says how many it did.  Must come back soon
 *        after timed_is_over();
 * counts whether the thread's single operations are those to be timed; asked
 *        when all are joined; NULL: everybody's;
 * leave  when all have stopped, and after a failed enter; may be NULL.
 */
struct timed_work {
	void *context;
	int (*enter)(void *context, unsigned thread);
	void (*ready)(void *context);
	uint64_t (*batch)(void *context, unsigned thread, uint64_t n);
	bool (*counts)(void *context, unsigned thread);
	void (*leave)(void *context, unsigned thread);
};

struct timed_plan {
	const struct placement *placement;
	const int *cpus; /* of each thread */
	unsigned threads;
	bool oversubscribed;
	uint64_t warmup_ns;
	uint64_t duration_ns;
	uint64_t loops;       /* ends when a thread did as many; 0: never */
	uint64_t patience_ns; /* for everything; then the threads hang */
	struct timed_signal *signal;
};

/* timed_thread - what one thread measured of itself. */
struct timed_thread {
	double ops;       /* W4 */
	uint64_t ops_all; /* warm-up and cool-down included */
	int error;
};

struct timed_result {
	uint64_t window_ns;
	double overlap; /* share of the time from first start to last stop */
	uint64_t start_skew_ns;
	uint64_t batch; /* the largest */
	uint64_t migrations;
	uint64_t switches_involuntary;
	uint64_t switches_voluntary;
	uint64_t run_delay_ns; /* of the thread that waited most */
	uint64_t steal_ns;
	double steal_share; /* of the time of all CPUs */
	uint64_t throttled;
	uint64_t transfer_before_ns; /* W6; 0: not known */
	uint64_t transfer_after_ns;
	int error;               /* the first that a thread's enter gave back */
	bool aborted;            /* a check failed */
	bool hangs;              /* threads were left behind */
	struct latency *latency; /* timed_result_fini() */
	struct timed_thread *threads;
};

/*
 * timed_run - 0 when there is a result, whatever it says; -ENOMEM or the
 * thread library's error when the threads could not be made.
 */
int timed_run(const struct timed_plan *plan, const struct timed_work *work,
	      struct timed_result *result);
void timed_result_fini(struct timed_result *result);

enum { TIMED_WHY_BYTES = 128 };

/*
 * timed_invalid - whether a result must not be used, and why; "" when it may.
 * `pinned` threads may not migrate.
 */
bool timed_invalid(const struct timed_result *result, bool pinned,
		   char why[TIMED_WHY_BYTES]);

#endif
