/* SPDX-License-Identifier: MIT */
/*
 * crew.h - threads that meet: they start together, dawdle now and then, and are
 * jolted, which stops one in the midst of what it does.
 *
 * Operations of some hundred nanoseconds hardly ever overlap by themselves,
 * and never where the machine is so busy that one thread runs at a time.  So
 * the engine is compiled with points at which a thread can stop
 * (jolt_points.h), in or out of a lock, and now and then it does: until others
 * have passed by, or a while is over, for they may wait for the very lock, or
 * be done.  At which point, the seed says.
 *
 * Waiting threads sleep: one that yields on a busy machine loses its processor
 * for as long as a stranger likes.
 */
#ifndef LFV_TESTS_CREW_H
#define LFV_TESTS_CREW_H

#include <pthread.h>
#include <stdalign.h>

#include "base/atomic.h"
#include "linear/dice.h"

enum { CREW_THREADS_MAX = 8 };

/* gate - opens when all are there, again and again. */
struct gate {
	unsigned threads; /* constant after init */
	pthread_barrier_t barrier;
	alignas(FALSE_SHARING_BYTES) _Atomic(unsigned) ready;
};

void gate_init(struct gate *gate, unsigned threads);
void gate_fini(struct gate *gate);

/* gate_pass - wait for all.  What any did before, all see after. */
void gate_pass(struct gate *gate);

/*
 * gate_start - gate_pass(), and a moment more for those whose waking takes
 * longer, so that all leave at once if they have a processor each.
 */
void gate_start(struct gate *gate);

/* crew_work - what one thread of a crew does; `thread` counts from 0. */
typedef void crew_work(void *context, unsigned thread);

struct crew {
	unsigned threads;
	crew_work *work;
	void *context;
	/* Counts what is done; a jolt lasts until it has gone on. */
	_Atomic(uint64_t) *progress;
};

/* crew_run - have all threads do their work, and wait for them. */
void crew_run(const struct crew *crew);

/*
 * crew_jolt - stop this thread, one of a crew, once, at one of its next
 * `points` points; 0: never.
 */
void crew_jolt(struct dice *dice, unsigned points);

/* crew_dawdle - nothing, or some spinning. */
void crew_dawdle(struct dice *dice);

#endif
