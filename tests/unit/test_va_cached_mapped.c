/* SPDX-License-Identifier: MIT */
/*
 * test_va_cached_mapped.c - which areas the cache takes where pages have
 * memory, and who unmaps them.
 */
#include "cached_world.h"

#include "lfv/lfv.h"

/* What the hook met. */
static unsigned unmaps;
static struct va_range unmapped_range;
static int unmap_error;

static int unmap(void *context, const struct va_range *range)
{
	(void)context;
	unmaps++;
	unmapped_range = *range;
	return unmap_error;
}

static struct va_config mapped_config(void)
{
	struct va_config config = cached_config(PAGES);

	config.address_plane = false;
	config.hooks.unmap = unmap;
	unmaps = 0;
	unmap_error = 0;
	return config;
}

static struct va_request memory_request(const struct world *world, long pages)
{
	struct va_request request = request_all(world, pages);

	request.vm.flags = LFV_VM_ALLOC;
	return request;
}

static void strict_on(struct world *world)
{
	const struct va_request request = memory_request(world, 17);
	const struct va_request other = request_all(world, 20);
	struct va_range range;
	const long page = try_request(world, &request, NULL);
	const unsigned before = unmaps;

	give(world, page);
	assert_int_equal(unmaps, before + 1);
	/* Not again when the strategy has it back. */
	purge_all(world);
	assert_int_equal(unmaps, before + 1);
	give(world, try_request(world, &request, NULL));
	assert_int_equal(page_of(unmapped_range.start), page);
	assert_int_equal(page_of(unmapped_range.end), page + 20);
	/* What is no vmalloc comes from the strategy. */
	assert_int_not_equal(try_request(world, &other, NULL), page);
	assert_int_equal(world->va.ops->alloc(&world->va, &request, &range), 0);
	assert_int_equal(page_of(range.start), page);
	assert_false(range.mapped);
	assert_true(world->va.ops->publish(&world->va, &range, &request));
	unmap_error = -ENOMEM;
	give(world, page);
	unmap_error = 0;
	assert_int_equal(world_stats(world).lazy_pages, 20);
	assert_int_not_equal(try_request(world, &request, NULL), page);
}

static void with_strict_a_free_unmaps_and_what_sticks_is_not_kept(void **state)
{
	const struct va_config config = mapped_config();

	(void)state;
	each_inner(strict_on, &config);
}

/* An area of the size of a class that holds no vmalloc's memory. */
static void passes_by(struct world *world, const struct va_request *request)
{
	const long page = try_request(world, request, NULL);
	const struct va_request memory = memory_request(world, 4);
	struct va_range range;

	assert_int_equal(found_at(world, page), page);
	give(world, page);
	assert_true(world_stats(world).lazy_pages >= 4);
	assert_int_equal(world->va.ops->alloc(&world->va, &memory, &range), 0);
	assert_int_not_equal(page_of(range.start), page);
	assert_false(range.mapped);
	world->va.ops->withdraw(&world->va, &range);
}

static void keep_on(struct world *world)
{
	const struct va_request request = memory_request(world, 4);
	struct va_request other = request_all(world, 4);
	struct va_range range;

	assert_int_equal(world->va.ops->alloc(&world->va, &request, &range), 0);
	assert_false(range.mapped);
	assert_true(world->va.ops->publish(&world->va, &range, &request));

	const long page = page_of(range.start);

	/* Nothing else was carved: it would have no frames. */
	assert_int_equal(world_stats(world).pool_pages, 0);
	give(world, page);
	assert_int_equal(unmaps, 0);
	assert_int_equal(world->va.ops->alloc(&world->va, &request, &range), 0);
	assert_int_equal(page_of(range.start), page);
	assert_true(range.mapped);
	assert_true(world->va.ops->publish(&world->va, &range, &request));
	passes_by(world, &other);
	other.vm.flags = LFV_VM_IOREMAP;
	passes_by(world, &other);
	other.vm.flags = LFV_VM_MAP;
	passes_by(world, &other);
	other.vm.flags = LFV_VM_ALLOC | LFV_VM_NO_GUARD;
	passes_by(world, &other);
	/* What has frames is unmapped before it is a hole. */
	give(world, page);
	purge_all(world);
	assert_int_equal(world->va.ops->alloc(&world->va, &request, &range), 0);
	assert_false(range.mapped);
}

static void keep_keeps_vmallocs_areas_and_no_others(void **state)
{
	struct va_config config = mapped_config();

	(void)state;
	config.keeps = true;
	config.hooks.unmap = NULL;
	each_inner(keep_on, &config);
}

static void kept_areas_are_unmapped_by_the_purge(void **state)
{
	struct va_config config = mapped_config();
	struct unmapped unmapped = { .stuck = NO_PAGE };
	struct world world;

	(void)state;
	config.keeps = true;
	config.hooks.unmap = NULL;
	world_make(&world, &va_lockfree, &config);

	const struct va_request request = memory_request(&world, 4);
	const long page = try_request(&world, &request, NULL);

	give(&world, page);
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(unmapped.count, 1);
	assert_int_equal(page_of(unmapped.runs[0].start), page);
	assert_int_equal(page_of(unmapped.runs[0].end), page + 4);
	world_end(&world);
}

/* `list` has no purge that would unmap: its free does. */
static void over_list_what_the_cache_gives_up_is_unmapped(void **state)
{
	struct va_config config = mapped_config();
	struct world world;

	(void)state;
	config.keeps = true;
	world_make(&world, &va_list_2624, &config);

	const struct va_request request = memory_request(&world, 4);
	const long page = try_request(&world, &request, NULL);

	give(&world, page);
	assert_int_equal(unmaps, 0);
	purge_all(&world);
	assert_int_equal(unmaps, 1);
	assert_int_equal(page_of(unmapped_range.start), page);
	world_end(&world);
}

#define ON_ONE_CPU(test) cmocka_unit_test_setup(test, world_stay)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_ONE_CPU(
			with_strict_a_free_unmaps_and_what_sticks_is_not_kept),
		ON_ONE_CPU(keep_keeps_vmallocs_areas_and_no_others),
		ON_ONE_CPU(kept_areas_are_unmapped_by_the_purge),
		ON_ONE_CPU(over_list_what_the_cache_gives_up_is_unmapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
