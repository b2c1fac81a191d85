/* SPDX-License-Identifier: MIT */
/*
 * vmap_pool.c - the pools of a node: exact sizes, newest first.
 *
 * Source of the idea: Linux 6.9.  A pool is filled by purges only, and grows
 * without a limit but the decay of a quarter with each purge.
 */
#include "base/check.h"
#include "va/area_census.h"
#include "va/vmap_node.h"

enum { DECAY_SHIFT = 2 }; /* a quarter */

/* The pool of ranges of that many pages, or NULL: too long. */
static struct vmap_pool *pool_of(struct vmap_node *node, uint64_t pages)
{
	return pages >= 1 && pages <= NODE_POOLS ? &node->pools[pages - 1]
						 : NULL;
}

/* Change len, under pool_lock. */
static void pool_count(struct vmap_pool *pool, size_t len)
{
	/* relaxed: N2; who looks without the lock looks again inside. */
	store_relaxed(&pool->len, len);
}

static size_t pool_len(const struct vmap_pool *pool)
{
	/* relaxed: exact under pool_lock, a hint without it. */
	return load_relaxed(&pool->len);
}

/* The first range if it lies right, else a miss; pool_lock is held. */
static struct vmap_area *pool_take_first(struct vmap_pool *pool,
					 const struct va_request *request)
{
	struct vmap_area *const area = area_of_link(pool->ranges.next);

	list_remove(&area->link);
	if ((area->va_start & (request->align - 1)) != 0) {
		list_add_tail(&pool->ranges, &area->link);
		return NULL;
	}
	pool_count(pool, pool_len(pool) - 1);
	require_invariant(area_bytes(area) == request->size, "N1");
	require_invariant(area->va_start >= request->vstart, "A2");
	require_invariant(area->va_end <= request->vend, "A2");
	return area;
}

struct vmap_area *vmap_pool_take(struct vmap_node *node,
				 const struct va_request *request)
{
	struct vmap_pool *const pool =
		pool_of(node, request->size >> PAGE_SHIFT);
	struct vmap_area *area = NULL;
	struct lock_turn turn;

	if (!pool || pool_len(pool) == 0)
		return NULL;
	(void)lock_enter(&node->pool_lock, &turn);
	if (!list_is_empty(&pool->ranges))
		area = pool_take_first(pool, request);
	lock_leave(&node->pool_lock, &turn);
	return area;
}

bool vmap_pool_give(struct vmap_node *node, struct vmap_area *area)
{
	struct vmap_pool *const pool = pool_of(node, area_pages(area));
	struct lock_turn turn;

	if (!pool)
		return false;
	(void)lock_enter(&node->pool_lock, &turn);
	list_add(&pool->ranges, &area->link);
	pool_count(pool, pool_len(pool) + 1);
	lock_leave(&node->pool_lock, &turn);
	return true;
}

/* Take the whole pool off, leaving it empty; how many ranges it had. */
static size_t pool_detach(struct vmap_node *node, struct vmap_pool *pool,
			  struct list *ranges)
{
	struct lock_turn turn;

	(void)lock_enter(&node->pool_lock, &turn);

	const size_t len = pool_len(pool);

	list_take_all(&pool->ranges, ranges);
	pool_count(pool, 0);
	lock_leave(&node->pool_lock, &turn);
	return len;
}

/* Put the rest back: nobody else gives to a pool while a purge is at work. */
static void pool_attach(struct vmap_node *node, struct vmap_pool *pool,
			struct list *ranges, size_t len)
{
	struct lock_turn turn;

	if (len == 0)
		return;
	(void)lock_enter(&node->pool_lock, &turn);
	assert(list_is_empty(&pool->ranges));
	list_take_all(ranges, &pool->ranges);
	pool_count(pool, len);
	lock_leave(&node->pool_lock, &turn);
}

struct vmap_area *vmap_pool_decay(struct vmap_node *node, enum va_purge how)
{
	struct vmap_area *surplus = NULL;
	struct area_tree decayed;

	area_tree_init(&decayed);
	for (unsigned i = 0; i < NODE_POOLS; i++) {
		struct vmap_pool *const pool = &node->pools[i];
		struct list ranges;

		if (pool_len(pool) == 0)
			continue;
		list_init(&ranges);

		const size_t len = pool_detach(node, pool, &ranges);
		const size_t count =
			how == VA_PURGE_FULL ? len : len >> DECAY_SHIFT;

		for (size_t taken = 0; taken < count; taken++) {
			struct list *const first = ranges.next;

			list_remove(first);
			(void)area_tree_merge(&decayed, area_of_link(first),
					      NULL, &surplus);
		}
		pool_attach(node, pool, &ranges, len - count);
	}
	area_chain_give(surplus);
	return area_tree_take_all(&decayed);
}
