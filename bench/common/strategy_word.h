/* SPDX-License-Identifier: MIT */
/*
 * strategy_word.h - a strategy of a list, with choices of its own.
 *
 *	--strategy nodes,lockfree,lockfree+mapping=keep
 *
 * A plan is the product of its lists, and a pair that is refused refuses the
 * plan: `list` cannot be lazy, and nothing is kept where there is no cache.
 * So engines that differ in more than the strategy stand in one list, each with
 * what is its own behind a plus.  That holds for this row alone, and before
 * what the other lists say.
 *
 * It is also where the rows are that are compared when none is asked for.
 */
#ifndef LFV_BENCH_STRATEGY_WORD_H
#define LFV_BENCH_STRATEGY_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cell.h"
#include "common/cell_product.h"

/* axis_set - the axes that are settled, by their place in cell_axis_at(). */
struct axis_set {
	uint32_t bits;
};

/*
 * strategy_word_set - the strategy and its own choices, from `letters` letters;
 * adds their axes to `own`.  -EINVAL with a message as cell_axis_set().
 */
int strategy_word_set(struct cell *cell, const char *word, size_t letters,
		      struct axis_set *own);

/*
 * strategy_rows - the strategies that are compared: one form of each that this
 * build has.  Without `keep` what a free does is left to the other lists.
 */
void strategy_rows(bool keep, char *list, size_t bytes);

#endif
