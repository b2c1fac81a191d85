/* SPDX-License-Identifier: MIT */
/*
 * free_space.h - the tree of holes behind its lock, with a descriptor in stock
 * per CPU: the global half of the generations since 5.5.
 *
 * An NE fit needs a second hole while the lock is held, where one does not want
 * to go and ask for memory.  So each CPU has a slot with one descriptor:
 *
 *   before the lock   if this CPU's slot is empty, a descriptor is taken
 *   under the lock    it is put into the slot, if that is still empty; an NE
 *                     fit empties the slot; if that is empty even so, the
 *                     descriptor is taken on the spot
 *   after the lock    one that found its slot filled meanwhile is given back
 *
 *   G1  the tree holds (F1 to F3);
 *   G2  a slot is written under the lock only;
 *   G3  what lies outside the window is a hole, for ever.
 *
 * As in the kernel, the tree spans all addresses, not the window alone: its
 * search asks for more than the size where a request is aligned, and bounds the
 * start below but the end only afterwards.  So the window's first and last hole
 * are as large as they look from outside, which decides what is found there.
 *
 * (Kernel: 5.3 on; there the slot is written by a CPU-local cmpxchg under the
 * lock.  A thread of a process may be moved in between, which costs a remote
 * line and no more: G2 makes it right wherever it runs.)
 *
 * Who may run with whom: everything with everything, but init, fini and check,
 * which run alone.  free_space_merge() is for who is between enter and leave.
 */
#ifndef LFV_VA_FREE_SPACE_H
#define LFV_VA_FREE_SPACE_H

#include "lock/lock.h"
#include "va/area_census.h"
#include "va/free_tree.h"
#include "va/va.h"

/* One CPU's descriptor in stock, or NULL. */
struct free_slot {
	alignas(CACHE_LINE_BYTES) _Atomic(struct vmap_area *) spare;
};

struct free_space {
	/* constant after init */
	const struct os *os;
	struct free_slot *slots;
	unsigned slot_count;
	uintptr_t start; /* of the window */
	uintptr_t end;
	/* what the lock guards */
	struct lock lock;
	struct free_tree tree;
};

/*
 * free_space_init - one hole from the first page to the last (G3).
 *
 * 0, -ENOMEM, or what the kind of lock answers.
 */
__attribute__((warn_unused_result)) int
free_space_init(struct free_space *space, const struct va_config *config,
		enum free_align_rule rule);

/* free_space_fini - gives all descriptors back, those of holes too. */
void free_space_fini(struct free_space *space);

/*
 * free_space_take - cut the lowest match of a request out of the holes: one
 * round of the lock.
 *
 * 0 and *start, or -ENOMEM: no hole fits, or no memory for a descriptor.
 */
__attribute__((warn_unused_result)) int
free_space_take(struct free_space *space, const struct va_request *request,
		uintptr_t *start);

/*
 * free_space_give - make each range of the chain (by purge_next) part of the
 * holes, in one round of the lock.  Nothing is entered for an empty chain.
 */
void free_space_give(struct free_space *space, struct vmap_area *chain);

void free_space_enter(struct free_space *space, struct lock_turn *turn);
void free_space_leave(struct free_space *space, struct lock_turn *turn);
/* free_space_merge - the range of one area is a hole: the lock is held. */
void free_space_merge(struct free_space *space, struct vmap_area *area);

/* free_space_check - abort with the first of F1 to F3 that does not hold. */
void free_space_check(const struct free_space *space);

/* free_space_census - add the holes, as far as they lie in the window. */
void free_space_census(const struct free_space *space,
		       struct area_census *census);

/* free_space_stats - add the window's holes and the lock to *stats. */
void free_space_stats(struct free_space *space, struct va_stats *stats);

#endif
