/* SPDX-License-Identifier: MIT */
/*
 * vmap_node.h - one shard of generation 4 (Linux 6.9 and later): pools of free
 * ranges by size, and the busy and lazy areas that belong here.
 *
 *	pools   behind pool_lock: free ranges of 1 to 256 pages, guard page
 *	        included, one list for each number of pages; newest first
 *	busy    behind busy_lock: live areas whose address hashes here
 *	lazy    behind lazy_lock: freed areas that were allocated by this node's
 *	        CPUs, or else whose address hashes here; sorted, not merged
 *
 *   N1  every range in pool i is i + 1 pages long;
 *   N2  len of a pool is the length of its list, save for who looks without
 *       the lock;
 *   N3  busy and lazy areas do not overlap (T1, T2);
 *   N4  an area's node id is valid or none; ids outlive the area's stay in
 *       pools and purges.
 *
 * A node that an area was allocated for is encoded in area->state, in the bits
 * above the lowest eight, as id + 1; 0 there is none.
 *
 * Who may run with whom: everything with everything, but init, fini and check;
 * give and decay are the purge's, and one purge runs at a time.
 */
#ifndef LFV_VA_VMAP_NODE_H
#define LFV_VA_VMAP_NODE_H

#include "lock/lock.h"
#include "va/area_tree.h"
#include "va/va.h"

enum {
	NODE_POOLS = 256, /* the longest range that a pool keeps, in pages */
	NODES_MAX = 128,
	NODE_ID_SHIFT = 8,
};

/* vmap_node_id - which node; not a CPU and not a memory node. */
struct vmap_node_id {
	unsigned value;
};

struct vmap_pool {
	struct list ranges;
	_Atomic(size_t) len;
};

struct vmap_node {
	/* guarded by pool_lock */
	struct lock pool_lock;
	struct vmap_pool pools[NODE_POOLS];
	/* guarded by busy_lock */
	struct lock busy_lock;
	struct area_tree busy;
	/* guarded by lazy_lock */
	struct lock lazy_lock;
	struct area_tree lazy;
	/* the purge's alone */
	alignas(FALSE_SHARING_BYTES) struct vmap_area *purged;
	struct vmap_area **purged_end;
};

static inline uint32_t node_id_encode(struct vmap_node_id id)
{
	return (uint32_t)(id.value + 1) << NODE_ID_SHIFT;
}

static inline bool node_id_is_valid(uint32_t state)
{
	return state >> NODE_ID_SHIFT != 0;
}

/* node_id_decode - of a valid one. */
static inline struct vmap_node_id node_id_decode(uint32_t state)
{
	return (struct vmap_node_id){ (state >> NODE_ID_SHIFT) - 1 };
}

__attribute__((warn_unused_result)) int
vmap_node_init(struct vmap_node *node, const struct va_config *config);
/* vmap_node_fini - gives all descriptors back. */
void vmap_node_fini(struct vmap_node *node);

/*
 * vmap_pool_take - a pooled range of the request's very size, or NULL.
 *
 * Looks at the first range only: one that lies wrong for the alignment goes to
 * the end of its list, and the request has missed.  So the address is that of
 * the range freed last, not the lowest.
 */
struct vmap_area *vmap_pool_take(struct vmap_node *node,
				 const struct va_request *request);

/* vmap_pool_give - keep a range at hand; false if it is too long for a pool. */
bool vmap_pool_give(struct vmap_node *node, struct vmap_area *area);

/*
 * vmap_pool_decay - take a quarter (rounded down) of each pool from its head,
 * or all of it, and merge what was taken with itself.  Returns the pieces,
 * chained by purge_next; descriptors that merging freed are given back.
 *
 * Allocations that come meanwhile find the pool empty.
 */
struct vmap_area *vmap_pool_decay(struct vmap_node *node, enum va_purge how);

/* vmap_node_check - abort with the first of N1 to N3 that does not hold. */
void vmap_node_check(const struct vmap_node *node);

/* vmap_node_stats - add this node to *stats. */
void vmap_node_stats(struct vmap_node *node, struct va_stats *stats);

#endif
