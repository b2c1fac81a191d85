/* SPDX-License-Identifier: MIT */
/*
 * test_va_rcu.c - areas that cross zones, and what becomes of a strategy.
 */
#include "rcu_world.h"

#include "va/page_areas.h"

#include "anon_os.h"

static void an_area_is_found_in_each_zone_that_it_reaches(void **state)
{
	const long first = ZONE - 10;
	const long end = 2 * ZONE + 20;
	struct world world;

	(void)state;
	rcu_begin(&world, ZONES * ZONE);
	take_at(&world, 8, 4);
	take_at(&world, first, end - first);
	take_at(&world, end, 4);
	take_at(&world, 3 * ZONE + 5, 1);
	assert_int_equal(found_at(&world, first - 1), NO_PAGE);
	assert_int_equal(found_at(&world, first), first);
	assert_int_equal(found_at(&world, ZONE - 1), first);
	assert_int_equal(found_at(&world, ZONE), first);
	assert_int_equal(found_at(&world, 2 * ZONE - 1), first);
	assert_int_equal(found_at(&world, 2 * ZONE), first);
	assert_int_equal(found_at(&world, end - 1), first);
	assert_int_equal(found_at(&world, end), end);
	assert_int_equal(next_at(&world, address_of(12)), first);
	assert_int_equal(next_at(&world, address_of(ZONE + 5)), first);
	assert_int_equal(next_at(&world, address_of(2 * ZONE)), first);
	assert_int_equal(next_at(&world, address_of(end)), end);
	assert_int_equal(next_at(&world, address_of(end + 4)), 3 * ZONE + 5);
	assert_int_equal(next_at(&world, address_of(3 * ZONE + 6)), NO_PAGE);

	const struct walked walked = walk(&world);

	assert_int_equal(walked.live, 4);
	assert_int_equal(walked.first[1], first);
	world_end(&world);
}

static void
a_name_from_below_outlives_its_area_and_misleads_nobody(void **state)
{
	const long first = ZONE - 10;
	struct world world;

	(void)state;
	rcu_begin(&world, ZONES * ZONE);
	take_at(&world, first, ZONE);
	give(&world, first);
	assert_int_equal(found_at(&world, ZONE), NO_PAGE);
	assert_int_equal(next_at(&world, 0), NO_PAGE);
	/* A shorter one at the same page, and another where it ended. */
	take_at(&world, first, 10);
	assert_int_equal(found_at(&world, ZONE), NO_PAGE);
	take_at(&world, ZONE, 4);
	assert_int_equal(found_at(&world, ZONE), ZONE);
	assert_int_equal(found_at(&world, ZONE - 1), first);
	assert_int_equal(next_at(&world, address_of(ZONE)), ZONE);
	give(&world, ZONE);
	assert_int_equal(found_at(&world, ZONE), NO_PAGE);
	take_at(&world, ZONE + 2, 4);
	assert_int_equal(next_at(&world, address_of(ZONE)), ZONE + 2);
	world_end(&world);
}

static void one_area_may_be_all_zones(void **state)
{
	const long pages = ZONES * ZONE;
	struct world world;

	(void)state;
	rcu_begin(&world, pages);
	take_at(&world, 0, pages);
	for (long zone = 0; zone < ZONES; zone++) {
		assert_int_equal(found_at(&world, zone * ZONE), 0);
		assert_int_equal(found_at(&world, zone * ZONE + ZONE - 1), 0);
		assert_int_equal(next_at(&world, address_of(zone * ZONE)), 0);
	}
	assert_int_equal(walk(&world).live, 1);
	assert_false(is_found(&world, pages));
	assert_false(is_found(&world, -1));
	give(&world, 0);
	assert_int_equal(walk(&world).live, 0);
	assert_int_equal(world_stats(&world).hole_pages, pages);
	world_end(&world);
}

static void a_window_may_end_inside_a_zone(void **state)
{
	const long pages = ZONE + 8;
	struct world world;

	(void)state;
	rcu_begin(&world, pages);
	for (long page = ZONE - 8; page < pages; page++)
		take_at(&world, page, 1);
	assert_int_equal(found_at(&world, pages - 1), pages - 1);
	assert_int_equal(next_at(&world, address_of(pages - 1)), pages - 1);
	assert_int_equal(walk(&world).live, 16);
	world_end(&world);
}

static void a_batch_crosses_zones(void **state)
{
	enum { COUNT = 64, SIZE = 7 };
	const long first = ZONE - 31 * SIZE - 3;
	uint64_t firsts[COUNT];
	struct world world;

	(void)state;
	rcu_begin(&world, 2 * ZONE);
	take_at(&world, 0, first);
	assert_int_equal(
		world.va.ops->alloc_many(&world.va, SIZE, COUNT, firsts),
		COUNT);
	world.va.ops->check(&world.va);
	for (unsigned i = 0; i < COUNT; i++) {
		const struct va_request request = request_all(&world, SIZE);
		const struct va_range range = {
			.start = address_of((long)firsts[i]),
			.end = address_of((long)firsts[i] + SIZE),
		};

		assert_int_equal(firsts[i], first + i * SIZE);
		assert_true(world.va.ops->publish(&world.va, &range, &request));
	}
	for (long page = first; page < first + COUNT * SIZE; page++)
		assert_int_equal(found_at(&world, page),
				 page - (page - first) % SIZE);
	for (unsigned i = 0; i < COUNT; i++)
		give(&world, (long)firsts[i]);
	assert_int_equal(walk(&world).live, 1);
	world_end(&world);
}

static struct os counted;

static int strategy_make(void *context)
{
	struct va_config config = rcu_config(2 * ZONE);

	config.os = &counted;
	return va_init(context, &va_rcu, &config);
}

static void strategy_unmake(void *context)
{
	va_fini(context);
}

static void a_strategy_that_cannot_be_made_leaves_nothing(void **state)
{
	struct va va;

	(void)state;
	counted = anon_os();
	assert_true(anon_sweep(strategy_make, strategy_unmake, &va) >= 6);
}

static void live_and_lazy_areas_go_with_the_strategy(void **state)
{
	struct world world;

	(void)state;
	counted = anon_os();
	assert_int_equal(strategy_make(&world.va), 0);
	world.pages = 2 * ZONE;
	take_at(&world, ZONE - 350, 700);
	for (long i = 0; i < 100; i++)
		(void)take(&world, 3);
	world.va.config.reuse_at_once = false;
	give(&world, take(&world, 3));
	va_fini(&world.va);
	assert_int_equal(anon_mapped, 0);
}

static void of_frees_that_race_one_is_let_through(void **state)
{
	struct va_config config = rcu_config(ZONE);
	struct world world;

	(void)state;
	world_make(&world, &va_rcu, &config);
	frees_race(&world);
	assert_int_equal(world_stats(&world).holes, 1);
	world_end(&world);
	config.reuse_at_once = false;
	world_make(&world, &va_rcu, &config);
	frees_race(&world);
	assert_int_equal(world_stats(&world).lazy_pages, 4 * RACES);
	world_end(&world);
}

static void a_second_free_is_refused(void **state)
{
	struct world world;

	(void)state;
	rcu_begin(&world, ZONE);

	const long page = take(&world, 4);

	assert_int_equal(try_free(&world, page + 1), -ENOENT);
	give(&world, page);
	assert_int_equal(try_free(&world, page), -ENOENT);
	assert_true(world.va.ops->has_begun(&world.va, address_of(page)));
	assert_false(world.va.ops->has_begun(&world.va, address_of(page + 1)));
	world_end(&world);
}

/* idle_at - an area that is no user's, from `page` to the end of its zone. */
static void idle_at(struct world *world, long page)
{
	const struct va_request request =
		request_of(ZONE - page, 0, page, ZONE);
	struct va_range range;

	assert_int_equal(world->va.ops->alloc(&world->va, &request, &range), 0);
}

static void forget_a_node(void *context)
{
	struct world *const world = context;
	struct page_areas *const areas = areas_of(&world->va);
	struct page_head head;

	assert_true(page_map_end(&areas->map, ZONE - 10, &head));
	holes_give(&areas->holes, ZONE - 10, 10);
	world->va.ops->check(&world->va);
}

static void tell_no_zone_above(void *context)
{
	struct world *const world = context;
	struct page_areas *const areas = areas_of(&world->va);
	const struct holes_request behind = {
		.pages = 4, .align_pages = 1, .begin = ZONE, .end = ZONE + 4
	};
	struct page_head head;
	size_t page;

	assert_int_equal(holes_take(&areas->holes, &behind, &page), 0);
	assert_true(page_map_end(&areas->map, ZONE - 10, &head));
	page_map_begin(&areas->map, ZONE - 10, 14);
	world->va.ops->check(&world->va);
}

static void check_names_what_is_broken(void **state)
{
	struct world world;

	(void)state;
	rcu_begin(&world, 2 * ZONE);
	idle_at(&world, ZONE - 10);
	assert_true(aborts_saying(forget_a_node, &world, "invariant N1"));
	assert_true(aborts_saying(tell_no_zone_above, &world, "invariant N2"));
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_area_is_found_in_each_zone_that_it_reaches),
		cmocka_unit_test(
			a_name_from_below_outlives_its_area_and_misleads_nobody),
		cmocka_unit_test(one_area_may_be_all_zones),
		cmocka_unit_test(a_window_may_end_inside_a_zone),
		cmocka_unit_test(a_batch_crosses_zones),
		cmocka_unit_test(a_strategy_that_cannot_be_made_leaves_nothing),
		cmocka_unit_test(live_and_lazy_areas_go_with_the_strategy),
		cmocka_unit_test(of_frees_that_race_one_is_let_through),
		cmocka_unit_test(a_second_free_is_refused),
		cmocka_unit_test(check_names_what_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
