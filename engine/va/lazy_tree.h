/* SPDX-License-Identifier: MIT */
/*
 * lazy_tree.h - an index of areas in which freed ones stay until the purge.
 *
 * What both forms of Linux's second generation share: one tree and one sorted
 * list under one lock.  A freed area is only marked; it keeps its addresses
 * from being used, and lengthens every search, until a purge erases it.
 *
 *	RESERVED --> LIVE --> FREEING --> LAZY [--> TAKEN] --> erased
 *	   alloc          free                  purge
 *
 *   Z1  the tree holds every area that is not a hole, in whatever phase;
 *   Z2  a find hits iff the area is LIVE;
 *   Z3  lazy_pages is the sum of the LAZY and TAKEN areas (counted before an
 *       area gets LAZY, so while operations run it may be more, never less).
 *
 * The phase lies in vmap_area.phase and is atomic because 2.6.28 makes an area
 * LAZY without the lock; all else is guarded by the lock.  FREEING is ours: the
 * lookup that begins a free claims the area, so that of two frees of one area
 * the second finds nothing, at the cost of no further lock.
 *
 * Who may run with whom: everything with everything, each function entering
 * the lock itself; those that say so need it held.  A thread stopped inside
 * blocks everyone.
 */
#ifndef LFV_VA_LAZY_TREE_H
#define LFV_VA_LAZY_TREE_H

#include "va/area_tree.h"
#include "va/va.h"

enum lazy_phase {
	LAZY_PHASE_RESERVED, /* in the tree, its vm_struct not attached yet */
	LAZY_PHASE_LIVE,
	LAZY_PHASE_FREEING, /* claimed by a free */
	LAZY_PHASE_LAZY,    /* VM_LAZY_FREE */
	LAZY_PHASE_TAKEN,   /* VM_LAZY_FREEING of 2.6.28 */
};

struct lazy_tree {
	/* constant after init */
	uint64_t lazy_pages_max;
	/* vmap_area_lock, and what it guards */
	struct lock lock;
	struct area_tree areas; /* Z1 */
	/* shared: vmap_lazy_nr */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) lazy_pages; /* Z3 */
};

__attribute__((warn_unused_result)) int
lazy_tree_init(struct lazy_tree *tree, const struct va_config *config);
void lazy_tree_fini(struct lazy_tree *tree);

static inline void lazy_phase_set(struct vmap_area *area, enum lazy_phase phase)
{
	/* relaxed: the lock orders it; only LAZY is set outside in 2.6.28. */
	store_relaxed(&area->phase, (uint32_t)phase);
}

static inline bool lazy_phase_is(struct vmap_area *area, enum lazy_phase phase)
{
	/* relaxed: as for setting; nothing is read on the strength of LAZY. */
	return load_relaxed(&area->phase) == (uint32_t)phase;
}

/*
 * lazy_tree_first - where a search from `address` begins: the lowest area that
 * ends at or above it, or one that begins right there.  The lock is held.
 */
struct vmap_area *lazy_tree_first(const struct lazy_tree *tree,
				  uintptr_t address);

/* lazy_tree_next - the area after that one, or NULL.  The lock is held. */
static inline struct vmap_area *lazy_tree_next(struct lazy_tree *tree,
					       const struct vmap_area *area)
{
	struct list *const next = area->link.next;

	return next == &tree->areas.list ? NULL : area_of_link(next);
}

/* lazy_tree_claim - the live area that begins at `start`, now FREEING. */
struct vmap_area *lazy_tree_claim(struct lazy_tree *tree, uintptr_t start);

/*
 * lazy_tree_count - an area is about to be LAZY; true if that takes the pages
 * past the limit.
 */
bool lazy_tree_count(struct lazy_tree *tree, const struct vmap_area *area);

/* lazy_tree_uncount - an area was erased. */
void lazy_tree_uncount(struct lazy_tree *tree, const struct vmap_area *area);

bool lazy_tree_find(struct lazy_tree *tree, uintptr_t address,
		    struct va_found *found);
bool lazy_tree_find_next(struct lazy_tree *tree, uintptr_t address,
			 struct va_found *found);
void lazy_tree_for_each(struct lazy_tree *tree, va_visit *visit, void *context);

/* lazy_tree_check - runs alone; Z1 to Z3 and through them A1 to A4. */
void lazy_tree_check(struct lazy_tree *tree, const struct va_config *config);

/* lazy_tree_stats - fills *stats but for the locks. */
void lazy_tree_stats(struct lazy_tree *tree, const struct va_config *config,
		     struct va_stats *stats);

#endif
