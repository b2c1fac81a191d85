/* SPDX-License-Identifier: MIT */
/* test_hole_claim.c - who owns which page after a claim, a conflict, a give. */
#include "holes_world.h"

enum { PAGES = 4 * HOLE_CHUNK_PAGES + 10, BASE = 4096 };

static void a_claim_takes_its_pages_and_no_other(void **state)
{
	static const size_t firsts[] = {
		0, 1, 63, 64, 65, 500, 511, 512, 1000
	};
	static const size_t sizes[] = { 1, 2, 63, 64, 65, 128, 511, 512, 1050 };

	(void)state;
	for (size_t i = 0; i < 9; i++)
		for (size_t j = 0; j < 9; j++) {
			struct holes_world *const world =
				holes_begin(BASE, PAGES);

			world_claim(world, firsts[i], sizes[j]);
			holes_compare(world);
			world_give(world, firsts[i], sizes[j]);
			holes_end(world);
		}
}

/* The page that is in the way lies anywhere, in each word of the run. */
static void a_claim_that_meets_a_taken_page_changes_nothing(void **state)
{
	const size_t first = 40;
	const size_t pages = 700;

	(void)state;
	for (size_t taken = first; taken < first + pages; taken += 13) {
		struct holes_world *const world = holes_begin(BASE, PAGES);

		/* Neighbours that a careless undo would free or take. */
		world_claim(world, 0, first);
		world_claim(world, first + pages, 100);
		world_claim(world, taken, 1);
		assert_false(hole_claim(&world->holes, first, pages));
		holes_compare(world);
		world_give(world, taken, 1);
		world_claim(world, first, pages);
		holes_end(world);
	}
}

static void an_undo_frees_what_was_claimed_and_no_more(void **state)
{
	(void)state;
	for (size_t stop = 40; stop < 40 + 700; stop = (stop | 63) + 1) {
		struct holes_world *const world = holes_begin(BASE, PAGES);

		world_claim(world, 0, 1500);
		hole_undo(&world->holes, 40, stop);
		bytes_set(world, 40, stop - 40, 0);
		holes_end(world);
	}
}

/* all_taken - and the rooms know it: a take was refused. */
static struct holes_world *all_taken(void)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);

	world_claim(world, 0, PAGES);
	assert_int_equal(world_take_pages(world, 1), PAGE_NONE);
	for (size_t chunk = 0; chunk < room_chunks(&world->holes.rooms);
	     chunk++)
		assert_int_equal(room_get(&world->holes.rooms, chunk), 0);
	return world;
}

static void a_give_raises_the_room_of_each_chunk_it_lengthens(void **state)
{
	struct holes_world *const world = all_taken();
	const struct room_tree *const rooms = &world->holes.rooms;

	(void)state;
	world_give(world, 500, 12); /* the end of chunk 0 */
	assert_int_equal(room_get(rooms, 0), 12);
	assert_int_equal(room_get(rooms, 1), 0);
	world_give(world, 512, 20); /* and on in chunk 1 */
	assert_int_equal(room_get(rooms, 0), 32);
	assert_int_equal(room_get(rooms, 1), 20);
	world_give(world, 532, 1000); /* up to the end of chunk 2 */
	assert_int_equal(room_get(rooms, 0), ROOM_MAX);
	assert_int_equal(room_get(rooms, 1), ROOM_MAX);
	assert_int_equal(room_get(rooms, 2), room_of(1532 - 1024));
	assert_int_equal(room_get(rooms, 3), 0);
	holes_end(world);
}

static void a_give_raises_the_room_behind_the_first_aligned_page(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	const struct room_tree *const rooms = &world->holes.aligned_rooms;
	const struct holes_request request = {
		.pages = 1,
		.align_pages = HOLE_ALIGN_PAGES,
		.end = PAGES,
	};
	/* The last aligned page of chunk 0. */
	const size_t last = 511 - (BASE + 511) % HOLE_ALIGN_PAGES;

	(void)state;
	world_claim(world, 0, PAGES);
	assert_int_equal(world_take(world, request), PAGE_NONE);
	assert_int_equal(room_get(rooms, 0), 0);
	world_give(world, last - 3, 3);
	assert_int_equal(room_get(rooms, 0), 0);
	world_give(world, last + 1, 30);
	assert_int_equal(room_get(rooms, 0), 0);
	assert_int_equal(room_get(rooms, 1), 31 - HOLE_ALIGN_PAGES);
	world_give(world, last, 1);
	assert_int_equal(room_get(rooms, 0), 31);
	assert_int_equal(room_get(rooms, 1), 31 - HOLE_ALIGN_PAGES);
	holes_end(world);
}

/* Lanes may have been lowered while the claim stood. */
static void an_undo_raises_the_rooms(void **state)
{
	struct holes_world *const world = all_taken();

	(void)state;
	hole_undo(&world->holes, 600, 640);
	bytes_set(world, 600, 40, 0);
	assert_int_equal(room_get(&world->holes.rooms, 1), 40);
	holes_end(world);
}

static void a_give_joins_the_holes_on_both_sides(void **state)
{
	struct holes_world *const world = all_taken();
	const struct room_tree *const rooms = &world->holes.rooms;

	(void)state;
	world_give(world, 480, 30);
	world_give(world, 512, 50);
	assert_int_equal(room_get(rooms, 0), 30);
	assert_int_equal(room_get(rooms, 1), 50);
	world_give(world, 510, 2);
	assert_int_equal(room_get(rooms, 0), room_of(82));
	assert_int_equal(room_get(rooms, 1), 50);
	holes_end(world);
}

static void a_give_moves_the_version_only_for_a_search(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	_Atomic(uint64_t) *const version = &world->holes.version;

	(void)state;
	world_claim(world, 0, 10);
	world_give(world, 0, 5);
	assert_int_equal(load_relaxed(version), 0);
	store_relaxed(&world->holes.searches, 1);
	world_give(world, 5, 5);
	assert_int_equal(load_relaxed(version), 1);
	world_claim(world, 200, 1);
	assert_false(hole_claim(&world->holes, 100, 200));
	assert_int_equal(load_relaxed(version), 2); /* by the undo */
	assert_false(hole_claim(&world->holes, 200, 1));
	assert_int_equal(load_relaxed(version), 2); /* nothing was undone */
	holes_end(world);
}

static void give_again(void *context)
{
	struct holes_world *const world = context;

	holes_give(&world->holes, 30, 10);
}

static void give_outside(void *context)
{
	struct holes_world *const world = context;

	holes_give(&world->holes, PAGES - 10, 11);
}

static void a_give_of_a_free_page_aborts(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);

	(void)state;
	world_claim(world, 30, 9);
	assert_true(aborts_saying(give_again, world, "invariant H1"));
	assert_true(aborts_saying(give_outside, world, "invariant H2"));
	holes_end(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim_takes_its_pages_and_no_other),
		cmocka_unit_test(
			a_claim_that_meets_a_taken_page_changes_nothing),
		cmocka_unit_test(an_undo_frees_what_was_claimed_and_no_more),
		cmocka_unit_test(
			a_give_raises_the_room_behind_the_first_aligned_page),
		cmocka_unit_test(an_undo_raises_the_rooms),
		cmocka_unit_test(
			a_give_raises_the_room_of_each_chunk_it_lengthens),
		cmocka_unit_test(a_give_joins_the_holes_on_both_sides),
		cmocka_unit_test(a_give_moves_the_version_only_for_a_search),
		cmocka_unit_test(a_give_of_a_free_page_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
