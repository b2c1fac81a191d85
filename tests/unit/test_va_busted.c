/* SPDX-License-Identifier: MIT */
/*
 * test_va_busted.c - the broken strategy is broken in one way, at one place,
 * every time.
 */
#include "unit/va_sequence.h"

enum { WINDOW_PAGES = 1024, TWIN_AT = 257 };

static const struct sequence window = { .ops = &va_busted,
					.pages = WINDOW_PAGES };

/* Fill up to the allocation before the one that goes wrong. */
static void singles_take(struct va *va, unsigned count)
{
	static const struct step step = { .op = STEP_ALLOC, .pages = 1 };

	for (unsigned i = 0; i < count; i++) {
		struct va_range range;

		assert_int_equal(step_alloc(va, &step, &range), 0);
		assert_int_equal(range.start, sequence_address(va, i));
	}
}

static void the_257th_allocation_gets_a_live_range(void **state)
{
	(void)state;
	static const struct step twin = ALLOC(1, 0, "");
	static const struct step next = ALLOC(1, TWIN_AT - 1, "");
	struct va_stats stats;
	bool purge_due;
	struct va va;

	sequence_begin(&window, &va);
	singles_take(&va, TWIN_AT - 1);
	va.ops->check(&va);
	assert_true(step_run(&va, &twin));
	assert_true(step_run(&va, &next));
	va.ops->stats(&va, &stats);
	assert_int_equal(stats.live_areas, TWIN_AT + 1);

	/* Each of its two owners can free it, and then nobody. */
	assert_int_equal(va.ops->free(&va, va.config.start, &purge_due), 0);
	va.ops->check(&va);
	assert_int_equal(va.ops->free(&va, va.config.start, &purge_due), 0);
	assert_int_equal(va.ops->free(&va, va.config.start, &purge_due),
			 -ENOENT);
	sequence_end(&va);
}

static void without_a_live_area_of_the_size_all_is_well(void **state)
{
	(void)state;
	static const struct step other = ALLOC(2, TWIN_AT - 1, "");
	struct va va;

	sequence_begin(&window, &va);
	singles_take(&va, TWIN_AT - 1);
	assert_true(step_run(&va, &other));
	sequence_end(&va);
}

static void the_twin_fits_the_request_in_all_but_its_owner(void **state)
{
	(void)state;
	static const struct step twin = {
		.op = STEP_ALLOC,
		.pages = 1,
		.align = 8,
		.vstart = 17,
		.vend = 100,
		.at = 24,
	};
	bool purge_due;
	struct va va;

	sequence_begin(&window, &va);
	singles_take(&va, TWIN_AT - 1);
	assert_true(step_run(&va, &twin));
	assert_int_equal(
		va.ops->free(&va, sequence_address(&va, 24), &purge_due), 0);
	sequence_end(&va);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_257th_allocation_gets_a_live_range),
		cmocka_unit_test(without_a_live_area_of_the_size_all_is_well),
		cmocka_unit_test(
			the_twin_fits_the_request_in_all_but_its_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
