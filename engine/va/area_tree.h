/* SPDX-License-Identifier: MIT */
/*
 * area_tree.h - areas in the order of their addresses: a red-black tree to
 * search and, beside it, a sorted list to walk.
 *
 * The busy and lazy indexes of the generations since 5.2 are such trees; a
 * tree of holes (va/free_tree.h) is one whose nodes carry a sum as well.
 *
 *   T1  areas are not empty and do not overlap;
 *   T2  the list holds the tree's areas, in the tree's order;
 *   T3  in a tree that is only added to by area_tree_merge(), no two areas
 *       touch.
 *
 * T1 is required, not asserted, of each area that is added: an overlap means
 * that a range has two owners.
 *
 * A place in the tree is a parent and a link below it.  The neighbour in the
 * list follows from the same two: an area that becomes a left child comes right
 * before its parent, a right child right behind it.  So the list costs no
 * search (Linux 2.6.28 took the tree's predecessor instead; this is 5.2).
 *
 * Who may run with whom: one writer alone, or any number of readers.
 */
#ifndef LFV_VA_AREA_TREE_H
#define LFV_VA_AREA_TREE_H

#include "va/area.h"

struct area_tree {
	struct rb_root root;
	struct list list;
};

/* area_place - where an area that is in no tree belongs. */
struct area_place {
	struct rb_node *parent; /* NULL: the tree is empty */
	struct rb_node **link;
};

void area_tree_init(struct area_tree *tree);

static inline bool area_tree_is_empty(const struct area_tree *tree)
{
	return tree->root.node == NULL;
}

/*
 * area_tree_place - the place of `area`, searched from the root.
 *
 * Aborts with T1 when it overlaps what is there.
 */
struct area_place area_tree_place(struct area_tree *tree,
				  const struct vmap_area *area);

/*
 * area_tree_place_below - as above, searched from a node that is known to lie
 * on the way.
 */
struct area_place area_tree_place_below(struct rb_node *from,
					const struct vmap_area *area);

/*
 * area_tree_add_at - add an area at its place; `recompute` is NULL in a plain
 * tree, as for rb_insert().
 */
void area_tree_add_at(struct area_tree *tree, struct vmap_area *area,
		      struct area_place place, rb_recompute *recompute);

static inline void area_tree_add(struct area_tree *tree, struct vmap_area *area)
{
	area_tree_add_at(tree, area, area_tree_place(tree, area), NULL);
}

void area_tree_remove(struct area_tree *tree, struct vmap_area *area,
		      rb_recompute *recompute);

/*
 * area_tree_merge - add an area, making it one with the neighbours it touches:
 * first with the next, which grows down, then with the previous, which grows
 * up (and swallows the next, if that was merged).
 *
 * Returns the area that covers the range now; its value in an augmented tree
 * is the caller's to propagate.  Descriptors that are no longer needed, two at
 * most, are pushed to the chain *surplus through purge_next.  `merged` of the
 * areas adds up.
 */
struct vmap_area *area_tree_merge(struct area_tree *tree,
				  struct vmap_area *area,
				  rb_recompute *recompute,
				  struct vmap_area **surplus);

/* area_tree_find - the area that covers `address`, or NULL. */
struct vmap_area *area_tree_find(const struct area_tree *tree,
				 uintptr_t address);

/* area_tree_find_next - the lowest area that ends above `address`, or NULL. */
struct vmap_area *area_tree_find_next(const struct area_tree *tree,
				      uintptr_t address);

/*
 * area_tree_take_all - empty the tree; its areas, ascending, chained by
 * purge_next.
 */
struct vmap_area *area_tree_take_all(struct area_tree *tree);

/* area_tree_check - abort with the first of T1 and T2 that does not hold. */
void area_tree_check(const struct area_tree *tree);

/* area_tree_check_apart - as above, and T3. */
void area_tree_check_apart(const struct area_tree *tree);

#endif
