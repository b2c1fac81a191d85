/* SPDX-License-Identifier: MIT */
/*
 * page_areas.h - areas that are told by the head of their first page: all of a
 * strategy without locks, but how it finds the area that covers a page.
 *
 *	holes       which pages are in no area               (va/holes.h)
 *	page map    the state word of an area, and what it holds
 *	lazy lists  freed areas that wait for a purge, a list a CPU
 *	index       the strategy's own: which area covers a page
 *
 *	alloc    claim pages of the holes; begin an area there, idle; index it
 *	publish  idle -> live                        linearization point
 *	free     live -> idle                        linearization point
 *	         then to a hole, where a freed range may be used at once,
 *	         or onto the lazy list of this CPU
 *	purge    take the lists, sort, merge, unmap; out of the index, to the
 *	         holes
 *
 *   F1  every taken page of the holes is in exactly one area of the page map,
 *       or with an operation that is claiming or giving it;
 *   F2  an area's pages are given to the holes after its head is none and it is
 *       out of the index: who claims them next finds no area there;
 *   F3  an area is in the index from before it is published until after it is
 *       freed for good: idle ones of a cache and lazy ones are there as well,
 *       and what is found there is looked at by its head.
 *
 * So the index is edited where pages are claimed or given, which is rare behind
 * a cache, and then for many areas at once, as by a purge; never where an area
 * changes its state.
 *
 * The functions are those of va_ops, for a strategy whose state begins with a
 * struct page_areas.
 *
 * Who may run with whom: everything with everything, purges included; init,
 * fini and check alone.
 *
 * Progress: lock-free, save for what the index does, and without a call to
 * anything that takes a lock: no malloc, no stdio.  A thread that is stopped
 * strands what it holds: the areas that it was making or freeing or, in a
 * purge, that it took.
 */
#ifndef LFV_VA_PAGE_AREAS_H
#define LFV_VA_PAGE_AREAS_H

#include "va/holes.h"
#include "va/lazy_lists.h"
#include "va/page_map.h"
#include "va/va.h"

/* area_step - what a walk meets: an area in any state but none. */
struct area_step {
	uint64_t page; /* where it was met */
	uint64_t first;
	struct page_head head;
};

/* area_index - how a strategy finds areas. */
struct area_index {
	/*
	 * add - `count` idle areas of `pages` each, side by side.  How many,
	 * from the first on: fewer where there is no memory.  NULL, as is
	 * remove: the page map has entries of its own (page_map_init).
	 */
	unsigned (*add)(struct va *va, const uint64_t *firsts, unsigned count,
			uint64_t pages);
	/* remove - these, which are there, in ascending order. */
	void (*remove)(struct va *va, const uint64_t *firsts, unsigned count);
	/* next - the lowest area in any state that ends above `page`. */
	bool (*next)(const struct va *va, uint64_t page,
		     struct area_step *step);
};

struct page_areas {
	const struct area_index *index; /* constant after init */
	/* each has its own rules */
	struct page_map map;
	struct holes holes;
	struct lazy_lists lazy;
};

static inline struct page_areas *areas_of(const struct va *va)
{
	return va->state;
}

/* areas_page - counted from the window's first. */
static inline uint64_t areas_page(const struct va *va, uintptr_t address)
{
	return (address - va->config.start) >> PAGE_SHIFT;
}

static inline uint64_t step_end(const struct area_step *step)
{
	return step->first + page_head_pages(step->head);
}

/* areas_init - 0, or -ENOMEM with a message; `owners`: as page_map_init(). */
__attribute__((warn_unused_result)) int
areas_init(struct va *va, const struct area_index *index, bool owners);
void areas_fini(struct va *va);

/* areas_alloc - as va_ops, and -ENOBUFS: the index has no room. */
int areas_alloc(struct va *va, const struct va_request *request,
		struct va_range *range);
unsigned areas_alloc_many(struct va *va, size_t pages, unsigned count,
			  uint64_t *firsts);
bool areas_publish(struct va *va, const struct va_range *range,
		   const struct va_request *request);
bool areas_has_begun(struct va *va, uintptr_t start);
void areas_withdraw(struct va *va, const struct va_range *range);
int areas_free(struct va *va, uintptr_t start, bool *purge_due);
bool areas_find_next(struct va *va, uintptr_t address, struct va_found *found);
void areas_for_each(struct va *va, va_visit *visit, void *context);
uint64_t areas_returned(struct va *va);

/* areas_purge - of all lists; areas_purge.c. */
int areas_purge(struct va *va, enum va_purge how,
		const struct va_unmapper *unmapper);

/* areas_release - as va_back; areas_release.c. */
bool areas_release(struct va *va, const uint64_t *firsts, unsigned count,
		   bool unmapped);

/* areas_check - A1, A2, A4; returns the number of areas in any state. */
uint64_t areas_check(struct va *va);
void areas_stats(struct va *va, struct va_stats *stats);

extern const struct va_back areas_back;

#endif
