/* SPDX-License-Identifier: MIT */
/*
 * test_free_space.c - the holes behind their lock: preload, rounds, failures.
 */
#include <stdlib.h>

#include "va_world.h"

#include "va/free_space.h"

enum { PAGES = 64 };

/* The slab of descriptors remembers the table: it outlives each setting. */
static struct os test_os;

struct setting {
	struct va_config config;
	struct free_space space;
};

static struct setting *setting_begin(void)
{
	struct setting *const setting =
		aligned_alloc(FALSE_SHARING_BYTES, sizeof(*setting));

	assert_non_null(setting);
	memset(setting, 0, sizeof(*setting));
	test_os = os_linux;
	setting->config = (struct va_config){
		.os = &test_os,
		.lock = lock_find("pthread-spin"),
		.start = WORLD_START,
		.end = address_of(PAGES),
		.cpus = 1, /* one slot, wherever the thread runs */
	};
	assert_int_equal(free_space_init(&setting->space, &setting->config,
					 FREE_ALIGN_UNLESS_EXACT),
			 0);
	return setting;
}

static void setting_end(struct setting *setting)
{
	free_space_check(&setting->space);
	free_space_fini(&setting->space);
	free(setting);
}

static long take(struct setting *setting, long pages, long align)
{
	const struct va_request request = request_of(pages, align, 0, PAGES);
	uintptr_t start = 0;
	const int error = free_space_take(&setting->space, &request, &start);

	free_space_check(&setting->space);
	assert_true(error == 0 || error == -ENOMEM);
	return error ? NO_PAGE : page_of(start);
}

static struct vmap_area *area_at(long start, long end)
{
	struct vmap_area *const area = area_take(&os_linux);

	assert_non_null(area);
	area->va_start = address_of(start);
	area->va_end = address_of(end);
	area->purge_next = NULL;
	return area;
}

static const struct vmap_area *slot_spare(struct setting *setting)
{
	return load_relaxed(&setting->space.slots[0].spare);
}

static void begins_with_one_hole_and_an_empty_slot(void **state)
{
	struct setting *const setting = setting_begin();
	struct va_stats stats = { 0 };

	(void)state;
	free_space_stats(&setting->space, &stats);
	assert_int_equal(stats.holes, 1);
	assert_int_equal(stats.hole_pages, PAGES);
	assert_int_equal(stats.hole_pages_max, PAGES);
	assert_null(slot_spare(setting));
	setting_end(setting);
}

static void middle_fit_takes_the_spare_and_the_next_refills_it(void **state)
{
	struct setting *const setting = setting_begin();
	const struct vmap_area *spare;

	(void)state;
	/* NE: what lies below the window becomes a hole of its own (G3). */
	assert_int_equal(take(setting, 1, 0), 0);
	assert_null(slot_spare(setting));
	/* LE: the slot is filled on the way and stays filled. */
	assert_int_equal(take(setting, 1, 0), 1);
	spare = slot_spare(setting);
	assert_non_null(spare);
	assert_int_equal(take(setting, 1, 0), 2);
	assert_ptr_equal(slot_spare(setting), spare);
	/* NE: it becomes the left rest, second to what lies below. */
	assert_int_equal(take(setting, 4, 8), 8);
	assert_null(slot_spare(setting));
	assert_ptr_equal(
		area_of_link(setting->space.tree.holes.list.next->next), spare);
	assert_int_equal(take(setting, 1, 0), 3);
	assert_non_null(slot_spare(setting));
	setting_end(setting);
}

static void take_is_one_round_hit_or_miss(void **state)
{
	struct setting *const setting = setting_begin();
	struct va_stats before = { 0 };
	struct va_stats after = { 0 };

	(void)state;
	free_space_stats(&setting->space, &before);
	assert_int_equal(take(setting, 1, 0), 0);
	assert_int_equal(take(setting, PAGES, 0), NO_PAGE);
	free_space_stats(&setting->space, &after);
	assert_int_equal(after.locks_entered - before.locks_entered, 2);
	setting_end(setting);
}

static void chain_is_given_in_one_round_and_nothing_in_none(void **state)
{
	struct setting *const setting = setting_begin();
	struct va_stats before = { 0 };
	struct va_stats after = { 0 };
	struct vmap_area *const first = area_at(0, 8);

	(void)state;
	first->purge_next = area_at(16, 24);
	first->purge_next->purge_next = area_at(8, 16);
	assert_int_equal(take(setting, 24, 0), 0);
	free_space_stats(&setting->space, &before);
	free_space_give(&setting->space, NULL);
	free_space_give(&setting->space, first);
	free_space_stats(&setting->space, &after);
	assert_int_equal(after.locks_entered - before.locks_entered, 1);
	assert_int_equal(after.holes - before.holes, 0);
	assert_int_equal(take(setting, PAGES, 0), 0);
	setting_end(setting);
}

static void fini_after_a_full_window_gives_all_back(void **state)
{
	struct setting *const setting = setting_begin();

	(void)state;
	assert_int_equal(take(setting, PAGES, 0), 0);
	assert_int_equal(take(setting, 1, 0), NO_PAGE);
	setting_end(setting);
}

/* An os table that has no memory for mappings. */
static void *mmap_none(size_t bytes)
{
	(void)bytes;
	return NULL;
}

/* Every descriptor that can be had without new memory. */
static struct vmap_area *descriptors_take_all(const struct os *os)
{
	struct vmap_area *chain = NULL;
	struct vmap_area *area;

	while ((area = area_take(os)) != NULL) {
		area->purge_next = chain;
		chain = area;
	}
	return chain;
}

static void middle_fit_without_memory_changes_nothing(void **state)
{
	struct setting *const setting = setting_begin();
	struct va_stats stats = { 0 };
	struct vmap_area *chain;

	(void)state;
	assert_int_equal(take(setting, 4, 16), 0);
	test_os.mmap_anon = mmap_none;
	chain = descriptors_take_all(&test_os);
	/* NE, and neither a spare nor memory for one. */
	assert_int_equal(take(setting, 4, 16), NO_PAGE);
	free_space_stats(&setting->space, &stats);
	assert_int_equal(stats.holes, 1);
	assert_int_equal(stats.hole_pages, PAGES - 4);
	/* LE needs none. */
	assert_int_equal(take(setting, 4, 0), 4);
	area_chain_give(chain);
	assert_int_equal(take(setting, 4, 16), 16);
	test_os = os_linux;
	setting_end(setting);
}

/* [0,8) ends where the rest of all addresses begins: a search for 15 fits. */
static void the_windows_first_hole_is_as_large_as_from_outside(void **state)
{
	struct setting *const setting = setting_begin();

	(void)state;
	assert_int_equal(take(setting, 8, 0), 0);
	assert_int_equal(take(setting, 8, 0), 8);
	free_space_give(&setting->space, area_at(0, 8));
	assert_int_equal(take(setting, 8, 8), 0);
	setting_end(setting);
}

static void init_without_memory_is_an_error(void **state)
{
	struct free_space *const space =
		aligned_alloc(FALSE_SHARING_BYTES, sizeof(*space));
	const struct va_config config = {
		.os = &test_os,
		.lock = lock_find("pthread-spin"),
		.start = WORLD_START,
		.end = address_of(PAGES),
		.cpus = 1,
	};

	(void)state;
	assert_non_null(space);
	test_os = os_linux;
	test_os.mmap_anon = mmap_none;
	assert_int_equal(
		free_space_init(space, &config, FREE_ALIGN_UNLESS_EXACT),
		-ENOMEM);
	test_os = os_linux;
	free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_one_hole_and_an_empty_slot),
		cmocka_unit_test(
			middle_fit_takes_the_spare_and_the_next_refills_it),
		cmocka_unit_test(take_is_one_round_hit_or_miss),
		cmocka_unit_test(
			chain_is_given_in_one_round_and_nothing_in_none),
		cmocka_unit_test(fini_after_a_full_window_gives_all_back),
		cmocka_unit_test(middle_fit_without_memory_changes_nothing),
		cmocka_unit_test(
			the_windows_first_hole_is_as_large_as_from_outside),
		cmocka_unit_test(init_without_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
