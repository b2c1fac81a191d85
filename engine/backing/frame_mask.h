/* SPDX-License-Identifier: MIT */
/*
 * frame_mask.h - 64 neighbouring frames in one word: a bit is set while its
 * frame is free.
 *
 *	bit     63           8 7 6 5 4 3 2 1 0
 *	        1  ...       1 0 1 1 1 1 0 0 0
 *	                         |<- run ->|      mask_run(free, 3) is 4
 *	                           |<->|          mask_block(free, 1) is 4
 *
 * Pure functions of the word's value; whoever applies them does so with one
 * compare-and-swap (frame_rows.c).
 */
#ifndef LFV_BACKING_FRAME_MASK_H
#define LFV_BACKING_FRAME_MASK_H

#include <assert.h>
#include <stdint.h>

enum {
	MASK_ORDER = 6, /* a mask is a block of this order */
	MASK_FRAMES = 1 << MASK_ORDER,
};

#define MASK_ALL UINT64_MAX

/* mask_of - the frames [bit, bit + count); 1 at least, 64 at most. */
static inline uint64_t mask_of(unsigned bit, unsigned count)
{
	assert(count > 0);
	assert(bit + count <= MASK_FRAMES);
	return MASK_ALL >> (MASK_FRAMES - count) << bit;
}

/* mask_first - the lowest free frame; there is one. */
static inline unsigned mask_first(uint64_t free)
{
	assert(free != 0);
	return (unsigned)__builtin_ctzll(free);
}

static inline unsigned mask_count(uint64_t free)
{
	return (unsigned)__builtin_popcountll(free);
}

/* mask_run - how many frames are free from `bit` on without a gap. */
static inline unsigned mask_run(uint64_t free, unsigned bit)
{
	/* Frames above the word count as taken, but for a shift by none. */
	const uint64_t taken = ~(free >> bit);

	return taken == 0 ? MASK_FRAMES : mask_first(taken);
}

/*
 * mask_block - the first frame of the lowest free block of 2^order frames at a
 * multiple of its size; MASK_FRAMES: there is none.
 */
static inline unsigned mask_block(uint64_t free, unsigned order)
{
	static const uint64_t multiples[] = {
		UINT64_C(0xffffffffffffffff), UINT64_C(0x5555555555555555),
		UINT64_C(0x1111111111111111), UINT64_C(0x0101010101010101),
		UINT64_C(0x0001000100010001), UINT64_C(0x0000000100000001),
		UINT64_C(0x0000000000000001),
	};

	assert(order <= MASK_ORDER);
	/* A bit stays if as many are set from it on as have been folded in. */
	for (unsigned half = 1; half < 1U << order; half *= 2)
		free &= free >> half;
	free &= multiples[order];
	return free == 0 ? MASK_FRAMES : mask_first(free);
}

#endif
