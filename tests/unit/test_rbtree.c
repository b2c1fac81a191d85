/* SPDX-License-Identifier: MIT */
/*
 * test_rbtree.c - the tree against a sorted array: after every step the five
 * properties, the order, both walks and every augmented value are checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"
#include "va/rbtree.h"

enum { ITEMS = 96, STEPS = 6000 };

struct item {
	struct rb_node node;
	unsigned key;
	unsigned weight;
	unsigned weight_max; /* of the subtree */
};

struct forest {
	struct rb_root root;
	struct item items[ITEMS];
	bool inside[ITEMS];
	unsigned count;
	uint64_t random;
};

static struct item *item_of(const struct rb_node *node)
{
	return container_of(node, struct item, node);
}

static unsigned random_below(struct forest *forest, unsigned limit)
{
	forest->random ^= forest->random << 13;
	forest->random ^= forest->random >> 7;
	forest->random ^= forest->random << 17;
	return (unsigned)(forest->random % limit);
}

static unsigned weight_max(const struct rb_node *node)
{
	unsigned most = item_of(node)->weight;

	if (node->left && item_of(node->left)->weight_max > most)
		most = item_of(node->left)->weight_max;
	if (node->right && item_of(node->right)->weight_max > most)
		most = item_of(node->right)->weight_max;
	return most;
}

static bool weight_recompute(struct rb_node *node)
{
	const unsigned most = weight_max(node);
	const bool changed = most != item_of(node)->weight_max;

	item_of(node)->weight_max = most;
	return changed;
}

static void forest_insert(struct forest *forest, unsigned key,
			  rb_recompute *recompute)
{
	struct rb_node **link = &forest->root.node;
	struct rb_node *parent = NULL;
	struct item *const item = &forest->items[key];

	while (*link) {
		parent = *link;
		link = key < item_of(parent)->key ? &parent->left
						  : &parent->right;
	}
	item->key = key;
	/* Few different weights, so that equal values stop many climbs. */
	item->weight = random_below(forest, 8);
	item->weight_max = item->weight;
	rb_insert(&forest->root, &item->node, parent, link, recompute);
	forest->inside[key] = true;
	forest->count++;
}

static void forest_remove(struct forest *forest, unsigned key,
			  rb_recompute *recompute)
{
	rb_remove(&forest->root, &forest->items[key].node, recompute);
	/* Whoever still looks at it is found out. */
	memset(&forest->items[key].node, 0x5a, sizeof(struct rb_node));
	forest->inside[key] = false;
	forest->count--;
}

static void forest_check(const struct forest *forest, bool augmented)
{
	rb_check(&forest->root);

	const struct rb_node *node = rb_first(&forest->root);

	for (unsigned key = 0; key < ITEMS; key++) {
		if (!forest->inside[key])
			continue;
		assert_ptr_equal(node, &forest->items[key].node);
		if (augmented)
			assert_int_equal(forest->items[key].weight_max,
					 weight_max(node));
		node = rb_next(node);
	}
	assert_null(node);

	node = rb_last(&forest->root);
	for (unsigned key = ITEMS; key-- > 0;) {
		if (!forest->inside[key])
			continue;
		assert_ptr_equal(node, &forest->items[key].node);
		node = rb_prev(node);
	}
	assert_null(node);
}

/* Insert and remove at random, in waves that fill the tree and empty it. */
static void forest_churn(struct forest *forest, rb_recompute *recompute)
{
	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned lean = step / 500 % 2 == 0 ? 10 : 6;
		const unsigned key = random_below(forest, ITEMS);
		const bool insert = random_below(forest, 16) < lean;

		if (insert && !forest->inside[key])
			forest_insert(forest, key, recompute);
		else if (!insert && forest->inside[key])
			forest_remove(forest, key, recompute);
		forest_check(forest, recompute != NULL);
	}
}

static void an_empty_tree_has_no_first_and_no_last(void **state)
{
	(void)state;
	const struct rb_root root = { NULL };

	rb_check(&root);
	assert_null(rb_first(&root));
	assert_null(rb_last(&root));
}

static void a_plain_tree_stays_sorted_and_balanced(void **state)
{
	(void)state;
	struct forest forest = { .random = 0x9e3779b97f4a7c15 };

	forest_churn(&forest, NULL);
}

static void an_augmented_tree_keeps_every_subtree_value(void **state)
{
	(void)state;
	struct forest forest = { .random = 0xd1b54a32d192ed03 };

	forest_churn(&forest, weight_recompute);
}

static void ascending_and_descending_runs_fill_and_empty_it(void **state)
{
	(void)state;
	struct forest forest = { .random = 1 };

	for (unsigned key = 0; key < ITEMS; key++) {
		forest_insert(&forest, key, weight_recompute);
		forest_check(&forest, true);
	}
	for (unsigned key = ITEMS; key-- > 0;) {
		forest_remove(&forest, key, weight_recompute);
		forest_check(&forest, true);
	}
	assert_null(forest.root.node);
	assert_int_equal(forest.count, 0);
}

static void propagate_carries_a_changed_value_to_the_root(void **state)
{
	(void)state;
	struct forest forest = { .random = 7 };

	for (unsigned key = 0; key < ITEMS; key++)
		forest_insert(&forest, key, weight_recompute);
	forest.items[ITEMS - 1].weight = 1000;
	rb_propagate(&forest.items[ITEMS - 1].node, weight_recompute);
	assert_int_equal(item_of(forest.root.node)->weight_max, 1000);
	forest_check(&forest, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_tree_has_no_first_and_no_last),
		cmocka_unit_test(a_plain_tree_stays_sorted_and_balanced),
		cmocka_unit_test(an_augmented_tree_keeps_every_subtree_value),
		cmocka_unit_test(
			ascending_and_descending_runs_fill_and_empty_it),
		cmocka_unit_test(propagate_carries_a_changed_value_to_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
