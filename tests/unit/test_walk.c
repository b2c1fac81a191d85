/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "engine_fixture.h"

struct met {
	size_t count;
	uintptr_t last_end;
	bool ascending;
};

static int meet(void *context, const struct lfv_vm_info *info)
{
	struct met *met = context;

	met->count++;
	met->ascending = met->ascending && info->va_start >= met->last_end;
	met->last_end = info->va_end;
	return 0;
}

static void walk_on(struct lfv *lfv)
{
	void *areas[50];
	struct met met = { .ascending = true };

	for (size_t i = 0; i < 50; i++)
		areas[i] = lfv_get_vm_area(lfv, (i % 7 + 1) * PAGE_SIZE, 0);
	for (size_t i = 0; i < 50; i += 3)
		assert_int_equal(lfv_free_vm_area(lfv, areas[i]), 0);
	assert_int_equal(lfv_for_each_vm_area(lfv, meet, &met), 0);
	assert_int_equal(met.count, 50 - 17);
	assert_true(met.ascending);
}

static void a_walk_meets_each_live_area_once_and_ascending(void **state)
{
	(void)state;
	for_each_strategy(walk_on);
}

static int stop_at_third(void *context, const struct lfv_vm_info *info)
{
	size_t *count = context;

	(void)info;
	return ++*count == 3 ? 42 : 0;
}

static void a_visit_can_end_the_walk(void **state)
{
	struct lfv *lfv = engine_default();
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_non_null(lfv_get_vm_area(lfv, PAGE_SIZE, 0));
	assert_int_equal(lfv_for_each_vm_area(lfv, stop_at_third, &count), 42);
	assert_int_equal(count, 3);
	lfv_destroy(lfv);
}

static int free_it(void *context, const struct lfv_vm_info *info)
{
	return lfv_free_vm_area(context, (void *)info->va_start);
}

static void free_all_on(struct lfv *lfv)
{
	for (int i = 0; i < 20; i++)
		assert_non_null(lfv_get_vm_area(lfv, PAGE_SIZE, 0));
	assert_int_equal(lfv_for_each_vm_area(lfv, free_it, lfv), 0);
	assert_int_equal(engine_stats(lfv).live_areas, 0);
}

static void a_visit_may_free_what_it_meets(void **state)
{
	(void)state;
	for_each_strategy(free_all_on);
}

static void find_on(struct lfv *lfv)
{
	unsigned char *area = lfv_vmalloc(lfv, 3 * PAGE_SIZE - 5);
	struct lfv_vm_info info;

	assert_int_equal(lfv_find_vm_area(lfv, area + 2 * PAGE_SIZE + 7, &info),
			 0);
	assert_int_equal(info.va_start, (uintptr_t)area);
	assert_int_equal(info.va_end, (uintptr_t)area + 4 * PAGE_SIZE);
	assert_int_equal(info.size, 3 * PAGE_SIZE - 5);
	assert_int_equal(info.nr_pages, 3);
	assert_int_equal(info.flags, LFV_VM_ALLOC);
	assert_non_null(info.caller);
	assert_int_equal(lfv_find_vm_area(lfv, area + 4 * PAGE_SIZE, &info),
			 -ENOENT);
	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_int_equal(lfv_find_vm_area(lfv, area, &info), -ENOENT);
}

static void any_interior_address_finds_the_area(void **state)
{
	(void)state;
	for_each_strategy(find_on);
}

static void a_frame_is_found_behind_mapped_pages_only(void **state)
{
	struct lfv *lfv = engine_default();
	unsigned char *area = lfv_vmalloc(lfv, 2 * PAGE_SIZE);
	struct lfv_page first;
	struct lfv_page second;

	(void)state;
	assert_int_equal(lfv_vmalloc_to_frame(lfv, area, &first), 0);
	assert_int_equal(lfv_vmalloc_to_frame(lfv, area + PAGE_SIZE, &second),
			 0);
	assert_int_not_equal(first.frame, second.frame);
	assert_int_equal(
		lfv_vmalloc_to_frame(lfv, area + 2 * PAGE_SIZE, &first),
		-ENOENT);
	assert_int_equal(lfv_vmalloc_to_frame(lfv, &first, &first), -ENOENT);
	lfv_destroy(lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_walk_meets_each_live_area_once_and_ascending),
		cmocka_unit_test(a_visit_can_end_the_walk),
		cmocka_unit_test(a_visit_may_free_what_it_meets),
		cmocka_unit_test(any_interior_address_finds_the_area),
		cmocka_unit_test(a_frame_is_found_behind_mapped_pages_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
