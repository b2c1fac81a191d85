/* SPDX-License-Identifier: MIT */
/*
 * room_lanes.h - eight lanes in a word: what a node of the room tree says of
 * its eight children.
 *
 *	bit 7     touched: something below was taken once
 *	bits 6-0  lack: how far the room stays below the most there can be
 *
 * Room is a length of holes, told in 121 steps: each length up to 64 pages is
 * a step of its own, from there to 512 pages it takes eight pages more to the
 * next.  A lane of new, zero memory lacks nothing and was never touched.
 *
 * All are pure: they change and compare values.
 */
#ifndef LFV_VA_ROOM_LANES_H
#define LFV_VA_ROOM_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

enum {
	LANES_SHIFT = 3,
	LANES = 1 << LANES_SHIFT,
	LANE_BITS = 8,
	LANE_TOUCHED = 0x80,
	LANE_LACK = 0x7f,
	ROOM_EXACT_PAGES = 64, /* each length up to here is a step */
	ROOM_STEP_PAGES = 8,
	ROOM_PAGES_MAX = 512,
	ROOM_MAX = ROOM_EXACT_PAGES +
		   (ROOM_PAGES_MAX - ROOM_EXACT_PAGES) / ROOM_STEP_PAGES,
};

static_assert(ROOM_MAX < LANE_TOUCHED, "the lack fits below the flag");

struct lanes {
	uint64_t bits;
};

static_assert(sizeof(struct lanes) == LANES * LANE_BITS / 8, "eight bytes");

#define LANES_EACH(value) ((uint64_t)(value)*UINT64_C(0x0101010101010101))

/* room_of - the step that a hole of so many pages reaches. */
static inline unsigned room_of(size_t pages)
{
	if (pages >= ROOM_PAGES_MAX)
		return ROOM_MAX;
	if (pages <= ROOM_EXACT_PAGES)
		return (unsigned)pages;
	return (unsigned)(ROOM_EXACT_PAGES +
			  (pages - ROOM_EXACT_PAGES) / ROOM_STEP_PAGES);
}

/*
 * room_for - the least step at which a hole has so many pages for sure; the
 * step of room_of() where none is.
 */
static inline unsigned room_for(size_t pages)
{
	if (pages <= ROOM_EXACT_PAGES)
		return room_of(pages);
	return room_of(pages + ROOM_STEP_PAGES - 1);
}

static inline unsigned lane_get(struct lanes lanes, unsigned lane)
{
	assert(lane < LANES);
	return (unsigned)(lanes.bits >> (lane * LANE_BITS)) & 0xff;
}

static inline bool lanes_is_touched(struct lanes lanes, unsigned lane)
{
	return (lane_get(lanes, lane) & LANE_TOUCHED) != 0;
}

static inline unsigned lanes_room(struct lanes lanes, unsigned lane)
{
	return ROOM_MAX - (lane_get(lanes, lane) & LANE_LACK);
}

/* lanes_touch_mask - the bit that is set in a lane when it is touched. */
static inline uint64_t lanes_touch_mask(unsigned lane)
{
	return (uint64_t)LANE_TOUCHED << (lane * LANE_BITS);
}

/* lanes_with_room - the same with another room in one lane. */
static inline struct lanes lanes_with_room(struct lanes lanes, unsigned lane,
					   unsigned room)
{
	assert(lane < LANES && room <= ROOM_MAX);

	const unsigned shift = lane * LANE_BITS;
	const uint64_t lack = ROOM_MAX - room;

	lanes.bits &= ~((uint64_t)LANE_LACK << shift);
	lanes.bits |= lack << shift;
	return lanes;
}

/* lanes_best - the most room of the eight. */
static inline unsigned lanes_best(struct lanes lanes)
{
	unsigned best = 0;

	for (unsigned lane = 0; lane < LANES; lane++)
		if (lanes_room(lanes, lane) > best)
			best = lanes_room(lanes, lane);
	return best;
}

/*
 * lanes_wanted - what a search looks for: lanes with at least that room, or,
 * with `touched`, lanes that were touched.
 */
struct lanes_wanted {
	bool touched;
	unsigned room;
};

/* lanes_find - the first wanted lane from `lane` on, or LANES. */
static inline unsigned lanes_find(struct lanes lanes, unsigned lane,
				  struct lanes_wanted wanted)
{
	assert(lane < LANES && wanted.room <= ROOM_MAX);

	const uint64_t high = LANES_EACH(LANE_TOUCHED);
	/* In each lane 128 + most - lack: at least 128 where lack <= most. */
	const uint64_t most = LANES_EACH(LANE_TOUCHED + ROOM_MAX - wanted.room);
	const uint64_t found = wanted.touched
				       ? lanes.bits & high
				       : (most - (lanes.bits & ~high)) & high;
	const uint64_t rest = found >> (lane * LANE_BITS);

	return rest == 0 ? LANES
			 : lane + (unsigned)__builtin_ctzll(rest) / LANE_BITS;
}

#endif
