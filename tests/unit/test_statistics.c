/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "engine_fixture.h"

#include <string.h>

#include "base/rcu.h"

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

/* An allocation would give the readers a while to leave. */
static void wait_for_nothing(uint64_t ns)
{
	(void)ns;
}

/* A test that is inside is a stopped reader. */
static void what_waits_behind_readers_is_counted_up_to_its_limit(void **state)
{
	struct lfv_options options = TEST_OPTIONS;
	static struct os os;
	struct lfv *lfv;
	void *area;

	(void)state;
	os = os_linux;
	os.sleep_ns = wait_for_nothing;
	options.strategy = "rcu";
	options.cache = "none";
	options.mapping = "strict";
	options.address_plane = true;
	options.held_bytes_max = MIB;
	lfv = engine_create(&options, &os);
	assert_non_null(lfv);
	assert_int_equal(engine_stats(lfv).held_bytes_max, MIB);
	rcu_enter();
	while ((area = lfv_get_vm_area(lfv, PAGE_SIZE, 0)) != NULL)
		assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(lfv_last_error(), "held_bytes_max"));
	assert_true(engine_stats(lfv).held_bytes >= MIB);
	rcu_leave();
	rcu_wait();
	assert_int_equal(engine_stats(lfv).held_bytes, 0);
	assert_true(engine_stats(lfv).held_bytes_most >= MIB);
	area = lfv_get_vm_area(lfv, PAGE_SIZE, 0);
	assert_non_null(area);
	assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	lfv_check(lfv);
	lfv_destroy(lfv);
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
		cmocka_unit_test(
			what_waits_behind_readers_is_counted_up_to_its_limit),
		cmocka_unit_test(stats_of_another_size_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
