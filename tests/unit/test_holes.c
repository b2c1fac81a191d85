/* SPDX-License-Identifier: MIT */
/* test_holes.c - takes against the plainest search, -ENOMEM included. */
#include "holes_world.h"

#include "fault/fault_os.h"

enum {
	PAGES = 4 * HOLE_CHUNK_PAGES + 77,
	RUNS = 400,
	STEPS = 12000,
};

#define BASE ((size_t)0x7f1234567)

/* oracle - the runs that are live, in no order. */
struct oracle {
	struct holes_world *world;
	size_t first[RUNS];
	size_t pages[RUNS];
	size_t count;
	size_t refused;
};

static struct holes_request random_request(struct holes_world *world,
					   size_t pages_max)
{
	const bool whole = holes_random(world, 3) != 0;
	const size_t begin = whole ? 0 : holes_random(world, PAGES);
	const bool aligned = holes_random(world, 3) == 0;

	return (struct holes_request){
		.pages = 1 + holes_random(world, pages_max),
		.align_pages =
			aligned ? (size_t)1 << holes_random(world, 11) : 1,
		.begin = begin,
		.end = whole ? PAGES
			     : begin + holes_random(world, PAGES + 1 - begin),
	};
}

static void oracle_take(struct oracle *oracle, size_t pages_max)
{
	const struct holes_request request =
		random_request(oracle->world, pages_max);
	const size_t expected = bytes_fit(oracle->world, &request);
	const size_t first = world_take(oracle->world, request);

	if (request.pages <= ROOM_EXACT_PAGES)
		assert_int_equal(first, expected);
	else
		assert_int_equal(first == PAGE_NONE, expected == PAGE_NONE);
	if (first == PAGE_NONE) {
		oracle->refused++;
		return;
	}
	oracle->first[oracle->count] = first;
	oracle->pages[oracle->count++] = request.pages;
}

/* A run goes back whole, or its first part alone. */
static void oracle_give(struct oracle *oracle, size_t i, bool whole)
{
	const size_t pages =
		whole ? oracle->pages[i]
		      : 1 + holes_random(oracle->world, oracle->pages[i]);

	world_give(oracle->world, oracle->first[i], pages);
	oracle->first[i] += pages;
	oracle->pages[i] -= pages;
	if (oracle->pages[i] == 0) {
		oracle->count--;
		oracle->first[i] = oracle->first[oracle->count];
		oracle->pages[i] = oracle->pages[oracle->count];
	}
}

static void oracle_run(size_t pages_max)
{
	struct oracle oracle = { .world = holes_begin(BASE, PAGES) };

	for (unsigned step = 0; step < STEPS; step++) {
		/* Now more takes, now more gives. */
		const size_t takes = step / 1000 % 2 == 0 ? 11 : 9;
		const bool take = holes_random(oracle.world, 20) < takes;

		if (oracle.count == 0 || (take && oracle.count < RUNS))
			oracle_take(&oracle, pages_max);
		else
			oracle_give(&oracle,
				    holes_random(oracle.world, oracle.count),
				    step % 3 != 0);
		if (step % 50 == 0)
			holes_compare(oracle.world);
	}
	assert_true(oracle.refused > 0);
	while (oracle.count > 0)
		oracle_give(&oracle, 0, true);
	assert_int_equal(holes_stats(&oracle.world->holes).holes, 1);
	holes_end(oracle.world);
}

static void small_runs_are_taken_where_the_oracle_says(void **state)
{
	(void)state;
	oracle_run(16);
	oracle_run(64);
}

static void large_runs_are_refused_when_the_oracle_refuses(void **state)
{
	(void)state;
	oracle_run(200);
	oracle_run(1500);
}

static void a_window_is_one_run(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);

	(void)state;
	assert_int_equal(world_take_pages(world, PAGES), 0);
	assert_int_equal(world_take_pages(world, 1), PAGE_NONE);
	world_give(world, PAGES - 1, 1);
	assert_int_equal(world_take_pages(world, 1), PAGES - 1);
	world_give(world, 0, PAGES);
	assert_int_equal(world_take_pages(world, PAGES), 0);
	world_give(world, 0, PAGES);
	holes_end(world);
}

static void fill_with(size_t pages)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);

	for (size_t i = 0; i < PAGES / pages; i++)
		assert_int_equal(world_take_pages(world, pages), i * pages);
	assert_int_equal(world_take_pages(world, pages), PAGE_NONE);
	for (size_t page = PAGES / pages * pages; page < PAGES; page++)
		assert_int_equal(world_take_pages(world, 1), page);
	assert_int_equal(world_take_pages(world, 1), PAGE_NONE);
	world_give(world, 0, PAGES); /* taken apart, given together */
	assert_int_equal(world_take_pages(world, PAGES), 0);
	holes_end(world);
}

static void a_window_is_filled_to_the_last_page(void **state)
{
	static const size_t pages[] = { 1, 3, 16, 63, 64, 65, 512, 513, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		fill_with(pages[i]);
}

/* One hole, of just the size, at each place where it can be. */
static void the_only_hole_is_found_wherever_it_lies(void **state)
{
	static const size_t pages[] = { 1, 64, 65, 130, 512, 600, 1100 };
	struct holes_world *const world = holes_begin(BASE, PAGES);

	(void)state;
	world_claim(world, 0, PAGES);
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		for (size_t at = 0; at + pages[i] <= PAGES; at += 11) {
			world_give(world, at, pages[i]);
			assert_int_equal(world_take_pages(world, pages[i] + 1),
					 PAGE_NONE);
			assert_int_equal(world_take_pages(world, pages[i]), at);
		}
	holes_end(world);
}

static void alignment_reaches_up_to_the_window(void **state)
{
	const size_t align = (size_t)1 << 20; /* 4 GiB */
	const size_t base = 3 * align - 5000;
	struct holes_world *const world = holes_begin(base, 8000);
	const struct holes_request request = {
		.pages = 700,
		.align_pages = align,
		.end = 8000,
	};

	(void)state;
	assert_int_equal(world_take(world, request), 5000);
	assert_int_equal(world_take(world, request), PAGE_NONE);
	world_give(world, 5000, 700);
	world_claim(world, 5699, 1);
	assert_int_equal(world_take(world, request), PAGE_NONE);
	holes_end(world);
}

static void a_request_with_no_place_is_refused(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	struct holes_request request = {
		.pages = 5,
		.align_pages = 1,
		.begin = 100,
		.end = 104,
	};

	(void)state;
	assert_int_equal(world_take(world, request), PAGE_NONE);
	request.end = 105;
	assert_int_equal(world_take(world, request), 100);
	request.begin = request.end = PAGES;
	assert_int_equal(world_take(world, request), PAGE_NONE);
	holes_end(world);
}

/* As if threads had stopped in the middle of lowering these lanes. */
static void rooms_lower(struct room_tree *rooms)
{
	for (unsigned level = 0; level < rooms->levels; level++) {
		_Atomic(uint64_t) *const word = &rooms->words[level][0];
		struct lanes lanes = { load_relaxed(word) };

		for (unsigned lane = 0; lane < LANES; lane++)
			lanes = lanes_with_room(lanes, lane, 0);
		store_relaxed(word, lanes.bits);
	}
}

static void pages_that_no_room_promises_are_found_all_the_same(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	const struct room_tree *const rooms = &world->holes.rooms;

	(void)state;
	world_claim(world, 0, 100);
	rooms_lower(&world->holes.rooms);
	assert_int_equal(world_take_pages(world, 30), 100);
	/* And the rooms around are right again. */
	assert_int_equal(room_get(rooms, 0), ROOM_MAX);
	rooms_lower(&world->holes.rooms);
	assert_int_equal(world_take_pages(world, 1200), 130);
	assert_int_equal(room_get(rooms, 2), ROOM_MAX);
	for (size_t chunk = 0; chunk < room_chunks(rooms); chunk++)
		room_raise(&world->holes.rooms, chunk, ROOM_MAX);
	holes_end(world);
}

static void aligned_pages_that_no_room_promises_are_found(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	const struct room_tree *const rooms = &world->holes.aligned_rooms;
	const struct holes_request request = {
		.pages = 5,
		.align_pages = HOLE_ALIGN_PAGES,
		.end = PAGES,
	};
	const size_t lowest = bytes_fit(world, &request);

	(void)state;
	rooms_lower(&world->holes.aligned_rooms);
	assert_int_equal(world_take(world, request), lowest);
	assert_int_equal(room_get(rooms, 0), ROOM_MAX);
	for (size_t chunk = 0; chunk < room_chunks(rooms); chunk++)
		room_raise(&world->holes.aligned_rooms, chunk, ROOM_MAX);
	holes_end(world);
}

/*
 * What an aligned request finds taken is promised no longer: the next one does
 * not look there again.  Nor where the pages would do, but not the place.
 */
static void broken_promises_to_the_aligned_are_settled(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	struct holes_request request = {
		.pages = 5,
		.align_pages = HOLE_ALIGN_PAGES,
		.end = PAGES,
	};
	const size_t lowest = bytes_fit(world, &request);

	(void)state;
	world_claim(world, 0, 1024);
	world_give(world, lowest + 1, 6);
	assert_true(world_take(world, request) >= 1024);
	assert_true(room_get(&world->holes.aligned_rooms, 0) < 5);
	request.align_pages = 1;
	assert_int_equal(world_take(world, request), lowest + 1);
	request.align_pages = HOLE_ALIGN_PAGES / 2;
	assert_true(world_take(world, request) >= 1024);
	assert_true(room_get(&world->holes.rooms, 0) < 5);
	holes_end(world);
}

static void a_try_takes_what_is_promised_and_searches_for_nothing(void **state)
{
	struct holes_world *const world = holes_begin(BASE, PAGES);
	const struct holes_request request = {
		.pages = 30,
		.align_pages = 1,
		.end = PAGES,
	};
	size_t first = PAGE_NONE;

	(void)state;
	world_claim(world, 0, 100);
	assert_true(holes_try_take(&world->holes, &request, &first));
	assert_int_equal(first, 100);
	bytes_set(world, 100, 30, 1);
	world_claim(world, 130, PAGES - 130);
	world_give(world, 0, 30);
	rooms_lower(&world->holes.rooms);
	first = PAGE_NONE;
	assert_false(holes_try_take(&world->holes, &request, &first));
	assert_true(first == PAGE_NONE);
	assert_int_equal(world_take_pages(world, 30), 0);
	for (size_t chunk = 0; chunk <= hole_chunk_of(PAGES - 1); chunk++)
		room_raise(&world->holes.rooms, chunk, ROOM_MAX);
	holes_end(world);
}

static void no_address_space_is_an_error(void **state)
{
	static struct holes holes;

	(void)state;
	for (uint64_t nth = 1; nth <= 3; nth++) {
		fault_arm(FAULT_MMAP_ANON, nth, FAULT_ONCE, 0);
		assert_int_equal(holes_init(&holes, &fault_os, BASE, PAGES),
				 -ENOMEM);
		assert_true(fault_was_hit());
		fault_disarm();
		assert_null(holes.words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_runs_are_taken_where_the_oracle_says),
		cmocka_unit_test(
			large_runs_are_refused_when_the_oracle_refuses),
		cmocka_unit_test(a_window_is_one_run),
		cmocka_unit_test(a_window_is_filled_to_the_last_page),
		cmocka_unit_test(the_only_hole_is_found_wherever_it_lies),
		cmocka_unit_test(alignment_reaches_up_to_the_window),
		cmocka_unit_test(a_request_with_no_place_is_refused),
		cmocka_unit_test(
			pages_that_no_room_promises_are_found_all_the_same),
		cmocka_unit_test(aligned_pages_that_no_room_promises_are_found),
		cmocka_unit_test(broken_promises_to_the_aligned_are_settled),
		cmocka_unit_test(
			a_try_takes_what_is_promised_and_searches_for_nothing),
		cmocka_unit_test(no_address_space_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
