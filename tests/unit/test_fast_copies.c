/* SPDX-License-Identifier: MIT */
/*
 * test_fast_copies.c - what two frees that raced have left in the cache twice
 * does not come out of it twice on the short way.
 */
#include <sched.h>

#include "core/fast.h"
#include "engine_fixture.h"

static size_t pages_at(struct lfv *lfv, const void *address)
{
	struct lfv_vm_info info;

	assert_int_equal(lfv_find_vm_area(lfv, address, &info), 0);
	return (info.va_end - info.va_start) >> PAGE_SHIFT;
}

/* Two frees raced, and left it twice; then it came back with another size. */
static void other_class_on(struct lfv *lfv)
{
	struct cached *const cache = lfv->fast;
	void *const smaller = lfv_get_vm_area(lfv, 3 * PAGE_SIZE, 0);
	void *const area = lfv_get_vm_area(lfv, 7 * PAGE_SIZE, 0);

	assert_int_equal(lfv_free_vm_area(lfv, smaller), 0);
	assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	assert_true(cached_give(cache,
				page_map_page(cache->map, (uintptr_t)area), 4));

	void *const given = lfv_get_vm_area(lfv, 3 * PAGE_SIZE, 0);

	assert_int_equal(pages_at(lfv, given), 4);
	assert_ptr_not_equal(given, area);
	assert_ptr_equal(lfv_get_vm_area(lfv, 7 * PAGE_SIZE, 0), area);
	assert_int_equal(pages_at(lfv, area), 8);
}

static void a_copy_that_has_another_class_by_now_is_not_given(void **state)
{
	static const char *const strategies[] = { "lockfree", "augmented" };

	(void)state;
	for (unsigned i = 0; i < sizeof(strategies) / sizeof(strategies[0]);
	     i++) {
		struct lfv_options options = TEST_OPTIONS;

		options.strategy = strategies[i];
		options.cache = "percpu";
		options.mapping = "keep";
		options.address_plane = true;
		on_engine(&options, other_class_on);
	}
}

static int stay(void **state)
{
	cpu_set_t set;

	(void)state;
	CPU_ZERO(&set);
	CPU_SET(cpu_current().value, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			a_copy_that_has_another_class_by_now_is_not_given,
			stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
