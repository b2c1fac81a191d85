/* SPDX-License-Identifier: MIT */
/*
 * test_va_rcu_race.c - somebody else comes between two steps of one.
 *
 * The strategy, what it shares with `lockfree`, and the page map are compiled
 * here once more, to be interrupted at their loads.
 */
#include "interrupted.h"

#include "../../engine/va/page_map.c"

#include "../../engine/va/page_areas.c"

#include "../../engine/va/va_rcu.c"

#include "lockfree_world.h"

enum { ZONE = COW_ZONE_PAGES, AREA = ZONE + 8, OVER = ZONE - 4 };

static struct world world;
static int others_answer;

static long take_at(long page, long pages)
{
	const struct va_request request =
		request_of(pages, 0, page, page + pages);

	return try_request(&world, &request, NULL);
}

/*
 *	    zone 0 | zone 1
 *	     OVER      AREA
 *	      ####|####  ####  ####
 */
static void world_of_three(bool reuse_at_once)
{
	struct va_config config = world_config(2 * ZONE);

	config.reuse_at_once = reuse_at_once;
	loads_left = 0;
	world_make(&world, &va_rcu, &config);
	assert_int_equal(take_at(OVER, 8), OVER);
	assert_int_equal(take_at(AREA, 4), AREA);
	assert_int_equal(take_at(AREA + 8, 4), AREA + 8);
}

static void come_after(unsigned nth, void (*operation)(void))
{
	other = operation;
	loads_left = nth;
}

/* has_come - false: there is no nth load. */
static bool has_come(void)
{
	const bool came = loads_left == 0;

	loads_left = 0;
	return came;
}

static void other_frees(void)
{
	others_answer = try_free(&world, AREA);
}

/* frees - two frees, the second in the first. */
static bool frees(unsigned nth, bool reuse_at_once)
{
	int answer;
	bool came;

	world_of_three(reuse_at_once);
	others_answer = -ENOENT;
	come_after(nth, other_frees);
	answer = try_free(&world, AREA);
	came = has_come();
	assert_int_equal((answer == 0) + (others_answer == 0), 1);
	assert_int_equal(world_stats(&world).lazy_pages, reuse_at_once ? 0 : 4);
	purge_all(&world);
	assert_int_equal(world_stats(&world).hole_pages, 2 * ZONE - 12);
	world_end(&world);
	return came;
}

static void of_two_frees_one_succeeds_wherever_they_meet(void **state)
{
	(void)state;
	for (int at_once = 0; at_once < 2; at_once++) {
		unsigned nth = 1;

		while (frees(nth, at_once == 1))
			nth++;
		assert_true(nth > 2);
	}
}

/* All but the first goes, and comes again as something else. */
static void other_changes_all_around(void)
{
	give(&world, AREA);
	give(&world, AREA + 8);
	assert_int_equal(take_at(ZONE + 4, 2), ZONE + 4);
	assert_int_equal(take_at(ZONE + 6, 8), ZONE + 6);
}

static bool finds_what_stays(unsigned nth)
{
	bool came;

	world_of_three(true);
	come_after(nth, other_changes_all_around);
	assert_int_equal(found_at(&world, ZONE + 3), OVER);
	came = has_come();
	world_end(&world);
	return came;
}

static void what_stays_is_found_whatever_comes_between(void **state)
{
	unsigned nth = 1;

	(void)state;
	while (finds_what_stays(nth))
		nth++;
	assert_true(nth > 4);
}

/* The page goes from an area of zone 1 to one of zone 0, and no further. */
static void other_moves_the_page(void)
{
	give(&world, OVER);
	give(&world, AREA);
	assert_int_equal(take_at(OVER, 20), OVER);
}

static bool finds_what_moves(unsigned nth)
{
	struct va_found found;
	bool came;

	world_of_three(true);
	come_after(nth, other_moves_the_page);
	if (world.va.ops->find(&world.va, address_of(AREA + 2), &found)) {
		const long first = page_of(found.start);

		assert_true(first == AREA || first == OVER);
		assert_int_equal(page_of(found.end),
				 first == AREA ? AREA + 4 : OVER + 20);
	}
	came = has_come();
	if (came)
		assert_int_equal(found_at(&world, AREA + 2), OVER);
	world_end(&world);
	return came;
}

static void what_moves_is_found_whole_or_not_at_all(void **state)
{
	unsigned nth = 1;

	(void)state;
	while (finds_what_moves(nth))
		nth++;
	assert_true(nth > 4);
}

static void other_makes_it_shorter(void)
{
	give(&world, AREA);
	assert_int_equal(take_at(AREA, 2), AREA);
}

static bool finds_next(unsigned nth)
{
	struct va_found found;
	bool came;

	world_of_three(true);
	come_after(nth, other_makes_it_shorter);
	assert_true(world.va.ops->find_next(&world.va, address_of(AREA + 3),
					    &found));
	came = has_come();
	/* The last one is there throughout. */
	assert_true(page_of(found.end) > AREA + 3);
	assert_true(page_of(found.start) <= AREA + 8);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_frees_one_succeeds_wherever_they_meet),
		cmocka_unit_test(what_stays_is_found_whatever_comes_between),
		cmocka_unit_test(what_moves_is_found_whole_or_not_at_all),
		cmocka_unit_test(find_next_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
