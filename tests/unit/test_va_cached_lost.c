/* SPDX-License-Identifier: MIT */
/*
 * test_va_cached_lost.c - on no way through the cache a page is lost: when all
 * areas are freed and a purge is over, the window is one hole.
 */
#include "cached_world.h"

/* Sizes with a class and without, and a cache that is closed meanwhile. */
static void conserved_on(struct world *world)
{
	static const long lengths[] = { 4, 20, 513, 4, 4, 600, 512, 4, 4, 1 };
	const struct va_request aligned = request_of(17, 2, 0, PAGES);
	long pages[10];
	const long odd = try_request(world, &aligned, NULL);

	for (unsigned i = 0; i < 10; i++) {
		if (i == 3)
			assert_true(world->va.ops->close(&world->va));
		pages[i] = take(world, lengths[i]);
		assert_int_not_equal(pages[i], NO_PAGE);
	}
	for (unsigned i = 0; i < 5; i++)
		give(world, pages[i]);
	pages[0] = take(world, 4);
	world->va.ops->open(&world->va);
	give(world, pages[0]);
	for (unsigned i = 5; i < 10; i++)
		give(world, pages[i]);
	give(world, odd);
	purge_all(world);
	assert_int_equal(world_stats(world).pool_pages, 0);
	assert_int_equal(world_stats(world).holes, 1);
	assert_int_equal(world_stats(world).hole_pages, PAGES);
}

static void no_page_is_lost_on_any_way(void **state)
{
	struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(conserved_on, &config);
	config.magazine = 32;
	each_inner(conserved_on, &config);
}

/* The depot has no room for more. */
static void spilt_on(struct world *world)
{
	struct depot *const depot = &cached_of(world)->cache.depot;
	long pages[3 * MAGAZINE];

	for (unsigned i = 0; i < 3 * MAGAZINE; i++)
		pages[i] = take(world, 4);
	depot->pages_max = 0;
	for (unsigned i = 0; i < 3 * MAGAZINE; i++)
		give(world, pages[i]);
	assert_int_equal(depot_pages(depot), 0);
	purge_all(world);
	assert_int_equal(world_stats(world).pool_pages, 0);
	assert_int_equal(world_stats(world).holes, 1);
}

static void what_finds_no_room_is_the_strategys_again(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(spilt_on, &config);
}

/* The stock is full, and the depot too, when a batch comes back from there. */
static struct percpu_ops full_percpu;
static struct cached *full_cached;

static unsigned push_none(struct percpu *percpu, const uint64_t *values,
			  unsigned count)
{
	(void)percpu;
	(void)values;
	(void)count;
	full_cached->cache.depot.pages_max = 0;
	return 0;
}

static void refilled_on(struct world *world)
{
	long pages[MAGAZINE + 1];

	full_cached = cached_of(world);
	for (unsigned i = 0; i <= MAGAZINE; i++)
		pages[i] = take(world, 4);
	full_cached->cache.depot.pages_max = PAGES;
	for (unsigned i = 0; i <= MAGAZINE; i++)
		give(world, pages[i]);
	/* The stock's, and then one of the depot's batch. */
	for (unsigned i = 0; i <= MAGAZINE; i++)
		pages[i] = take(world, 4);
	for (unsigned i = 0; i <= MAGAZINE; i++)
		give(world, pages[i]);
	purge_all(world);
	assert_int_equal(world_stats(world).pool_pages, 0);
	assert_int_equal(world_stats(world).holes, 1);
}

static void what_a_refill_has_no_room_for_is_the_strategys_again(void **state)
{
	struct va_config config = cached_config(PAGES);

	(void)state;
	full_percpu = percpu_cas;
	full_percpu.push_many = push_none;
	config.percpu = &full_percpu;
	each_inner(refilled_on, &config);
}

static void drain_on(struct world *world)
{
	long pages[3 * MAGAZINE];

	for (unsigned i = 0; i < 3 * MAGAZINE; i++)
		pages[i] = take(world, 4);
	for (unsigned i = 0; i < 3 * MAGAZINE; i++)
		give(world, pages[i]);
	assert_true(depot_pages(&cached_of(world)->cache.depot) > 0);
	purge_all(world);
	assert_int_equal(world_stats(world).holes, 1);
	assert_int_equal(world_stats(world).hole_pages, PAGES);
	assert_int_equal(depot_pages(&cached_of(world)->cache.depot), 0);
}

static void a_full_purge_empties_the_cache(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(drain_on, &config);
}

#define ON_ONE_CPU(test) cmocka_unit_test_setup(test, world_stay)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ONE_CPU(no_page_is_lost_on_any_way),
		ON_ONE_CPU(what_finds_no_room_is_the_strategys_again),
		ON_ONE_CPU(
			what_a_refill_has_no_room_for_is_the_strategys_again),
		ON_ONE_CPU(a_full_purge_empties_the_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
