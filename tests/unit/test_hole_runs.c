/* SPDX-License-Identifier: MIT */
/* test_hole_runs.c - what is read from the words against the bytes. */
#include "holes_world.h"

/* Chunks of all kinds, and a window that ends within one. */
enum { PAGES = 5 * HOLE_CHUNK_PAGES + 300, BASE = 1000 - 37 };

static struct holes_world *scattered(size_t pages_max)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);

	world_scatter(world, pages_max);
	/* Chunk 3 and what is around it is one hole. */
	for (size_t page = 1300; page < 2100; page++)
		if (world->taken[page])
			world_give(world, page, 1);
	return world;
}

static void the_next_taken_page_is_the_lowest(void **state)
{
	static const size_t ends[] = { 40, 64, 65, 1400, 2600, PAGES };
	struct holes_world *const world = scattered(90);

	(void)state;
	for (size_t i = 0; i < 6; i++)
		for (size_t page = 0; page <= ends[i]; page++)
			assert_int_equal(
				hole_next_taken(&world->holes, page, ends[i]),
				bytes_next(world, page, ends[i], true));
	holes_end(world);
}

static void the_next_begin_of_one_page_is_the_next_free_one(void **state)
{
	struct holes_world *const world = scattered(90);

	(void)state;
	for (size_t page = 0; page <= PAGES; page++)
		assert_int_equal(hole_next_begin(&world->holes, page, PAGES, 1),
				 bytes_next(world, page, PAGES, false));
	holes_end(world);
}

static void nothing_that_fits_begins_before_the_next_begin(void **state)
{
	struct holes_world *const world = scattered(20);
	struct holes_request request = { .align_pages = 1, .end = PAGES };

	(void)state;
	for (size_t pages = 1; pages < 700; pages += 1 + pages / 8)
		for (size_t page = 0; page < PAGES; page += 7) {
			request.begin = page;
			request.pages = pages;

			const size_t fit = bytes_fit(world, &request);
			const size_t begin = hole_next_begin(
				&world->holes, page, PAGES, pages);

			assert_true(begin <= (fit == PAGE_NONE ? PAGES : fit));
			assert_true(begin == PAGES || !world->taken[begin]);
		}
	holes_end(world);
}

static void a_hole_begins_behind_a_taken_page(void **state)
{
	struct holes_world *const world = scattered(150);

	(void)state;
	for (size_t page = 0; page <= PAGES; page++)
		for (size_t back = 0; back <= page && back < 1200; back += 61) {
			size_t begin = page;

			while (begin > page - back && !world->taken[begin - 1])
				begin--;
			assert_int_equal(
				hole_begin(&world->holes, page, page - back),
				begin);
		}
	holes_end(world);
}

static void a_fit_is_the_lowest_one(void **state)
{
	struct holes_world *const world = scattered(40);

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		const size_t begin = holes_random(world, PAGES);
		const struct holes_request request = {
			.pages = 1 + holes_random(world, i % 8 ? 60 : 900),
			.align_pages = (size_t)1 << holes_random(world, 11),
			.begin = begin,
			.end = begin + holes_random(world, PAGES + 1 - begin),
		};
		const size_t expected = bytes_fit(world, &request);
		size_t page = begin;
		const bool fits =
			hole_fit(&world->holes, &request, &page, request.end);

		assert_int_equal(fits, expected != PAGE_NONE);
		if (fits)
			assert_int_equal(page, expected);
	}
	holes_end(world);
}

static void a_fit_begins_before_the_last_page_to_begin_at(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	const struct holes_request request = {
		.pages = 100,
		.align_pages = 1,
		.end = PAGES,
	};
	size_t page = 0;

	(void)state;
	world_claim(world, 0, 600);
	assert_false(hole_fit(&world->holes, &request, &page, 600));
	page = 0;
	assert_true(hole_fit(&world->holes, &request, &page, 601));
	assert_int_equal(page, 600);
	holes_end(world);
}

static void the_rooms_of_a_chunk_are_its_longest_holes(void **state)
{
	(void)state;
	for (size_t pages_max = 1; pages_max < 600; pages_max += pages_max) {
		struct holes_world *const world = scattered(pages_max);

		for (size_t chunk = 0; chunk <= hole_chunk_of(PAGES - 1);
		     chunk++) {
			const size_t room = bytes_room(world, chunk, 1);
			const size_t aligned =
				bytes_room(world, chunk, HOLE_ALIGN_PAGES);

			assert_int_equal(hole_room(&world->holes, chunk),
					 room_of(room));
			assert_int_equal(
				hole_aligned_room(&world->holes, chunk),
				room_of(aligned));
		}
		holes_end(world);
	}
}

static void untouched_chunks_are_skipped(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	const struct holes *const holes = &world->holes;

	(void)state;
	assert_true(hole_skip_untouched(holes, 10) >= PAGES);
	world_claim(world, 1700, 1);
	assert_int_equal(hole_skip_untouched(holes, 10), 1536);
	assert_int_equal(hole_skip_untouched(holes, 1600), 1600);
	assert_true(hole_skip_untouched(holes, 2048) >= PAGES);
	assert_int_equal(hole_skip_untouched(holes, PAGES), PAGES);
	assert_int_equal(hole_next_taken(holes, 0, PAGES), 1700);
	assert_int_equal(hole_next_taken(holes, 0, 1700), 1700);
	holes_end(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_taken_page_is_the_lowest),
		cmocka_unit_test(
			the_next_begin_of_one_page_is_the_next_free_one),
		cmocka_unit_test(
			nothing_that_fits_begins_before_the_next_begin),
		cmocka_unit_test(a_hole_begins_behind_a_taken_page),
		cmocka_unit_test(a_fit_is_the_lowest_one),
		cmocka_unit_test(a_fit_begins_before_the_last_page_to_begin_at),
		cmocka_unit_test(the_rooms_of_a_chunk_are_its_longest_holes),
		cmocka_unit_test(untouched_chunks_are_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
