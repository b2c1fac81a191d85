/* SPDX-License-Identifier: MIT */
/*
 * dice.h - random numbers that a seed repeats, one sequence a thread.
 */
#ifndef LFV_TESTS_DICE_H
#define LFV_TESTS_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

/* dice_of - the sequence of a seed; `stream` tells those of one seed apart. */
static inline struct dice dice_of(uint64_t seed, uint64_t stream)
{
	const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t mixed = (seed + 1) * golden + (stream + 1) * ~golden;

	mixed = (mixed ^ mixed >> 32) * golden;
	mixed ^= mixed >> 29;
	return (struct dice){ mixed != 0 ? mixed : golden };
}

static inline uint64_t dice_next(struct dice *dice)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return dice->state;
}

/* The high half: the low bits of this generator are its poorer ones. */
static inline unsigned dice_below(struct dice *dice, unsigned limit)
{
	return (unsigned)((dice_next(dice) >> 32) % limit);
}

static inline bool dice_one_in(struct dice *dice, unsigned times)
{
	return dice_below(dice, times) == 0;
}

#endif
