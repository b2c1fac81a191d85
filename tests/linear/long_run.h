/* SPDX-License-Identifier: MIT */
/*
 * long_run.h - one long history of many threads.
 *
 * Threads allocate, free, look up, purge, and hand areas to each other, so that
 * each is freed by one who was given it (page_lives.h).  They look for their
 * own areas, which must be there, and for those that others had a moment ago.
 * In turn they have more and more areas, and less and less: what lies in front
 * of a strategy is filled and emptied.
 */
#ifndef LFV_TESTS_LONG_RUN_H
#define LFV_TESTS_LONG_RUN_H

#include "linear/recorder.h"

enum { LONG_THREADS_MAX = 8, LONG_SLOTS_MAX = 512 };

struct long_shape {
	unsigned threads;
	unsigned ops;   /* of a thread */
	unsigned slots; /* of a thread: areas that it may have */
	unsigned size_pages_max;
	unsigned jolt_steps; /* of a thread, between two, on average */
};

/* long_run - the history of one run; it is not sorted. */
void long_run(struct recorder *recorder, const struct long_shape *shape,
	      struct history *history);

#endif
