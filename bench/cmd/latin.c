/* SPDX-License-Identifier: MIT */
#include "cmd/latin.h"

/* splitmix64: Steele, Lea and Flood, "Fast splittable pseudorandom number
 * generators", 2014; the finalizer's constants are Stafford's variant 13. */
static const uint64_t GOLDEN_GAMMA = 0x9e3779b97f4a7c15;

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t latin_mix(uint64_t seed, uint64_t value)
{
	return mix(mix(seed + GOLDEN_GAMMA) + (value + 1) * GOLDEN_GAMMA);
}

enum shuffled { SHUFFLED_ROWS, SHUFFLED_COLUMNS, SHUFFLED_SYMBOLS, SHUFFLES };

/*
 * Where a shuffle of 0 .. size - 1 puts `index`: the cards are dealt again for
 * each question, so that the square needs no memory.
 */
static size_t shuffled(size_t size, size_t index, uint64_t seed)
{
	size_t at = index;

	for (size_t last = size - 1; last > 0; last--) {
		const size_t other =
			(size_t)(latin_mix(seed, last) % (uint64_t)(last + 1));

		if (at == last)
			at = other;
		else if (at == other)
			at = last;
	}
	return at;
}

void latin_row(size_t size, size_t row, uint64_t seed, size_t *order)
{
	if (size == 0)
		return;

	const uint64_t block = latin_mix(seed, row / size) * SHUFFLES;
	const size_t first = shuffled(size, row % size, block + SHUFFLED_ROWS);

	for (size_t place = 0; place < size; place++) {
		const size_t column =
			shuffled(size, place, block + SHUFFLED_COLUMNS);

		order[place] = shuffled(size, (first + column) % size,
					block + SHUFFLED_SYMBOLS);
	}
}
