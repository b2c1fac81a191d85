/* SPDX-License-Identifier: MIT */
/*
 * replay_watch.h - how much room a replay takes, looked at now and then.
 *
 * The room is that of the low part of arena 0 (replay_place.h): what the kernel
 * keeps at the far end of its window would hide all else.  Areas that wait for
 * a purge count as free here, and as retained beside it.
 *
 * One thread.
 */
#ifndef LFV_BENCH_REPLAY_WATCH_H
#define LFV_BENCH_REPLAY_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "cmd/replay_spread.h"
#include "cmd/replay_world.h"

struct replay_room {
	struct replay_spread end;
	uint64_t span_pages_max;
	/* The highest end that an area of the recording itself came to. */
	uint64_t top_page_max;
};

struct replay_watch {
	/* constant after init */
	size_t every; /* steps between two looks */
	/* the thread that replays */
	struct replay_run *runs;          /* room for all slots */
	struct replay_run *recorded_runs; /* the same in the recording */
	size_t next;
	struct replay_room room;
	struct replay_room recorded;
	uint64_t retained_pages_max; /* lazy and pools */
	uint64_t lazy_pages;
	uint64_t pool_pages;
	uint64_t looks;
};

__attribute__((warn_unused_result)) int
replay_watch_init(struct replay_watch *watch, const struct replay_load *load);
void replay_watch_fini(struct replay_watch *watch);

/* replay_watch_step - this step is done; looks when it is time. */
void replay_watch_step(struct replay_watch *watch,
		       const struct replay_world *world, size_t step);

/* replay_watch_look - look now; the last look is the end. */
void replay_watch_look(struct replay_watch *watch,
		       const struct replay_world *world);

#endif
