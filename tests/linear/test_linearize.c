/* SPDX-License-Identifier: MIT */
/*
 * test_linearize.c - histories by hand, right ones and wrong ones.
 *
 * Each wrong one is a right one but for the very thing that its test names.
 */
/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "linear/handmade.h"
#include "linear/linearize.h"

static const struct fit_promise exact = { .fit = FIT_EXACT };
static const struct fit_promise settled = { .fit = FIT_SETTLED };
static const struct fit_promise alone = { .fit = FIT_ALONE };

static struct verdict judge(const struct fit_promise *promise, struct op *ops,
			    size_t count)
{
	const struct history history = { .ops = ops, .count = count };

	return linearize(&history, promise);
}

#define JUDGED(promise, ...)                           \
	judge((promise), (struct op[]){ __VA_ARGS__ }, \
	      sizeof((struct op[]){ __VA_ARGS__ }) / sizeof(struct op))

#define ACCEPT(promise, ...) \
	assert_true(JUDGED(promise, __VA_ARGS__).is_linearizable)
#define REJECT(promise, ...) \
	assert_false(JUDGED(promise, __VA_ARGS__).is_linearizable)

static void nothing_is_linearizable(void **state)
{
	const struct history history = { .count = 0 };

	(void)state;
	assert_true(linearize(&history, &exact).is_linearizable);
}

static void right_answers_one_after_the_other_are_accepted(void **state)
{
	const struct op area = given(1, 2, 0, 3);

	(void)state;
	ACCEPT(&exact, area, met(3, 4, 2, area), missed(5, 6, 3),
	       not_freed(7, 8, 1), freed(9, 10, 0), purged(11, 12),
	       missed(13, 14, 0), not_freed(15, 16, 0), given(17, 18, 0, 8),
	       refused(19, 20, 1));
}

static void a_range_that_is_given_twice_is_rejected(void **state)
{
	(void)state;
	REJECT(&exact, given(1, 2, 0, 3), given(3, 4, 2, 4));
	REJECT(&exact, given(1, 3, 0, 3), given(2, 4, 0, 3));
	ACCEPT(&exact, given(1, 2, 0, 3), given(3, 4, 3, 4));
}

static void a_range_is_given_again_while_its_free_runs(void **state)
{
	(void)state;
	ACCEPT(&exact, given(1, 2, 0, 3), freed(3, 6, 0), given(4, 5, 0, 3));
	REJECT(&exact, given(1, 2, 0, 3), given(3, 4, 0, 3), freed(5, 6, 0));
}

static void an_area_that_is_freed_twice_is_rejected(void **state)
{
	(void)state;
	REJECT(&exact, given(1, 2, 0, 3), freed(3, 4, 0), freed(5, 6, 0));
	REJECT(&exact, given(1, 2, 0, 3), freed(3, 5, 0), freed(4, 6, 0));
	ACCEPT(&exact, given(1, 2, 0, 3), freed(3, 5, 0), not_freed(4, 6, 0));
}

static void a_refused_free_of_a_live_area_is_rejected(void **state)
{
	(void)state;
	REJECT(&exact, given(1, 2, 0, 3), not_freed(3, 4, 0));
	ACCEPT(&exact, given(1, 3, 0, 3), not_freed(2, 4, 0));
}

static void only_a_first_page_can_be_freed(void **state)
{
	(void)state;
	REJECT(&exact, given(1, 2, 0, 3), freed(3, 4, 1));
	ACCEPT(&exact, given(1, 2, 0, 3), not_freed(3, 4, 1));
}

static void what_changes_meanwhile_may_be_met_or_not(void **state)
{
	const struct op area = given(1, 4, 0, 3);

	(void)state;
	ACCEPT(&exact, area, met(2, 3, 1, area));
	ACCEPT(&exact, area, missed(2, 3, 1));
	ACCEPT(&exact, area, freed(5, 8, 0), met(6, 7, 1, area));
	ACCEPT(&exact, area, freed(5, 8, 0), missed(6, 7, 1));
}

static void a_lost_area_is_rejected(void **state)
{
	(void)state;
	REJECT(&exact, given(1, 2, 0, 3), missed(3, 4, 1));
	REJECT(&exact, given(1, 2, 0, 3), missed(3, 4, 1), freed(5, 6, 0));
}

static void a_stale_lookup_is_rejected(void **state)
{
	const struct op area = given(1, 2, 0, 3);

	(void)state;
	REJECT(&exact, area, freed(3, 4, 0), met(5, 6, 1, area));
}

static void an_area_that_is_met_before_it_is_asked_for_is_rejected(void **state)
{
	const struct op area = given(3, 4, 0, 3);

	(void)state;
	REJECT(&exact, met(1, 2, 1, area), area);
}

static void lookups_cannot_see_an_area_come_and_go(void **state)
{
	const struct op area = given(1, 6, 0, 3);

	(void)state;
	REJECT(&exact, area, met(2, 3, 1, area), missed(4, 5, 1));
	ACCEPT(&exact, area, missed(2, 3, 1), met(4, 5, 1, area));
}

static void a_lookup_that_mixes_two_areas_is_rejected(void **state)
{
	const struct op area = given(1, 2, 0, 3);
	struct op mixed = met(3, 4, 1, area);

	(void)state;
	mixed.tag++;
	REJECT(&exact, area, mixed);
	mixed = met(3, 4, 1, area);
	mixed.area.end++;
	REJECT(&exact, area, mixed);
}

static void the_area_before_is_told_from_the_one_at_its_place(void **state)
{
	const struct op old = given(1, 2, 0, 3);
	const struct op new = given(5, 6, 0, 3);

	(void)state;
	REJECT(&exact, old, freed(3, 4, 0), new, met(7, 8, 1, old));
	ACCEPT(&exact, old, freed(3, 4, 0), new, met(7, 8, 1, new));
}

static void an_area_that_is_not_as_asked_for_is_rejected(void **state)
{
	struct op op = given(1, 2, 3, 5);

	(void)state;
	ACCEPT(&exact, op);
	op.align = 2;
	REJECT(&exact, op);
	op = given(1, 2, 3, 5);
	op.pages = 3;
	REJECT(&exact, op);
	op = given(1, 2, 3, 5);
	op.within.first = 4;
	REJECT(&exact, op);
	op = given(1, 2, 3, 5);
	op.within.end = 4;
	REJECT(&exact, op);
}

static void an_error_that_an_operation_has_not_is_rejected(void **state)
{
	struct op op = purged(1, 2);

	(void)state;
	ACCEPT(&exact, op);
	op.answer = ANSWER_ODD;
	REJECT(&exact, op);
}

static void a_refusal_although_something_fits_is_rejected(void **state)
{
	(void)state;
	REJECT(&exact, refused(1, 2, 8));
	REJECT(&settled, given(1, 2, 0, 4), refused(3, 4, 4));
	REJECT(&alone, given(1, 2, 0, 4), refused(3, 4, 4));
	ACCEPT(&exact, given(1, 2, 0, 4), refused(3, 4, 5));
	ACCEPT(&exact, given(1, 2, 2, 4), given(3, 4, 6, 7), refused(5, 6, 3));
}

static void a_refusal_looks_no_further_than_it_was_asked_to(void **state)
{
	struct op op = refused(3, 4, 2);

	(void)state;
	op.within = (struct page_range){ 2, 5 };
	REJECT(&exact, given(1, 2, 0, 3), op);
	ACCEPT(&exact, given(1, 2, 0, 4), op);
	op.within = (struct page_range){ 4, 8 };
	op.align = 4;
	REJECT(&exact, given(1, 2, 6, 8), op);
	ACCEPT(&exact, given(1, 2, 4, 5), op);
}

static void freed_pages_are_room_lazy_or_not(void **state)
{
	(void)state;
	REJECT(&exact, given(1, 2, 0, 8), freed(3, 4, 0), refused(5, 6, 8));
	REJECT(&settled, given(1, 2, 0, 8), freed(3, 4, 0), refused(5, 6, 8));
	REJECT(&alone, given(1, 2, 0, 8), freed(3, 4, 0), refused(5, 6, 8));
}

/* The free is over for all to see, by a lookup, before the refusal is. */
static void pages_in_motion_are_room_if_the_promise_is_exact(void **state)
{
	(void)state;
	REJECT(&exact, given(1, 2, 0, 8), freed(3, 10, 0), missed(4, 5, 0),
	       refused(6, 7, 8));
	ACCEPT(&settled, given(1, 2, 0, 8), freed(3, 10, 0), missed(4, 5, 0),
	       refused(6, 7, 8));
	REJECT(&exact, given(1, 10, 0, 8), refused(2, 3, 8), missed(4, 5, 0));
	ACCEPT(&settled, given(1, 10, 0, 8), refused(2, 3, 8), missed(4, 5, 0));
}

static void other_pages_are_room_unless_the_promise_is_to_be_alone(void **state)
{
	(void)state;
	REJECT(&settled, given(1, 4, 0, 1), refused(2, 3, 7));
	ACCEPT(&alone, given(1, 4, 0, 1), refused(2, 3, 7));
	ACCEPT(&alone, purged(1, 4), refused(2, 3, 8));
	REJECT(&settled, purged(1, 4), refused(2, 3, 8));
	REJECT(&alone, missed(1, 4, 0), refused(2, 3, 8));
}

static void who_needs_a_spare_page_may_refuse_without_it(void **state)
{
	const struct fit_promise spare = { .fit = FIT_EXACT, .spare_pages = 1 };

	(void)state;
	ACCEPT(&spare, given(1, 2, 0, 4), refused(3, 4, 4));
	REJECT(&spare, given(1, 2, 0, 4), refused(3, 4, 3));
}

static void who_adds_the_alignment_may_refuse_without_it(void **state)
{
	const struct fit_promise apart = { .fit = FIT_EXACT,
					   .align_apart = true };
	struct op op = refused(3, 4, 4);

	(void)state;
	REJECT(&apart, given(1, 2, 0, 4), op);
	op.align = 4;
	ACCEPT(&apart, given(1, 2, 0, 4), op);
	REJECT(&exact, given(1, 2, 0, 4), op);
	op.pages = 1;
	REJECT(&apart, given(1, 2, 0, 3), op);
}

static void the_longest_order_is_told(void **state)
{
	const struct verdict verdict = JUDGED(&exact, given(1, 4, 0, 3),
					      missed(2, 3, 0), missed(5, 6, 0));

	(void)state;
	assert_int_equal(verdict.longest, 2);
	assert_int_equal(verdict.order[0], 1);
	assert_int_equal(verdict.order[1], 0);
}

/* Twelve that are right overlap, and one that is wrong. */
static void what_was_tried_is_remembered(void **state)
{
	struct op ops[13];

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		ops[i] = missed(i, 100 + i, 0);
	ops[12] = freed(50, 200, 0);

	const struct verdict verdict = judge(&exact, ops, 13);

	assert_false(verdict.is_linearizable);
	assert_int_equal(verdict.longest, 12);
	/* About a state for each set of them, where there are 12! orders. */
	assert_in_range(verdict.steps, 4096, 4 * 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_linearizable),
		cmocka_unit_test(
			right_answers_one_after_the_other_are_accepted),
		cmocka_unit_test(a_range_that_is_given_twice_is_rejected),
		cmocka_unit_test(a_range_is_given_again_while_its_free_runs),
		cmocka_unit_test(an_area_that_is_freed_twice_is_rejected),
		cmocka_unit_test(a_refused_free_of_a_live_area_is_rejected),
		cmocka_unit_test(only_a_first_page_can_be_freed),
		cmocka_unit_test(what_changes_meanwhile_may_be_met_or_not),
		cmocka_unit_test(a_lost_area_is_rejected),
		cmocka_unit_test(a_stale_lookup_is_rejected),
		cmocka_unit_test(
			an_area_that_is_met_before_it_is_asked_for_is_rejected),
		cmocka_unit_test(lookups_cannot_see_an_area_come_and_go),
		cmocka_unit_test(a_lookup_that_mixes_two_areas_is_rejected),
		cmocka_unit_test(
			the_area_before_is_told_from_the_one_at_its_place),
		cmocka_unit_test(an_area_that_is_not_as_asked_for_is_rejected),
		cmocka_unit_test(
			an_error_that_an_operation_has_not_is_rejected),
		cmocka_unit_test(a_refusal_although_something_fits_is_rejected),
		cmocka_unit_test(
			a_refusal_looks_no_further_than_it_was_asked_to),
		cmocka_unit_test(freed_pages_are_room_lazy_or_not),
		cmocka_unit_test(
			pages_in_motion_are_room_if_the_promise_is_exact),
		cmocka_unit_test(
			other_pages_are_room_unless_the_promise_is_to_be_alone),
		cmocka_unit_test(who_needs_a_spare_page_may_refuse_without_it),
		cmocka_unit_test(who_adds_the_alignment_may_refuse_without_it),
		cmocka_unit_test(the_longest_order_is_told),
		cmocka_unit_test(what_was_tried_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
