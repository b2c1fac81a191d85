/* SPDX-License-Identifier: MIT */
/*
 * buddy.h - free frames in blocks of 2^order frames, each at a multiple of its
 * size (Knowlton 1965; Linux's page allocator since 1991).
 *
 *	order 2:  |   4 .. 7   |      free, one block
 *	order 0:  | 8 |               free: its buddy, 9, is taken
 *
 * Two blocks of an order that make one of the next are buddies: their first
 * frames differ in one bit.  The free lists are threaded through the array of
 * pages by frame number; the newest block of an order is the next to go.
 *
 *   B1  each free frame is in exactly one block, and its state says so;
 *   B2  no two buddies are both free, below order 10;
 *   B3  free_frames and blocks[] are the sums of what is on the lists.
 *
 * Nothing here locks: the caller holds the lock of this memory.  Words are
 * atomic as others may look at one without the lock, to refuse a mistake.
 */
#ifndef LFV_BACKING_BUDDY_H
#define LFV_BACKING_BUDDY_H

#include <stdbool.h>
#include <stdint.h>

#include "backing/frame.h"

enum { FRAME_ORDERS = FRAME_ORDER_MAX + 1 };

struct buddy {
	struct page *pages;
	uint32_t nr_frames;
	uint64_t free_frames;
	uint64_t blocks[FRAME_ORDERS];
	uint32_t heads[FRAME_ORDERS]; /* FRAME_NONE: no block of that order */
};

/* buddy_init - all frames free; the pages are zero. */
void buddy_init(struct buddy *buddy, struct page *pages, uint32_t nr_frames);

/*
 * buddy_take_at - `wanted` and as many of the frames behind it as are free, up
 * to `count`; false when `wanted` is not free.
 */
bool buddy_take_at(struct buddy *buddy, uint32_t wanted, uint32_t count,
		   struct frame_run *run);

/* buddy_take_order - one block of that order, cut from a larger if need be. */
bool buddy_take_order(struct buddy *buddy, unsigned order, uint32_t *first);

/* buddy_take_most - a block of the largest order there is, within `count`. */
bool buddy_take_most(struct buddy *buddy, uint32_t count,
		     struct frame_run *run);

/* buddy_give - taken frames are free again, merged with their buddies. */
void buddy_give(struct buddy *buddy, struct frame_run run);

/* buddy_check - B1 to B3; returns the number of free frames. */
uint64_t buddy_check(const struct buddy *buddy);

#endif
