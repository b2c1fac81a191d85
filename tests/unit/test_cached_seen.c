/* SPDX-License-Identifier: MIT */
#include "cached_world.h"

static void unseen_on(struct world *world)
{
	const long one = take(world, 4);
	const long two = take(world, 4);
	struct walked walked;

	give(world, one);
	assert_false(is_found(world, one));
	assert_int_equal(next_at(world, 0), two);
	assert_int_equal(next_at(world, address_of(two + 4)), NO_PAGE);
	walked = walk(world);
	assert_int_equal(walked.live, 1);
	assert_int_equal(walked.lazy, 0);
	assert_int_equal(walked.first[0], two);

	const struct va_stats stats = world_stats(world);

	assert_int_equal(stats.live_areas, 1);
	assert_int_equal(stats.live_pages, 4);
	assert_int_equal(stats.lowest_start, address_of(two));
	assert_int_equal(stats.highest_end, address_of(two + 4));
	/* A batch was carved, of which one is a user's. */
	assert_int_equal(stats.pool_pages, 4 * (MAGAZINE / 2 - 1));
	assert_int_equal(stats.hole_pages, PAGES - 4 * (MAGAZINE / 2));
}

static void what_lies_in_the_cache_is_nobodys_to_see(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(unseen_on, &config);
}

static void lazy_on(struct world *world)
{
	const struct va_request request = request_of(5, 0, 0, PAGES - 1);
	const long page = try_request(world, &request, NULL);
	struct walked walked;

	(void)take(world, 4);
	give(world, page);
	walked = walk(world);
	assert_int_equal(walked.live, 1);
	assert_int_equal(walked.lazy, 1);
}

static void a_walk_shows_what_is_lazy(void **state)
{
	struct va_config config = cached_config(PAGES);

	(void)state;
	config.reuse_at_once = false;
	each_inner(lazy_on, &config);
}

static void copy_on(struct world *world)
{
	struct va_request request = request_all(world, 4);
	struct va_found found;

	request.vm = (struct vm_struct){ .caller = world, .size = 99 };

	const long page = try_request(world, &request, NULL);

	assert_true(
		world->va.ops->find(&world->va, address_of(page + 2), &found));
	assert_ptr_equal(found.vm.caller, world);
	assert_int_equal(found.vm.size, 99);
	assert_int_equal(page_of(found.end), page + 4);
	assert_true(world->va.ops->find_next(&world->va, 0, &found));
	assert_ptr_equal(found.vm.caller, world);
}

static void a_lookup_has_the_users_request(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(copy_on, &config);
}

/* An inner strategy whose find_next lets somebody in when it is done. */
static struct va_ops interrupted;
static struct world *interrupted_world;
static long shorter_at; /* of 8 pages, which are 4 then; NO_PAGE: done */

static bool interrupted_find_next(struct va *va, uintptr_t address,
				  struct va_found *found)
{
	const bool is_there = va_augmented.find_next(va, address, found);
	const struct va_request request = request_of(
		4, 1, shorter_at == NO_PAGE ? 0 : shorter_at, PAGES - 1);
	const long page = shorter_at;

	if (page != NO_PAGE) {
		shorter_at = NO_PAGE;
		give(interrupted_world, page);
		purge_all(interrupted_world);
		assert_int_equal(try_request(interrupted_world, &request, NULL),
				 page);
	}
	return is_there;
}

static void find_next_never_goes_back(void **state)
{
	struct va_config config = cached_config(PAGES);
	struct va_found found;
	struct world world;

	(void)state;
	interrupted = va_augmented;
	interrupted.find_next = interrupted_find_next;
	interrupted_world = &world;
	config.reuse_at_once = false;
	shorter_at = NO_PAGE;
	world_make(&world, &interrupted, &config);

	const struct va_request request = request_of(8, 0, 0, PAGES - 1);
	const long page = try_request(&world, &request, NULL);
	const long next = try_request(&world, &request, NULL);

	assert_int_equal(next, page + 8);
	shorter_at = page;
	assert_true(world.va.ops->find_next(&world.va, address_of(page + 6),
					    &found));
	assert_int_equal(page_of(found.start), next);
	world_end(&world);
}

#define ON_ONE_CPU(test) cmocka_unit_test_setup(test, world_stay)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ONE_CPU(what_lies_in_the_cache_is_nobodys_to_see),
		ON_ONE_CPU(a_walk_shows_what_is_lazy),
		ON_ONE_CPU(a_lookup_has_the_users_request),
		ON_ONE_CPU(find_next_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
