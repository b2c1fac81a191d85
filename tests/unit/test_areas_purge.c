/* SPDX-License-Identifier: MIT */
/*
 * test_areas_purge.c - what a purge unmaps as one run, what leaves the index
 * with it, and what stays.
 */
#include "areas_world.h"

enum { SCATTERED = 2 * VA_RUNS_MAX + 2 };

/* scatter - every second one is freed: no two of these are neighbours. */
static void scatter(struct world *world)
{
	long pages[2 * SCATTERED];

	for (unsigned i = 0; i < 2 * SCATTERED; i++)
		pages[i] = take(world, 2);
	for (unsigned i = 2 * SCATTERED; i > 0; i -= 2)
		give(world, pages[i - 2]);
}

static void neighbours_leave_the_index_together(void **state)
{
	struct unmapped unmapped = { .stuck = NO_PAGE };
	struct world world;
	long pages[6];

	(void)state;
	watched_begin(&world, false);
	for (unsigned i = 0; i < 6; i++)
		pages[i] = take(&world, 3);
	for (unsigned i = 0; i < 6; i++)
		give(&world, pages[(5 * i + 2) % 6]);
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(unmapped.count, 1);
	assert_int_equal(unmapped.areas, 6);
	assert_int_equal(watched_of(&world.va)->removals, 1);
	assert_int_equal(watched_of(&world.va)->removed, 6);
	assert_int_equal(world_stats(&world).hole_pages, PAGES);
	world_end(&world);
}

static void what_is_unmapped_by_one_call_leaves_by_one(void **state)
{
	struct unmapped unmapped = { .stuck = NO_PAGE };
	struct world world;

	(void)state;
	watched_begin(&world, false);
	scatter(&world);
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(unmapped.calls, 3);
	assert_int_equal(unmapped.areas, SCATTERED);
	assert_int_equal(watched_of(&world.va)->removals, 3);
	assert_int_equal(watched_of(&world.va)->removed, SCATTERED);
	assert_int_equal(world_stats(&world).live_areas, SCATTERED);
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	world_end(&world);
}

static void a_long_run_leaves_in_parts(void **state)
{
	struct unmapped unmapped = { .stuck = NO_PAGE };
	struct world world;
	long pages[200];

	(void)state;
	watched_begin(&world, false);
	for (unsigned i = 0; i < 200; i++)
		pages[i] = take(&world, 2);
	for (unsigned i = 0; i < 200; i++)
		give(&world, pages[i]);
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(unmapped.count, 1);
	assert_int_equal(watched_of(&world.va)->removed, 200);
	assert_int_equal(watched_of(&world.va)->removed_most, 64);
	world_end(&world);
}

static void a_run_that_fails_stays_lazy_and_indexed(void **state)
{
	struct unmapped unmapped = { .stuck = 8 };
	struct world world;

	(void)state;
	watched_begin(&world, false);
	for (long i = 0; i < 7; i++)
		assert_int_equal(take(&world, 4), 4 * i);
	for (long i = 0; i < 7; i++)
		if (i != 1 && i != 4)
			give(&world, 4 * i);

	const uint64_t returned = world.va.ops->returned(&world.va);

	/* Runs of one, two, two; the one in the middle is stuck. */
	assert_int_equal(purge(&world, &unmapped), -ENOMEM);
	assert_int_equal(unmapped.count, 3);
	assert_int_equal(watched_of(&world.va)->removed, 3);
	assert_false(is_indexed(&world, 0));
	assert_true(is_indexed(&world, 8));
	assert_true(is_indexed(&world, 12));
	assert_false(is_indexed(&world, 20));
	assert_int_equal(walk(&world).lazy, 2);
	assert_int_equal(world_stats(&world).lazy_pages, 8);
	/* None came back by a free. */
	assert_int_equal(world.va.ops->returned(&world.va), returned);
	world.va.ops->check(&world.va);

	unmapped = (struct unmapped){ .stuck = NO_PAGE };
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	assert_false(is_indexed(&world, 8));
	world_end(&world);
}

static void nothing_lazy_is_nothing_to_do(void **state)
{
	struct unmapped unmapped = { .stuck = NO_PAGE };
	struct world world;

	(void)state;
	watched_begin(&world, false);
	(void)take(&world, 4);
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(unmapped.calls, 0);
	assert_int_equal(watched_of(&world.va)->removals, 0);
	world_end(&world);
}

#define ON_ONE_CPU(test) cmocka_unit_test_setup(test, world_stay)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ONE_CPU(neighbours_leave_the_index_together),
		ON_ONE_CPU(what_is_unmapped_by_one_call_leaves_by_one),
		ON_ONE_CPU(a_long_run_leaves_in_parts),
		ON_ONE_CPU(a_run_that_fails_stays_lazy_and_indexed),
		ON_ONE_CPU(nothing_lazy_is_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
