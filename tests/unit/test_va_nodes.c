/* SPDX-License-Identifier: MIT */
/*
 * test_va_nodes.c - allocation, free and lookup over the nodes of Linux 6.12.
 */
#include "page_oracle.h"
#include "va_home.h"
#include "va_threads.h"

#include "va/strategies.h"

static void one_node_has_no_pools_and_is_first_fit(void **state)
{
	static const struct step steps[] = {
		ALLOC(4, 0),
		ALLOC(4, 4),
		ALLOC(4, 8),
		FREE(0),
		FREE(8),
		PURGE(2), /* holes at once: with pools 8 would come first */
		ALLOC(4, 0),
		ALLOC(2, 8),
		ALLOC_ALIGNED(8, 8, 16),
		ALLOC(56, NO_PAGE),
		FREE(4),
		FREE(16),
		PURGE_FULL(2),
		ALLOC(4, 4),
		END,
	};

	(void)state;
	steps_check(&va_nodes, 64, steps);
}

static void pool_gives_back_the_range_purged_last(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 2), 0);
	assert_int_equal(world_alloc(&world, 2), 2);
	assert_int_equal(world_alloc(&world, 2), 4);
	world_free(&world, 0);
	world_free(&world, 2);
	/* Nothing is pooled before a purge. */
	assert_int_equal(world_alloc(&world, 2), 6);
	(void)world_purge(&world, VA_PURGE_DECAY);
	assert_int_equal(world_alloc(&world, 2), 2);
	assert_int_equal(world_alloc(&world, 2), 0);
	assert_int_equal(world_alloc(&world, 2), 8);
	world_end(&world);
}

static void other_windows_bypass_the_pools(void **state)
{
	struct world world;
	const struct va_request low = request_of(2, 0, 0, 2048);
	const struct va_request high = request_of(2, 0, 1, 4096);

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 2), 0);
	world_free(&world, 0);
	(void)world_purge(&world, VA_PURGE_DECAY);
	assert_int_equal(pool_len(&world, home(), 2), 1);
	/* The pooled range would do, but the window is not the full one. */
	assert_int_equal(world_alloc_in(&world, &low), 2);
	assert_int_equal(world_alloc_in(&world, &high), 4);
	assert_int_equal(world_alloc(&world, 2), 0);
	world_end(&world);
}

static void misaligned_head_is_rotated_and_the_tree_serves(void **state)
{
	struct world world;
	const struct va_request aligned = request_of(2, 4, 0, 4096);

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 2), 0);
	assert_int_equal(world_alloc(&world, 2), 2);
	world_free(&world, 0);
	world_free(&world, 2);
	(void)world_purge(&world, VA_PURGE_DECAY); /* pool: 2, 0 */
	assert_int_equal(world_alloc_in(&world, &aligned), 4);
	assert_int_equal(world_alloc_in(&world, &aligned), 0); /* 0, 2 */
	world_end(&world);
}

/* A CPU that this process may run on, other than the current one. */
static bool other_cpu(unsigned *other)
{
	cpu_set_t set;
	const unsigned here = cpu_current().value;

	assert_int_equal(sched_getaffinity(getpid(), sizeof(set), &set), 0);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set) || cpu % NODES == here % NODES)
			continue;
		*other = cpu;
		return true;
	}
	return false;
}

static void range_freed_elsewhere_returns_to_who_allocated_it(void **state)
{
	struct world world;
	const unsigned here = cpu_current().value;
	unsigned there = 0;

	(void)state;
	if (!other_cpu(&there))
		skip();
	world_begin(&world, &va_nodes, 4096, NODES);
	cpu_stay(here);
	assert_int_equal(world_alloc(&world, 2), 0);
	cpu_stay(there);
	world_free(&world, 0);
	(void)world_purge(&world, VA_PURGE_DECAY);
	assert_int_equal(pool_len(&world, here % NODES, 2), 1);
	assert_int_equal(pool_len(&world, there % NODES, 2), 0);
	assert_int_equal(world_alloc(&world, 2), 2); /* not there's pool */
	cpu_stay(here);
	assert_int_equal(world_alloc(&world, 2), 0);
	world_end(&world);
}

static uint64_t rounds(struct world *world)
{
	return world_stats(world).locks_entered;
}

static void one_pair_costs_four_rounds_of_locks(void **state)
{
	struct world world;
	uint64_t before;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	before = rounds(&world);
	/* Miss: free lock, busy insert. */
	assert_int_equal(world_alloc(&world, 2), 0);
	assert_int_equal(rounds(&world) - before, 2);
	/* Busy find and unlink in one, lazy. */
	world_free(&world, 0);
	assert_int_equal(rounds(&world) - before, 4);
	(void)world_purge(&world, VA_PURGE_DECAY);
	before = rounds(&world);
	/* Hit: pool lock, busy insert. */
	assert_int_equal(world_alloc(&world, 2), 0);
	assert_int_equal(
		load_relaxed(
			&nodes_of(&world.va)->nodes[home()].pool_lock.entered),
		2); /* the purge's and this one */
	world_free(&world, 0);
	assert_int_equal(rounds(&world) - before, 4);
	world_end(&world);
}

static void purge_of_one_range_costs_a_round_a_node_and_one(void **state)
{
	struct world world;
	uint64_t before;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 2), 0);
	world_free(&world, 0);
	before = rounds(&world);
	(void)world_purge(&world, VA_PURGE_DECAY);
	/* Each node's lazy lock, then the pool that takes it. */
	assert_int_equal(rounds(&world) - before, NODES + 1);
	world_end(&world);
}

static void interior_addresses_are_found_from_other_nodes(void **state)
{
	struct world world;
	struct va_found found = { 0 };

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	/* 100 pages from slot 0: pages 16 to 99 hash to all other nodes. */
	assert_int_equal(world_alloc(&world, 100), 0);
	for (long page = 0; page < 100; page += 9) {
		assert_true(va_nodes.find(&world.va, address_of(page), &found));
		assert_int_equal(page_of(found.start), 0);
	}
	assert_false(va_nodes.find(&world.va, address_of(100), &found));
	world_end(&world);
}

static void find_next_is_the_lowest_of_all_nodes(void **state)
{
	struct world world;
	struct va_found found = { 0 };

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	/* In nodes 0, 1, 2, 3, 0: the walk must compare across them. */
	for (long page = 0; page < 80; page += 16)
		assert_int_equal(world_alloc(&world, 16), page);
	world_free(&world, 16);
	assert_true(va_nodes.find_next(&world.va, address_of(16), &found));
	assert_int_equal(page_of(found.start), 32);
	assert_true(va_nodes.find_next(&world.va, address_of(47), &found));
	assert_int_equal(page_of(found.start), 32);
	assert_true(va_nodes.find_next(&world.va, 0, &found));
	assert_int_equal(page_of(found.start), 0);
	assert_false(va_nodes.find_next(&world.va, address_of(80), &found));
	world_end(&world);
}

struct order {
	long pages[8];
	unsigned count;
	unsigned lazy;
};

static void order_note(void *context, const struct va_found *found)
{
	struct order *const order = context;

	order->lazy += found->lazy;
	order->pages[order->count++] = page_of(found->start);
}

static void walk_goes_node_by_node_and_shows_the_lazy_last(void **state)
{
	static const long expected[] = { 0, 64, 32, 48, 16 };
	struct order order = { 0 };
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	for (long page = 0; page < 80; page += 16)
		assert_int_equal(world_alloc(&world, 16), page);
	world_free(&world, 16);
	va_nodes.for_each(&world.va, order_note, &order);
	assert_int_equal(order.count, 5);
	assert_int_equal(order.lazy, 1);
	assert_memory_equal(order.pages, expected, sizeof(expected));
	world_end(&world);
}

static void wrong_starts_are_refused(void **state)
{
	struct world world;
	bool due = false;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	assert_int_equal(world_alloc(&world, 40), 0);
	assert_int_equal(va_nodes.free(&world.va, address_of(1), &due),
			 -ENOENT); /* interior, same node */
	assert_int_equal(va_nodes.free(&world.va, address_of(20), &due),
			 -ENOENT); /* interior, another node */
	assert_int_equal(va_nodes.free(&world.va, address_of(50), &due),
			 -ENOENT);
	world_free(&world, 0);
	assert_int_equal(va_nodes.free(&world.va, address_of(0), &due),
			 -ENOENT);
	world_end(&world);
}

static void lookups_copy_what_was_asked_for(void **state)
{
	struct va_request request = request_of(4, 0, 0, 4096);
	struct va_found found = { 0 };
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 4096, NODES);
	request.vm = (struct vm_struct){
		.flags = 2, .nr_pages = 3, .phys = 5, .size = 12000
	};
	assert_int_equal(world_alloc_in(&world, &request), 0);
	assert_true(va_nodes.find(&world.va, address_of(3), &found));
	assert_memory_equal(&found.vm, &request.vm, sizeof(found.vm));
	world_end(&world);
}

static void purge_is_due_above_lazy_max_and_not_at_it(void **state)
{
	/* fls(4) * 32 MiB: 24576 pages. */
	struct world world;

	(void)state;
	world_begin(&world, &va_nodes, 2 * 24576, NODES);
	assert_int_equal(world_alloc(&world, 24576), 0);
	assert_int_equal(world_alloc(&world, 1), 24576);
	world_free(&world, 0);
	assert_false(world.purge_due);
	world_free(&world, 24576);
	assert_true(world.purge_due);
	world_end(&world);
}

static void number_of_nodes_is_1_to_128(void **state)
{
	struct va_config config = {
		.os = &os_linux,
		.lock = lock_find("pthread-spin"),
		.start = WORLD_START,
		.end = address_of(64),
		.cpus = 1,
		.nodes = 0,
	};
	struct va va;

	(void)state;
	assert_int_equal(va_init(&va, &va_nodes, &config), -EINVAL);
	config.nodes = 129;
	assert_int_equal(va_init(&va, &va_nodes, &config), -EINVAL);
	config.nodes = 128;
	assert_int_equal(va_init(&va, &va_nodes, &config), 0);
	va_fini(&va);
}

static void random_steps_agree_with_a_page_map(void **state)
{
	(void)state;
	oracle_run(&va_nodes, 1, 6000, 0x9e3779b97f4a7c15);
	oracle_run(&va_nodes, 2, 6000, 0xd1b54a32d192ed03);
	oracle_run(&va_nodes, 8, 4000, 0x2545f4914f6cdd1d);
}

static void threads_never_share_a_page(void **state)
{
	cpu_set_t all;

	(void)state;
	memset(&all, 0xff, sizeof(all));
	(void)sched_setaffinity(0, sizeof(all), &all);
	threads_run(&va_nodes, 1);
	threads_run(&va_nodes, 2);
	threads_run(&va_nodes, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			range_freed_elsewhere_returns_to_who_allocated_it),
		cmocka_unit_test_setup(one_node_has_no_pools_and_is_first_fit,
				       home_settle),
		cmocka_unit_test(pool_gives_back_the_range_purged_last),
		cmocka_unit_test(other_windows_bypass_the_pools),
		cmocka_unit_test(
			misaligned_head_is_rotated_and_the_tree_serves),
		cmocka_unit_test(one_pair_costs_four_rounds_of_locks),
		cmocka_unit_test(
			purge_of_one_range_costs_a_round_a_node_and_one),
		cmocka_unit_test(interior_addresses_are_found_from_other_nodes),
		cmocka_unit_test(find_next_is_the_lowest_of_all_nodes),
		cmocka_unit_test(
			walk_goes_node_by_node_and_shows_the_lazy_last),
		cmocka_unit_test(wrong_starts_are_refused),
		cmocka_unit_test(lookups_copy_what_was_asked_for),
		cmocka_unit_test(purge_is_due_above_lazy_max_and_not_at_it),
		cmocka_unit_test(number_of_nodes_is_1_to_128),
		cmocka_unit_test(random_steps_agree_with_a_page_map),
		cmocka_unit_test(threads_never_share_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
