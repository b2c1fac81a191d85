/* SPDX-License-Identifier: MIT */
/*
 * lazy_tree.c - search, claim, walks and check of generation 2's index.
 */
#include "va/lazy_tree.h"

#include "base/check.h"
#include "va/area_census.h"
#include "va/va_stats.h"

int lazy_tree_init(struct lazy_tree *tree, const struct va_config *config)
{
	area_tree_init(&tree->areas);
	tree->lazy_pages_max = va_lazy_max_pages(config->cpus);
	return lock_init(&tree->lock, config->lock, config->lock_yield);
}

void lazy_tree_fini(struct lazy_tree *tree)
{
	list_for_each_safe (link, &tree->areas.list)
		area_give(area_of_link(link));
	lock_fini(&tree->lock);
}

struct vmap_area *lazy_tree_first(const struct lazy_tree *tree,
				  uintptr_t address)
{
	struct vmap_area *first = NULL;
	struct rb_node *node = tree->areas.root.node;

	while (node) {
		struct vmap_area *const area = area_of_rb(node);

		if (area->va_end < address) {
			node = node->right;
			continue;
		}
		first = area;
		if (area->va_start <= address)
			break;
		node = node->left;
	}
	return first;
}

struct vmap_area *lazy_tree_claim(struct lazy_tree *tree, uintptr_t start)
{
	struct lock_turn turn;

	lock_enter(&tree->lock, &turn);
	struct vmap_area *area = area_tree_find(&tree->areas, start);

	if (area && area->va_start == start &&
	    lazy_phase_is(area, LAZY_PHASE_LIVE))
		lazy_phase_set(area, LAZY_PHASE_FREEING);
	else
		area = NULL;
	lock_leave(&tree->lock, &turn);
	return area;
}

bool lazy_tree_count(struct lazy_tree *tree, const struct vmap_area *area)
{
	const uint64_t pages = area_pages(area);

	/*
	 * relaxed: counted before a purge can see the area, and subtracted
	 * after it did, so the sum never goes below zero.
	 */
	return add_relaxed(&tree->lazy_pages, pages) + pages >
	       tree->lazy_pages_max;
}

void lazy_tree_uncount(struct lazy_tree *tree, const struct vmap_area *area)
{
	/* relaxed: the area was counted before it was seen to be lazy. */
	const uint64_t before =
		sub_relaxed(&tree->lazy_pages, area_pages(area));

	require_invariant(before >= area_pages(area), "A4"); /* Z3 */
}

bool lazy_tree_find(struct lazy_tree *tree, uintptr_t address,
		    struct va_found *found)
{
	struct lock_turn turn;

	lock_enter_shared(&tree->lock, &turn);
	struct vmap_area *const area = area_tree_find(&tree->areas, address);
	const bool hit = area && lazy_phase_is(area, LAZY_PHASE_LIVE); /* Z2 */

	if (hit)
		area_to_found(area, found, false);
	lock_leave_shared(&tree->lock, &turn);
	return hit;
}

bool lazy_tree_find_next(struct lazy_tree *tree, uintptr_t address,
			 struct va_found *found)
{
	struct lock_turn turn;

	lock_enter_shared(&tree->lock, &turn);
	struct vmap_area *area = area_tree_find_next(&tree->areas, address);

	while (area && !lazy_phase_is(area, LAZY_PHASE_LIVE))
		area = lazy_tree_next(tree, area);
	if (area)
		area_to_found(area, found, false);
	lock_leave_shared(&tree->lock, &turn);
	return area != NULL;
}

static bool is_lazy(struct vmap_area *area)
{
	return lazy_phase_is(area, LAZY_PHASE_LAZY) ||
	       lazy_phase_is(area, LAZY_PHASE_TAKEN);
}

void lazy_tree_for_each(struct lazy_tree *tree, va_visit *visit, void *context)
{
	struct lock_turn turn;

	lock_enter_shared(&tree->lock, &turn);
	list_for_each (link, &tree->areas.list) {
		struct vmap_area *const area = area_of_link(link);

		if (lazy_phase_is(area, LAZY_PHASE_LIVE))
			area_visit(area, false, visit, context);
	}
	list_for_each (link, &tree->areas.list) {
		struct vmap_area *const area = area_of_link(link);

		if (is_lazy(area))
			area_visit(area, true, visit, context);
	}
	lock_leave_shared(&tree->lock, &turn);
}

void lazy_tree_check(struct lazy_tree *tree, const struct va_config *config)
{
	uintptr_t end = config->start;
	uint64_t lazy_pages = 0;

	area_tree_check(&tree->areas); /* Z1 */
	list_for_each (link, &tree->areas.list) {
		struct vmap_area *const area = area_of_link(link);

		require_invariant(area->va_start >= end, "A2");
		end = area->va_end;
		if (is_lazy(area))
			lazy_pages += area_pages(area);
		else
			require_invariant(lazy_phase_is(area, LAZY_PHASE_LIVE),
					  "A1");
	}
	require_invariant(end <= config->end, "A2");
	/* relaxed: nobody else is at work. */
	require_invariant(lazy_pages == load_relaxed(&tree->lazy_pages),
			  "A4"); /* Z3 */
}

void lazy_tree_stats(struct lazy_tree *tree, const struct va_config *config,
		     struct va_stats *stats)
{
	uintptr_t end = config->start;
	struct lock_turn turn;

	*stats = (struct va_stats){ 0 };
	lock_enter_shared(&tree->lock, &turn);
	list_for_each (link, &tree->areas.list) {
		struct vmap_area *const area = area_of_link(link);

		stats_add_gap(stats, end, area->va_start);
		if (lazy_phase_is(area, LAZY_PHASE_LIVE))
			stats_add_live(stats, area);
		end = area->va_end;
	}
	lock_leave_shared(&tree->lock, &turn);
	stats_add_gap(stats, end, config->end);
	/* relaxed: a figure. */
	stats->lazy_pages = load_relaxed(&tree->lazy_pages);
}
