/* SPDX-License-Identifier: MIT */
/*
 * cell_product.h - lists of values, and all the cells that they make.
 *
 * A list is written with commas, "all" stands for every choice that is not
 * broken on purpose, and numbers that follow each other in a pin list belong
 * together: "compact,0,2-3" is two placements.  A strategy may bring choices of
 * its own, which go before the lists (strategy_word.h).
 */
#ifndef LFV_BENCH_CELL_PRODUCT_H
#define LFV_BENCH_CELL_PRODUCT_H

#include <stddef.h>

#include "common/cell.h"

enum { CELL_LISTS_MAX = 32 };

/* cell_lists - a list for each axis, NULL where none was given. */
struct cell_lists {
	char *texts[CELL_LISTS_MAX];
};

/*
 * cell_lists_set - take a list for an axis (also Linux's run_test_mask);
 * -EINVAL with a message when one of its values is not understood, -ENOMEM.
 */
int cell_lists_set(struct cell_lists *lists, const char *axis,
		   const char *text);

/* cell_lists_default - as cell_lists_set(), where no list was given. */
int cell_lists_default(struct cell_lists *lists, const char *axis,
		       const char *text);

/*
 * cell_lists_compare - where no strategy was given, those that are compared;
 * what a free does stays theirs unless it was given.
 */
int cell_lists_compare(struct cell_lists *lists);

void cell_lists_fini(struct cell_lists *lists);

/*
 * cell_product - every cell, resolved and checked; the last axis turns fastest.
 *
 * A workload that an api or a number of threads of the lists does not suit is
 * left out there.  -EINVAL with a message when nothing is left or a cell is
 * refused; the array is the caller's to free.
 */
int cell_product(const struct cell_lists *lists, struct cell **cells,
		 size_t *count);

/* cell_product_tell - whom to tell why a cell is left out; may tell twice. */
struct cell_product_tell {
	void (*left_out)(void *data, const char *why);
	void *data;
};

/* cell_product_told - cell_product() that tells what it leaves out. */
int cell_product_told(const struct cell_lists *lists,
		      const struct cell_product_tell *tell, struct cell **cells,
		      size_t *count);

#endif
