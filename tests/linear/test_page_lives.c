/* SPDX-License-Identifier: MIT */
/*
 * test_page_lives.c - histories by hand; and small random ones, of which both
 * judges must think the same.
 */
/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "linear/dice.h"
#include "linear/handmade.h"
#include "linear/linearize.h"
#include "linear/page_lives.h"

static const char *breach_of(struct op *ops, size_t count)
{
	const struct history history = { .ops = ops, .count = count };
	struct lives_breach breach = { .what = NULL };

	return lives_are_linearizable(&history, &breach) ? "none" : breach.what;
}

#define BREACH(...)                             \
	breach_of((struct op[]){ __VA_ARGS__ }, \
		  sizeof((struct op[]){ __VA_ARGS__ }) / sizeof(struct op))

static void right_answers_are_accepted(void **state)
{
	const struct op area = given(1, 2, 0, 3);
	const struct op next = given(9, 12, 1, 4);

	(void)state;
	assert_string_equal(breach_of(NULL, 0), "none");
	assert_string_equal(BREACH(area, met(3, 4, 2, area), missed(5, 6, 3),
				   freed(7, 10, 0), met(8, 11, 0, area), next,
				   met(13, 14, 3, next), missed(15, 16, 0),
				   not_freed(17, 18, 2), refused(19, 20, 5)),
			    "none");
}

static void a_range_that_is_given_twice_is_rejected(void **state)
{
	(void)state;
	assert_string_equal(BREACH(given(1, 2, 0, 3), given(3, 4, 0, 3)),
			    "given out twice");
	assert_string_equal(BREACH(given(1, 2, 0, 3), given(3, 4, 2, 4)),
			    "two owners of a page");
	assert_string_equal(
		BREACH(given(1, 2, 0, 3), given(3, 4, 2, 4), freed(5, 6, 0)),
		"two owners of a page");
	assert_string_equal(
		BREACH(given(1, 2, 0, 3), freed(3, 6, 0), given(4, 5, 2, 4)),
		"none");
}

static void an_area_that_is_freed_twice_is_rejected(void **state)
{
	(void)state;
	assert_string_equal(
		BREACH(given(1, 2, 0, 3), freed(3, 4, 0), freed(5, 6, 0)),
		"freed what was not live");
	assert_string_equal(BREACH(freed(1, 2, 0)), "freed what was not live");
}

static void a_refused_free_of_a_live_area_is_rejected(void **state)
{
	(void)state;
	assert_string_equal(BREACH(given(1, 2, 0, 3), not_freed(3, 4, 0)),
			    "free of a live area refused");
	assert_string_equal(BREACH(given(1, 2, 0, 3), not_freed(3, 4, 1)),
			    "none");
}

static void a_lost_area_is_rejected(void **state)
{
	(void)state;
	assert_string_equal(BREACH(given(1, 2, 0, 3), missed(3, 4, 2)),
			    "missed a live area");
	assert_string_equal(BREACH(given(1, 3, 0, 3), missed(2, 4, 2)), "none");
}

static void a_stale_lookup_is_rejected(void **state)
{
	const struct op area = given(1, 2, 0, 3);

	(void)state;
	assert_string_equal(BREACH(area, freed(3, 4, 0), met(5, 6, 1, area)),
			    "met after its end");
	assert_string_equal(BREACH(area, freed(3, 5, 0), met(4, 6, 1, area)),
			    "none");
}

static void an_area_that_is_met_before_it_is_asked_for_is_rejected(void **state)
{
	const struct op area = given(3, 4, 0, 3);

	(void)state;
	assert_string_equal(BREACH(met(1, 2, 1, area), area),
			    "met before it was asked for");
}

static void an_area_that_never_was_is_rejected(void **state)
{
	const struct op area = given(1, 2, 0, 3);
	struct op other = met(3, 4, 1, area);

	(void)state;
	other.tag++;
	assert_string_equal(BREACH(area, other), "met what never was");
	other = met(3, 4, 1, area);
	other.area.end++;
	assert_string_equal(BREACH(area, other), "met what never was");
	other = met(3, 4, 5, area);
	assert_string_equal(BREACH(area, other), "met what never was");
}

/* The hit says that the area lives; the miss, later, that it does not yet. */
static void a_hit_bounds_what_a_miss_may_say(void **state)
{
	const struct op area = given(1, 6, 0, 3);

	(void)state;
	assert_string_equal(BREACH(area, met(2, 3, 1, area), missed(4, 5, 1)),
			    "missed a live area");
	assert_string_equal(BREACH(area, missed(2, 3, 1), met(4, 5, 1, area)),
			    "none");
}

/* The free runs; but that the area lives longer than the next begins is said.*/
static void a_hit_bounds_when_the_next_can_begin(void **state)
{
	const struct op area = given(1, 2, 0, 3);

	(void)state;
	assert_string_equal(BREACH(area, freed(3, 8, 0), given(4, 5, 1, 2),
				   met(6, 7, 0, area)),
			    "two owners of a page");
}

static void an_area_that_is_not_as_asked_for_is_rejected(void **state)
{
	struct op op = given(1, 2, 3, 5);

	(void)state;
	op.align = 2;
	assert_string_equal(BREACH(op), "not as asked for");
}

static void an_error_that_an_operation_has_not_is_rejected(void **state)
{
	struct op op = purged(1, 2);

	(void)state;
	op.answer = ANSWER_ODD;
	assert_string_equal(BREACH(op), "an error that it has not");
}

enum { RANDOM_HISTORIES = 20000, RANDOM_OPS = 12, SPREAD = 4, SPOILERS = 10 };

/* world - what lives, as a history is thought out in the order of effects. */
struct world {
	struct dice dice;
	struct op ops[RANDOM_OPS];
	unsigned count;
	unsigned owner[HAND_PAGES]; /* of a page, plus one; 0: none */
};

/* An interval around instant `count`: stamps are unique in their low bits. */
static struct op around(struct world *world, struct op op)
{
	const uint64_t now = SPREAD + world->count;

	op.invoked = (now - dice_below(&world->dice, SPREAD)) * 64 +
		     world->count * 2;
	op.returned = (now + dice_below(&world->dice, SPREAD)) * 64 + 33 +
		      world->count * 2;
	op.tag = (uint16_t)(world->count + 1);
	return op;
}

static void alloc_think(struct world *world)
{
	const uint32_t first = dice_below(&world->dice, HAND_PAGES - 1);
	const uint32_t end = first + 1 + dice_below(&world->dice, 2);

	if (world->owner[first] != 0 || world->owner[end - 1] != 0)
		return;
	world->ops[world->count] = around(world, given(0, 0, first, end));
	world->count++;
	for (uint32_t page = first; page < end; page++)
		world->owner[page] = world->count;
}

/* By one who was given it: after the alloc has returned. */
static void free_think(struct world *world)
{
	const unsigned owner =
		world->owner[dice_below(&world->dice, HAND_PAGES)];

	if (owner == 0)
		return;

	struct op *const alloc = &world->ops[owner - 1];
	struct op op = around(world, freed(0, 0, alloc->area.first));
	const uint64_t certain = (uint64_t)(SPREAD + world->count) * 64;

	if (op.invoked < alloc->returned) {
		alloc->returned = (uint64_t)(SPREAD + owner - 1) * 64 + 33 +
				  2 * (owner - 1);
		op.invoked = certain + world->count * 2;
	}
	for (uint32_t i = alloc->area.first; i < alloc->area.end; i++)
		world->owner[i] = 0;
	world->ops[world->count++] = op;
}

static void lookup_think(struct world *world)
{
	const uint32_t page = dice_below(&world->dice, HAND_PAGES);
	struct op op = around(world, missed(0, 0, page));

	if (world->owner[page] != 0)
		op = met(op.invoked, op.returned, page,
			 world->ops[world->owner[page] - 1]);
	world->ops[world->count++] = op;
}

static void refused_free_think(struct world *world)
{
	const uint32_t page = dice_below(&world->dice, HAND_PAGES);

	if (world->owner[page] == 0)
		world->ops[world->count++] =
			around(world, not_freed(0, 0, page));
}

static void world_think(struct world *world)
{
	while (world->count < RANDOM_OPS) {
		switch (dice_below(&world->dice, 8)) {
		case 0:
		case 1:
			alloc_think(world);
			break;
		case 2:
			free_think(world);
			break;
		case 3:
			refused_free_think(world);
			break;
		default:
			lookup_think(world);
			break;
		}
	}
}

/* Make one lookup answer what another one did, right or not, or a miss. */
static void world_spoil(struct world *world)
{
	struct op *const op = &world->ops[dice_below(&world->dice, RANDOM_OPS)];
	const struct op *const other =
		&world->ops[dice_below(&world->dice, RANDOM_OPS)];

	if (op->kind != OP_LOOKUP)
		return;
	if (other->kind == OP_ALLOC)
		*op = met(op->invoked, op->returned, other->area.first, *other);
	else
		*op = missed(op->invoked, op->returned, op->page);
}

static void both_judges_agree_on_small_histories(void **state)
{
	const struct fit_promise promise = { .fit = FIT_EXACT };
	unsigned accepted = 0;

	(void)state;
	for (unsigned seed = 0; seed < RANDOM_HISTORIES; seed++) {
		struct world world = { .dice = dice_of(seed, 0) };
		struct history history = { .ops = world.ops,
					   .count = RANDOM_OPS };
		struct lives_breach breach;

		world_think(&world);
		const bool spoilt = seed % 4 != 0;

		for (unsigned i = 0; spoilt && i < SPOILERS; i++)
			world_spoil(&world);
		history_sort(&history);

		const bool right =
			linearize(&history, &promise).is_linearizable;

		assert_int_equal(lives_are_linearizable(&history, &breach),
				 right);
		assert_true(right || spoilt);
		accepted += right;
	}
	print_message("%u of %u accepted\n", accepted, RANDOM_HISTORIES);
	assert_in_range(accepted, RANDOM_HISTORIES / 3,
			2 * RANDOM_HISTORIES / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_answers_are_accepted),
		cmocka_unit_test(a_range_that_is_given_twice_is_rejected),
		cmocka_unit_test(an_area_that_is_freed_twice_is_rejected),
		cmocka_unit_test(a_refused_free_of_a_live_area_is_rejected),
		cmocka_unit_test(a_lost_area_is_rejected),
		cmocka_unit_test(a_stale_lookup_is_rejected),
		cmocka_unit_test(
			an_area_that_is_met_before_it_is_asked_for_is_rejected),
		cmocka_unit_test(an_area_that_never_was_is_rejected),
		cmocka_unit_test(a_hit_bounds_what_a_miss_may_say),
		cmocka_unit_test(a_hit_bounds_when_the_next_can_begin),
		cmocka_unit_test(an_area_that_is_not_as_asked_for_is_rejected),
		cmocka_unit_test(
			an_error_that_an_operation_has_not_is_rejected),
		cmocka_unit_test(both_judges_agree_on_small_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
