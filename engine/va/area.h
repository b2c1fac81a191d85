/* SPDX-License-Identifier: MIT */
/*
 * area.h - an area: a run of pages of the window with an owner.
 *
 *	|####### mapped pages #######|# guard #|
 *	^ va_start                             ^ va_end
 *
 * The same descriptor is an area's through its whole life: live in a busy
 * index, lazy on a purge list, or, in the strategies that keep holes as nodes,
 * a hole in a free tree.  It lies outside the window, in a type-stable slab.
 *
 * `vm` is constant from before the area can be found until it is freed, save
 * for the flags a strategy owns; a lookup copies it under the strategy's lock.
 */
#ifndef LFV_VA_AREA_H
#define LFV_VA_AREA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/list.h"
#include "va/rbtree.h"
#include "va/va_range.h"

/*
 * vm_struct - what is mapped in an area (Linux's name; here a part of the
 * area, not an object of its own).
 */
struct vm_struct {
	uint32_t flags;     /* LFV_VM_* of lfv.h */
	uint32_t nr_pages;  /* mapped pages, without the guard; 0: range only */
	const void *caller; /* return address in the user's code */
	uint64_t phys;      /* VM_IOREMAP: offset in the caller's file */
	uintptr_t size;     /* requested bytes, before rounding */
};

struct vmap_area {
	uintptr_t va_start;
	uintptr_t va_end; /* guard page included */
	struct rb_node rb;
	struct list link;
	/* in a free tree: the largest hole of this subtree, in bytes */
	uintptr_t subtree_max_size;
	/* the strategy's own: node id, lazy state; see each strategy */
	uint32_t state;
	/* areas that were merged into this one while lazy, itself included */
	uint32_t merged;
	/* where in its life it is, for who sets that without a lock (rbtree) */
	_Atomic(uint32_t) phase;
	/* next of a chain that a purge has taken */
	struct vmap_area *purge_next;
	struct vm_struct vm;
};

static inline uintptr_t area_bytes(const struct vmap_area *area)
{
	return area->va_end - area->va_start;
}

static inline struct va_range area_range(const struct vmap_area *area)
{
	return (struct va_range){ .start = area->va_start,
				  .end = area->va_end };
}

static inline struct vmap_area *area_of_rb(const struct rb_node *node)
{
	return container_of(node, struct vmap_area, rb);
}

static inline struct vmap_area *area_of_link(const struct list *link)
{
	return container_of(link, struct vmap_area, link);
}

struct os;
struct va_found;

/*
 * area_take - a descriptor, or NULL when the kernel has no memory for more.
 *
 * All zero the first time, else as its last owner left it.
 */
__attribute__((warn_unused_result)) struct vmap_area *
area_take(const struct os *os);

/* area_give - the descriptor is in no index and on no chain any more. */
void area_give(struct vmap_area *area);

/* area_chain_give - as area_give(), for each of a chain by purge_next. */
void area_chain_give(struct vmap_area *chain);

/* area_fork_begin - as slab_fork_begin(), for the descriptors. */
void area_fork_begin(void);
void area_fork_end(void);

/* area_to_found - fill the copy that a lookup or walk hands out. */
void area_to_found(const struct vmap_area *area, struct va_found *found,
		   bool lazy);

#endif
