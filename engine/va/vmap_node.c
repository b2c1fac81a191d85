/* SPDX-License-Identifier: MIT */
/*
 * vmap_node.c - making, checking and counting one node.
 */
#include "va/vmap_node.h"

#include "base/check.h"
#include "va/area_census.h"

int vmap_node_init(struct vmap_node *node, const struct va_config *config)
{
	int error =
		lock_init(&node->pool_lock, config->lock, config->lock_yield);

	if (error)
		return error;
	error = lock_init(&node->busy_lock, config->lock, config->lock_yield);
	if (error)
		goto fini_pool;
	error = lock_init(&node->lazy_lock, config->lock, config->lock_yield);
	if (error)
		goto fini_busy;
	area_tree_init(&node->busy);
	area_tree_init(&node->lazy);
	for (unsigned i = 0; i < NODE_POOLS; i++)
		list_init(&node->pools[i].ranges);
	node->purged_end = &node->purged;
	return 0;

fini_busy:
	lock_fini(&node->busy_lock);
fini_pool:
	lock_fini(&node->pool_lock);
	return error;
}

void vmap_node_fini(struct vmap_node *node)
{
	area_chain_give(vmap_pool_decay(node, VA_PURGE_FULL));
	area_chain_give(area_tree_take_all(&node->busy));
	area_chain_give(area_tree_take_all(&node->lazy));
	lock_fini(&node->lazy_lock);
	lock_fini(&node->busy_lock);
	lock_fini(&node->pool_lock);
}

static void pool_check(const struct vmap_pool *pool, uint64_t pages)
{
	size_t len = 0;

	list_for_each (link, &pool->ranges) {
		require_invariant(area_pages(area_of_link(link)) == pages,
				  "N1");
		len++;
	}
	/* relaxed: check runs alone. */
	require_invariant(load_relaxed(&pool->len) == len, "N2");
}

void vmap_node_check(const struct vmap_node *node)
{
	for (unsigned i = 0; i < NODE_POOLS; i++)
		pool_check(&node->pools[i], i + 1);
	area_tree_check(&node->busy); /* N3 */
	area_tree_check(&node->lazy); /* N3 */
}

void vmap_node_stats(struct vmap_node *node, struct va_stats *stats)
{
	struct lock_turn turn;

	(void)lock_enter_shared(&node->busy_lock, &turn);
	list_for_each (link, &node->busy.list)
		stats_add_live(stats, area_of_link(link));
	lock_leave_shared(&node->busy_lock, &turn);
	for (unsigned i = 0; i < NODE_POOLS; i++) {
		/* relaxed: a figure for people. */
		stats->pool_pages +=
			(i + 1) * load_relaxed(&node->pools[i].len);
	}
	stats_add_lock(stats, &node->pool_lock);
	stats_add_lock(stats, &node->busy_lock);
	stats_add_lock(stats, &node->lazy_lock);
}
