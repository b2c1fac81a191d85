/* SPDX-License-Identifier: MIT */
/*
 * holes.h - which pages of the window are in no area, without a lock.
 *
 * A page is taken or free; a hole is a run of free pages, as long as it can be.
 * take hands out a run from a hole, give makes pages free again.  That is all:
 * nothing is mapped, and nobody remembers what was taken together, so a part of
 * a run may be given alone, and several runs at once.
 *
 *	words   one bit a page (hole_bits.h): the truth
 *	rooms   how long a hole may begin in each 512 pages (room_tree.h): where
 *	        a search has to look; hints, apart from what was never touched
 *	aligned_rooms
 *	        the same of what begins at a multiple of HOLE_ALIGN_PAGES; what
 *	        was touched is told by `rooms` alone
 *
 * All of it is memory of the system's that costs nothing until it is written:
 * an untouched window is all free, and no walk reads what was never touched.
 *
 *   H1  a page is taken by one thread, and given back by its taker, or by whom
 *       he left it to: a give of a free page aborts;
 *   H2  a page outside the window is never taken;
 *   H3  a take answers -ENOMEM only if at some instant of the call no run that
 *       fits was free; pages that a give, or a take that will fail, has in its
 *       hands at that instant are not free;
 *   H4  the rooms promise what there is (R1 to R3), between operations.
 *
 * Order: what was done to a page before the give is seen by the thread to whom
 * take hands it next [run-reuse].
 *
 * Who may run with whom: take, give, next_taken and stats, any number of
 * threads; init, fini and check alone.  next_taken and stats see each word at
 * some instant of the call, not all at the same.
 *
 * Progress: take and give are lock-free (hole_claim.h says why), next_taken and
 * stats wait-free.  A thread that stops inside for ever strands the pages that
 * it has in its hands, and can make takes look longer, but not fail (holes.c).
 */
#ifndef LFV_VA_HOLES_H
#define LFV_VA_HOLES_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/os.h"
#include "va/room_tree.h"

#define HOLES_PAGES_MAX ((size_t)1 << 32)

/*
 * Kernel stacks, 16 KiB each, are aligned by their size, and most of what a
 * kernel allocates aligned.  Smaller areas chip at their holes until the pages
 * would do, but not the place; a search by length alone looks into each of
 * them.
 */
enum { HOLE_ALIGN_PAGES = 4 };

struct holes {
	/* constant after init */
	const struct os *os;
	size_t first; /* absolute number of page 0 */
	size_t pages;
	_Atomic(uint64_t) *words;
	struct room_tree rooms;
	struct room_tree aligned_rooms;
	/* shared; written by takes that found no room, and meanwhile by gives
	 */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) searches;
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) version;
};

/*
 * holes_init - all pages free.  `first` is the window's address >> PAGE_SHIFT;
 * `pages` at most HOLES_PAGES_MAX.
 *
 * 0, or -ENOMEM with a message.
 */
__attribute__((warn_unused_result)) int holes_init(struct holes *holes,
						   const struct os *os,
						   size_t first, size_t pages);
void holes_fini(struct holes *holes);

/* holes_request - page numbers count from the window's first page. */
struct holes_request {
	size_t pages;       /* at least 1 */
	size_t align_pages; /* power of two, of the absolute page number */
	size_t begin;       /* the run lies in [begin, end) */
	size_t end;
};

/*
 * holes_take - the lowest run that fits, if it is no longer than 64 pages and
 * nobody works meanwhile; else the first one met, from the low end up.
 *
 * 0 and *first, or -ENOMEM (H3).  Takes effect where the last of its words is
 * claimed.
 */
__attribute__((warn_unused_result)) int
holes_take(struct holes *holes, const struct holes_request *request,
	   size_t *first);

/*
 * holes_try_take - as holes_take(), but only from where the rooms promise it.
 *
 * False: nothing is taken, and there may be such a run all the same.  So a miss
 * costs a few steps, where a refusal of holes_take() reads all the words.
 */
__attribute__((warn_unused_result)) bool
holes_try_take(struct holes *holes, const struct holes_request *request,
	       size_t *first);

/* holes_give - the pages are free again, each word's as the call gets there. */
void holes_give(struct holes *holes, size_t first, size_t pages);

/*
 * holes_next_taken - the lowest taken page from `from` on; false: there is
 * none, and *page is as it was.
 */
__attribute__((warn_unused_result)) bool
holes_next_taken(const struct holes *holes, size_t from, size_t *page);

struct holes_stats {
	uint64_t holes;
	uint64_t free_pages;
	uint64_t largest_pages;
};

/* holes_stats - a walk over all holes. */
struct holes_stats holes_stats(const struct holes *holes);

/* holes_check - H2 and H4; runs alone. */
void holes_check(const struct holes *holes);

#endif
