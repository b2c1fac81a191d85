/* SPDX-License-Identifier: MIT */
/*
 * cow_tree.h - a persistent red-black tree of disjoint areas.
 *
 * A tree is a pointer to its root.  A change makes a new root beside the old
 * one: both are whole trees, which share all that did not change.  So whoever
 * has a root has a snapshot, and walks it without a look at anything else.
 *
 *	  old root           new root
 *	     (8)                (8')
 *	    /   \              /    \
 *	  (4)    (12)        (4')   (12)   the same (12) and (2) in both;
 *	  / \                / \           5 is new, and what leads to it
 *	(2) (6)            (2) (6')        has a successor
 *	                       /
 *	                     (5)
 *
 * Nodes have no link upward.  For a tree of areas [first, first + pages):
 *
 *   V1  in order, each area ends where the next one begins, or before;
 *   V2  a red node has black children; an empty tree is black;
 *   V3  every way down from a node meets as many black nodes, of which
 *       black_height is the number, itself included;
 *   V4  the root is black;
 *   V5  no node is own: a tree that can be seen does not change.
 *
 * Every change is made of one function: join(left, node, right) puts two trees
 * and a node between them together in time O(difference of black heights)
 * (Adams 1992; Blelloch, Ferizovic, Sun, "Just Join for Parallel Ordered Sets",
 * 2016).  A change by a sorted batch goes through the tree once, whatever the
 * size of the batch, and touches each node at most once; one area is a batch of
 * one.
 *
 * COW_AREA_CELLS is the most cells that a change by one area has in use.  A
 * zone has 2^18 areas at most, hence black heights up to 18.  Each black level
 * on the way down costs up to three cells where an area is added (itself, a red
 * node below it, the sibling that is recolored) and two where one is removed;
 * then the new node, a rotation, a grave, and tickets.  An update that took
 * more would abort (Q2).
 *
 * Who may run with whom: a change is its thread's; reads of published trees by
 * anyone, inside an RCU section.
 *
 * Progress: wait-free, all; what a change needs was counted out before.
 */
#ifndef LFV_VA_COW_TREE_H
#define LFV_VA_COW_TREE_H

#include "va/cow_update.h"

enum {
	COW_ZONE_PAGES_SHIFT = 18, /* 1 GiB */
	COW_ZONE_PAGES = 1 << COW_ZONE_PAGES_SHIFT,
	COW_AREA_CELLS = 64,
};

/* cow_area - a member of a batch. */
struct cow_area {
	uint32_t first; /* page of the zone */
	uint32_t pages; /* all of them in the zone */
};

/* cow_batch - areas in ascending order, none overlapping another. */
struct cow_batch {
	const struct cow_area *areas;
	size_t count;
};

/*
 * cow_tree_add - the tree with these areas too; none of them overlaps any.
 *
 * At most COW_AREA_CELLS an area.
 */
struct cow_node *cow_tree_add(struct cow_update *update, struct cow_node *root,
			      struct cow_batch batch);

/* cow_tree_remove - the tree without these areas; all of them are there. */
struct cow_node *cow_tree_remove(struct cow_update *update,
				 struct cow_node *root, struct cow_batch batch);

/* cow_node_end - the page after the area. */
static inline uint64_t cow_node_end(const struct cow_node *node)
{
	return (uint64_t)node->first + node->pages;
}

/*
 * cow_tree_find_next - the lowest area that ends above `page`, or NULL.
 *
 * `page` counts from the zone's begin, and may lie behind its end.
 */
const struct cow_node *cow_tree_find_next(const struct cow_node *root,
					  uint64_t page);

/* cow_tree_find - the area that covers `page`, or NULL. */
static inline const struct cow_node *cow_tree_find(const struct cow_node *root,
						   uint64_t page)
{
	const struct cow_node *const node = cow_tree_find_next(root, page);

	return node != NULL && node->first <= page ? node : NULL;
}

typedef void cow_visit(void *context, const struct cow_node *node);

/* cow_tree_walk - every area, ascending. */
void cow_tree_walk(const struct cow_node *root, cow_visit *visit,
		   void *context);

/* cow_tree_check - V1 to V5; returns the number of areas. */
size_t cow_tree_check(const struct cow_node *root);

#endif
