/* SPDX-License-Identifier: MIT */
/*
 * replay_lane.h - one thread of a replay: its steps, one after the other.
 *
 * Looked at, each operation is timed alone and judged outside its time.  Not
 * looked at, the lane is timed as a whole and nothing but the engine is in it,
 * save reading the step and storing the address.
 *
 * A free whose allocation is another lane's, and has not come yet, waits:
 * spinning, then giving the CPU away.  Recorded order forbids two lanes to
 * wait for each other: the lane with the earliest step never waits.
 */
#ifndef LFV_BENCH_REPLAY_LANE_H
#define LFV_BENCH_REPLAY_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/replay_world.h"

struct replay_watch;

struct replay_lane {
	/* constant after init */
	struct replay_world *world;
	unsigned lane;
	uint64_t *op_ns;            /* by step; NULL: not looked at */
	struct replay_watch *watch; /* may be NULL */
	/* the lane's own thread only; others after it has ended */
	struct replay_tally tally;
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t busy_ns; /* without waiting and judging */
	uint64_t waits;
	uint64_t wait_ns;
	uint64_t ops;
	uint64_t same_places; /* where the recorded kernel put them */
};

/* replay_lane_run - all steps of the lane, in the calling thread. */
void replay_lane_run(struct replay_lane *lane);

#endif
