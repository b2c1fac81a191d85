/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "engine_fixture.h"

static void figures_on(struct lfv *lfv)
{
	void *areas[10];

	for (size_t i = 0; i < 10; i++)
		areas[i] = lfv_vmalloc(lfv, 4 * PAGE_SIZE);

	const struct lfv_stats full = engine_stats(lfv);

	assert_int_equal(full.live_areas, 10);
	assert_int_equal(full.live_pages, 50);
	assert_int_equal(full.mapped_pages, 40);
	assert_int_equal(full.frames - full.frames_free, 40);
	assert_true(full.span_pages >= 50);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(lfv_vfree(lfv, areas[i]), 0);
	assert_int_equal(lfv_purge(lfv), 0);

	const struct lfv_stats empty = engine_stats(lfv);

	assert_int_equal(empty.live_areas, 0);
	assert_int_equal(empty.live_pages, 0);
	assert_int_equal(empty.lazy_pages, 0);
	assert_int_equal(empty.frames_free, empty.frames);
	assert_int_equal(empty.unmapped_pages, 40);
	assert_int_equal(empty.span_pages, 0);
	assert_int_equal(empty.hole_pages + empty.pool_pages, 128 * MIB >> 12);
}

static void figures_add_up_on_every_strategy(void **state)
{
	(void)state;
	for_each_strategy(figures_on);
}

static void stats_of_another_size_are_refused(void **state)
{
	struct lfv *lfv = engine_default();
	struct lfv_stats stats = { .struct_bytes = 8 };

	(void)state;
	assert_int_equal(lfv_get_stats(lfv, &stats), -EINVAL);
	lfv_destroy(lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_add_up_on_every_strategy),
		cmocka_unit_test(stats_of_another_size_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
