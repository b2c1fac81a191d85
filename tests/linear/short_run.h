/* SPDX-License-Identifier: MIT */
/*
 * short_run.h - short histories, one after the other on one engine.
 *
 * A seed makes a program: for each of the threads a few operations on a few
 * pages, so few that they are contended and run out.  Which of its own areas a
 * thread frees, and how long it dawdles, the seed says as well; when a thread
 * is interrupted, nobody can.  So the same seed runs the same program again,
 * and its history may be another.
 *
 * Some histories begin with areas that the first thread made before all others
 * began.  In between everything is freed, and purged, or left lazy.
 */
#ifndef LFV_TESTS_SHORT_RUN_H
#define LFV_TESTS_SHORT_RUN_H

#include "linear/linearize.h"
#include "linear/recorder.h"

enum {
	SHORT_THREADS_MAX = 4,
	SHORT_PAGES = 20,      /* more than a slot of `nodes` */
	SHORT_BATCH_MAX = 200, /* histories that the same threads make */
};

struct short_run {
	struct recorder *recorder;
	unsigned threads;
	uint64_t seed;      /* of the first history; they count up */
	uint64_t seed_step; /* 0: the same program again and again */
	unsigned count;
};

/*
 * short_run - make `count` histories, sorted, with no operation of a history
 * before one of an earlier one.  The caller ends each with history_fini().
 *
 * False: areas were left that could not be freed.
 */
bool short_run(const struct short_run *run, struct history *histories);

#endif
