/* SPDX-License-Identifier: MIT */
/*
 * replay_world.h - one engine that a program is replayed on, from its making
 * to its end, and what the replay knows about its areas.
 *
 *   W1  addresses[slot] is 0 before the slot begins, its address while it
 *       lives, REPLAY_FAILED_SLOT when it could not begin, REPLAY_FREED_SLOT
 *       after it ended;
 *   W2  it is stored after the allocation returned, and a free that comes
 *       first (its allocation is another thread's) waits for it.
 *
 * A step belongs to one thread; different steps may run together.
 */
#ifndef LFV_BENCH_REPLAY_WORLD_H
#define LFV_BENCH_REPLAY_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "cmd/replay_claims.h"
#include "cmd/replay_load.h"
#include "cmd/replay_tally.h"
#include "lfv/lfv.h"

/* No address is either: areas begin at pages. */
enum { REPLAY_FAILED_SLOT = 1, REPLAY_FREED_SLOT = 2 };

struct replay_bounds {
	uintptr_t vstart; /* 0: the window's own */
	uintptr_t vend;
};

struct replay_world {
	/* constant after init */
	const struct replay_load *load;
	bool is_looked_at; /* pages are claimed as they come and go */
	struct lfv *lfv;
	uintptr_t start; /* of the window */
	uintptr_t end;
	struct replay_bounds bounds[TRACE_WINDOWS_MAX + 1];
	struct lfv_stats empty; /* looked at: the engine without any area */
	/* shared */
	_Atomic(uintptr_t) *addresses;
	struct replay_claims claims;
};

/* replay_world_init - -errno after writing the engine's message to `why`. */
__attribute__((warn_unused_result)) int
replay_world_init(struct replay_world *world, const struct replay_load *load,
		  bool is_looked_at, char why[REPLAY_WHY_BYTES]);
void replay_world_fini(struct replay_world *world);

/*
 * replay_world_preload - make again what was live before the recording, where
 * it was; *moved counts those for which the strategy had no such place.
 */
void replay_world_preload(struct replay_world *world,
			  struct replay_tally *tally, uint64_t *moved);

/* The address of an allocation step's new area, or 0 and lfv_last_error(). */
uintptr_t replay_world_alloc(const struct replay_world *world,
			     const struct trace_step *step);

/* replay_world_free - end the area; -errno and lfv_last_error(). */
int replay_world_free(const struct replay_world *world, uintptr_t address);

/*
 * replay_world_claim - the pages of this step's area are its slot's now; where
 * they are another's, that is told.  False when it lies outside the window of
 * the engine, where nothing more can be said of it.
 */
bool replay_world_claim(struct replay_world *world, size_t step,
			uintptr_t address, struct replay_tally *tally);

/* replay_world_judge - as claim; also inside its own window, and aligned. */
bool replay_world_judge(struct replay_world *world, size_t step,
			uintptr_t address, struct replay_tally *tally);

/* replay_world_run - the pages that an area of this step's size takes. */
struct replay_run replay_world_run(const struct replay_world *world,
				   const struct trace_step *step,
				   uintptr_t address);

/* Whether a slot's word is the address of a live area. */
static inline bool replay_is_live(uintptr_t address)
{
	return address > REPLAY_FREED_SLOT;
}

static inline uint64_t replay_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
