/* SPDX-License-Identifier: MIT */
/*
 * nodes_purge.c - the purge of generation 4: decay, take, give back.
 *
 * A purge first lets each node's pools decay into the holes, in one round of
 * the free lock a node, and takes all lazy areas.  Given back, a range that
 * remembers its node goes to that node's pool of its size, unless the purge is
 * a full one (Linux's skip_populate) or the range is too long; all others
 * become holes, again in one round a node.
 */
#include "base/check.h"
#include "va/area_census.h"
#include "va/nodes.h"

void nodes_lazy_add(struct nodes *self, struct vmap_area *area)
{
	struct vmap_node *const node = node_of_lazy(self, area);
	struct lock_turn turn;

	(void)lock_enter(&node->lazy_lock, &turn);
	area_tree_add(&node->lazy, area);
	lock_leave(&node->lazy_lock, &turn);
}

/* Put a node's lazy areas at *end of a chain; returns the new end. */
static struct vmap_area **lazy_take(struct nodes *self, struct vmap_node *node,
				    struct vmap_area **end)
{
	struct lock_turn turn;

	(void)lock_enter(&node->lazy_lock, &turn);
	*end = area_tree_take_all(&node->lazy);
	lock_leave(&node->lazy_lock, &turn);
	while (*end) {
		self->taken_pages += area_pages(*end);
		end = &(*end)->purge_next;
	}
	return end;
}

struct vmap_area *nodes_purge_take(struct va *va, enum va_purge how)
{
	struct nodes *const self = nodes_of(va);
	struct vmap_area *chain = NULL;
	struct vmap_area **end = &chain;

	for (unsigned i = 0; i < self->count; i++) {
		struct vmap_node *const node = &self->nodes[i];

		free_space_give(&self->space, vmap_pool_decay(node, how));
		end = lazy_take(self, node, end);
	}
	return chain;
}

/* Give the purged ranges of one node to its pools or to the holes. */
static void node_purge_give(struct nodes *self, struct vmap_node *node,
			    enum va_purge how)
{
	struct vmap_area *chain = node->purged;
	struct vmap_area *global = NULL;
	uint64_t pages = 0;

	node->purged = NULL;
	node->purged_end = &node->purged;
	while (chain) {
		struct vmap_area *const area = chain;

		chain = area->purge_next;
		pages += area_pages(area);
		if (how != VA_PURGE_FULL && node_id_is_valid(area->state) &&
		    vmap_pool_give(node, area))
			continue;
		area->purge_next = global;
		global = area;
	}
	self->taken_pages -= pages;
	/* relaxed: counts only; added before the areas were taken. */
	sub_relaxed(&self->lazy_pages, pages);
	free_space_give(&self->space, global);
}

/*
 * nodes_purge_give - back to the nodes they were lazy in, and there, in the
 * order of the chain, to the pools: the last one will be taken first.
 */
void nodes_purge_give(struct va *va, struct vmap_area *chain, enum va_purge how)
{
	struct nodes *const self = nodes_of(va);

	while (chain) {
		struct vmap_area *const area = chain;
		struct vmap_node *const node = node_of_lazy(self, area);

		chain = area->purge_next;
		area->purge_next = NULL;
		*node->purged_end = area;
		node->purged_end = &area->purge_next;
	}
	for (unsigned i = 0; i < self->count; i++) {
		if (self->nodes[i].purged)
			node_purge_give(self, &self->nodes[i], how);
	}
}

void nodes_purge_keep(struct va *va, struct vmap_area *chain)
{
	struct nodes *const self = nodes_of(va);

	while (chain) {
		struct vmap_area *const area = chain;

		chain = area->purge_next;
		self->taken_pages -= area_pages(area);
		nodes_lazy_add(self, area);
	}
}

/* M3 of one node's areas. */
static void places_check(const struct nodes *self, const struct vmap_node *node)
{
	list_for_each (link, &node->busy.list) {
		const struct vmap_area *const area = area_of_link(link);

		require_invariant(node_of_address(self, area->va_start) == node,
				  "M3");
	}
	list_for_each (link, &node->lazy.list)
		require_invariant(
			node_of_lazy(self, area_of_link(link)) == node, "M3");
}

void nodes_check(struct va *va)
{
	struct nodes *const self = nodes_of(va);
	struct area_census census;
	uint64_t lazy_pages = self->taken_pages;
	uint64_t pool_pages = 0;

	free_space_check(&self->space);
	area_census_begin(&census, &va->config);
	free_space_census(&self->space, &census);
	for (unsigned i = 0; i < self->count; i++) {
		const struct vmap_node *const node = &self->nodes[i];

		vmap_node_check(node);
		places_check(self, node);
		(void)area_census_add_list(&census, &node->busy.list);
		lazy_pages += area_census_add_list(&census, &node->lazy.list);
		for (unsigned pool = 0; pool < NODE_POOLS; pool++)
			pool_pages += area_census_add_list(
				&census, &node->pools[pool].ranges);
	}
	area_census_end(&census, self->taken_pages); /* M1 */
	require_invariant(self->count > 1 || pool_pages == 0, "M4");
	/* relaxed: check runs alone. */
	require_invariant(lazy_pages == load_relaxed(&self->lazy_pages), "A4");
}
