/* SPDX-License-Identifier: MIT */
/*
 * lazy_lists.h - freed areas that wait for a purge, one list a CPU.
 *
 *	list of a CPU:  head --> page --> page --> 0     through record.next
 *
 * A push is one compare-and-swap on the list of the CPU that the caller runs
 * on; a take exchanges a whole list for an empty one, so that nothing ever pops
 * one area and there is no ABA.  Two that take at once get disjoint lists.
 *
 *   L1  an area is on one list, or with whoever took it;
 *   L2  `pushed` moves with each push, after it: who has taken all lists, and
 *       finds it unmoved since before, has missed no push that had ended.
 *
 * A purge is due when the lists together hold more than Linux's limit
 * (va_lazy_max_pages).  They are summed up only when a list's own count enters
 * another step of the limit, so that few frees touch a line of another CPU's: a
 * sixteenth of it, or where there are more lists, one part a list, down to a
 * 128th.  Each list may be short of its next step, so together they can pass
 * the limit by a step and an area each before a purge is due: up to 128 lists
 * by about the limit itself, with 512 by four times of it.
 *
 * Who may run with whom: push, take by any; init, fini alone.
 * Progress: take is wait-free; a push repeats only after another succeeded.
 * Order: what was done before the push is seen after the take [lazy-handoff].
 */
#ifndef LFV_VA_LAZY_LISTS_H
#define LFV_VA_LAZY_LISTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cpu.h"
#include "va/page_map.h"

struct lazy_list;

struct lazy_lists {
	/* constant after init */
	const struct os *os;
	const struct cpu_map *cpus;
	struct page_map *map;
	uint64_t limit_pages;
	uint64_t step_pages;     /* of a list, between two sums */
	struct lazy_list *lists; /* one a CPU slot */
};

/* lazy_init - -ENOMEM with a message; cpus and map must outlive it. */
__attribute__((warn_unused_result)) int lazy_init(struct lazy_lists *lazy,
						  const struct os *os,
						  const struct cpu_map *cpus,
						  struct page_map *map,
						  uint64_t limit_pages);
void lazy_fini(struct lazy_lists *lazy);

/*
 * lazy_push - leave an idle area, whose number the caller holds, to whoever
 * purges next.  True when that made a purge due.  Of two frees that raced, the
 * second leaves nothing.
 */
bool lazy_push(struct lazy_lists *lazy, uint64_t first);

/*
 * lazy_push_back - an area that was taken, and is lazy still, could not be
 * unmapped: it stays counted, and is not a free that ended.
 */
void lazy_push_back(struct lazy_lists *lazy, uint64_t first);

/*
 * lazy_take - every area that was on a list when it was looked at: the first
 * page + 1 of a chain by record.next, or 0.  They stay counted.
 */
uint64_t lazy_take(struct lazy_lists *lazy);

/* lazy_settle - so many pages that were taken are not lazy any more. */
void lazy_settle(struct lazy_lists *lazy, uint64_t pages);

/* lazy_pushed - pages that were ever pushed; L2. */
uint64_t lazy_pushed(const struct lazy_lists *lazy);

/* lazy_pages - pages on the lists or with a purge; a figure. */
uint64_t lazy_pages(const struct lazy_lists *lazy);

/*
 * lazy_sort - a chain by record.next in ascending order.
 *
 * Stable memory: the links alone, and bins on the stack.
 */
uint64_t lazy_sort(struct page_map *map, uint64_t chain);

#endif
