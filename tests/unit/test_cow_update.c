/* SPDX-License-Identifier: MIT */
/*
 * test_cow_update.c - the cells of a change: nothing is written to the old
 * version, a lost try leaves no trace, a won one retires what it replaced.
 */
#include "va_world.h"

#include "va/cow_update.h"

enum { COUNTED = 300 };

static void update_begin(struct cow_update *update, struct cow_pool *pool)
{
	assert_int_equal(cow_pool_init(pool, &os_linux, UINT64_MAX), 0);
	assert_true(cow_pool_count_out(pool, COUNTED));
	cow_update_begin(update, pool, COUNTED);
}

static uint64_t held_cells(const struct cow_pool *pool)
{
	struct cow_pool_stats stats;

	cow_pool_stats(pool, &stats);
	return stats.held_bytes / sizeof(struct cow_cell);
}

/* An old version of so many nodes, published. */
static void nodes_make(struct cow_update *update, struct cow_node **nodes,
		       unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		nodes[i] = cow_update_make(update);
	cow_update_seal(update);
	rcu_enter();
	cow_update_retire(update);
	rcu_leave();
}

/* nodes_drop - all goes back, and not a cell is missing. */
static void nodes_drop(struct cow_update *update, struct cow_node **nodes,
		       unsigned count)
{
	struct cow_pool *const pool = update->pool;

	for (unsigned i = 0; i < count; i++)
		cow_update_drop(update, nodes[i]);
	rcu_enter();
	cow_update_retire(update);
	rcu_leave();
	cow_update_end(update);
	cow_pool_fini(pool);
}

static void edit_copies_once_and_leaves_the_old_one(void **state)
{
	struct cow_pool pool;
	struct cow_update update;
	struct cow_node *old;

	(void)state;
	update_begin(&update, &pool);
	nodes_make(&update, &old, 1);
	old->first = 42;

	const struct cow_node before = *old;
	struct cow_node *own = cow_update_edit(&update, old);

	assert_ptr_not_equal(own, old);
	assert_int_equal(own->first, 42);
	assert_ptr_equal(cow_update_edit(&update, own), own);
	own->first = 43;
	assert_memory_equal(&before, old, sizeof(before));

	cow_update_seal(&update);
	assert_false(own->is_own);
	rcu_enter();
	cow_update_retire(&update);
	assert_int_equal(held_cells(&pool), 2); /* the old one, a ticket */
	rcu_leave();
	nodes_drop(&update, &own, 1);
}

static void a_lost_try_leaves_no_trace(void **state)
{
	struct cow_pool pool;
	struct cow_update update;
	struct cow_node *old[3];
	struct cow_node before[3];

	(void)state;
	update_begin(&update, &pool);
	nodes_make(&update, old, 3);
	for (unsigned i = 0; i < 3; i++)
		before[i] = *old[i];

	const uint64_t counted = update.counted;

	for (unsigned round = 0; round < 10; round++) {
		(void)cow_update_edit(&update, old[0]);
		cow_update_drop(&update, old[1]);
		(void)cow_update_make(&update);
		cow_update_seal(&update);
		assert_int_equal(update.counted, counted - 3);
		cow_update_retry(&update);
		assert_int_equal(update.counted, counted);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_memory_equal(&before[i], old[i], sizeof(before[i]));
	assert_int_equal(held_cells(&pool), 0);
	nodes_drop(&update, old, 3);
}

static void a_drop_retires_the_node(void **state)
{
	struct cow_pool pool;
	struct cow_update update;
	struct cow_node *old[2];

	(void)state;
	update_begin(&update, &pool);
	nodes_make(&update, old, 2);
	cow_update_drop(&update, old[0]);
	rcu_enter();
	cow_update_retire(&update);
	assert_int_equal(held_cells(&pool), 2); /* node, ticket */
	rcu_leave();
	nodes_drop(&update, &old[1], 1);
}

/* More than a bundle holds: several tickets, retired as one. */
static void a_large_change_retires_several_bundles(void **state)
{
	enum { NODES = 120 };
	struct cow_pool pool;
	struct cow_update update;
	struct cow_node *old[NODES];

	(void)state;
	update_begin(&update, &pool);
	nodes_make(&update, old, NODES);
	assert_int_equal(update.counted, COUNTED - NODES);
	for (unsigned i = 0; i < NODES; i++)
		cow_update_drop(&update, old[i]);
	rcu_enter();
	cow_update_retire(&update);
	/* 120 cells under tickets of 63 more. */
	assert_int_equal(held_cells(&pool), NODES + 2);
	rcu_leave();
	cow_update_end(&update);
	cow_pool_fini(&pool);
}

/* A hand of more than a bundle, as after a lost try, goes back in parts. */
static void a_large_hand_goes_back_in_bundles(void **state)
{
	struct cow_pool pool;
	struct cow_update update;

	(void)state;
	update_begin(&update, &pool);
	for (unsigned i = 0; i < COUNTED; i++)
		(void)cow_update_make(&update);
	cow_update_retry(&update);
	cow_update_end(&update);
	cow_pool_check(&pool, 0, 0);
	cow_pool_fini(&pool);
}

static void overdraw(void *context)
{
	struct cow_update *const update = context;

	for (unsigned i = 0; i <= COUNTED; i++)
		(void)cow_update_make(update);
}

static void more_than_was_counted_aborts(void **state)
{
	struct cow_pool pool;
	struct cow_update update;

	(void)state;
	update_begin(&update, &pool);
	assert_true(aborts_saying(overdraw, &update, "invariant Q2"));
	cow_update_end(&update);
	cow_pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edit_copies_once_and_leaves_the_old_one),
		cmocka_unit_test(a_lost_try_leaves_no_trace),
		cmocka_unit_test(a_drop_retires_the_node),
		cmocka_unit_test(a_large_change_retires_several_bundles),
		cmocka_unit_test(a_large_hand_goes_back_in_bundles),
		cmocka_unit_test(more_than_was_counted_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
