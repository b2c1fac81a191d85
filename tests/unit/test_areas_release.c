/* SPDX-License-Identifier: MIT */
/*
 * test_areas_release.c - what leaves the index together, and what is given to
 * the holes, when the cache in front gives up many areas.
 */
#include "areas_world.h"

static bool release(struct world *world, const uint64_t *firsts, unsigned count,
		    bool unmapped)
{
	return areas_back.release(&world->va, firsts, count, unmapped);
}

/* idle_many - idle areas of 4 pages each, side by side from page 0 on. */
static void idle_many(struct world *world, uint64_t *firsts, unsigned count)
{
	watched_begin(world, false);
	assert_int_equal(
		world->va.ops->alloc_many(&world->va, 4, count, firsts), count);
	assert_int_equal(firsts[0], 0);
}

static void a_full_stock_leaves_the_index_by_one_call(void **state)
{
	uint64_t firsts[VA_RELEASE_MAX];
	uint64_t mixed[VA_RELEASE_MAX];
	struct world world;

	(void)state;
	idle_many(&world, firsts, VA_RELEASE_MAX);
	/* In no order: 53 and 128 have no common divisor. */
	for (unsigned i = 0; i < VA_RELEASE_MAX; i++)
		mixed[i] = firsts[i * 53 % VA_RELEASE_MAX];
	assert_false(release(&world, mixed, VA_RELEASE_MAX, true));
	assert_int_equal(watched_of(&world.va)->removals, 1);
	assert_int_equal(watched_of(&world.va)->removed, VA_RELEASE_MAX);
	assert_int_equal(world_stats(&world).hole_pages, PAGES);
	assert_int_equal(world_stats(&world).holes, 1);
	world_end(&world);
}

static void what_lies_between_stays(void **state)
{
	uint64_t firsts[8];
	struct world world;

	(void)state;
	idle_many(&world, firsts, 8);

	const uint64_t given[5] = { firsts[7], firsts[2], firsts[4], firsts[1],
				    firsts[0] };

	assert_false(release(&world, given, 5, true));
	assert_int_equal(watched_of(&world.va)->removals, 1);
	assert_int_equal(world_stats(&world).pool_pages, 3 * 4);
	assert_int_equal(world_stats(&world).hole_pages, PAGES - 3 * 4);
	/* 0 to 2, 4, and from 7 on. */
	assert_int_equal(world_stats(&world).holes, 3);
	assert_true(is_indexed(&world, (long)firsts[3]));
	assert_true(is_indexed(&world, (long)firsts[5]));
	assert_true(is_indexed(&world, (long)firsts[6]));
	world_end(&world);
}

/* Two frees that raced: it is in a stock twice, or there and somebody's. */
static void what_is_there_twice_is_given_once(void **state)
{
	uint64_t firsts[4];
	struct world world;

	(void)state;
	idle_many(&world, firsts, 4);

	const struct va_request request = request_all(&world, 4);
	const uintptr_t start = address_of((long)firsts[3]);
	const struct va_range range = { start, start + 4 * PAGE_SIZE, false };
	const uint64_t given[4] = { firsts[2], firsts[3], firsts[1],
				    firsts[2] };

	assert_true(world.va.ops->publish(&world.va, &range, &request));
	assert_false(release(&world, given, 4, true));
	assert_int_equal(watched_of(&world.va)->removed, 2);
	assert_int_equal(world_stats(&world).live_pages, 4);
	assert_int_equal(world_stats(&world).hole_pages, PAGES - 8);
	assert_false(release(&world, given, 4, true));
	assert_int_equal(watched_of(&world.va)->removals, 1);
	world_end(&world);
}

static void what_is_mapped_is_lazy(void **state)
{
	uint64_t firsts[3];
	struct world world;

	(void)state;
	idle_many(&world, firsts, 3);
	assert_false(release(&world, firsts, 3, false));
	assert_int_equal(watched_of(&world.va)->removed, 0);
	assert_int_equal(world_stats(&world).lazy_pages, 12);
	purge_all(&world);
	assert_int_equal(world_stats(&world).hole_pages, PAGES);
	world_end(&world);
}

/* The limit is looked at each 5 areas: neither by the last, nor the first. */
static void of_a_batch_any_may_say_that_a_purge_is_due(void **state)
{
	uint64_t firsts[70];
	struct world world;

	(void)state;
	idle_many(&world, firsts, 70);
	areas_of(&world.va)->lazy.limit_pages = 256;
	areas_of(&world.va)->lazy.step_pages = 256 / 16 + 1;
	assert_false(release(&world, firsts, 64, false));
	assert_true(release(&world, firsts + 64, 6, false));
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_stock_leaves_the_index_by_one_call),
		cmocka_unit_test(what_lies_between_stays),
		cmocka_unit_test(what_is_there_twice_is_given_once),
		cmocka_unit_test(what_is_mapped_is_lazy),
		cmocka_unit_test_setup(
			of_a_batch_any_may_say_that_a_purge_is_due, world_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
