/* SPDX-License-Identifier: MIT */
/*
 * replay_load.h - a recorded program made ready for one engine.
 *
 *   L1  steps before first_step are preloads; the others stand in `order`,
 *       grouped by lane, each lane's in the order of the recording;
 *   L2  one lane: all steps, one thread.  In parallel: a lane a recorded CPU;
 *   L3  begin_steps[slot] is the step that begins the slot.
 *
 * Constant once made; any thread may read it.
 */
#ifndef LFV_BENCH_REPLAY_LOAD_H
#define LFV_BENCH_REPLAY_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/replay_place.h"
#include "common/cell.h"
#include "trace/trace.h"

struct replay_load {
	const struct trace_program *program;
	const struct cell *cell;
	bool is_mapped; /* --api vmalloc: frames and mappings, too */
	struct replay_place place;
	size_t first_step;
	uint32_t *begin_steps;
	uint32_t *order;
	size_t *lane_ends; /* in `order`; a lane begins where the last ended */
	unsigned lanes;
};

/* -E2BIG: more steps than can be numbered, or no window is large enough. */
__attribute__((warn_unused_result)) int
replay_load_init(struct replay_load *load, const struct trace_program *program,
		 const struct cell *cell);
void replay_load_fini(struct replay_load *load);

/* replay_load_live_pages_max - pages of traced areas that live at once. */
uint64_t replay_load_live_pages_max(const struct trace_program *program);

#endif
