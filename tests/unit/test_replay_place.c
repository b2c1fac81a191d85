/* SPDX-License-Identifier: MIT */
/*
 * test_replay_place.c - recorded addresses in the engine's window.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/replay_place.h"

#define GIB_PAGES    (UINT64_C(1) << 18)
#define TIB_PAGES    (UINT64_C(1) << 28)
#define CHUNK_PAGES  UINT64_C(512)
#define WINDOW_BYTES (UINT64_C(64) << 30)

enum { STEPS_MAX = 8 };

/* A recording in the making: arena 0 is 32 TiB, arena 1 holds modules. */
struct made {
	struct trace_program program;
	struct trace_step steps[STEPS_MAX];
	struct replay_place place;
};

static void made_init(struct made *made)
{
	*made = (struct made){
		.program = {
			.windows = {
				{ .pages = 32 * TIB_PAGES - 1 },
				{ .pages = GIB_PAGES, .arena = 1 },
				{ .first_page = 16, .pages = 64 },
			},
			.window_count = 3,
			.arenas = {
				{ .start = UINT64_C(0xffffc90000000000),
				  .pages = 32 * TIB_PAGES - 1,
				  .window = 0,
				  .traced = true },
				{ .start = UINT64_C(0xffffffffc0001000),
				  .pages = GIB_PAGES,
				  .window = 1,
				  .traced = true },
			},
			.arena_count = 2,
			.cpu_count = 1,
		},
	};
}

static void area_add(struct made *made, uint8_t window, uint64_t first_page,
		     uint64_t pages)
{
	const size_t at = made->program.step_count++;

	made->steps[at] = (struct trace_step){
		.first_page = first_page,
		.pages = pages,
		.align = 1,
		.slot = (uint32_t)at,
		.window = window,
		.kind = TRACE_STEP_ALLOC,
	};
	made->program.steps = made->steps;
	made->program.slots = (uint32_t)at + 1;
}

static void place(struct made *made, uint64_t window_bytes)
{
	assert_int_equal(
		replay_place_make(&made->program, window_bytes, &made->place),
		0);
}

static uint64_t page_of(const struct made *made, size_t step)
{
	return replay_place_page(&made->place, &made->program,
				 &made->steps[step]);
}

static void low_areas_keep_their_distance_from_the_start(void **state)
{
	(void)state;
	struct made made;

	made_init(&made);
	area_add(&made, 0, 0, 5);
	area_add(&made, 0, 1000, 5);
	place(&made, WINDOW_BYTES);
	assert_int_equal(page_of(&made, 0), 0);
	assert_int_equal(page_of(&made, 1), 1000);
}

static void high_areas_keep_their_distance_from_the_end(void **state)
{
	(void)state;
	struct made made;

	made_init(&made);
	area_add(&made, 0, 0, 5);
	area_add(&made, 0, 32 * TIB_PAGES - 1 - 512, 512);
	place(&made, WINDOW_BYTES);

	/* Arena 1 lies above: where arena 0 ends, it begins. */
	const uint64_t end =
		made.place.arenas[1].base_page / CHUNK_PAGES * CHUNK_PAGES;

	assert_int_equal(page_of(&made, 1), end - 512);
	assert_int_equal(made.place.window_pages,
			 WINDOW_BYTES / TRACE_PAGE_BYTES);
}

static void only_the_low_part_of_arena_0_is_low(void **state)
{
	(void)state;
	struct made made;

	made_init(&made);
	area_add(&made, 0, 1000, 5);
	area_add(&made, 0, 32 * TIB_PAGES - 1 - 512, 512);
	area_add(&made, 1, 0, 2);
	place(&made, WINDOW_BYTES);
	assert_true(replay_place_is_low(&made.place, &made.program,
					&made.steps[0]));
	assert_false(replay_place_is_low(&made.place, &made.program,
					 &made.steps[1]));
	assert_false(replay_place_is_low(&made.place, &made.program,
					 &made.steps[2]));
}

static void modules_lie_above_arena_0_and_keep_their_alignment(void **state)
{
	(void)state;
	struct made made;

	made_init(&made);
	area_add(&made, 0, 0, 5);
	area_add(&made, 1, 7, 2);
	place(&made, WINDOW_BYTES);

	const uint64_t page = page_of(&made, 1);

	/* The arena's recorded start is a page above a 2 MiB boundary. */
	assert_int_equal(page % CHUNK_PAGES, 8);
	assert_true(page + GIB_PAGES - 7 <= made.place.window_pages);
	assert_true(page > made.place.window_pages / 2);
}

static void all_of_arena_0_is_all_of_the_window(void **state)
{
	(void)state;
	struct made made;

	made_init(&made);
	area_add(&made, 0, 0, 5);
	place(&made, WINDOW_BYTES);

	const struct replay_range range =
		replay_place_range(&made.place, &made.program, 0);

	assert_int_equal(range.first_page, range.end_page);
}

static void other_windows_are_bounded(void **state)
{
	(void)state;
	struct made made;

	made_init(&made);
	area_add(&made, 0, 0, 5);
	place(&made, WINDOW_BYTES);

	const struct replay_range modules =
		replay_place_range(&made.place, &made.program, 1);
	const struct replay_range inside =
		replay_place_range(&made.place, &made.program, 2);

	assert_int_equal(modules.end_page - modules.first_page, GIB_PAGES);
	assert_int_equal(modules.first_page, made.place.arenas[1].base_page);
	assert_int_equal(inside.first_page, 16);
	assert_int_equal(inside.end_page, 80);
}

static void the_window_grows_to_twice_the_used_part(void **state)
{
	(void)state;
	struct made made;

	made_init(&made);
	area_add(&made, 0, 0, 5);
	area_add(&made, 0, 30 * GIB_PAGES, 100);
	area_add(&made, 0, 60 * GIB_PAGES, 100);
	place(&made, WINDOW_BYTES);
	assert_true(made.place.window_pages >=
		    2 * (60 * GIB_PAGES + 100) + GIB_PAGES);
	assert_true(made.place.window_pages < 122 * GIB_PAGES);
	assert_int_equal(page_of(&made, 2), 60 * GIB_PAGES);
}

static void a_small_window_that_is_asked_for_grows_to_the_least(void **state)
{
	(void)state;
	struct made made;

	made_init(&made);
	made.program.arena_count = 1;
	made.program.arenas[0].pages = 1000;
	area_add(&made, 0, 0, 5);
	place(&made, 4096);
	assert_int_equal(made.place.window_pages,
			 (UINT64_C(128) << 20) / TRACE_PAGE_BYTES);
}

static void what_no_window_can_hold_is_refused(void **state)
{
	(void)state;
	struct made made;

	made_init(&made);
	for (uint64_t i = 0; i < 4; i++)
		area_add(&made, 0, i * 7 * TIB_PAGES, 5);
	made.place.window_pages = 7;
	assert_int_equal(
		replay_place_make(&made.program, WINDOW_BYTES, &made.place),
		-E2BIG);
	assert_int_equal(made.place.window_pages, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(low_areas_keep_their_distance_from_the_start),
		cmocka_unit_test(high_areas_keep_their_distance_from_the_end),
		cmocka_unit_test(only_the_low_part_of_arena_0_is_low),
		cmocka_unit_test(
			modules_lie_above_arena_0_and_keep_their_alignment),
		cmocka_unit_test(all_of_arena_0_is_all_of_the_window),
		cmocka_unit_test(other_windows_are_bounded),
		cmocka_unit_test(the_window_grows_to_twice_the_used_part),
		cmocka_unit_test(
			a_small_window_that_is_asked_for_grows_to_the_least),
		cmocka_unit_test(what_no_window_can_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
