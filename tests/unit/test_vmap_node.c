/* SPDX-License-Identifier: MIT */
/*
 * test_vmap_node.c - node ids, and what a node checks and counts.
 */
#include <stdlib.h>

#include "va_world.h"

#include "va/vmap_node.h"

static void node_ids_lie_above_the_low_byte(void **state)
{
	const struct vmap_node_id first = { 0 };
	const struct vmap_node_id last = { NODES_MAX - 1 };

	(void)state;
	assert_int_equal(node_id_encode(first), 0x100);
	assert_int_equal(node_id_encode(last), 0x8000);
	assert_int_equal(node_id_decode(node_id_encode(last)).value, 127);
	assert_true(node_id_is_valid(0x100));
	assert_false(node_id_is_valid(0));
	assert_false(node_id_is_valid(0xff)); /* Linux's other flags */
}

struct node_setting {
	struct vmap_node node;
	struct vmap_area areas[3];
};

static struct node_setting *node_begin(void)
{
	const struct va_config config = { .os = &os_linux,
					  .lock = lock_find("pthread-spin") };
	struct node_setting *const setting =
		aligned_alloc(FALSE_SHARING_BYTES, sizeof(*setting));

	assert_non_null(setting);
	memset(setting, 0, sizeof(*setting));
	assert_int_equal(vmap_node_init(&setting->node, &config), 0);
	for (long i = 0; i < 3; i++) {
		setting->areas[i].va_start = address_of(10 * i);
		setting->areas[i].va_end = address_of(10 * i + 4);
	}
	return setting;
}

/* The areas are the test's own: taken out before fini gives them back. */
static void node_end(struct node_setting *setting)
{
	area_tree_init(&setting->node.busy);
	area_tree_init(&setting->node.lazy);
	list_init(&setting->node.pools[3].ranges);
	store_relaxed(&setting->node.pools[3].len, 0);
	vmap_node_fini(&setting->node);
	free(setting);
}

static void wrong_size_check(void *context)
{
	struct node_setting *const setting = context;

	setting->areas[2].va_end += PAGE_SIZE;
	vmap_node_check(&setting->node);
}

static void wrong_len_check(void *context)
{
	struct node_setting *const setting = context;

	store_relaxed(&setting->node.pools[3].len, 2);
	vmap_node_check(&setting->node);
}

static void overlap_check(void *context)
{
	struct node_setting *const setting = context;

	setting->areas[0].va_end = setting->areas[0].va_start;
	vmap_node_check(&setting->node);
}

static void check_aborts_by_number_and_statistics_count(void **state)
{
	struct node_setting *const setting = node_begin();
	struct va_stats stats = { 0 };

	(void)state;
	area_tree_add(&setting->node.busy, &setting->areas[0]);
	area_tree_add(&setting->node.lazy, &setting->areas[1]);
	assert_true(vmap_pool_give(&setting->node, &setting->areas[2]));
	vmap_node_check(&setting->node);
	vmap_node_stats(&setting->node, &stats);
	assert_int_equal(stats.live_areas, 1);
	assert_int_equal(stats.live_pages, 4);
	assert_int_equal(stats.pool_pages, 4);
	assert_int_equal(stats.locks_entered, 1); /* the pool's */
	assert_true(aborts_saying(wrong_size_check, setting, "invariant N1"));
	assert_true(aborts_saying(wrong_len_check, setting, "invariant N2"));
	assert_true(aborts_saying(overlap_check, setting, "invariant T1"));
	node_end(setting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(node_ids_lie_above_the_low_byte),
		cmocka_unit_test(check_aborts_by_number_and_statistics_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
