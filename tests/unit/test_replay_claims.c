/* SPDX-License-Identifier: MIT */
/*
 * test_replay_claims.c - pages with one owner, and how far areas lie apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/replay_claims.h"
#include "cmd/replay_spread.h"

enum { PAGES = 64 };

static int claims_make(void **state)
{
	static struct replay_claims claims;

	*state = &claims;
	return replay_claims_init(&claims, PAGES);
}

static int claims_end(void **state)
{
	replay_claims_fini(*state);
	return 0;
}

static void neighbours_do_not_clash(void **state)
{
	struct replay_claims *claims = *state;
	const struct replay_run low = { 0, 4 };
	const struct replay_run high = { 4, 4 };
	struct replay_clash clash;

	assert_true(replay_claims_try_add(claims, &low, 0, &clash));
	assert_true(replay_claims_try_add(claims, &high, 1, &clash));
}

static void a_shared_page_is_told_with_its_owner(void **state)
{
	struct replay_claims *claims = *state;
	const struct replay_run first = { 10, 4 };
	const struct replay_run second = { 8, 4 };
	struct replay_clash clash = { 0, 0 };

	assert_true(replay_claims_try_add(claims, &first, 7, &clash));
	assert_false(replay_claims_try_add(claims, &second, 8, &clash));
	assert_int_equal(clash.page, 10);
	assert_int_equal(clash.slot, 7);
}

static void giving_back_leaves_what_is_anothers(void **state)
{
	struct replay_claims *claims = *state;
	const struct replay_run first = { 10, 4 };
	const struct replay_run second = { 8, 4 };
	struct replay_clash clash;
	uint32_t owner = 0;

	(void)replay_claims_try_add(claims, &first, 7, &clash);
	(void)replay_claims_try_add(claims, &second, 8, &clash);
	replay_claims_remove(claims, &second, 8);
	assert_false(replay_claims_find(claims, 8, &owner));
	assert_true(replay_claims_find(claims, 10, &owner));
	assert_int_equal(owner, 7);
}

static void a_page_that_was_given_back_is_free_again(void **state)
{
	struct replay_claims *claims = *state;
	const struct replay_run run = { 60, 4 };
	struct replay_clash clash;

	assert_true(replay_claims_try_add(claims, &run, 0, &clash));
	replay_claims_remove(claims, &run, 0);
	assert_true(replay_claims_try_add(claims, &run, 1, &clash));
}

static void a_spread_counts_the_holes_between(void **state)
{
	(void)state;
	struct replay_run runs[] = { { 30, 2 }, { 10, 5 }, { 18, 4 } };
	const struct replay_spread spread = replay_spread_of(runs, 3);

	assert_int_equal(spread.span_pages, 22);
	assert_int_equal(spread.free_pages, 11);
	assert_int_equal(spread.gap_pages, 8);
}

static void nothing_spreads_over_nothing(void **state)
{
	(void)state;
	const struct replay_spread spread = replay_spread_of(NULL, 0);

	assert_int_equal(spread.span_pages, 0);
	assert_int_equal(spread.free_pages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(neighbours_do_not_clash,
						claims_make, claims_end),
		cmocka_unit_test_setup_teardown(
			a_shared_page_is_told_with_its_owner, claims_make,
			claims_end),
		cmocka_unit_test_setup_teardown(
			giving_back_leaves_what_is_anothers, claims_make,
			claims_end),
		cmocka_unit_test_setup_teardown(
			a_page_that_was_given_back_is_free_again, claims_make,
			claims_end),
		cmocka_unit_test(a_spread_counts_the_holes_between),
		cmocka_unit_test(nothing_spreads_over_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
