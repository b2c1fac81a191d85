/* SPDX-License-Identifier: MIT */
/*
 * cow_zone.h - the areas that begin in one zone of the window: a root that
 * writers exchange and readers follow.
 *
 *	reader                          writer
 *
 *	rcu_enter()                     count cells out; nothing fails behind
 *	root = snapshot                 rcu_enter()
 *	find, walk: no retry              root -> new root beside it  <--+
 *	rcu_leave()                       exchange the root if unchanged |
 *	                                    changed: cells back ---------+
 *	                                  retire what was replaced
 *	                                rcu_leave()
 *
 *   Z1  the root is a whole tree (cow_tree.h) at any time; an area that is in
 *       it from before a snapshot until after it is in the snapshot;
 *   Z2  what a snapshot leads to stays until its reader leaves;
 *   Z3  a remove never fails: the cells for it were counted out when its area
 *       was added, COW_AREA_CELLS each, and came back only with it.
 *
 * Z3 costs address space, not memory: counted cells are not touched before they
 * are used, one page an area in all.
 *
 * An area has one owner, who adds and removes it; areas of different owners do
 * not overlap.  Both are the caller's to see to.
 *
 * Who may run with whom: everything with everything, but init, fini and check.
 *
 * Progress: readers are wait-free, writers lock-free: an exchange fails because
 * another's succeeded.  Memory grows behind a stopped reader until the pool is
 * full; from then on adds are refused, and removals, of which there are at most
 * as many as areas, go on.  rcu.h says what liburcu costs beside.
 *
 * Order: what was done to an area before it was added is seen by whoever finds
 * it [cow-root].
 */
#ifndef LFV_VA_COW_ZONE_H
#define LFV_VA_COW_ZONE_H

#include "va/cow_tree.h"

struct cow_zone {
	_Atomic(struct cow_node *) root;
};

static inline void cow_zone_init(struct cow_zone *zone)
{
	*zone = (struct cow_zone){ NULL };
}

/* cow_zone_fini - give back every node; alone. */
void cow_zone_fini(struct cow_zone *zone, struct cow_pool *pool);

/*
 * cow_zone_add - add a sorted batch by one exchange: all of it or nothing.
 *
 * 0, or -ENOMEM: the pool is full, or the kernel has no memory.
 */
__attribute__((warn_unused_result)) int
cow_zone_add(struct cow_zone *zone, struct cow_pool *pool,
	     const struct cow_area *areas, size_t count);

/*
 * cow_zone_remove - remove a sorted batch by one exchange.
 *
 * Of the batch only the first pages are looked at.  Each area must be there:
 * that a free is the first of its area is known before.
 */
void cow_zone_remove(struct cow_zone *zone, struct cow_pool *pool,
		     const struct cow_area *areas, size_t count);

/* cow_zone_snapshot - the tree as it is; between rcu_enter and rcu_leave. */
static inline const struct cow_node *
cow_zone_snapshot(const struct cow_zone *zone)
{
	/* acquire [cow-root]: the nodes, and what they tell. */
	return load_acquire(&zone->root);
}

/* cow_zone_check - alone; adds the zone's areas to *areas. */
void cow_zone_check(const struct cow_zone *zone, size_t *areas);

/* cow_cells - in trees and counted out for so many areas, for the check. */
static inline void cow_cells_check(struct cow_pool *pool, size_t areas)
{
	cow_pool_check(pool, areas, COW_AREA_CELLS * areas);
}

#endif
