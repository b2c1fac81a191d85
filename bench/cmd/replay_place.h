/* SPDX-License-Identifier: MIT */
/*
 * replay_place.h - where the recorded addresses lie in the engine's window.
 *
 * A kernel's vmalloc space is 32 TiB and nearly empty: areas lie at its low
 * end, where first fit puts them, and per-CPU memory at its high end.  The
 * widest stretch that no recorded area touches is cut out, so that the rest
 * fits; what is below keeps its distance from the start, what is above from
 * the end:
 *
 *	recorded  |#### low ##|.............. cut ..............|# high #|
 *	window    |#### low ##|... slack ...|# high #| modules | others |
 *
 *   L1  the order of two recorded addresses is never reversed;
 *   L2  an arena's low part has room for as much again as was used of it;
 *   L3  arenas do not overlap; arena 0 is the lowest, so that first fit over
 *       the whole window meets the others last;
 *   L4  within 2 MiB, alignment is as recorded.
 *
 * A request whose recorded window was all of arena 0 may use the whole window
 * of the engine, as the kernel's vmalloc() may; every other one is bounded.
 */
#ifndef LFV_BENCH_REPLAY_PLACE_H
#define LFV_BENCH_REPLAY_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/trace.h"

/* An arena in the window; pages count from the start of the window. */
struct replay_arena {
	uint64_t base_page;
	uint64_t high_page; /* recorded: here the high part begins */
	uint64_t cut_page;  /* recorded: here the cut begins */
	uint64_t cut_pages; /* 0: nothing had to be cut */
};

struct replay_place {
	uint64_t window_pages;
	struct replay_arena arenas[TRACE_WINDOWS_MAX + 1];
};

/* Pages of the window that a request may use; first == end: all of it. */
struct replay_range {
	uint64_t first_page;
	uint64_t end_page;
};

/*
 * replay_place_make - a window of at least `window_bytes` that holds all
 * arenas.  -ENOMEM; -E2BIG when no window is large enough.
 */
__attribute__((warn_unused_result)) int
replay_place_make(const struct trace_program *program, uint64_t window_bytes,
		  struct replay_place *place);

/* replay_place_page - where the area of this step was recorded. */
uint64_t replay_place_page(const struct replay_place *place,
			   const struct trace_program *program,
			   const struct trace_step *step);

/* replay_place_range - what requests of a recorded window may use. */
struct replay_range replay_place_range(const struct replay_place *place,
				       const struct trace_program *program,
				       uint32_t window);

/* replay_place_is_low - the step's area is in the low part of arena 0. */
bool replay_place_is_low(const struct replay_place *place,
			 const struct trace_program *program,
			 const struct trace_step *step);

#endif
