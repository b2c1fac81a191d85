/* SPDX-License-Identifier: MIT */
/*
 * test_page_areas.c - what the index is told, and when.
 */
#include "areas_world.h"

static void an_area_is_indexed_before_anybody_finds_it(void **state)
{
	const struct va_request request = request_of(4, 0, 0, PAGES);
	struct va_range range;
	struct world world;

	(void)state;
	watched_begin(&world, false);
	assert_int_equal(world.va.ops->alloc(&world.va, &request, &range), 0);
	assert_true(is_indexed(&world, page_of(range.start)));
	assert_int_equal(next_at(&world, range.start), NO_PAGE);
	assert_true(world.va.ops->publish(&world.va, &range, &request));
	assert_int_equal(next_at(&world, range.start), page_of(range.start));
	world_end(&world);
}

static void a_lazy_area_is_indexed_until_the_purge(void **state)
{
	struct world world;

	(void)state;
	watched_begin(&world, false);

	const long page = take(&world, 4);

	give(&world, page);
	assert_int_equal(next_at(&world, 0), NO_PAGE);
	assert_int_equal(walk(&world).lazy, 1);
	assert_true(is_indexed(&world, page));
	purge_all(&world);
	assert_false(is_indexed(&world, page));
	assert_int_equal(walk(&world).lazy, 0);
	world_end(&world);
}

static void what_is_a_hole_at_once_leaves_the_index_before(void **state)
{
	struct world world;

	(void)state;
	watched_begin(&world, true);

	const long page = take(&world, 4);

	give(&world, page); /* removed_check() */
	assert_false(is_indexed(&world, page));
	assert_int_equal(watched_of(&world.va)->removed, 1);
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	assert_int_equal(take(&world, 4), page);
	world_end(&world);
}

static void what_the_index_has_no_room_for_is_a_hole_again(void **state)
{
	const struct va_request request = request_of(4, 0, 0, PAGES);
	struct va_range range;
	struct world world;

	(void)state;
	watched_begin(&world, false);
	watched_of(&world.va)->room = 0;
	assert_int_equal(world.va.ops->alloc(&world.va, &request, &range),
			 -ENOBUFS);
	assert_int_equal(world_stats(&world).hole_pages, PAGES);
	world.va.ops->check(&world.va);
	watched_of(&world.va)->room = 1;
	assert_int_equal(take(&world, 4), 0);
	world_end(&world);
}

static void of_a_batch_what_the_index_took_is_kept(void **state)
{
	uint64_t firsts[8];
	struct world world;

	(void)state;
	watched_begin(&world, false);
	watched_of(&world.va)->room = 3;
	assert_int_equal(world.va.ops->alloc_many(&world.va, 5, 8, firsts), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(firsts[i], 5 * i);
	assert_int_equal(world_stats(&world).pool_pages, 15);
	assert_int_equal(world_stats(&world).hole_pages, PAGES - 15);
	assert_int_equal(world.va.ops->alloc_many(&world.va, 5, 8, firsts), 0);
	assert_int_equal(world_stats(&world).hole_pages, PAGES - 15);
	world_end(&world);
}

static void what_the_cache_gives_up_leaves_the_index_or_is_lazy(void **state)
{
	const struct va_back *const back = &areas_back;
	uint64_t firsts[2];
	struct world world;

	(void)state;
	watched_begin(&world, false);
	assert_int_equal(world.va.ops->alloc_many(&world.va, 3, 2, firsts), 2);
	assert_false(back->release(&world.va, &firsts[0], 1, true));
	assert_false(is_indexed(&world, (long)firsts[0]));
	assert_false(back->release(&world.va, &firsts[1], 1, false));
	assert_true(is_indexed(&world, (long)firsts[1]));
	assert_int_equal(world_stats(&world).lazy_pages, 3);
	world_end(&world);
}

static void of_frees_that_race_one_is_let_through(void **state)
{
	struct world world;

	(void)state;
	watched_begin(&world, true);
	frees_race(&world);
	assert_int_equal(watched_of(&world.va)->removed, RACES);
	assert_int_equal(world_stats(&world).hole_pages, PAGES);
	world_end(&world);
}

/* Between its look at the index and its look at the head: another area. */
static void replace_by_a_shorter(struct va *va, uint64_t first)
{
	struct world world = { .va = *va, .pages = PAGES };

	if (first != 8)
		return;
	watched_of(va)->met = NULL;
	give(&world, 8);
	assert_int_equal(take(&world, 4), 8);
}

static void find_next_never_goes_back(void **state)
{
	struct world world;

	(void)state;
	watched_begin(&world, true);
	assert_int_equal(take(&world, 8), 0);
	assert_int_equal(take(&world, 8), 8);
	assert_int_equal(take(&world, 8), 16);
	watched_of(&world.va)->met = replace_by_a_shorter;
	assert_int_equal(next_at(&world, address_of(14)), 16);
	assert_int_equal(next_at(&world, address_of(14)), 16);
	assert_int_equal(next_at(&world, address_of(10)), 8);
	world_end(&world);
}

static void a_walk_shows_live_areas_and_then_lazy_ones(void **state)
{
	uint64_t idle;
	struct world world;

	(void)state;
	watched_begin(&world, false);
	for (long i = 0; i < 4; i++)
		assert_int_equal(take(&world, 4), 4 * i);
	assert_int_equal(world.va.ops->alloc_many(&world.va, 4, 1, &idle), 1);
	give(&world, 4);
	give(&world, 12);

	const struct walked walked = walk(&world);

	assert_int_equal(walked.live, 2);
	assert_int_equal(walked.first[0], 0);
	assert_int_equal(walked.first[1], 8);
	assert_int_equal(walked.lazy, 2);

	const struct va_stats stats = world_stats(&world);

	assert_int_equal(stats.live_areas, 2);
	assert_int_equal(stats.live_pages, 8);
	assert_int_equal(stats.lazy_pages, 8);
	assert_int_equal(stats.pool_pages, 4);
	assert_int_equal(stats.lowest_start, address_of(0));
	assert_int_equal(stats.highest_end, address_of(12));
	world_end(&world);
}

/* Whatever is not as it should be has its number. */
static void lose_an_area(void *context)
{
	struct world *const world = context;

	watched_of(&world->va)->pages[4] = 0;
	world->va.ops->check(&world->va);
}

static void lose_lazy_pages(void *context)
{
	struct world *const world = context;

	lazy_settle(&areas_of(&world->va)->lazy, 1);
	world->va.ops->check(&world->va);
}

static void cover_a_page_twice(void *context)
{
	struct world *const world = context;

	page_map_begin(&areas_of(&world->va)->map, 6, 4);
	watched_of(&world->va)->pages[6] = 4;
	world->va.ops->check(&world->va);
}

static void check_names_what_is_broken(void **state)
{
	uint64_t idle;
	struct world world;

	(void)state;
	watched_begin(&world, false);
	assert_int_equal(take(&world, 4), 0);
	assert_int_equal(take(&world, 4), 4);
	assert_int_equal(world.va.ops->alloc_many(&world.va, 4, 1, &idle), 1);
	assert_int_equal(idle, 8);
	give(&world, 0);
	assert_int_equal(areas_check(&world.va), 3);
	assert_true(aborts_saying(lose_an_area, &world, "invariant A1"));
	assert_true(aborts_saying(cover_a_page_twice, &world, "invariant A2"));
	assert_true(aborts_saying(lose_lazy_pages, &world, "invariant A4"));
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_area_is_indexed_before_anybody_finds_it),
		cmocka_unit_test(a_lazy_area_is_indexed_until_the_purge),
		cmocka_unit_test(
			what_is_a_hole_at_once_leaves_the_index_before),
		cmocka_unit_test(
			what_the_index_has_no_room_for_is_a_hole_again),
		cmocka_unit_test(of_a_batch_what_the_index_took_is_kept),
		cmocka_unit_test(
			what_the_cache_gives_up_leaves_the_index_or_is_lazy),
		cmocka_unit_test(of_frees_that_race_one_is_let_through),
		cmocka_unit_test(find_next_never_goes_back),
		cmocka_unit_test(a_walk_shows_live_areas_and_then_lazy_ones),
		cmocka_unit_test(check_names_what_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
