/* SPDX-License-Identifier: MIT */
/*
 * hole_runs.h - runs of pages as they are read from the words, one word after
 * the other.
 *
 * What is told holds for each word at some instant of the call.  A chunk that
 * was never touched is all free; none is read but the one that a call begins
 * in.
 *
 * Who may run with whom: everything with everything.  Progress: wait-free.
 */
#ifndef LFV_VA_HOLE_RUNS_H
#define LFV_VA_HOLE_RUNS_H

#include "va/hole_bits.h"
#include "va/holes.h"

/*
 * hole_skip_untouched - `page`, if its chunk was touched or is none; else where
 * the next touched one begins, or a page behind the window.
 */
size_t hole_skip_untouched(const struct holes *holes, size_t page);

/*
 * hole_next_begin - the first page of [page, end) where a run of so many free
 * pages can begin, as far as its own word tells, or `end`; for one page, the
 * first free page.
 */
size_t hole_next_begin(const struct holes *holes, size_t page, size_t end,
		       size_t pages);

/* hole_next_taken - the first taken page of [page, end), or `end`. */
size_t hole_next_taken(const struct holes *holes, size_t page, size_t end);

/* hole_begin - the lowest page from which on [.., page) is free, >= low. */
size_t hole_begin(const struct holes *holes, size_t page, size_t low);

/*
 * hole_fit - the first run that the request fits in and that begins in
 * [*page, last).
 *
 * True, and *page is its begin; false, and no such run begins below *page.
 */
bool hole_fit(const struct holes *holes, const struct holes_request *request,
	      size_t *page, size_t last);

/* hole_room - the room of a chunk (room_tree.h), as it is now. */
unsigned hole_room(const struct holes *holes, size_t chunk);
/* hole_aligned_room - of what begins at a multiple of HOLE_ALIGN_PAGES. */
unsigned hole_aligned_room(const struct holes *holes, size_t chunk);

#endif
