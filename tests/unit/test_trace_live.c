/* SPDX-License-Identifier: MIT */
/*
 * test_trace_live.c - the ordered set of ranges.
 */
#include "trace_input.h"

#include "trace/trace_live.h"

static void add(struct live *live, uint64_t start, uint64_t end, uint32_t slot)
{
	const struct live_area area = {
		.start = start,
		.end = end,
		.slot = slot,
	};

	assert_int_equal(live_add(live, &area), 0);
}

static void overlap_is_found_from_both_sides_and_inside(void **state)
{
	(void)state;
	struct live live;

	live_init(&live);
	add(&live, 100, 200, 0);
	add(&live, 300, 400, 1);
	assert_null(live_find_overlap(&live, 200, 300));
	assert_null(live_find_overlap(&live, 0, 100));
	assert_null(live_find_overlap(&live, 400, 500));
	assert_int_equal(live_find_overlap(&live, 199, 300)->slot, 0);
	assert_int_equal(live_find_overlap(&live, 200, 301)->slot, 1);
	assert_int_equal(live_find_overlap(&live, 350, 360)->slot, 1);
	assert_int_equal(live_find_overlap(&live, 0, 1000)->slot, 1);
	assert_null(live_find(&live, 150));
	live_fini(&live);
}

static void thousand_areas_stay_in_order_while_half_of_them_go(void **state)
{
	(void)state;
	struct live live;

	live_init(&live);
	for (uint32_t i = 0; i < 1000; i++)
		add(&live, (i * 7919u % 1000) * 10, (i * 7919u % 1000) * 10 + 9,
		    i);
	live_check(&live);
	for (uint64_t start = 0; start < 10000; start += 20)
		live_remove(&live, start);
	live_check(&live);
	assert_null(live_find(&live, 20));
	assert_non_null(live_find(&live, 30));
	assert_null(live_find_overlap(&live, 20, 30));
	add(&live, 20, 30, 1000);
	live_check(&live);
	assert_int_equal(live_find(&live, 20)->slot, 1000);
	live_fini(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlap_is_found_from_both_sides_and_inside),
		cmocka_unit_test(
			thousand_areas_stay_in_order_while_half_of_them_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
