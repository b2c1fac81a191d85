/* SPDX-License-Identifier: MIT */
/*
 * test_va_lockfree.c - what va_suite does not see: the steps of an area's life
 * one by one, and what fails.
 */
#include "lockfree_world.h"

#include "va/page_map.h"

#include "anon_os.h"

enum { PAGES = 4096 };

static void begin(struct world *world)
{
	const struct va_config config = world_config(PAGES);

	world_make(world, &va_lockfree, &config);
}

static void an_area_is_found_between_publish_and_free(void **state)
{
	const struct va_request request = request_of(4, 0, 0, PAGES);
	struct va_range range;
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(world.va.ops->alloc(&world.va, &request, &range), 0);
	assert_false(range.mapped);
	assert_false(is_found(&world, page_of(range.start)));
	assert_int_equal(walk(&world).live, 0);
	assert_int_equal(walk(&world).lazy, 0);
	assert_int_equal(world_stats(&world).live_areas, 0);
	assert_int_equal(world_stats(&world).pool_pages, 4);
	assert_true(world.va.ops->publish(&world.va, &range, &request));
	assert_int_equal(found_at(&world, page_of(range.start) + 3),
			 page_of(range.start));
	give(&world, page_of(range.start));
	assert_false(is_found(&world, page_of(range.start)));
	world_end(&world);
}

static void what_is_freed_is_lazy_until_the_purge(void **state)
{
	struct unmapped unmapped = { .stuck = NO_PAGE };
	struct world world;

	(void)state;
	begin(&world);

	const long page = take(&world, 4);

	give(&world, page);
	assert_int_equal(world_stats(&world).lazy_pages, 4);
	assert_int_equal(walk(&world).lazy, 1);
	assert_int_not_equal(take(&world, 4), page);
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	assert_int_equal(take(&world, 4), page);
	world_end(&world);
}

static void a_free_moves_what_was_returned(void **state)
{
	struct world world;

	(void)state;
	begin(&world);

	const long page = take(&world, 4);
	const uint64_t before = world.va.ops->returned(&world.va);

	give(&world, page);
	assert_int_not_equal(world.va.ops->returned(&world.va), before);
	world_end(&world);
}

static void a_range_that_is_withdrawn_waits_for_a_purge_unseen(void **state)
{
	const struct va_request request = request_of(4, 0, 0, PAGES);
	struct va_range range;
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(world.va.ops->alloc(&world.va, &request, &range), 0);
	world.va.ops->withdraw(&world.va, &range);
	assert_false(is_found(&world, page_of(range.start)));
	assert_false(world.va.ops->has_begun(&world.va, range.start));
	assert_int_not_equal(take(&world, 4), page_of(range.start));
	purge_all(&world);
	assert_int_equal(take(&world, 4), page_of(range.start));
	world_end(&world);
}

/* With `strict`: what was asked to be unmapped, and what came of it. */
static struct va_range unmapped_range;
static int unmap_error;

static int unmap(void *context, const struct va_range *range)
{
	struct world *const world = context;

	/* Not to be found any more, and not yet anybody's else. */
	assert_false(is_found(world, page_of(range->start)));
	assert_int_not_equal(take(world, 4), page_of(range->start));
	unmapped_range = *range;
	return unmap_error;
}

static void strict_begin(struct world *world)
{
	struct va_config config = world_config(PAGES);

	config.address_plane = false;
	config.reuse_at_once = true;
	config.hooks.unmap = unmap;
	config.hooks.context = world;
	unmap_error = 0;
	world_make(world, &va_lockfree, &config);
}

static void what_a_free_unmaps_is_a_hole_at_once(void **state)
{
	struct world world;

	(void)state;
	strict_begin(&world);

	const long page = take(&world, 5);

	give(&world, page);
	assert_int_equal(page_of(unmapped_range.start), page);
	assert_int_equal(page_of(unmapped_range.end), page + 5);
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	assert_int_equal(take(&world, 5), page);
	world_end(&world);
}

static void what_a_free_cannot_unmap_is_left_to_a_purge(void **state)
{
	struct world world;

	(void)state;
	strict_begin(&world);

	const long page = take(&world, 5);

	unmap_error = -ENOMEM;
	give(&world, page);
	assert_int_equal(world_stats(&world).lazy_pages, 5);
	assert_int_not_equal(take(&world, 5), page);
	purge_all(&world);
	assert_int_equal(take(&world, 5), page);
	world_end(&world);
}

static void without_unmapping_a_freed_range_may_be_a_hole_at_once(void **state)
{
	struct va_config config = world_config(PAGES);
	struct world world;

	(void)state;
	config.reuse_at_once = true;
	world_make(&world, &va_lockfree, &config);

	const long page = take(&world, 5);

	give(&world, page);
	assert_int_equal(take(&world, 5), page);
	world_end(&world);
}

static void areas_of_one_page_reach_the_windows_ends(void **state)
{
	struct va_config config = world_config(64);
	struct world world;

	(void)state;
	world_make(&world, &va_lockfree, &config);
	for (long page = 0; page < 64; page++)
		assert_int_equal(take(&world, 1), page);
	assert_int_equal(take(&world, 1), NO_PAGE);
	assert_int_equal(found_at(&world, 63), 63);
	assert_int_equal(next_at(&world, address_of(63)), 63);
	assert_false(is_found(&world, 64));
	assert_false(is_found(&world, -1));
	assert_int_equal(walk(&world).live, 64);
	world_end(&world);
}

static void one_area_may_be_the_window(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(take(&world, PAGES), 0);
	assert_int_equal(found_at(&world, PAGES - 1), 0);
	assert_int_equal(world_stats(&world).holes, 0);
	assert_int_equal(take(&world, 1), NO_PAGE);
	give(&world, 0);
	purge_all(&world);
	assert_int_equal(world_stats(&world).hole_pages_max, PAGES);
	world_end(&world);
}

static void find_next_is_the_lowest_that_ends_above(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	for (long i = 0; i < 4; i++)
		assert_int_equal(take(&world, 4), 4 * i);
	give(&world, 4);
	assert_int_equal(next_at(&world, 0), 0);
	assert_int_equal(next_at(&world, address_of(3)), 0);
	assert_int_equal(next_at(&world, address_of(4)), 8);
	assert_int_equal(next_at(&world, address_of(11) + 1), 8);
	assert_int_equal(next_at(&world, address_of(12)), 12);
	assert_int_equal(next_at(&world, address_of(16)), NO_PAGE);
	assert_int_equal(next_at(&world, address_of(PAGES)), NO_PAGE);

	const struct walked walked = walk(&world);

	assert_int_equal(walked.live, 3);
	assert_int_equal(walked.lazy, 1);
	assert_int_equal(walked.first[0], 0);
	assert_int_equal(walked.first[1], 8);
	assert_int_equal(walked.first[2], 12);
	world_end(&world);
}

static void a_batch_lies_side_by_side_or_is_a_smaller_one(void **state)
{
	uint64_t firsts[8];
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(world.va.ops->alloc_many(&world.va, 3, 8, firsts), 8);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(firsts[i], 3 * i);
	/* Theirs is no user's yet. */
	assert_false(is_found(&world, 0));
	assert_int_equal(world_stats(&world).pool_pages, 24);
	assert_int_equal(take(&world, PAGES - 24 - 13), 24);
	/* 13 pages are left: 8 and 4 areas of 3 do not fit, 2 do. */
	assert_int_equal(world.va.ops->alloc_many(&world.va, 4, 8, firsts), 2);
	assert_int_equal(firsts[0], PAGES - 13);
	assert_int_equal(firsts[1], PAGES - 9);
	assert_int_equal(world.va.ops->alloc_many(&world.va, 6, 8, firsts), 0);
	world_end(&world);
}

static void what_the_cache_gives_up_is_a_hole_or_lazy(void **state)
{
	uint64_t firsts[2];
	struct world world;

	(void)state;
	begin(&world);

	const struct va_back *const back = world.va.ops->back;

	assert_int_equal(world.va.ops->alloc_many(&world.va, 3, 2, firsts), 2);
	assert_false(back->release(&world.va, &firsts[0], 1, true));
	/* Of two frees that raced, the second has nothing to give. */
	assert_false(back->release(&world.va, &firsts[0], 1, true));
	assert_int_equal(world_stats(&world).pool_pages, 3);
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	assert_false(back->release(&world.va, &firsts[1], 1, false));
	assert_int_equal(world_stats(&world).lazy_pages, 3);
	world_end(&world);
}

static struct os counted;

static int strategy_make(void *context)
{
	struct va_config config = world_config(PAGES);

	config.os = &counted;
	return va_init(context, &va_lockfree, &config);
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
	world.pages = PAGES;
	(void)take(&world, 700);
	give(&world, take(&world, 3));
	va_fini(&world.va);
	assert_int_equal(anon_mapped, 0);
}

static void of_frees_that_race_one_is_let_through(void **state)
{
	struct va_config config = world_config(PAGES);
	struct world world;

	(void)state;
	config.reuse_at_once = true;
	world_make(&world, &va_lockfree, &config);
	frees_race(&world);
	assert_int_equal(world_stats(&world).holes, 1);
	world_end(&world);
	config.reuse_at_once = false;
	world_make(&world, &va_lockfree, &config);
	frees_race(&world);
	assert_int_equal(world_stats(&world).lazy_pages, 4 * RACES);
	world_end(&world);
}

static void a_second_free_is_refused(void **state)
{
	struct world world;

	(void)state;
	begin(&world);

	const long page = take(&world, 4);

	assert_int_equal(try_free(&world, page + 1), -ENOENT);
	give(&world, page);
	assert_int_equal(try_free(&world, page), -ENOENT);
	purge_all(&world);
	assert_int_equal(try_free(&world, page), -ENOENT);
	assert_true(world.va.ops->has_begun(&world.va, address_of(page)));
	assert_false(world.va.ops->has_begun(&world.va, address_of(page + 1)));
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_frees_that_race_one_is_let_through),
		cmocka_unit_test(an_area_is_found_between_publish_and_free),
		cmocka_unit_test(what_is_freed_is_lazy_until_the_purge),
		cmocka_unit_test(a_free_moves_what_was_returned),
		cmocka_unit_test(
			a_range_that_is_withdrawn_waits_for_a_purge_unseen),
		cmocka_unit_test(what_a_free_unmaps_is_a_hole_at_once),
		cmocka_unit_test(what_a_free_cannot_unmap_is_left_to_a_purge),
		cmocka_unit_test(
			without_unmapping_a_freed_range_may_be_a_hole_at_once),
		cmocka_unit_test(areas_of_one_page_reach_the_windows_ends),
		cmocka_unit_test(one_area_may_be_the_window),
		cmocka_unit_test(find_next_is_the_lowest_that_ends_above),
		cmocka_unit_test(a_batch_lies_side_by_side_or_is_a_smaller_one),
		cmocka_unit_test(what_the_cache_gives_up_is_a_hole_or_lazy),
		cmocka_unit_test(a_strategy_that_cannot_be_made_leaves_nothing),
		cmocka_unit_test(live_and_lazy_areas_go_with_the_strategy),
		cmocka_unit_test(a_second_free_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
