/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "va/room_lanes.h"

enum { WORDS = 2000, LENGTH_MAX = 600 };

/* Random lanes, as they can be. */
static struct lanes lanes_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;
	struct lanes lanes = { 0 };

	for (unsigned lane = 0; lane < LANES; lane++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		lanes = lanes_with_room(
			lanes, lane, (unsigned)(state >> 20) % (ROOM_MAX + 1));
		if ((state >> 50) % 3 == 0)
			lanes.bits |= lanes_touch_mask(lane);
	}
	return lanes;
}

static void new_memory_has_all_room_and_was_never_touched(void **state)
{
	const struct lanes lanes = { 0 };

	(void)state;
	for (unsigned lane = 0; lane < LANES; lane++) {
		assert_int_equal(lanes_room(lanes, lane), ROOM_MAX);
		assert_false(lanes_is_touched(lanes, lane));
	}
}

static void a_long_hole_reaches_the_step_of_a_shorter_run(void **state)
{
	(void)state;
	for (size_t pages = 0; pages < LENGTH_MAX; pages++)
		for (size_t hole = pages; hole < LENGTH_MAX; hole++)
			assert_true(room_of(hole) >= room_of(pages));
}

static void the_sure_step_is_reached_by_fitting_holes_only(void **state)
{
	(void)state;
	for (size_t pages = 1; pages <= ROOM_PAGES_MAX; pages++)
		for (size_t hole = 0; hole < pages; hole++)
			assert_true(room_of(hole) < room_for(pages));
	assert_int_equal(room_for(ROOM_PAGES_MAX), ROOM_MAX);
	assert_int_equal(room_for(ROOM_PAGES_MAX + 1), ROOM_MAX);
	assert_int_equal(room_of((size_t)1 << 32), ROOM_MAX);
}

static void steps_are_exact_for_up_to_64_pages(void **state)
{
	(void)state;
	for (size_t pages = 0; pages <= 64; pages++) {
		assert_int_equal(room_of(pages), pages);
		assert_int_equal(room_for(pages), pages);
	}
}

static void a_lane_changes_alone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WORDS; i++) {
		const struct lanes old = lanes_random();
		const unsigned changed = i % LANES;
		const unsigned room = i % (ROOM_MAX + 1);
		const struct lanes new = lanes_with_room(old, changed, room);

		for (unsigned lane = 0; lane < LANES; lane++) {
			assert_int_equal(
				lanes_room(new, lane),
				lane == changed ? room : lanes_room(old, lane));
			assert_int_equal(lanes_is_touched(new, lane),
					 lanes_is_touched(old, lane));
		}
	}
}

static void the_best_is_the_most_room_of_the_eight(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WORDS; i++) {
		const struct lanes lanes = lanes_random();
		const unsigned best = lanes_best(lanes);
		unsigned reached = 0;

		for (unsigned lane = 0; lane < LANES; lane++) {
			assert_true(lanes_room(lanes, lane) <= best);
			reached += lanes_room(lanes, lane) == best;
		}
		assert_true(reached >= 1);
	}
}

static unsigned find_plainly(struct lanes lanes, unsigned lane,
			     struct lanes_wanted wanted)
{
	while (lane < LANES &&
	       !(wanted.touched ? lanes_is_touched(lanes, lane)
				: lanes_room(lanes, lane) >= wanted.room))
		lane++;
	return lane;
}

static void the_first_wanted_lane_is_found(void **state)
{
	const struct lanes_wanted touched = { .touched = true };

	(void)state;
	for (unsigned i = 0; i < WORDS; i++) {
		const struct lanes lanes = lanes_random();
		const struct lanes_wanted some = { .room = i % (ROOM_MAX + 1) };

		for (unsigned lane = 0; lane < LANES; lane++) {
			assert_int_equal(lanes_find(lanes, lane, some),
					 find_plainly(lanes, lane, some));
			assert_int_equal(lanes_find(lanes, lane, touched),
					 find_plainly(lanes, lane, touched));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_memory_has_all_room_and_was_never_touched),
		cmocka_unit_test(a_long_hole_reaches_the_step_of_a_shorter_run),
		cmocka_unit_test(
			the_sure_step_is_reached_by_fitting_holes_only),
		cmocka_unit_test(steps_are_exact_for_up_to_64_pages),
		cmocka_unit_test(a_lane_changes_alone),
		cmocka_unit_test(the_best_is_the_most_room_of_the_eight),
		cmocka_unit_test(the_first_wanted_lane_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
