/* SPDX-License-Identifier: MIT */
/*
 * area_tree.c - search, list neighbours and merging of a tree of areas.
 *
 * Source of the idea: Linux 5.2 (the neighbour from parent and link) and 5.11
 * (one merge for the tree of holes and the tree of lazy areas).
 */
#include "va/area_tree.h"

#include "base/check.h"

void area_tree_init(struct area_tree *tree)
{
	tree->root.node = NULL;
	list_init(&tree->list);
}

struct area_place area_tree_place_below(struct rb_node *from,
					const struct vmap_area *area)
{
	struct area_place place = { .parent = from };
	struct rb_node *node = from;

	assert(area->va_start < area->va_end); /* T1 */
	while (node) {
		const struct vmap_area *const other = area_of_rb(node);

		place.parent = node;
		if (area->va_end <= other->va_start) {
			place.link = &node->left;
		} else {
			require_invariant(area->va_start >= other->va_end,
					  "T1");
			place.link = &node->right;
		}
		node = *place.link;
	}
	return place;
}

struct area_place area_tree_place(struct area_tree *tree,
				  const struct vmap_area *area)
{
	if (!tree->root.node)
		return (struct area_place){ NULL, &tree->root.node };
	return area_tree_place_below(tree->root.node, area);
}

/* The link in the list that an area at `place` comes right behind. */
static struct list *place_list_behind(struct area_tree *tree,
				      struct area_place place)
{
	if (!place.parent)
		return &tree->list;

	struct list *const parent = &area_of_rb(place.parent)->link;

	return place.link == &place.parent->right ? parent : parent->prev;
}

void area_tree_add_at(struct area_tree *tree, struct vmap_area *area,
		      struct area_place place, rb_recompute *recompute)
{
	list_add(place_list_behind(tree, place), &area->link);
	rb_insert(&tree->root, &area->rb, place.parent, place.link, recompute);
}

void area_tree_remove(struct area_tree *tree, struct vmap_area *area,
		      rb_recompute *recompute)
{
	rb_remove(&tree->root, &area->rb, recompute);
	list_remove(&area->link);
}

static inline void surplus_push(struct vmap_area **surplus,
				struct vmap_area *area)
{
	area->purge_next = *surplus;
	*surplus = area;
}

struct vmap_area *area_tree_merge(struct area_tree *tree,
				  struct vmap_area *area,
				  rb_recompute *recompute,
				  struct vmap_area **surplus)
{
	const struct area_place place = area_tree_place(tree, area);
	struct list *const before = place_list_behind(tree, place);
	struct list *const behind = before->next;
	struct vmap_area *whole = area;

	if (behind != &tree->list) {
		struct vmap_area *const next = area_of_link(behind);

		if (next->va_start == area->va_end) {
			next->va_start = area->va_start;
			next->merged += area->merged;
			surplus_push(surplus, area);
			whole = next;
		}
	}
	if (before != &tree->list) {
		struct vmap_area *const previous = area_of_link(before);

		if (previous->va_end == whole->va_start) {
			if (whole != area)
				area_tree_remove(tree, whole, recompute);
			previous->va_end = whole->va_end;
			previous->merged += whole->merged;
			surplus_push(surplus, whole);
			whole = previous;
		}
	}
	if (whole == area)
		area_tree_add_at(tree, area, place, recompute);
	return whole;
}

struct vmap_area *area_tree_find(const struct area_tree *tree,
				 uintptr_t address)
{
	struct rb_node *node = tree->root.node;

	while (node) {
		struct vmap_area *const area = area_of_rb(node);

		if (address < area->va_start)
			node = node->left;
		else if (address >= area->va_end)
			node = node->right;
		else
			return area;
	}
	return NULL;
}

struct vmap_area *area_tree_find_next(const struct area_tree *tree,
				      uintptr_t address)
{
	struct vmap_area *next = NULL;
	struct rb_node *node = tree->root.node;

	while (node) {
		struct vmap_area *const area = area_of_rb(node);

		if (area->va_end > address) {
			next = area;
			if (area->va_start <= address)
				break;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return next;
}

struct vmap_area *area_tree_take_all(struct area_tree *tree)
{
	struct vmap_area *chain = NULL;

	for (struct list *link = tree->list.prev; link != &tree->list;
	     link = link->prev) {
		struct vmap_area *const area = area_of_link(link);

		area->purge_next = chain;
		chain = area;
	}
	area_tree_init(tree);
	return chain;
}

void area_tree_check(const struct area_tree *tree)
{
	struct rb_node *node = rb_first(&tree->root);
	uintptr_t end = 0;

	rb_check(&tree->root);
	list_for_each (link, &tree->list) {
		const struct vmap_area *const area = area_of_link(link);

		require_invariant(area->va_start < area->va_end, "T1");
		require_invariant(area->va_start >= end, "T1");
		require_invariant(node == &area->rb, "T2");
		require_invariant(link->next->prev == link, "T2");
		end = area->va_end;
		node = rb_next(node);
	}
	require_invariant(node == NULL, "T2");
}

void area_tree_check_apart(const struct area_tree *tree)
{
	uintptr_t end = 0;

	area_tree_check(tree);
	list_for_each (link, &tree->list) {
		const struct vmap_area *const area = area_of_link(link);

		require_invariant(area->va_start > end, "T3");
		end = area->va_end;
	}
}
