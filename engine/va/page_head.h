/* SPDX-License-Identifier: MIT */
/*
 * page_head.h - what begins at a page, in one word, and how it changes.
 *
 *	63          31 30             2 1   0
 *	|    pages    |   generation   |state|
 *
 *	          idle_to_live               none: no area begins here
 *	  none <--> idle <--------> live     idle: somebody holds the number of
 *	    ^        |    live_to_idle             this page: a cache, or an
 *	    |        v                             operation in progress
 *	    +------ lazy                     live: a user's area
 *	                                     lazy: freed, on a purge list
 *
 * The generation counts the areas that began here, so that a free by exchange
 * (page_map_retract_once) that was stopped half-way does not end the area after
 * the next by mistake.  It wraps after 2^29 of them.  `pages` is the length,
 * guard page included: up to 2^32, the largest window.
 *
 * Who may make which: live_to_idle, anyone who frees; lazy_to_none, whoever
 * took it off the list; all others, whoever holds the page's number.
 */
#ifndef LFV_VA_PAGE_HEAD_H
#define LFV_VA_PAGE_HEAD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* page_state - zero is what a new map is full of. */
enum page_state { PAGE_NONE, PAGE_IDLE, PAGE_LIVE, PAGE_LAZY };

struct page_head {
	uint64_t bits;
};

enum {
	PAGE_STATE_BITS = 2,
	PAGE_GENERATION_BITS = 29,
	PAGE_LENGTH_SHIFT = PAGE_STATE_BITS + PAGE_GENERATION_BITS,
};

#define PAGE_STATE_MASK (((uint64_t)1 << PAGE_STATE_BITS) - 1)
#define PAGE_GENERATION_MASK \
	((((uint64_t)1 << PAGE_GENERATION_BITS) - 1) << PAGE_STATE_BITS)
#define PAGE_GENERATION_ONE ((uint64_t)1 << PAGE_STATE_BITS)

static_assert(sizeof(struct page_head) == 8, "one atomic word");
static_assert(64 - PAGE_LENGTH_SHIFT > 32, "2^32 pages are a length");

static inline enum page_state page_head_state(struct page_head head)
{
	return (enum page_state)(head.bits & PAGE_STATE_MASK);
}

static inline uint64_t page_head_pages(struct page_head head)
{
	return head.bits >> PAGE_LENGTH_SHIFT;
}

static inline bool page_head_is(struct page_head head, enum page_state state)
{
	return page_head_state(head) == state;
}

/* page_head_covers - the area that begins at `first` has `page` in it. */
static inline bool page_head_covers(struct page_head head, uint64_t first,
				    uint64_t page)
{
	return page - first < page_head_pages(head);
}

/* from -> to; false and no change from any other state. */
static inline bool page_head_change(struct page_head *head,
				    enum page_state from, enum page_state to)
{
	if (!page_head_is(*head, from))
		return false;
	head->bits += (uint64_t)to - (uint64_t)from;
	return true;
}

/* from -> none; false and no change from any other state. */
static inline bool page_head_clear(struct page_head *head, enum page_state from)
{
	if (!page_head_is(*head, from))
		return false;
	head->bits &= PAGE_GENERATION_MASK;
	return true;
}

/* none -> idle, of this length; the generation goes on. */
static inline bool none_to_idle(struct page_head *head, uint64_t pages)
{
	if (!page_head_is(*head, PAGE_NONE))
		return false;
	head->bits = pages << PAGE_LENGTH_SHIFT |
		     (head->bits & PAGE_GENERATION_MASK) | PAGE_IDLE;
	return true;
}

/* idle -> none; a length of nothing. */
static inline bool idle_to_none(struct page_head *head)
{
	return page_head_clear(head, PAGE_IDLE);
}

/* page_head_is_idle_of - idle, and of this very length. */
static inline bool page_head_is_idle_of(struct page_head head, uint64_t pages)
{
	return (head.bits & ~PAGE_GENERATION_MASK) ==
	       (pages << PAGE_LENGTH_SHIFT | PAGE_IDLE);
}

/* idle -> live, of this length, a new generation; false: it was not. */
static inline bool idle_to_live(struct page_head *head, uint64_t pages)
{
	if (!page_head_is_idle_of(*head, pages))
		return false;
	head->bits =
		pages << PAGE_LENGTH_SHIFT |
		((head->bits + PAGE_GENERATION_ONE) & PAGE_GENERATION_MASK) |
		PAGE_LIVE;
	return true;
}

static inline bool live_to_idle(struct page_head *head)
{
	return page_head_change(head, PAGE_LIVE, PAGE_IDLE);
}

static inline bool idle_to_lazy(struct page_head *head)
{
	return page_head_change(head, PAGE_IDLE, PAGE_LAZY);
}

/* lazy -> none; a length of nothing. */
static inline bool lazy_to_none(struct page_head *head)
{
	return page_head_clear(head, PAGE_LAZY);
}

#endif
