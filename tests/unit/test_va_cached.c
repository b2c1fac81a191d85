/* SPDX-License-Identifier: MIT */
#include "cached_world.h"

#include "anon_os.h"

/* Written out by hand: what 17 pages and more are rounded up to. */
static const long sizes[] = {
	20,  24,  28,  32,  40,  48,  56,  64,  80,  96,
	112, 128, 160, 192, 224, 256, 320, 384, 448, 512
};

static void rounding_on(struct world *world)
{
	unsigned size = 0;

	for (long pages = 1; pages <= 512; pages++) {
		const struct va_request request = request_all(world, pages);
		long got = 0;

		while (pages > 16 && sizes[size] < pages)
			size++;

		const long page = try_request(world, &request, &got);

		assert_int_not_equal(page, NO_PAGE);
		assert_int_equal(got, pages <= 16 ? pages : sizes[size]);
		assert_int_equal(found_at(world, page + got - 1), page);
		give(world, page);
	}
}

static void a_request_gets_the_size_of_its_class(void **state)
{
	const struct va_config config = cached_config(8 * PAGES);

	(void)state;
	each_inner(rounding_on, &config);
}

static void no_class_on(struct world *world)
{
	const struct va_request wide = request_all(world, 513);
	const struct va_request aligned = request_of(17, 2, 0, PAGES);
	const struct va_request low = request_of(17, 0, 0, PAGES - 1);
	const struct va_request high = request_of(17, 0, 1, PAGES);
	const struct va_request paged = request_of(17, 1, 0, PAGES);
	struct va_range range = { .mapped = true };
	long got = 0;

	/* The cache has what the class of 17 wants. */
	give(world, take(world, 20));
	/* It takes what has the size of a class, however it was got. */
	assert_false(cached_give(cached_of(world), 0, 17));
	assert_false(cached_give(cached_of(world), 0, 513));
	assert_int_not_equal(try_request(world, &wide, &got), NO_PAGE);
	assert_int_equal(got, 513);
	assert_int_equal(try_request(world, &aligned, &got) % 2, 0);
	assert_int_equal(got, 17);
	assert_int_not_equal(try_request(world, &low, &got), NO_PAGE);
	assert_int_equal(got, 17);
	assert_true(try_request(world, &high, &got) >= 1);
	assert_int_equal(got, 17);
	assert_int_equal(world->va.ops->alloc(&world->va, &aligned, &range), 0);
	assert_false(range.mapped);
	world->va.ops->withdraw(&world->va, &range);
	/* Alignment to a page is none. */
	assert_int_not_equal(try_request(world, &paged, &got), NO_PAGE);
	assert_int_equal(got, 20);
}

static void requests_with_conditions_have_no_class(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(no_class_on, &config);
}

static void exact_on(struct world *world)
{
	const struct va_request request = request_all(world, 17);
	long got = 0;

	assert_int_not_equal(try_request(world, &request, &got), NO_PAGE);
	assert_int_equal(got, 20);
	assert_int_not_equal(try_request(world, &request, &got), NO_PAGE);
	assert_int_equal(got, 17);
	assert_int_equal(take(world, 1), NO_PAGE);
}

static void where_the_class_does_not_fit_the_size_may(void **state)
{
	const struct va_config config = cached_config(37);

	(void)state;
	each_inner(exact_on, &config);
}

static void reuse_on(struct world *world)
{
	const long one = take(world, 4);
	const long two = take(world, 4);

	give(world, one);
	give(world, two);
	assert_int_equal(take(world, 4), two);
	assert_int_equal(take(world, 4), one);
	/* The largest class too. */
	const long large = take(world, 512);

	(void)take(world, 512);
	give(world, large);
	assert_int_equal(take(world, 512), large);
	/* By its size, whatever was asked for then. */
	give(world, take(world, 17));
	give(world, one);
	assert_int_equal(take(world, 4), one);
}

static void the_area_freed_last_is_used_next(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(reuse_on, &config);
}

static void suiting_on(struct world *world)
{
	const struct va_request aligned = request_of(4, 8, 0, PAGES);
	long got = 0;
	const long page = try_request(world, &aligned, &got);
	const struct va_request above = request_of(4, 0, page + 1, PAGES);
	const struct va_request below = request_of(4, 0, 0, page + 3);
	const struct va_request within = request_of(4, 0, page, page + 4);

	give(world, page);
	assert_int_equal(try_request(world, &aligned, &got), page);
	give(world, page);
	assert_int_equal(try_request(world, &within, &got), page);
	/* What lies elsewhere stays where it was. */
	give(world, page);
	assert_true(try_request(world, &above, &got) > page);
	assert_int_not_equal(try_request(world, &below, &got), page);
	assert_int_equal(take(world, 4), page);

	const struct va_request odd = request_of(4, 0, page + 9, PAGES);
	const long unaligned = try_request(world, &odd, &got);

	assert_int_not_equal(unaligned % 8, 0);
	give(world, unaligned);
	assert_int_equal(try_request(world, &aligned, &got) % 8, 0);
	assert_int_equal(take(world, 4), unaligned);
}

static void requests_with_conditions_get_what_lies_well(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(suiting_on, &config);
}

static void ascending_on(struct world *world)
{
	for (long i = 0; i < 4; i++)
		assert_int_equal(take(world, 4), 4 * i);
}

static void a_batch_is_used_from_its_lowest_address_on(void **state)
{
	struct va_config config = cached_config(PAGES);

	(void)state;
	config.magazine = 8;
	each_inner(ascending_on, &config);
}

static void what_holds_no_memory_is_a_hole_without_a_purge(void **state)
{
	const struct va_config config = cached_config(PAGES);
	struct unmapped unmapped = { .stuck = NO_PAGE };
	struct world world;

	(void)state;
	world_make(&world, &va_lockfree, &config);
	give(&world, take(&world, 4));
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(unmapped.count, 0);
	assert_int_equal(world_stats(&world).holes, 1);
	world_end(&world);
}

static void lazy_on(struct world *world)
{
	/* Two, for a batch is carved of what can hold it. */
	const long page = take(world, 4);
	const long next = take(world, 4);

	assert_int_equal(next, page + 4);
	give(world, next);
	give(world, page);
	assert_int_equal(world_stats(world).lazy_pages, 8);
	for (long i = 0; i < 16; i++)
		assert_int_not_equal(take(world, 4), page);
	purge_all(world);
	for (long i = 0; i < 4 && !is_found(world, page); i++)
		(void)take(world, 4);
	assert_int_equal(found_at(world, page), page);
}

static void with_lazy_an_area_is_used_again_after_a_purge(void **state)
{
	struct va_config config = cached_config(PAGES);

	(void)state;
	config.reuse_at_once = false;
	each_inner(lazy_on, &config);
}

static void misuse_on(struct world *world)
{
	const long page = take(world, 4);

	assert_true(world->va.ops->has_begun(&world->va, address_of(page)));
	assert_int_equal(try_free(world, page + 1), -ENOENT);
	assert_false(
		world->va.ops->has_begun(&world->va, address_of(page + 1)));
	give(world, page);
	assert_int_equal(try_free(world, page), -ENOENT);
	purge_all(world);
	assert_int_equal(try_free(world, page), -ENOENT);
	assert_int_equal(take(world, 4), page);
	give(world, page);
}

static void a_second_free_is_refused_wherever_the_area_lies(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(misuse_on, &config);
}

/* Two frees raced, and left one area in the cache twice. */
static void twice_on(struct world *world)
{
	const long page = take(world, 4);

	give(world, page);
	assert_true(cached_give(cached_of(world), (uint64_t)page, 4));
	assert_int_equal(take(world, 4), page);
	/* The core would write to it, or map there, before it publishes. */
	const struct va_request request = request_all(world, 4);
	struct va_range range;

	assert_int_equal(world->va.ops->alloc(&world->va, &request, &range), 0);
	assert_int_not_equal(page_of(range.start), page);
	world->va.ops->withdraw(&world->va, &range);
	assert_int_equal(found_at(world, page), page);

	/* And the copy of an area that went back to the strategy. */
	give(world, page);
	purge_all(world);
	assert_true(cached_give(cached_of(world), (uint64_t)page, 4));
	purge_all(world);
	assert_true(cached_give(cached_of(world), (uint64_t)page, 4));
	assert_int_not_equal(take(world, 4), NO_PAGE);

	/* And the copy of one that came back with another length. */
	const long longer = take(world, 8);

	give(world, longer);
	assert_true(cached_give(cached_of(world), (uint64_t)longer, 4));
	assert_int_not_equal(take(world, 4), longer);
}

static void of_an_area_that_is_there_twice_one_is_used(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(twice_on, &config);
}

static void returned_on(struct world *world)
{
	long pages[2 * MAGAZINE];

	for (unsigned i = 0; i < 2 * MAGAZINE; i++)
		pages[i] = take(world, 4);
	purge_all(world);
	assert_true(world->va.ops->close(&world->va));

	/* With the stocks closed each free goes to the depot, and is seen. */
	const uint64_t before = world->va.ops->returned(&world->va);

	give(world, pages[0]);
	assert_int_not_equal(world->va.ops->returned(&world->va), before);
	assert_int_equal(depot_pages(&cached_of(world)->cache.depot), 4);
	world->va.ops->open(&world->va);
	give(world, pages[1]);
	assert_int_equal(depot_pages(&cached_of(world)->cache.depot), 4);
}

static void a_closed_cache_shows_what_comes_back(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(returned_on, &config);
}

static void withdrawn_on(struct world *world)
{
	const struct va_request request = request_all(world, 4);
	struct va_range range;

	assert_int_equal(world->va.ops->alloc(&world->va, &request, &range), 0);

	const long page = page_of(range.start);

	assert_false(is_found(world, page));
	world->va.ops->withdraw(&world->va, &range);
	assert_int_equal(world_stats(world).lazy_pages, 4);
	assert_false(world->va.ops->has_begun(&world->va, range.start));
	assert_int_equal(try_free(world, page), -ENOENT);
	purge_all(world);
	assert_int_equal(world_stats(world).lazy_pages, 0);
	assert_int_equal(take(world, 4), page);
}

static void a_lazy_free_moves_what_was_returned(void **state)
{
	struct va_config config = cached_config(PAGES);
	struct world world;

	(void)state;
	config.reuse_at_once = false;
	world_make(&world, &va_lockfree, &config);

	const long page = take(&world, 4);
	const uint64_t before = world.va.ops->returned(&world.va);

	give(&world, page);
	assert_int_not_equal(world.va.ops->returned(&world.va), before);
	world_end(&world);
}

static void a_range_that_is_withdrawn_waits_for_a_purge_unseen(void **state)
{
	const struct va_config config = cached_config(PAGES);

	(void)state;
	each_inner(withdrawn_on, &config);
}

static int unmap_nothing(void *context, const struct va_range *range)
{
	(void)context;
	(void)range;
	return 0;
}

static void hardened_on(struct world *world)
{
	frees_race(world);
	assert_int_equal(world_stats(world).live_areas, 0);
	purge_all(world);
	assert_int_equal(world_stats(world).holes, 1);
}

static void hardened_lets_one_of_racing_frees_through(void **state)
{
	struct va_config config = cached_config(PAGES);

	(void)state;
	config.hardened = true;
	each_inner(hardened_on, &config);
	/* And without, where a free does more than fill a stock. */
	config.hardened = false;
	config.reuse_at_once = false;
	each_inner(hardened_on, &config);
	config.reuse_at_once = true;
	config.hooks.unmap = unmap_nothing;
	each_inner(hardened_on, &config);
}

static struct os counted;
static const struct va_ops *made_ops;

static int cached_make(void *context)
{
	struct va_config config = cached_config(PAGES);

	config.os = &counted;
	return va_init(context, made_ops, &config);
}

static void cached_unmake(void *context)
{
	va_fini(context);
}

static void a_cache_that_cannot_be_made_leaves_nothing(void **state)
{
	struct va va;

	(void)state;
	for (unsigned i = 0; i < INNERS; i++) {
		made_ops = inners[i];
		counted = anon_os();
		assert_true(anon_sweep(cached_make, cached_unmake, &va) >
			    CLASSES);
	}
}

static void live_and_cached_areas_go_with_the_strategy(void **state)
{
	struct world world = { .pages = PAGES };

	(void)state;
	for (unsigned i = 0; i < INNERS; i++) {
		made_ops = inners[i];
		counted = anon_os();
		/* The descriptors' memory stays. */
		assert_int_equal(cached_make(&world.va), 0);
		(void)take(&world, 4);
		va_fini(&world.va);
		counted = anon_os();
		assert_int_equal(cached_make(&world.va), 0);
		(void)take(&world, 4);
		give(&world, take(&world, 40));
		give(&world, take(&world, 700));
		va_fini(&world.va);
		assert_int_equal(anon_mapped, 0);
	}
}

#define ON_ONE_CPU(test) cmocka_unit_test_setup(test, world_stay)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hardened_lets_one_of_racing_frees_through),
		ON_ONE_CPU(a_request_gets_the_size_of_its_class),
		ON_ONE_CPU(requests_with_conditions_have_no_class),
		ON_ONE_CPU(where_the_class_does_not_fit_the_size_may),
		ON_ONE_CPU(the_area_freed_last_is_used_next),
		ON_ONE_CPU(requests_with_conditions_get_what_lies_well),
		ON_ONE_CPU(a_batch_is_used_from_its_lowest_address_on),
		ON_ONE_CPU(what_holds_no_memory_is_a_hole_without_a_purge),
		ON_ONE_CPU(with_lazy_an_area_is_used_again_after_a_purge),
		ON_ONE_CPU(a_second_free_is_refused_wherever_the_area_lies),
		ON_ONE_CPU(of_an_area_that_is_there_twice_one_is_used),
		ON_ONE_CPU(a_closed_cache_shows_what_comes_back),
		ON_ONE_CPU(a_lazy_free_moves_what_was_returned),
		ON_ONE_CPU(a_range_that_is_withdrawn_waits_for_a_purge_unseen),
		ON_ONE_CPU(a_cache_that_cannot_be_made_leaves_nothing),
		ON_ONE_CPU(live_and_cached_areas_go_with_the_strategy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
