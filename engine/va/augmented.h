/* SPDX-License-Identifier: MIT */
/*
 * augmented.h - what the rows of generation 3 (Linux 5.2 to 6.8) have in
 * common: holes in an augmented tree behind one lock, live areas in a busy tree
 * behind another.
 *
 *	alloc   holes: search and cut          1 round of the free lock
 *	        busy:  insert                  1 round of the busy lock
 *	        busy:  attach the vm_struct    1 round of the busy lock
 *	free    busy:  find, detach            1 round of the busy lock
 *	        (unmap, no lock held)
 *	        busy:  unlink                  1 round of the busy lock
 *	        lazy:  each row in its way
 *
 * An area is live from its attach to its detach: that is where alloc and free
 * take effect.  Before and after, it blocks its range but no lookup hits it, as
 * Linux's find_vm_area() misses an area without a vm_struct.
 *
 *   B1  holes, busy areas, lazy areas and those with a purge share no page and
 *       fill the window (A1, A2);
 *   B2  lazy_pages is the pages of the lazy areas and of those with a purge
 *       (A4).
 *
 * Who may run with whom: everything with everything, but init, fini and check,
 * which run alone; one purge at a time.  Progress: a thread stopped inside a
 * lock stops everyone.  Not modelled: cond_resched_lock() in the purge, which
 * lets go of the free lock between areas while lazy_pages are few.
 */
#ifndef LFV_VA_AUGMENTED_H
#define LFV_VA_AUGMENTED_H

#include "va/area_tree.h"
#include "va/free_space.h"
#include "va/va.h"

struct augmented {
	/* constant after init */
	uint64_t lazy_pages_max;
	/* guarded by its own lock */
	struct free_space space;
	/* guarded by busy_lock */
	struct lock busy_lock;
	struct area_tree busy;
	/* guarded by lazy_lock: 6.1 all of it, 5.10 against walks */
	struct lock lazy_lock;
	struct area_tree lazy;                 /* 6.1 */
	_Atomic(struct vmap_area *) lazy_list; /* 5.10 */
	uint64_t taken_pages; /* written by the one purge at work */
	/* written by every free */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) lazy_pages; /* B2 */
};

static inline struct augmented *augmented_of(struct va *va)
{
	return va->state;
}

__attribute__((warn_unused_result)) int
augmented_init(struct va *va, enum free_align_rule rule);
/* augmented_fini - the row has dealt with its lazy areas. */
void augmented_fini(struct va *va);

__attribute__((warn_unused_result)) int
augmented_alloc(struct va *va, const struct va_request *request,
		struct va_range *range);

/*
 * augmented_retire - the part of free before the area is lazy: 0 and the area,
 * which is in no index, its pages counted; or -ENOENT.
 */
__attribute__((warn_unused_result)) int
augmented_retire(struct va *va, uintptr_t start, struct vmap_area **area,
		 bool *purge_due);

bool augmented_find(struct va *va, uintptr_t address, struct va_found *found);
bool augmented_find_next(struct va *va, uintptr_t address,
			 struct va_found *found);

/* augmented_taken - a purge has detached this chain; returns it. */
struct vmap_area *augmented_taken(struct va *va, struct vmap_area *chain);

/* augmented_purge_give - merge the chain into the holes, in one round. */
void augmented_purge_give(struct va *va, struct vmap_area *chain,
			  enum va_purge how);

/* augmented_kept - the pages of an area that is lazy again. */
void augmented_kept(struct va *va, const struct vmap_area *area);

/* augmented_visit_busy - show all live areas; busy_lock is held. */
void augmented_visit_busy(struct augmented *self, va_visit *visit,
			  void *context);

void augmented_stats(struct va *va, struct va_stats *stats);

#endif
