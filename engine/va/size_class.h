/* SPDX-License-Identifier: MIT */
/*
 * size_class.h - sizes that are cached: each up to 16 pages, then four for each
 * doubling up to 512.
 *
 *	1 2 ... 16 | 20 24 28 32 | 40 48 56 64 | ... | 320 384 448 512
 *
 * Sizes are in pages, guard page included.  A request gets an area of its
 * class's size: a quarter more than it asked for at most.
 */
#ifndef LFV_VA_SIZE_CLASS_H
#define LFV_VA_SIZE_CLASS_H

#include <assert.h>
#include <stddef.h>

#include "base/page.h"

enum {
	CLASS_EXACT_PAGES = 16,
	CLASS_PAGES_MAX = 512,
	CLASS_STEPS = 4, /* for each doubling */
	CLASS_DOUBLINGS = 5,
	CLASSES = CLASS_EXACT_PAGES + CLASS_DOUBLINGS * CLASS_STEPS,
};

static_assert(CLASS_EXACT_PAGES << CLASS_DOUBLINGS == CLASS_PAGES_MAX,
	      "the doublings lead from the exact ones to the largest");

/* class_of - the smallest class that holds 1 to CLASS_PAGES_MAX pages. */
static inline unsigned class_of(size_t pages)
{
	assert(pages > 0 && pages <= CLASS_PAGES_MAX);
	if (pages <= CLASS_EXACT_PAGES)
		return (unsigned)pages - 1;

	/* pages - 1 has `bits` bits: the highest tells the doubling, the two
	 * behind it the step. */
	const unsigned bits = fls_ulong(pages - 1);
	const unsigned doubling = bits - 5;
	const unsigned step = (unsigned)((pages - 1) >> (bits - 3)) - 4;

	return CLASS_EXACT_PAGES + doubling * CLASS_STEPS + step;
}

/* class_pages - the size of its areas. */
static inline size_t class_pages(unsigned size_class)
{
	assert(size_class < CLASSES);
	if (size_class < CLASS_EXACT_PAGES)
		return size_class + 1;

	const unsigned doubling =
		(size_class - CLASS_EXACT_PAGES) / CLASS_STEPS;
	const unsigned step = (size_class - CLASS_EXACT_PAGES) % CLASS_STEPS;

	return (size_t)(CLASS_STEPS + 1 + step) << (doubling + 2);
}

#endif
