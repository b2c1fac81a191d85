/* SPDX-License-Identifier: MIT */
/*
 * test_area.c - descriptors: where they come from, and the copies of them.
 */
#include "unit/va_sequence.h"

static void a_descriptor_that_was_given_is_taken_again(void **state)
{
	(void)state;
	struct vmap_area *const area = area_take(&os_linux);

	assert_non_null(area);
	area_give(area);
	assert_ptr_equal(area_take(&os_linux), area);
	area_give(area);
}

static void a_chain_is_given_whole(void **state)
{
	(void)state;
	struct vmap_area *const first = area_take(&os_linux);
	struct vmap_area *const second = area_take(&os_linux);

	first->purge_next = second;
	second->purge_next = NULL;
	area_chain_give(NULL);
	area_chain_give(first);

	struct vmap_area *const again = area_take(&os_linux);
	struct vmap_area *const last = area_take(&os_linux);

	assert_true(again == first || again == second);
	assert_true(last == first || last == second);
	assert_ptr_not_equal(again, last);
	area_give(again);
	area_give(last);
}

static void a_copy_tells_the_merged_areas_of_lazy_ones_alone(void **state)
{
	(void)state;
	const struct vmap_area area = {
		.va_start = 3 * PAGE_SIZE,
		.va_end = 5 * PAGE_SIZE,
		.merged = 2,
		.vm = { .flags = 4, .nr_pages = 1, .phys = 7 },
	};
	struct va_found live;
	struct va_found lazy;

	area_to_found(&area, &live, false);
	area_to_found(&area, &lazy, true);
	assert_int_equal(live.start, area.va_start);
	assert_int_equal(live.end, area.va_end);
	assert_int_equal(live.vm.flags, 4);
	assert_int_equal(live.vm.nr_pages, 1);
	assert_int_equal(live.vm.phys, 7);
	assert_false(live.lazy);
	assert_int_equal(live.merged, 0);
	assert_true(lazy.lazy);
	assert_int_equal(lazy.merged, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_descriptor_that_was_given_is_taken_again),
		cmocka_unit_test(a_chain_is_given_whole),
		cmocka_unit_test(
			a_copy_tells_the_merged_areas_of_lazy_ones_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
