/* SPDX-License-Identifier: MIT */
/*
 * free_tree.c - lowest match, cut and merge over the augmented tree of holes.
 *
 * Source of the idea: Linux 5.2, with the alignment rules of 5.16 and 5.18.
 */
#include "va/free_tree.h"

#include "base/check.h"

static inline uintptr_t subtree_max(const struct rb_node *node)
{
	return node ? area_of_rb(node)->subtree_max_size : 0;
}

/* What F3 asks of a node. */
static inline uintptr_t subtree_max_of(const struct vmap_area *hole)
{
	const uintptr_t left = subtree_max(hole->rb.left);
	const uintptr_t right = subtree_max(hole->rb.right);
	const uintptr_t below = left > right ? left : right;

	return area_bytes(hole) > below ? area_bytes(hole) : below;
}

static bool hole_recompute(struct rb_node *node)
{
	struct vmap_area *const hole = area_of_rb(node);
	const uintptr_t max = subtree_max_of(hole);
	const bool changed = max != hole->subtree_max_size;

	hole->subtree_max_size = max;
	return changed;
}

/* Upward from a hole whose size changed until a value stays: F3. */
static void hole_propagate(struct vmap_area *hole)
{
	struct rb_node *node = &hole->rb;

	while (node && hole_recompute(node))
		node = rb_parent(node);
}

void free_tree_init(struct free_tree *tree, enum free_align_rule rule)
{
	area_tree_init(&tree->holes);
	tree->rule = rule;
}

uintptr_t free_search_length(enum free_align_rule rule,
			     const struct va_request *request)
{
	const uintptr_t at_any_offset = request->size + request->align - 1;

	switch (rule) {
	case FREE_ALIGN_ALWAYS:
		return at_any_offset;
	case FREE_ALIGN_NEVER:
		return request->size;
	case FREE_ALIGN_UNLESS_EXACT:
		break;
	}
	if (request->align <= PAGE_SIZE ||
	    request->vend - request->vstart == request->size)
		return request->size;
	return at_any_offset;
}

/* Whether the hole hosts the request at or above vstart; if so, where. */
static inline bool hole_hosts(const struct vmap_area *hole, uintptr_t size,
			      uintptr_t align, uintptr_t vstart,
			      uintptr_t *start)
{
	const uintptr_t low = hole->va_start > vstart ? hole->va_start : vstart;
	const uintptr_t aligned = align_up(low, align);

	/* Either sum may wrap: near the top, or at a huge alignment. */
	if (aligned < low || aligned + size < aligned ||
	    aligned + size > hole->va_end)
		return false;
	*start = aligned;
	return true;
}

/*
 * free_lowest_match - the walk of the search, without vend.
 *
 * A climb never enters a subtree twice: it raises vstart above the node it
 * came from.  So the walk is one way down, one up and one down for each right
 * subtree that is long enough and hosts nothing.
 */
static struct vmap_area *free_lowest_match(const struct free_tree *tree,
					   const struct va_request *request,
					   uintptr_t *start)
{
	const uintptr_t length = free_search_length(tree->rule, request);
	const uintptr_t size = request->size;
	const uintptr_t align = request->align;
	uintptr_t vstart = request->vstart;
	struct rb_node *node = tree->holes.root.node;

	while (node) {
		struct vmap_area *hole = area_of_rb(node);

		if (subtree_max(node->left) >= length &&
		    vstart < hole->va_start) {
			node = node->left;
			continue;
		}
		if (hole_hosts(hole, size, align, vstart, start))
			return hole;
		if (subtree_max(node->right) >= length) {
			node = node->right;
			continue;
		}
		for (node = rb_parent(node); node; node = rb_parent(node)) {
			hole = area_of_rb(node);
			if (hole_hosts(hole, size, align, vstart, start))
				return hole;
			if (subtree_max(node->right) >= length &&
			    vstart <= hole->va_start) {
				vstart = hole->va_start + 1;
				node = node->right;
				break;
			}
		}
	}
	return NULL;
}

struct vmap_area *free_tree_find(const struct free_tree *tree,
				 const struct va_request *request,
				 uintptr_t *start)
{
	uintptr_t lowest;

	assert(request->size > 0 && is_page_aligned(request->size));
	assert(is_power_of_two(request->align));

	struct vmap_area *const hole =
		free_lowest_match(tree, request, &lowest);

	if (!hole || lowest + request->size > request->vend)
		return NULL;
	*start = lowest;
	return hole;
}

enum free_fit free_fit_of(const struct vmap_area *hole, uintptr_t start,
			  uintptr_t size)
{
	const uintptr_t end = start + size;

	if (start < hole->va_start || end > hole->va_end || end < start)
		return FREE_FIT_NONE;
	if (start == hole->va_start)
		return end == hole->va_end ? FREE_FIT_FL : FREE_FIT_LE;
	return end == hole->va_end ? FREE_FIT_RE : FREE_FIT_NE;
}

/* The left rest of an NE fit goes in below the hole it was split from. */
static void hole_add_left(struct free_tree *tree, struct vmap_area *hole,
			  struct vmap_area *left)
{
	left->subtree_max_size = area_bytes(left);
	area_tree_add_at(&tree->holes, left,
			 area_tree_place_below(&hole->rb, left),
			 hole_recompute);
}

struct vmap_area *free_tree_cut(struct free_tree *tree, struct vmap_area *hole,
				uintptr_t start, uintptr_t size,
				struct vmap_area *left)
{
	const enum free_fit fit = free_fit_of(hole, start, size);

	switch (fit) {
	case FREE_FIT_NONE:
		require_invariant(fit != FREE_FIT_NONE, "F1");
		break;
	case FREE_FIT_FL:
		area_tree_remove(&tree->holes, hole, hole_recompute);
		return hole;
	case FREE_FIT_LE:
		hole->va_start = start + size;
		hole_propagate(hole);
		break;
	case FREE_FIT_RE:
		hole->va_end = start;
		hole_propagate(hole);
		break;
	case FREE_FIT_NE:
		left->va_start = hole->va_start;
		left->va_end = start;
		hole->va_start = start + size;
		hole_propagate(hole);
		hole_add_left(tree, hole, left);
		break;
	}
	return NULL;
}

void free_tree_give(struct free_tree *tree, struct vmap_area *area,
		    struct vmap_area **surplus)
{
	/* Its value should it become a node; rb_insert() carries it up. */
	area->subtree_max_size = area_bytes(area);

	struct vmap_area *const whole =
		area_tree_merge(&tree->holes, area, hole_recompute, surplus);

	if (whole != area)
		hole_propagate(whole);
}

void free_tree_check(const struct free_tree *tree)
{
	area_tree_check_apart(&tree->holes); /* F1, F2 */
	list_for_each (link, &tree->holes.list) {
		const struct vmap_area *const hole = area_of_link(link);

		require_invariant(
			hole->subtree_max_size == subtree_max_of(hole), "F3");
	}
}
