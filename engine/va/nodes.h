/* SPDX-License-Identifier: MIT */
/*
 * nodes.h - the nodes of generation 4 together, and how an address finds its
 * own.  The invariants M1 to M4 are told in va_nodes.c.
 */
#ifndef LFV_VA_NODES_H
#define LFV_VA_NODES_H

#include "va/free_space.h"
#include "va/vmap_node.h"

enum { SLOT_PAGES = 16 };

#define SLOT_BYTES ((uintptr_t)SLOT_PAGES << PAGE_SHIFT)

struct nodes {
	/* constant after init */
	struct vmap_node *nodes;
	unsigned count;
	uint64_t lazy_pages_max;
	/* guarded by its own lock */
	struct free_space space;
	uint64_t taken_pages; /* the purge's alone */
	/* written by every free */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) lazy_pages; /* M2 */
};

static inline struct nodes *nodes_of(struct va *va)
{
	return va->state;
}

static inline unsigned index_of_address(const struct nodes *self,
					uintptr_t address)
{
	return (unsigned)(address / SLOT_BYTES % self->count);
}

static inline struct vmap_node *node_of_address(const struct nodes *self,
						uintptr_t address)
{
	return &self->nodes[index_of_address(self, address)];
}

/* Where a freed area goes: M3. */
static inline struct vmap_node *node_of_lazy(const struct nodes *self,
					     const struct vmap_area *area)
{
	if (!node_id_is_valid(area->state))
		return node_of_address(self, area->va_start);
	return &self->nodes[node_id_decode(area->state).value];
}

/* nodes_lazy_add - a freed area, whose pages are counted, waits for a purge. */
void nodes_lazy_add(struct nodes *self, struct vmap_area *area);

/* va_ops entries of nodes_purge.c. */
struct vmap_area *nodes_purge_take(struct va *va, enum va_purge how);
void nodes_purge_give(struct va *va, struct vmap_area *chain,
		      enum va_purge how);
void nodes_purge_keep(struct va *va, struct vmap_area *chain);
void nodes_check(struct va *va);

#endif
