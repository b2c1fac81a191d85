/* SPDX-License-Identifier: MIT */
/*
 * hole_bits.h - pages of a window as bits of words: what can be told from one
 * word alone.
 *
 * Bit b of word w is page 64 w + b; 1 is taken, 0 is free, so that new memory
 * is all free.  Nothing here reads shared memory or writes any.
 */
#ifndef LFV_VA_HOLE_BITS_H
#define LFV_VA_HOLE_BITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

enum {
	HOLE_WORD_SHIFT = 6,
	HOLE_WORD_PAGES = 1 << HOLE_WORD_SHIFT,
	HOLE_CHUNK_SHIFT = 9, /* one cache line of words */
	HOLE_CHUNK_PAGES = 1 << HOLE_CHUNK_SHIFT,
};

static inline size_t hole_word_of(size_t page)
{
	return page >> HOLE_WORD_SHIFT;
}

static inline unsigned hole_bit_of(size_t page)
{
	return (unsigned)page & (HOLE_WORD_PAGES - 1);
}

static inline size_t hole_chunk_of(size_t page)
{
	return page >> HOLE_CHUNK_SHIFT;
}

/* bits_next_taken - the lowest taken bit from `bit` on, or 64. */
static inline unsigned bits_next_taken(uint64_t word, unsigned bit)
{
	assert(bit < HOLE_WORD_PAGES);

	const uint64_t rest = word >> bit;

	return rest != 0 ? bit + (unsigned)__builtin_ctzll(rest)
			 : HOLE_WORD_PAGES;
}

/*
 * bits_next_begin - the lowest bit from `bit` on where a run of so many free
 * pages can begin, as far as this word tells: the run lies in the word, or
 * reaches its end.  64: there is none.
 */
static inline unsigned bits_next_begin(uint64_t word, unsigned bit,
				       size_t pages)
{
	assert(bit < HOLE_WORD_PAGES && pages > 0);

	const uint64_t free = ~word >> bit << bit;
	/* Free pages at the end of the word: a run that may go on. */
	const unsigned tail =
		~free != 0 ? (unsigned)__builtin_clzll(~free) : HOLE_WORD_PAGES;
	uint64_t begins = pages < HOLE_WORD_PAGES ? free : 0;

	/* After each round a bit stands for `run` pages that begin there. */
	for (size_t run = 1; begins != 0 && run < pages;) {
		const size_t step = pages - run < run ? pages - run : run;

		begins &= begins >> step;
		run += step;
	}
	return begins != 0 ? (unsigned)__builtin_ctzll(begins)
			   : HOLE_WORD_PAGES - tail;
}

/* bits_free_before - how many bits just below `bit`, 1 to 64, are free. */
static inline unsigned bits_free_before(uint64_t word, unsigned bit)
{
	assert(bit >= 1 && bit <= HOLE_WORD_PAGES);

	const uint64_t below = word << (HOLE_WORD_PAGES - bit);

	return below != 0 ? (unsigned)__builtin_clzll(below) : bit;
}

/* hole_part - what of a run lies in one word. */
struct hole_part {
	size_t word;
	uint64_t mask;
	size_t end; /* page behind it: where the next part begins */
};

/* hole_part_at - of [page, end), the part in the word of `page`. */
static inline struct hole_part hole_part_at(size_t page, size_t end)
{
	assert(page < end);

	const unsigned bit = hole_bit_of(page);
	const size_t room = HOLE_WORD_PAGES - bit;
	const size_t pages = end - page < room ? end - page : room;

	return (struct hole_part){
		.word = hole_word_of(page),
		.mask = UINT64_MAX >> (HOLE_WORD_PAGES - pages) << bit,
		.end = page + pages,
	};
}

/*
 * hole_align - the first page from `page` on whose absolute number, `base` +
 * page, is a multiple of `align`, a power of two; it may lie anywhere above.
 */
static inline size_t hole_align(size_t base, size_t page, size_t align)
{
	const size_t past = (base + page) & (align - 1);

	return past == 0 ? page : page + (align - past);
}

#endif
