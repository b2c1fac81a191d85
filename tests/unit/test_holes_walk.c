/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>

#include "holes_world.h"

enum { PAGES = 3 * HOLE_CHUNK_PAGES + 100, BASE = 77 };

static void the_next_taken_page_is_told(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);

	(void)state;
	world_scatter(world, 120);
	for (size_t from = 0; from <= PAGES; from++) {
		const size_t expected = bytes_next(world, from, PAGES, true);
		size_t page = PAGE_NONE;

		assert_int_equal(holes_next_taken(&world->holes, from, &page),
				 expected < PAGES);
		assert_true(page == (expected < PAGES ? expected : PAGE_NONE));
	}
	holes_end(world);
}

static struct holes_stats stats_plainly(const struct holes_world *world)
{
	struct holes_stats stats = { 0 };
	size_t page = 0;

	while (page < PAGES) {
		const size_t end = bytes_next(world, page, PAGES, true);

		stats.holes += end > page;
		stats.free_pages += end - page;
		if (end - page > stats.largest_pages)
			stats.largest_pages = end - page;
		page = bytes_next(world, end, PAGES, false);
	}
	return stats;
}

static void stats_count_the_holes(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);

	(void)state;
	for (size_t pages_max = 1; pages_max < 1000; pages_max *= 3) {
		const struct holes_stats stats = holes_stats(&world->holes);
		const struct holes_stats expected = stats_plainly(world);

		assert_int_equal(stats.holes, expected.holes);
		assert_int_equal(stats.free_pages, expected.free_pages);
		assert_int_equal(stats.largest_pages, expected.largest_pages);
		for (size_t page = 0; page < PAGES; page++)
			if (world->taken[page])
				world_give(world, page, 1);
		world_scatter(world, pages_max);
	}
	holes_end(world);
}

/* Pages of memory behind an array that were written, or even read. */
static size_t resident(const void *base, size_t bytes)
{
	unsigned char *const map = calloc(bytes >> PAGE_SHIFT, 1);
	size_t count = 0;

	assert_non_null(map);
	assert_int_equal(mincore((void *)(uintptr_t)base, bytes, map), 0);
	for (size_t i = 0; i < bytes >> PAGE_SHIFT; i++)
		count += map[i] & 1;
	free(map);
	return count;
}

static void walks_of_16_tib_read_what_was_touched(void **state)
{
	static struct holes holes;
	const size_t pages = HOLES_PAGES_MAX;
	const size_t middle = pages / 2 + 12345;
	size_t page = 0;

	(void)state;
	assert_int_equal(holes_init(&holes, &os_linux, BASE, pages), 0);
	assert_true(hole_claim(&holes, 700, 3));
	assert_true(hole_claim(&holes, middle, 600));
	assert_true(hole_claim(&holes, pages - 1, 1));

	const struct holes_stats stats = holes_stats(&holes);

	assert_int_equal(stats.holes, 3);
	assert_int_equal(stats.free_pages, pages - 604);
	assert_int_equal(stats.largest_pages, middle - 703);
	assert_true(holes_next_taken(&holes, 703, &page));
	assert_int_equal(page, middle);
	assert_true(holes_next_taken(&holes, middle + 600, &page));
	assert_int_equal(page, pages - 1);
	holes_check(&holes);
	/* 512 MiB of words: three claims, and their neighbours. */
	assert_in_range(resident((const void *)holes.words, pages / 8), 3, 6);
	holes_fini(&holes);
}

static void check_world(void *context)
{
	holes_check(context);
}

static void check_names_what_is_broken(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	struct holes *const holes = &world->holes;
	_Atomic(uint64_t) *const last = &holes->words[(PAGES - 1) / 64];
	_Atomic(uint64_t) *const lanes = &holes->rooms.words[0][0];

	(void)state;
	world_claim(world, PAGES - 1, 1);
	holes_check(holes);
	/* H2: a page behind the window. */
	store_relaxed(last, load_relaxed(last) | (uint64_t)1 << 63);
	assert_true(aborts_saying(check_world, holes, "invariant H2"));
	store_relaxed(last, load_relaxed(last) & ~((uint64_t)1 << 63));
	/* R3: taken, and not touched. */
	store_relaxed(&holes->words[9], 1);
	assert_true(aborts_saying(check_world, holes, "invariant R3"));
	store_relaxed(&holes->words[9], 0);
	/* R1: a promise of less than there is. */
	store_relaxed(
		lanes,
		lanes_with_room((struct lanes){ load_relaxed(lanes) }, 1, 20)
			.bits);
	assert_true(aborts_saying(check_world, holes, "invariant R1"));
	room_raise(&holes->rooms, 1, ROOM_MAX);
	holes_end(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_taken_page_is_told),
		cmocka_unit_test(stats_count_the_holes),
		cmocka_unit_test(walks_of_16_tib_read_what_was_touched),
		cmocka_unit_test(check_names_what_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
