/* SPDX-License-Identifier: MIT */
/*
 * rbtree.h - an intrusive red-black tree, plain or augmented.
 *
 * The five properties (Bayer 1972; Guibas and Sedgewick 1978):
 *
 *   R1  a node is red or black;
 *   R2  the root is black;
 *   R3  an empty subtree is black;
 *   R4  a red node has no red child;
 *   R5  every way from a node down to an empty subtree has as many black nodes.
 *
 * The caller searches and compares, remembering the parent and the link it
 * came through, and hands both to rb_insert(): no compare function is called
 * through a pointer.  An augmented tree keeps in each node a value that is a
 * function of the node and its two children; rb_insert() and rb_remove() call
 * `recompute` (NULL in a plain tree) on every node whose children changed and
 * then upward until a value stays as it was.
 *
 * Who may run with whom: one writer alone, or any number of readers.
 */
#ifndef LFV_VA_RBTREE_H
#define LFV_VA_RBTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The lowest bit of parent_color is 1 for black; nodes are aligned to it. */
struct rb_node {
	uintptr_t parent_color;
	struct rb_node *left;
	struct rb_node *right;
};

struct rb_root {
	struct rb_node *node;
};

/*
 * rb_recompute - set the node's value from its own and its children's; true if
 * it changed.
 */
typedef bool rb_recompute(struct rb_node *node);

static inline struct rb_node *rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_color & ~(uintptr_t)1);
}

/*
 * rb_insert - add `node` at *link, an empty place below `parent`.
 *
 * The node's own value must be set; values upward are made right here.
 */
void rb_insert(struct rb_root *root, struct rb_node *node,
	       struct rb_node *parent, struct rb_node **link,
	       rb_recompute *recompute);

void rb_remove(struct rb_root *root, struct rb_node *node,
	       rb_recompute *recompute);

/* rb_propagate - recompute upward from `node` until a value stays as it was. */
void rb_propagate(struct rb_node *node, rb_recompute *recompute);

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/* rb_check - abort with the number of the first property that does not hold. */
void rb_check(const struct rb_root *root);

#endif
