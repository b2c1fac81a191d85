/* SPDX-License-Identifier: MIT */
/*
 * test_va_lockfree_race.c - somebody else comes between two steps of one.
 *
 * The strategy, its page map and the ways into the cache are compiled here once
 * more, to be interrupted at their loads.
 */
#include "interrupted.h"

#include "../../engine/va/page_map.c"

#include "../../engine/va/page_areas.c"

#include "../../engine/va/va_lockfree.c"

#include "lockfree_world.h"
#include "va/cached.h"

enum { PAGES = 4096, AREA = 8 };

static struct world world;
static int others_answer;

static void begin(void)
{
	const struct va_config config = world_config(PAGES);

	loads_left = 0;
	world_make(&world, &va_lockfree, &config);
	assert_int_equal(take(&world, AREA), 0);
	assert_int_equal(take(&world, 4), AREA);
}

static void other_frees(void)
{
	others_answer = try_free(&world, AREA);
}

/* frees - two frees, the second in the first; false: there is no nth load. */
static bool frees(unsigned nth)
{
	int answer;
	bool came;

	begin();
	others_answer = -ENOENT;
	other = other_frees;
	loads_left = nth;
	answer = try_free(&world, AREA);
	came = loads_left == 0;
	loads_left = 0;
	assert_int_equal((answer == 0) + (others_answer == 0), 1);
	assert_int_equal(world_stats(&world).lazy_pages, 4);
	/* On one list, once. */
	purge_all(&world);
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	world_end(&world);
	return came;
}

static void of_two_frees_one_succeeds_wherever_they_meet(void **state)
{
	unsigned nth = 1;

	(void)state;
	while (frees(nth))
		nth++;
	assert_true(nth > 2);
}

static void other_makes_it_shorter(void)
{
	give(&world, AREA);
	purge_all(&world);
	assert_int_equal(take(&world, 2), AREA);
	assert_int_equal(take(&world, 2), AREA + 2);
}

static bool finds_next(unsigned nth)
{
	struct va_found found;
	bool is_there;
	bool came;

	begin();
	assert_int_equal(take(&world, 4), AREA + 4);
	other = other_makes_it_shorter;
	loads_left = nth;
	is_there = world.va.ops->find_next(&world.va, address_of(AREA + 3),
					   &found);
	came = loads_left == 0;
	loads_left = 0;
	/* The last one is there throughout. */
	assert_true(is_there);
	assert_true(found.end > address_of(AREA + 3));
	assert_true(page_of(found.start) <= AREA + 4);
	world_end(&world);
	return came;
}

static void find_next_never_goes_back(void **state)
{
	unsigned nth = 1;

	(void)state;
	while (finds_next(nth))
		nth++;
	assert_true(nth > 8);
}

static struct cached *cache;

static void other_retracts(void)
{
	struct page_head before;

	others_answer = cached_retract(cache, AREA, &before);
}

static bool both_retract(bool hardened)
{
	struct cached cached = { .hardened = hardened };
	struct page_head before;
	bool answer;

	begin();
	cached.map = &areas_of(&world.va)->map;
	cache = &cached;
	others_answer = false;
	other = other_retracts;
	loads_left = 1;
	answer = cached_retract(&cached, AREA, &before);
	assert_true(others_answer);
	world_end(&world);
	return answer;
}

static void only_where_hardened_a_stock_is_filled_by_exchange(void **state)
{
	(void)state;
	assert_false(both_retract(true));
	/* The price of a free without an exchange. */
	assert_true(both_retract(false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_frees_one_succeeds_wherever_they_meet),
		cmocka_unit_test(find_next_never_goes_back),
		cmocka_unit_test(
			only_where_hardened_a_stock_is_filled_by_exchange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
