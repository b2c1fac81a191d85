/* SPDX-License-Identifier: MIT */
/*
 * test_area_census.c - overlaps and gaps are seen, sums are right.
 */
#include "va_world.h"

#include "va/area_census.h"

enum { PAGES = 4096 };

struct claim {
	struct va_config config;
	long starts[3];
	long ends[3];
	uint64_t elsewhere;
};

static struct vmap_area area_at(long start, long end)
{
	return (struct vmap_area){
		.va_start = address_of(start),
		.va_end = address_of(end),
	};
}

static void census_of(void *context)
{
	const struct claim *const claim = context;
	struct area_census census;

	area_census_begin(&census, &claim->config);
	for (unsigned i = 0; i < 3; i++) {
		const struct vmap_area area =
			area_at(claim->starts[i], claim->ends[i]);

		area_census_add(&census, &area);
	}
	area_census_end(&census, claim->elsewhere);
}

static void ranges_must_fill_the_window_without_overlap(void **state)
{
	const struct va_config config = {
		.os = &os_linux,
		.start = WORLD_START,
		.end = address_of(30),
	};
	struct claim whole = { config, { 20, 0, 10 }, { 30, 10, 20 }, 0 };
	struct claim taken = { config, { 20, 0, 10 }, { 30, 10, 15 }, 5 };
	struct claim gap = { config, { 20, 0, 10 }, { 30, 10, 19 }, 0 };
	struct claim overlap = { config, { 20, 0, 10 }, { 30, 11, 20 }, 0 };
	struct claim outside = { config, { 20, 0, 10 }, { 31, 10, 19 }, 0 };

	(void)state;
	census_of(&whole);
	census_of(&taken);
	assert_true(aborts_saying(census_of, &gap, "invariant A1"));
	assert_true(aborts_saying(census_of, &overlap, "invariant A2"));
	assert_true(aborts_saying(census_of, &outside, "invariant A2"));
}

static void census_grows_with_what_it_is_told(void **state)
{
	const struct va_config config = {
		.os = &os_linux,
		.start = WORLD_START,
		.end = address_of(PAGES),
	};
	struct area_census census;

	(void)state;
	area_census_begin(&census, &config);
	for (long page = PAGES - 1; page >= 0; page--) {
		const struct vmap_area area = area_at(page, page + 1);

		area_census_add(&census, &area);
	}
	area_census_end(&census, 0);
}

static void statistics_add_up(void **state)
{
	const struct vmap_area low = area_at(10, 12);
	const struct vmap_area high = area_at(20, 25);
	struct va_stats stats = { 0 };

	(void)state;
	stats_add_live(&stats, &high);
	stats_add_live(&stats, &low);
	stats_add_hole(&stats, &high);
	stats_add_hole(&stats, &low);
	assert_int_equal(stats.live_areas, 2);
	assert_int_equal(stats.live_pages, 7);
	assert_int_equal(stats.lowest_start, address_of(10));
	assert_int_equal(stats.highest_end, address_of(25));
	assert_int_equal(stats.holes, 2);
	assert_int_equal(stats.hole_pages, 7);
	assert_int_equal(stats.hole_pages_max, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_must_fill_the_window_without_overlap),
		cmocka_unit_test(census_grows_with_what_it_is_told),
		cmocka_unit_test(statistics_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
