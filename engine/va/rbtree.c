/* SPDX-License-Identifier: MIT */
/*
 * rbtree.c - insertion and removal after Cormen, Leiserson, Rivest and Stein,
 * "Introduction to Algorithms", chapter 13; there is no sentinel: an empty
 * subtree is NULL, and a place in the tree is a parent and a side.
 *
 * Mirrored cases are one piece of code with a side, which the compiler turns
 * into address arithmetic.
 *
 * An augmented value stays right because of three facts: a rotation leaves the
 * set of nodes below its top as it was, so only the two nodes that turned are
 * recomputed; everything else that changes is on one way to the root; and a
 * node that took another's place is recomputed without regard to whether its
 * own value changed, for the nodes above remember its predecessor's.
 */
#include "va/rbtree.h"

#include "base/check.h"

enum side { LEFT, RIGHT };

static const uintptr_t BLACK = 1;

static inline bool is_red(const struct rb_node *node)
{
	return node && !(node->parent_color & BLACK); /* R3 */
}

static inline enum side side_other(enum side side)
{
	return side == LEFT ? RIGHT : LEFT;
}

static inline struct rb_node **child_link(struct rb_node *node, enum side side)
{
	return side == LEFT ? &node->left : &node->right;
}

static inline struct rb_node *child_of(const struct rb_node *node,
				       enum side side)
{
	return side == LEFT ? node->left : node->right;
}

static inline void parent_set(struct rb_node *node, struct rb_node *parent)
{
	node->parent_color = (uintptr_t)parent | (node->parent_color & BLACK);
}

static inline void color_black(struct rb_node *node)
{
	node->parent_color |= BLACK;
}

static inline void color_red(struct rb_node *node)
{
	node->parent_color &= ~BLACK;
}

/* Put `with`, which may be NULL, where `node` hangs; `node` is left as it is.
 */
static inline void node_replace(struct rb_root *root,
				const struct rb_node *node,
				struct rb_node *with)
{
	struct rb_node *const parent = rb_parent(node);

	if (!parent)
		root->node = with;
	else if (parent->left == node)
		parent->left = with;
	else
		parent->right = with;
	if (with)
		parent_set(with, parent);
}

/*
 * node_rotate - `node` goes down to `side`, its other child comes up.
 *
 *	    node               pivot
 *	   /    \     LEFT     /    \
 *	  a    pivot   -->   node    c
 *	       /   \         /  \
 *	  inner     c       a  inner
 */
static inline void node_rotate(struct rb_root *root, struct rb_node *node,
			       enum side side, rb_recompute *recompute)
{
	const enum side up = side_other(side);
	struct rb_node *const pivot = child_of(node, up);
	struct rb_node *const inner = child_of(pivot, side);

	*child_link(node, up) = inner;
	if (inner)
		parent_set(inner, node);
	node_replace(root, node, pivot);
	*child_link(pivot, side) = node;
	parent_set(node, pivot);
	if (recompute) {
		(void)recompute(node);
		(void)recompute(pivot);
	}
}

void rb_propagate(struct rb_node *node, rb_recompute *recompute)
{
	while (node && recompute(node))
		node = rb_parent(node);
}

void rb_insert(struct rb_root *root, struct rb_node *node,
	       struct rb_node *parent, struct rb_node **link,
	       rb_recompute *recompute)
{
	assert(((uintptr_t)node & BLACK) == 0);
	assert(*link == NULL);

	node->parent_color = (uintptr_t)parent;
	node->left = NULL;
	node->right = NULL;
	*link = node;
	if (recompute)
		rb_propagate(parent, recompute);

	while (is_red(parent)) {
		/* R2: a red parent is not the root, so there is one above. */
		struct rb_node *const grand = rb_parent(parent);
		const enum side side = parent == grand->left ? LEFT : RIGHT;
		struct rb_node *const uncle = child_of(grand, side_other(side));

		if (is_red(uncle)) {
			color_black(parent);
			color_black(uncle);
			color_red(grand);
			node = grand;
			parent = rb_parent(node);
			continue;
		}
		if (node == child_of(parent, side_other(side))) {
			node_rotate(root, parent, side, recompute);
			parent = node;
		}
		color_black(parent);
		color_red(grand);
		node_rotate(root, grand, side_other(side), recompute);
		break;
	}
	color_black(root->node);
}

/*
 * black_restore - the ways through `node`, a child of `parent` that may be
 * NULL, lack one black node: R5 is mended on the way up.
 */
static void black_restore(struct rb_root *root, struct rb_node *node,
			  struct rb_node *parent, rb_recompute *recompute)
{
	while (parent && !is_red(node)) {
		const enum side side = node == parent->left ? LEFT : RIGHT;
		const enum side other = side_other(side);
		struct rb_node *sibling = child_of(parent, other);

		if (is_red(sibling)) {
			color_black(sibling);
			color_red(parent);
			node_rotate(root, parent, side, recompute);
			sibling = child_of(parent, other);
		}
		struct rb_node *const near = child_of(sibling, side);
		struct rb_node *far = child_of(sibling, other);

		if (!is_red(near) && !is_red(far)) {
			color_red(sibling);
			node = parent;
			parent = rb_parent(node);
			continue;
		}
		if (!is_red(far)) {
			color_black(near);
			color_red(sibling);
			node_rotate(root, sibling, other, recompute);
			far = sibling;
			sibling = near;
		}
		if (is_red(parent))
			color_red(sibling);
		else
			color_black(sibling);
		color_black(parent);
		color_black(far);
		node_rotate(root, parent, side, recompute);
		return;
	}
	if (node)
		color_black(node);
}

/*
 * heir_take_place - the node after `node`, which has two children, leaves its
 * own place and takes that of `node`.
 *
 * *child and *parent become the place it left; true if a black node is missing
 * there now.
 */
static bool heir_take_place(struct rb_root *root, struct rb_node *node,
			    struct rb_node *heir, struct rb_node **child,
			    struct rb_node **parent)
{
	const bool black_lost = !is_red(heir);
	struct rb_node *const above = rb_parent(heir);

	*child = heir->right;
	*parent = above == node ? heir : above;
	if (above != node) {
		above->left = heir->right;
		if (heir->right)
			parent_set(heir->right, above);
		heir->right = node->right;
		parent_set(heir->right, heir);
	}
	heir->left = node->left;
	parent_set(heir->left, heir);
	node_replace(root, node, heir);
	heir->parent_color = node->parent_color;
	return black_lost;
}

void rb_remove(struct rb_root *root, struct rb_node *node,
	       rb_recompute *recompute)
{
	struct rb_node *parent = rb_parent(node);
	struct rb_node *child = node->left ? node->left : node->right;
	struct rb_node *heir = NULL;
	bool black_lost = !is_red(node);

	if (node->left && node->right) {
		heir = node->right;
		while (heir->left)
			heir = heir->left;
		black_lost = heir_take_place(root, node, heir, &child, &parent);
	} else {
		node_replace(root, node, child);
	}
	if (recompute) {
		rb_propagate(parent, recompute);
		if (heir) {
			(void)recompute(heir);
			rb_propagate(rb_parent(heir), recompute);
		}
	}
	if (black_lost)
		black_restore(root, child, parent, recompute);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->node;

	while (node && node->left)
		node = node->left;
	return node;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *node = root->node;

	while (node && node->right)
		node = node->right;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	if (node->right) {
		const struct rb_root right = { node->right };

		return rb_first(&right);
	}
	struct rb_node *parent = rb_parent(node);

	while (parent && node == parent->right) {
		node = parent;
		parent = rb_parent(node);
	}
	return parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	if (node->left) {
		const struct rb_root left = { node->left };

		return rb_last(&left);
	}
	struct rb_node *parent = rb_parent(node);

	while (parent && node == parent->left) {
		node = parent;
		parent = rb_parent(node);
	}
	return parent;
}

/* The black nodes on any way down from `node`, whose parent is `parent`. */
static unsigned black_height_check(const struct rb_node *node,
				   const struct rb_node *parent)
{
	if (!node)
		return 0;
	require(rb_parent(node) == parent);
	require_invariant(!(is_red(node) && is_red(node->left)), "R4");
	require_invariant(!(is_red(node) && is_red(node->right)), "R4");

	const unsigned left = black_height_check(node->left, node);
	const unsigned right = black_height_check(node->right, node);

	require_invariant(left == right, "R5");
	return left + (is_red(node) ? 0 : 1);
}

void rb_check(const struct rb_root *root)
{
	require_invariant(!is_red(root->node), "R2");
	(void)black_height_check(root->node, NULL);
}
