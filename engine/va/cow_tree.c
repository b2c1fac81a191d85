/* SPDX-License-Identifier: MIT */
/*
 * cow_tree.c - join, and what is made of it.
 *
 * Inside a change subtrees may have red roots: V1 to V3 hold for them, V4 only
 * for the whole.  Functions take subtrees old, new, or mixed; what they return
 * is whole.
 */
#include "va/cow_tree.h"

#include "base/check.h"

static bool is_red(const struct cow_node *node)
{
	return node != NULL && node->is_red;
}

static unsigned black_height(const struct cow_node *node)
{
	return node == NULL ? 0 : node->black_height;
}

/* set_black_height - of an own node, from its children and color. */
static void set_black_height(struct cow_node *node)
{
	assert(black_height(node->left) == black_height(node->right)); /* V3 */
	node->black_height =
		(black_height(node->left) + !node->is_red) & COW_HEIGHT_MASK;
}

/* link_up - edit a node to have these children and this color. */
static struct cow_node *link_up(struct cow_update *update,
				struct cow_node *node, struct cow_node *left,
				struct cow_node *right, bool red)
{
	struct cow_node *const own = cow_update_edit(update, node);

	own->left = left;
	own->right = right;
	own->is_red = red;
	set_black_height(own);
	return own;
}

static struct cow_node *blacken(struct cow_update *update,
				struct cow_node *node)
{
	return is_red(node)
		       ? link_up(update, node, node->left, node->right, false)
		       : node;
}

/*
 * join_right - hang (node, right) into the right spine of the higher `left`.
 *
 * `right` is black.  The result is as high as `left`; it alone may be red with
 * a red right child, which the caller's black node or root puts right.
 */
static struct cow_node *join_right(struct cow_update *update,
				   struct cow_node *left, struct cow_node *node,
				   struct cow_node *right)
{
	if (!is_red(left) && black_height(left) == black_height(right))
		return link_up(update, node, left, right, true);

	struct cow_node *const own = cow_update_edit(update, left);
	struct cow_node *const below =
		join_right(update, own->right, node, right);

	own->right = below;
	if (own->is_red || !below->is_red || !is_red(below->right))
		return own;
	/* Black over red over red: turned left, red over two black ones. */
	below->right = blacken(update, below->right);
	own->right = below->left;
	set_black_height(own);
	below->left = own;
	set_black_height(below);
	return below;
}

/* join_left - the mirror image. */
static struct cow_node *join_left(struct cow_update *update,
				  struct cow_node *left, struct cow_node *node,
				  struct cow_node *right)
{
	if (!is_red(right) && black_height(right) == black_height(left))
		return link_up(update, node, left, right, true);

	struct cow_node *const own = cow_update_edit(update, right);
	struct cow_node *const below = join_left(update, left, node, own->left);

	own->left = below;
	if (own->is_red || !below->is_red || !is_red(below->left))
		return own;
	below->left = blacken(update, below->left);
	own->left = below->right;
	set_black_height(own);
	below->right = own;
	set_black_height(below);
	return below;
}

/*
 * join - the tree of `left`, `node`, `right`, in this order.
 *
 * Where there is a choice it has black height `height`, so that what lies above
 * need not change; it may come out one off, or more after a batch.
 */
static struct cow_node *join(struct cow_update *update, struct cow_node *left,
			     struct cow_node *node, struct cow_node *right,
			     unsigned height)
{
	if (black_height(left) < black_height(right))
		left = blacken(update, left);
	if (black_height(right) < black_height(left))
		right = blacken(update, right);

	if (black_height(left) == black_height(right)) {
		const bool red = black_height(left) >= height &&
				 !is_red(left) && !is_red(right);

		return link_up(update, node, left, right, red);
	}

	struct cow_node *root = black_height(left) > black_height(right)
					? join_right(update, left, node, right)
					: join_left(update, left, node, right);

	if (root->black_height < height || is_red(root->left) ||
	    is_red(root->right))
		root = blacken(update, root);
	return root;
}

/* split_last - *last is the highest node, still linked; returns the rest. */
static struct cow_node *split_last(struct cow_update *update,
				   struct cow_node *node,
				   struct cow_node **last)
{
	if (node->right == NULL) {
		*last = node;
		return node->left;
	}

	const unsigned height = node->black_height;
	struct cow_node *const rest = split_last(update, node->right, last);

	return join(update, node->left, node, rest, height);
}

/* join_two - as join(), with nothing between them. */
static struct cow_node *join_two(struct cow_update *update,
				 struct cow_node *left, struct cow_node *right,
				 unsigned height)
{
	struct cow_node *last;

	if (left == NULL || right == NULL)
		return left == NULL ? right : left;
	left = split_last(update, left, &last);
	return join(update, left, last, right, height);
}

/* below - the areas of a sorted batch that begin before `first`. */
static size_t below(struct cow_batch batch, uint32_t first)
{
	size_t begin = 0;
	size_t end = batch.count;

	while (begin < end) {
		const size_t middle = begin + (end - begin) / 2;

		if (batch.areas[middle].first < first)
			begin = middle + 1;
		else
			end = middle;
	}
	return begin;
}

static struct cow_batch part(struct cow_batch batch, size_t begin, size_t end)
{
	return (struct cow_batch){ batch.areas + begin, end - begin };
}

static uint64_t area_end(const struct cow_area *area)
{
	return (uint64_t)area->first + area->pages;
}

/* build - a tree of nothing but the batch. */
static struct cow_node *build(struct cow_update *update, struct cow_batch batch)
{
	if (batch.count == 0)
		return NULL;

	const size_t middle = batch.count / 2;
	const struct cow_area *const area = &batch.areas[middle];
	struct cow_node *const left = build(update, part(batch, 0, middle));
	struct cow_node *const right =
		build(update, part(batch, middle + 1, batch.count));
	struct cow_node *const node = cow_update_make(update);

	require_invariant(middle == 0 || area_end(area - 1) <= area->first,
			  "V1");
	node->first = area->first & COW_FIRST_MASK;
	node->pages = area->pages;
	return join(update, left, node, right, black_height(left));
}

static struct cow_node *add(struct cow_update *update, struct cow_node *node,
			    struct cow_batch batch)
{
	if (batch.count == 0)
		return node;
	if (node == NULL)
		return build(update, batch);

	const size_t middle = below(batch, node->first);

	require_invariant(middle == 0 || area_end(&batch.areas[middle - 1]) <=
						 node->first,
			  "V1");
	require_invariant(middle == batch.count ||
				  cow_node_end(node) <=
					  batch.areas[middle].first,
			  "V1");

	struct cow_node *const left =
		add(update, node->left, part(batch, 0, middle));
	struct cow_node *const right =
		add(update, node->right, part(batch, middle, batch.count));

	return join(update, left, node, right, node->black_height);
}

static struct cow_node *remove_from(struct cow_update *update,
				    struct cow_node *node,
				    struct cow_batch batch)
{
	if (batch.count == 0)
		return node;
	require(node != NULL && "removed areas are there");

	const size_t middle = below(batch, node->first);
	const bool is_hit = middle < batch.count &&
			    batch.areas[middle].first == node->first;
	struct cow_node *const left =
		remove_from(update, node->left, part(batch, 0, middle));
	struct cow_node *const right = remove_from(
		update, node->right, part(batch, middle + is_hit, batch.count));

	if (!is_hit)
		return join(update, left, node, right, node->black_height);
	cow_update_drop(update, node);
	return join_two(update, left, right, node->black_height);
}

struct cow_node *cow_tree_add(struct cow_update *update, struct cow_node *root,
			      struct cow_batch batch)
{
	return blacken(update, add(update, root, batch)); /* V4 */
}

struct cow_node *cow_tree_remove(struct cow_update *update,
				 struct cow_node *root, struct cow_batch batch)
{
	return blacken(update, remove_from(update, root, batch)); /* V4 */
}

const struct cow_node *cow_tree_find_next(const struct cow_node *root,
					  uint64_t page)
{
	const struct cow_node *best = NULL;

	for (const struct cow_node *node = root; node != NULL;) {
		if (cow_node_end(node) > page) {
			best = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

void cow_tree_walk(const struct cow_node *root, cow_visit *visit, void *context)
{
	if (root == NULL)
		return;
	cow_tree_walk(root->left, visit, context);
	visit(context, root);
	cow_tree_walk(root->right, visit, context);
}

/* check_below - V1, V2, V3, V5 inside [begin, end]; the number of areas. */
static size_t check_below(const struct cow_node *node, uint64_t begin,
			  uint64_t end)
{
	if (node == NULL)
		return 0;
	require_invariant(begin <= node->first && node->pages > 0 &&
				  cow_node_end(node) <= end,
			  "V1");
	require_invariant(!node->is_red ||
				  (!is_red(node->left) && !is_red(node->right)),
			  "V2");
	require_invariant(
		black_height(node->left) == black_height(node->right) &&
			node->black_height ==
				black_height(node->left) + !node->is_red,
		"V3");
	require_invariant(!node->is_own, "V5");
	return check_below(node->left, begin, node->first) + 1 +
	       check_below(node->right, cow_node_end(node), end);
}

size_t cow_tree_check(const struct cow_node *root)
{
	require_invariant(!is_red(root), "V4");
	return check_below(root, 0, UINT64_MAX);
}
