/* SPDX-License-Identifier: MIT */
/*
 * linearize.h - whether a short history could have happened one operation
 * after the other.
 *
 * A history is linearizable if its operations can be put in an order that
 * keeps Y2 (history.h) and in which each answer is the one that the sequential
 * specification gives.  The specification knows a set of live areas:
 *
 *   alloc   gives an area as asked, disjoint from all live ones, and makes it
 *           live; -ENOMEM changes nothing and is right where the strategy's
 *           promise allows it, see below;
 *   free    of a page where a live area begins ends that area; of any other
 *           page it is refused;
 *   lookup  gives the live area that covers the page, the very one: its tag is
 *           compared as well; a miss is right where there is none;
 *   purge   changes nothing: freed is freed.
 *
 * -ENOMEM is right at an instant at which nothing fits into the pages that
 * count.  Live pages never do; freed ones do, lazy or not, for the core purges
 * and asks again.  What else does not count is the strategy's promise:
 *
 *   FIT_EXACT    nothing: one lock makes search and cut one step, and a freed
 *                range is a hole at once;
 *   FIT_SETTLED  pages that an alloc or a free takes or gives while it overlaps
 *                the refused call.  Both hold their range for a while before or
 *                after they take effect, and the purge is done once: what is
 *                freed after it is not looked at again;
 *   FIT_ALONE    any page, while an alloc, a free or a purge overlaps: it may
 *                hold ranges that its answer does not tell of.
 *
 * A strategy may need more room than the request has pages: spare_pages, and
 * with align_apart the alignment added to the size.
 *
 * A pure function.  It tries orders depth first and remembers the states from
 * which none led on (Wing and Gong, with Lowe's memory): what was done and
 * which areas live is all that matters for the rest.
 */
#ifndef LFV_TESTS_LINEARIZE_H
#define LFV_TESTS_LINEARIZE_H

#include "linear/history.h"

/* What one word of bits can hold. */
enum { LINEAR_OPS_MAX = 32, LINEAR_PAGES_MAX = 64 };

enum fit { FIT_EXACT, FIT_SETTLED, FIT_ALONE };

struct fit_promise {
	enum fit fit;
	unsigned spare_pages;
	bool align_apart;
};

struct verdict {
	bool is_linearizable;
	/* The longest order that was found; all of them, if linearizable. */
	unsigned longest;
	uint8_t order[LINEAR_OPS_MAX];
	unsigned steps; /* states looked into */
};

/*
 * linearize - judge a sorted history of at most LINEAR_OPS_MAX operations
 * within the first LINEAR_PAGES_MAX pages, that begins with no live area.
 */
struct verdict linearize(const struct history *history,
			 const struct fit_promise *promise);

/* verdict_print - the history, and how far an order of it leads. */
void verdict_print(FILE *stream, const struct history *history,
		   const struct verdict *verdict);

#endif
