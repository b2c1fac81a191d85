/* SPDX-License-Identifier: MIT */
/*
 * page_lives.h - whether a long history is linearizable, page by page.
 *
 * A life is an alloc and the free that ends it.  Where every area is freed by
 * one who was given it, so that its free is invoked after its alloc returned,
 * nothing needs to be searched: on each page lives follow each other, and the
 * order of the allocs' returns is the only one that they can have.
 *
 *	alloc invoked   returned             free invoked   returned
 *	      |-- begins --|                       |-- ends --|
 *	                   ^ latest       earliest ^
 *
 * A lookup that hit ended after its life's beginning and began before its end,
 * which can only make the latest beginning earlier and the earliest end later.
 * All else - that lives of one page do not overlap, that a miss, or a refused
 * free, found a gap - wants lives as short as can be.  So each life is given
 * its latest beginning and its earliest end, and if these do not do, none do:
 *
 *   Z1  an area is one as asked for, and allocs and frees of one first page
 *       alternate;
 *   Z2  a lookup met an area that lived at some instant of it;
 *   Z3  on each page a life ends before the next begins;
 *   Z4  a miss does not lie inside one life of the page, nor a refused free
 *       inside one life that begins at the page.
 *
 * These four are also enough, so the check is exact, but for -ENOMEM, which is
 * not judged here, and for hits that could have met one of two lives of the
 * same tag, which bound neither.  n log n; any number of threads.
 */
#ifndef LFV_TESTS_PAGE_LIVES_H
#define LFV_TESTS_PAGE_LIVES_H

#include "linear/history.h"

/* lives_breach - what is wrong, and the operations that show it. */
struct lives_breach {
	const char *what;
	struct op ops[2];
	unsigned count;
};

/*
 * lives_are_linearizable - judge a history that begins with no live area and
 * in which a free that succeeded was invoked after its alloc returned.
 *
 * False and *breach, the first that was met.
 */
bool lives_are_linearizable(const struct history *history,
			    struct lives_breach *breach);

void lives_breach_print(FILE *stream, const struct lives_breach *breach);

#endif
