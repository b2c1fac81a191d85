/* SPDX-License-Identifier: MIT */
/*
 * replay_pass.h - a program replayed once, from a new engine to its end.
 *
 * Preloads come first, on the calling thread; then each lane's steps, on
 * threads of their own that begin together if there are several.
 */
#ifndef LFV_BENCH_REPLAY_PASS_H
#define LFV_BENCH_REPLAY_PASS_H

#include "cmd/replay_lane.h"
#include "cmd/replay_watch.h"
#include "common/placement.h"

struct replay_pass {
	/* what is asked for */
	const struct replay_load *load;
	const struct placement *placement;
	const int *cpus;            /* lane: its CPU or PLACEMENT_ANY */
	uint64_t *op_ns;            /* least of each step, or NULL: not timed */
	struct replay_watch *watch; /* or NULL */
	/* what came of it, all lanes together */
	struct replay_tally tally;
	struct lfv_stats before; /* the first step */
	struct lfv_stats after;  /* the last step */
	uint64_t retained_pages; /* after all was freed, before the purge */
	uint64_t preloads_moved;
	uint64_t busy_ns;
	uint64_t wall_ns; /* first begin to last end */
	uint64_t waits;
	uint64_t wait_ns;
	uint64_t ops;
	uint64_t same_places;
};

/* replay_pass_run - 0, or -errno when it could not begin, with the reason. */
__attribute__((warn_unused_result)) int
replay_pass_run(struct replay_pass *pass, char why[REPLAY_WHY_BYTES]);

#endif
