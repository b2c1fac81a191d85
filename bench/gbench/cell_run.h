/* SPDX-License-Identifier: MIT */
/*
 * cell_run.h - one cell from an engine made to an engine destroyed.
 *
 *	make -> set up -> warm up, window, cool down -> check -> give back
 *	     -> check again -> destroy
 *
 * The first check walks all live areas: disjoint, inside the window, exactly
 * those that the threads hold.  The second finds none left, and lets the
 * engine check itself, which aborts where an invariant does not hold.
 */
#ifndef LFV_BENCH_CELL_RUN_H
#define LFV_BENCH_CELL_RUN_H

#include "common/cell.h"
#include "common/placement.h"
#include "harness/timed_run.h"
#include "workload/workload.h"

enum cell_verdict {
	CELL_MEASURED,
	CELL_TOO_SLOW, /* why: how far the set-up came */
	CELL_FAILED,   /* why: what was caught */
};

enum { CELL_WHY_BYTES = 768 };

struct cell_outcome {
	enum cell_verdict verdict;
	char why[CELL_WHY_BYTES];
	char invalid[TIMED_WHY_BYTES]; /* measured, but not to be used; or "" */
	bool pinned;
	double ops;     /* in the window, of the threads that count */
	double ops_all; /* warm-up and cool-down included */
	double core_ns_per_op;
	double jain; /* fairness: 1 when all did the same, 1/threads at worst */
	double ops_min;
	double ops_max;
	uint64_t requests;
	uint64_t refused;
	bool has_engine;
	struct lfv_stats begun; /* when all was set up */
	struct lfv_stats ended; /* when all had stopped */
	struct lfv_stats empty; /* when all was given back */
	struct timed_result timed;
	struct bench_counter counters[BENCH_COUNTERS_MAX];
	size_t counter_count;
};

void cell_run(const struct cell *cell, const struct placement *placement,
	      struct cell_outcome *outcome);
void cell_outcome_fini(struct cell_outcome *outcome);

#endif
