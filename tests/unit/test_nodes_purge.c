/* SPDX-License-Identifier: MIT */
/*
 * test_nodes_purge.c - where a purge takes from and what it gives to.
 *
 * Four nodes; the thread stays on one CPU, whose node is `home`.
 */
#include "va_home.h"

#include "va/strategies.h"

static void purged_range_goes_to_the_pool_of_the_node_that_asked(void **state)
{
	struct world world;

	(void)state;
	/* Slots of 16 pages: 0 to 15 hash to node 0, 16 to 31 to node 1. */
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 16), 0);
	assert_int_equal(world_alloc(&world, 16), 16);
	assert_int_equal(world_alloc(&world, 16), 32);
	assert_int_equal(world_alloc(&world, 16), 48);
	for (long page = 0; page < 64; page += 16)
		world_free(&world, page);
	/* All four addresses, all four in the node of the allocating CPU. */
	assert_int_equal(lazy_count(&world, home()), 4);
	assert_int_equal(world_purge(&world, VA_PURGE_DECAY), 4);
	assert_int_equal(pool_len(&world, home(), 16), 4);
	assert_int_equal(world_stats(&world).pool_pages, 64);
	/* Ascending into the pool, so the highest comes out first. */
	assert_int_equal(world_alloc(&world, 16), 48);
	assert_int_equal(world_alloc(&world, 16), 32);
	world_end(&world);
}

static void full_purge_fills_no_pool(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 16), 0);
	world_free(&world, 0);
	assert_int_equal(world_purge(&world, VA_PURGE_FULL), 1);
	assert_int_equal(world_stats(&world).pool_pages, 0);
	assert_int_equal(world_stats(&world).holes, 1);
	world_end(&world);
}

static void ranges_above_256_pages_become_holes(void **state)
{
	struct world world;

	(void)state;
	/* 255 pages and their guard are the longest that a pool keeps. */
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 256), 0);
	assert_int_equal(world_alloc(&world, 257), 256);
	assert_int_equal(world_alloc(&world, 1), 513);
	world_free(&world, 0);
	world_free(&world, 256);
	assert_int_equal(world_purge(&world, VA_PURGE_DECAY), 2);
	assert_int_equal(pool_len(&world, home(), 256), 1);
	assert_int_equal(world_stats(&world).pool_pages, 256);
	assert_int_equal(world_alloc(&world, 257), 256); /* lowest hole */
	assert_int_equal(world_alloc(&world, 256), 0);   /* pool */
	world_end(&world);
}

static void areas_of_other_windows_become_holes(void **state)
{
	struct world world;
	const struct va_request module = request_of(4, 0, 1024, 2048);

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc_in(&world, &module), 1024);
	world_free(&world, 1024);
	/* No id: lazy where its address belongs: 1024 / 16 % 4 is 0. */
	assert_int_equal(lazy_count(&world, 0), 1);
	assert_int_equal(world_purge(&world, VA_PURGE_DECAY), 1);
	assert_int_equal(world_stats(&world).pool_pages, 0);
	assert_int_equal(world_stats(&world).holes, 1);
	world_end(&world);
}

static void each_purge_lets_a_quarter_of_a_pool_decay(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	for (long page = 0; page < 16; page += 2)
		assert_int_equal(world_alloc(&world, 2), page);
	for (long page = 0; page < 16; page += 2)
		world_free(&world, page);
	assert_int_equal(world_purge(&world, VA_PURGE_DECAY), 8);
	assert_int_equal(pool_len(&world, home(), 2), 8);
	/* 8 >> 2: the highest two, which are the head. */
	assert_int_equal(world_purge(&world, VA_PURGE_DECAY), 0);
	assert_int_equal(pool_len(&world, home(), 2), 6);
	assert_int_equal(world_alloc(&world, 2), 10);
	/* 5 >> 2: one; then 4 >> 2: one; then 3 >> 2: none. */
	(void)world_purge(&world, VA_PURGE_DECAY);
	assert_int_equal(pool_len(&world, home(), 2), 4);
	(void)world_purge(&world, VA_PURGE_DECAY);
	assert_int_equal(pool_len(&world, home(), 2), 3);
	(void)world_purge(&world, VA_PURGE_DECAY);
	assert_int_equal(pool_len(&world, home(), 2), 3);
	(void)world_purge(&world, VA_PURGE_FULL);
	assert_int_equal(pool_len(&world, home(), 2), 0);
	world_end(&world);
}

static void decay_comes_before_the_lazy_areas_are_given(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	for (long page = 0; page < 8; page += 2)
		assert_int_equal(world_alloc(&world, 2), page);
	world_free(&world, 0);
	world_free(&world, 2);
	world_free(&world, 4);
	(void)world_purge(&world, VA_PURGE_DECAY);
	world_free(&world, 6);
	/* 3 >> 2 is none; then 6 comes on top. */
	assert_int_equal(world_purge(&world, VA_PURGE_DECAY), 1);
	assert_int_equal(pool_len(&world, home(), 2), 4);
	assert_int_equal(world_alloc(&world, 2), 6);
	world_end(&world);
}

static void lazy_areas_are_not_merged_and_taken_by_node(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 16), 0);
	assert_int_equal(world_alloc(&world, 16), 16);
	world_free(&world, 16);
	world_free(&world, 0);

	struct vmap_area *const chain =
		va_nodes.purge_take(&world.va, VA_PURGE_DECAY);

	/* Sorted within the node, though freed the other way round. */
	assert_int_equal(page_of(chain->va_start), 0);
	assert_int_equal(page_of(chain->purge_next->va_start), 16);
	assert_null(chain->purge_next->purge_next);
	va_nodes.purge_keep(&world.va, chain);
	assert_int_equal(world_stats(&world).lazy_pages, 32);
	world_end(&world);
}

static void kept_areas_are_lazy_in_their_node(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 4), 0);
	world_free(&world, 0);
	va_nodes.purge_keep(&world.va,
			    va_nodes.purge_take(&world.va, VA_PURGE_FULL));
	va_nodes.check(&world.va);
	assert_int_equal(lazy_count(&world, home()), 1);
	assert_int_equal(world_stats(&world).lazy_pages, 4);
	assert_int_equal(world_purge(&world, VA_PURGE_DECAY), 1);
	assert_int_equal(pool_len(&world, home(), 4), 1);
	world_end(&world);
}

static void stray_area_check(void *context)
{
	struct world *const world = context;
	struct nodes *const self = nodes_of(&world->va);
	struct vmap_node *const node = node_of_address(self, address_of(0));
	struct vmap_area *const area =
		area_tree_find(&node->busy, address_of(0));

	area_tree_remove(&node->busy, area, NULL);
	area_tree_add(&self->nodes[1].busy, area);
	nodes_check(&world->va);
}

static void wrong_sum_check(void *context)
{
	struct world *const world = context;

	add_relaxed(&nodes_of(&world->va)->lazy_pages, 1);
	nodes_check(&world->va);
}

static void lost_page_check(void *context)
{
	struct world *const world = context;
	struct vmap_node *const node =
		node_of_address(nodes_of(&world->va), address_of(0));

	area_tree_find(&node->busy, address_of(0))->va_end -= PAGE_SIZE;
	nodes_check(&world->va);
}

static void pooled_hole_check(void *context)
{
	struct world *const world = context;
	struct nodes *const self = nodes_of(&world->va);
	const struct va_request request = request_of(4, 0, 0, 4096);
	struct vmap_area *const area = area_take(&os_linux);

	assert_non_null(area);
	assert_int_equal(
		free_space_take(&self->space, &request, &area->va_start), 0);
	area->va_end = area->va_start + request.size;
	(void)vmap_pool_give(&self->nodes[0], area);
	nodes_check(&world->va);
}

static void one_node_with_a_pooled_range_aborts(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, 2);
	pooled_hole_check(&world);
	world_end(&world);
	world_begin(&world, &va_nodes, 4096, 1);
	assert_true(aborts_saying(pooled_hole_check, &world, "invariant M4"));
	world_end(&world);
}

static void check_aborts_by_number(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 4), 0);
	assert_true(aborts_saying(stray_area_check, &world, "invariant M3"));
	assert_true(aborts_saying(wrong_sum_check, &world, "invariant A4"));
	assert_true(aborts_saying(lost_page_check, &world, "invariant A1"));
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			purged_range_goes_to_the_pool_of_the_node_that_asked),
		cmocka_unit_test(full_purge_fills_no_pool),
		cmocka_unit_test(ranges_above_256_pages_become_holes),
		cmocka_unit_test(areas_of_other_windows_become_holes),
		cmocka_unit_test(each_purge_lets_a_quarter_of_a_pool_decay),
		cmocka_unit_test(decay_comes_before_the_lazy_areas_are_given),
		cmocka_unit_test(lazy_areas_are_not_merged_and_taken_by_node),
		cmocka_unit_test(kept_areas_are_lazy_in_their_node),
		cmocka_unit_test(one_node_with_a_pooled_range_aborts),
		cmocka_unit_test(check_aborts_by_number),
	};

	return cmocka_run_group_tests(tests, home_settle, NULL);
}
