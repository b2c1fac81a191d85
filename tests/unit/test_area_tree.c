/* SPDX-License-Identifier: MIT */
/*
 * test_area_tree.c - order, neighbours, merging, lookup of a tree of areas.
 */
#include <stdlib.h>

#include "va_world.h"

#include "va/area_tree.h"

enum { AREAS = 64, STEPS = 4000 };

struct grove {
	struct area_tree tree;
	struct vmap_area areas[AREAS];
};

static struct vmap_area *area_set(struct grove *grove, unsigned i, long start,
				  long end)
{
	struct vmap_area *const area = &grove->areas[i];

	*area = (struct vmap_area){
		.va_start = address_of(start),
		.va_end = address_of(end),
		.merged = 1,
	};
	return area;
}

static struct grove *grove_begin(void)
{
	struct grove *const grove = calloc(1, sizeof(*grove));

	assert_non_null(grove);
	area_tree_init(&grove->tree);
	return grove;
}

static void list_follows_the_order_of_addresses(void **state)
{
	/* Each order of insertion: left and right children, and a rotation. */
	static const long orders[][5] = {
		{ 0, 1, 2, 3, 4 },
		{ 4, 3, 2, 1, 0 },
		{ 2, 0, 4, 1, 3 },
		{ 3, 4, 1, 0, 2 },
	};

	(void)state;
	for (unsigned row = 0; row < 4; row++) {
		struct grove *const grove = grove_begin();

		for (unsigned i = 0; i < 5; i++) {
			const long start = 2 * orders[row][i];

			area_tree_add(&grove->tree,
				      area_set(grove, i, start, start + 1));
			area_tree_check_apart(&grove->tree);
		}
		area_tree_remove(&grove->tree, &grove->areas[2], NULL);
		area_tree_check_apart(&grove->tree);
		free(grove);
	}
}

static void overlap_add(void *context)
{
	struct grove *const grove = context;

	area_tree_add(&grove->tree, area_set(grove, 1, 12, 13));
}

static void adding_an_overlap_aborts(void **state)
{
	struct grove *const grove = grove_begin();

	(void)state;
	area_tree_add(&grove->tree, area_set(grove, 0, 10, 20));
	assert_true(aborts_saying(overlap_add, grove, "invariant T1"));
	free(grove);
}

static void disorder_check(void *context)
{
	struct grove *const grove = context;

	list_remove(&grove->areas[0].link);
	list_add_tail(&grove->tree.list, &grove->areas[0].link);
	area_tree_check(&grove->tree);
}

static void gap_closed_check(void *context)
{
	struct grove *const grove = context;

	grove->areas[0].va_end = grove->areas[1].va_start;
	area_tree_check(&grove->tree);
	area_tree_check_apart(&grove->tree);
}

static void check_sees_disorder_and_touching(void **state)
{
	struct grove *const grove = grove_begin();

	(void)state;
	area_tree_add(&grove->tree, area_set(grove, 0, 10, 20));
	area_tree_add(&grove->tree, area_set(grove, 1, 30, 40));
	assert_true(aborts_saying(disorder_check, grove, "invariant T"));
	assert_true(aborts_saying(gap_closed_check, grove, "invariant T3"));
	area_tree_check_apart(&grove->tree);
	free(grove);
}

static void merge_joins_the_next_first_and_then_the_previous(void **state)
{
	struct grove *const grove = grove_begin();
	struct area_tree *const tree = &grove->tree;
	struct vmap_area *surplus = NULL;
	struct vmap_area *const low = area_set(grove, 0, 10, 20);
	struct vmap_area *const high = area_set(grove, 1, 30, 40);
	struct vmap_area *const below_high = area_set(grove, 2, 28, 30);
	struct vmap_area *const above_low = area_set(grove, 3, 20, 22);
	struct vmap_area *const between = area_set(grove, 4, 22, 28);

	(void)state;
	assert_ptr_equal(area_tree_merge(tree, high, NULL, &surplus), high);
	assert_ptr_equal(area_tree_merge(tree, low, NULL, &surplus), low);
	assert_null(surplus);

	/* Touches the next: that grows down, the newcomer is surplus. */
	assert_ptr_equal(area_tree_merge(tree, below_high, NULL, &surplus),
			 high);
	assert_ptr_equal(surplus, below_high);
	assert_int_equal(page_of(high->va_start), 28);

	/* Touches the previous: that grows up. */
	surplus = NULL;
	assert_ptr_equal(area_tree_merge(tree, above_low, NULL, &surplus), low);
	assert_ptr_equal(surplus, above_low);

	/* Touches both: joined to the next, which the previous swallows. */
	surplus = NULL;
	assert_ptr_equal(area_tree_merge(tree, between, NULL, &surplus), low);
	assert_ptr_equal(surplus, high);
	assert_ptr_equal(surplus->purge_next, between);
	assert_int_equal(page_of(low->va_start), 10);
	assert_int_equal(page_of(low->va_end), 40);
	assert_int_equal(low->merged, 5);
	area_tree_check_apart(tree);
	free(grove);
}

static void find_is_by_containment(void **state)
{
	struct grove *const grove = grove_begin();
	struct area_tree *const tree = &grove->tree;
	struct vmap_area *const low = area_set(grove, 0, 10, 20);
	struct vmap_area *const high = area_set(grove, 1, 30, 40);

	(void)state;
	area_tree_add(tree, low);
	area_tree_add(tree, high);
	assert_null(area_tree_find(tree, address_of(10) - 1));
	assert_ptr_equal(area_tree_find(tree, address_of(10)), low);
	assert_ptr_equal(area_tree_find(tree, address_of(20) - 1), low);
	assert_null(area_tree_find(tree, address_of(20)));

	assert_ptr_equal(area_tree_find_next(tree, 0), low);
	assert_ptr_equal(area_tree_find_next(tree, address_of(20) - 1), low);
	assert_ptr_equal(area_tree_find_next(tree, address_of(20)), high);
	assert_null(area_tree_find_next(tree, address_of(40)));
	free(grove);
}

static void take_all_is_ascending_and_leaves_nothing(void **state)
{
	struct grove *const grove = grove_begin();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const long start = 10 * (long)(3 - i);

		area_tree_add(&grove->tree,
			      area_set(grove, i, start, start + 1));
	}

	const struct vmap_area *const chain = area_tree_take_all(&grove->tree);

	assert_ptr_equal(chain, &grove->areas[2]);
	assert_ptr_equal(chain->purge_next, &grove->areas[1]);
	assert_ptr_equal(chain->purge_next->purge_next, &grove->areas[0]);
	assert_null(grove->areas[0].purge_next);
	assert_true(area_tree_is_empty(&grove->tree));
	assert_null(area_tree_take_all(&grove->tree));
	free(grove);
}

/* The area of slot i is [2i, 2i + 1): an array of flags is the oracle. */
static void random_steps_agree_with_an_array(void **state)
{
	struct grove *const grove = grove_begin();
	bool inside[AREAS] = { false };
	uint64_t random = 0x9e3779b97f4a7c15;

	(void)state;
	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned i = random_below(&random, AREAS);

		if (inside[i])
			area_tree_remove(&grove->tree, &grove->areas[i], NULL);
		else
			area_tree_add(&grove->tree,
				      area_set(grove, i, 2 * (long)i,
					       2 * (long)i + 1));
		inside[i] = !inside[i];
		area_tree_check_apart(&grove->tree);

		const unsigned at = random_below(&random, AREAS);
		unsigned next = at;

		while (next < AREAS && !inside[next])
			next++;
		assert_ptr_equal(
			area_tree_find(&grove->tree, address_of(2 * (long)at)),
			inside[at] ? &grove->areas[at] : NULL);
		assert_ptr_equal(area_tree_find_next(&grove->tree,
						     address_of(2 * (long)at)),
				 next < AREAS ? &grove->areas[next] : NULL);
	}
	free(grove);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_follows_the_order_of_addresses),
		cmocka_unit_test(adding_an_overlap_aborts),
		cmocka_unit_test(check_sees_disorder_and_touching),
		cmocka_unit_test(
			merge_joins_the_next_first_and_then_the_previous),
		cmocka_unit_test(find_is_by_containment),
		cmocka_unit_test(take_all_is_ascending_and_leaves_nothing),
		cmocka_unit_test(random_steps_agree_with_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
