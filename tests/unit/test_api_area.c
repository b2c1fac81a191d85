/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine_fixture.h"
#include "fault_probe.h"

static void refused(const void *made, int error, const char *because)
{
	assert_null(made);
	assert_int_equal(errno, error);
	assert_non_null(strstr(lfv_last_error(), because));
}

static void bad_sizes_are_refused(void **state)
{
	struct lfv *lfv = engine_default();

	(void)state;
	refused(lfv_vmalloc(lfv, 0), EINVAL, "size is 0");
	refused(lfv_vmalloc(lfv, SIZE_MAX), EINVAL, "larger than");
	refused(lfv_vmalloc(lfv, SIZE_MAX - 4095), EINVAL, "larger than");
	refused(lfv_get_vm_area(lfv, 128 * MIB, 0), EINVAL, "larger than");
	refused(lfv_vmap(lfv, NULL, 0), EINVAL, "size is 0");
	refused(lfv_vmap(lfv, NULL, SIZE_MAX / 2), EINVAL, "larger than");
	lfv_destroy(lfv);
}

static void bad_requests_are_refused(void **state)
{
	struct lfv *lfv = engine_default();
	struct lfv_request align = LFV_REQUEST_INIT;
	struct lfv_request range = LFV_REQUEST_INIT;
	struct lfv_request node = LFV_REQUEST_INIT;
	struct lfv_request flags = LFV_REQUEST_INIT;

	(void)state;
	align.size = range.size = node.size = flags.size = PAGE_SIZE;
	align.align = 3 * PAGE_SIZE;
	range.vstart = lfv_vmalloc_start(lfv) - PAGE_SIZE;
	node.node = 1000;
	flags.flags = LFV_VM_IOREMAP;
	refused(lfv_vmalloc_range(lfv, &align), EINVAL, "no power of two");
	refused(lfv_vmalloc_range(lfv, &range), EINVAL, "inside the window");
	refused(lfv_vmalloc_range(lfv, &node), EINVAL, "node 1000");
	refused(lfv_vmalloc_range(lfv, &flags), EINVAL, "NO_GUARD");
	lfv_destroy(lfv);
}

static void the_guard_page_faults_and_the_area_does_not(struct lfv *lfv)
{
	unsigned char *area = lfv_vmalloc(lfv, 2 * PAGE_SIZE);
	unsigned char *next = lfv_vmalloc(lfv, 2 * PAGE_SIZE);

	assert_non_null(area);
	assert_non_null(next);
	memset(area, 1, 2 * PAGE_SIZE);
	memset(next, 2, 2 * PAGE_SIZE);
	assert_true(faults(area + 2 * PAGE_SIZE));
	assert_true(faults(next + 2 * PAGE_SIZE));
	assert_int_equal(area[2 * PAGE_SIZE - 1], 1);
	assert_int_equal(next[0], 2);
	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_int_equal(lfv_vfree(lfv, next), 0);
}

static void a_guard_page_follows_every_area(void **state)
{
	(void)state;
	for_each_strategy(the_guard_page_faults_and_the_area_does_not);
}

static void purged_on(struct lfv *lfv)
{
	unsigned char *area = lfv_vmalloc(lfv, PAGE_SIZE);

	*area = 1;
	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_int_equal(lfv_purge(lfv), 0);
	assert_true(faults(area));
}

static void a_purged_area_faults(void **state)
{
	(void)state;
	for_each_strategy(purged_on);
}

static void with_strict_a_freed_area_faults_at_once(void **state)
{
	struct lfv_choice choice;

	(void)state;
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		struct lfv_options options = TEST_OPTIONS;

		options.strategy = choice.name;
		options.mapping = "strict";

		struct lfv *lfv = engine_make(&options);
		unsigned char *area = lfv_vmalloc(lfv, PAGE_SIZE);

		*area = 1;
		assert_int_equal(lfv_vfree(lfv, area), 0);
		assert_true(faults(area));
		assert_int_equal(engine_stats(lfv).frames_free,
				 engine_stats(lfv).frames);
		lfv_destroy(lfv);
	}
}

static void without_a_guard_areas_touch(void **state)
{
	struct lfv_options options = TEST_OPTIONS;
	struct lfv_request request = LFV_REQUEST_INIT;

	(void)state;
	options.strategy = "augmented";
	request.size = PAGE_SIZE;
	request.flags = LFV_VM_NO_GUARD;

	struct lfv *lfv = engine_make(&options);
	unsigned char *one = lfv_vmalloc_range(lfv, &request);
	unsigned char *two = lfv_vmalloc_range(lfv, &request);

	assert_ptr_equal(two, one + PAGE_SIZE);
	memset(one, 3, 2 * PAGE_SIZE);
	assert_int_equal(lfv_vfree(lfv, one), 0);
	assert_int_equal(lfv_purge(lfv), 0);
	assert_true(faults(one));
	assert_int_equal(*two, 3);
	lfv_destroy(lfv);
}

static void aligned_on(struct lfv *lfv)
{
	assert_non_null(lfv_get_vm_area(lfv, PAGE_SIZE, 0));

	void *area = lfv_vmalloc_align(lfv, PAGE_SIZE, MIB);

	assert_non_null(area);
	assert_int_equal((uintptr_t)area % MIB, 0);
}

static void alignment_is_kept_by_every_strategy(void **state)
{
	(void)state;
	for_each_strategy(aligned_on);
}

static void sub_range_on(struct lfv *lfv)
{
	struct lfv_request request = LFV_REQUEST_INIT;

	request.size = MIB - PAGE_SIZE;
	request.vstart = lfv_vmalloc_start(lfv) + 16 * MIB;
	request.vend = request.vstart + 2 * MIB;

	void *one = lfv_vmalloc_range(lfv, &request);
	void *two = lfv_vmalloc_range(lfv, &request);

	assert_in_range((uintptr_t)one, request.vstart, request.vend - MIB);
	assert_non_null(two);
	assert_null(lfv_vmalloc_range(lfv, &request));
	assert_int_equal(errno, ENOMEM);
}

static void a_sub_range_bounds_the_addresses(void **state)
{
	struct lfv_options options = TEST_OPTIONS;

	(void)state;
	options.strategy = "augmented";

	struct lfv *lfv = engine_make(&options);

	sub_range_on(lfv);
	lfv_destroy(lfv);
	options.strategy = "nodes";
	lfv = engine_make(&options);
	sub_range_on(lfv);
	lfv_destroy(lfv);
}

static int file_with(char content)
{
	const int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t page = 0; page < 8; page++) {
		char bytes[PAGE_SIZE];

		memset(bytes, content + (char)page, sizeof(bytes));
		assert_int_equal(write(fd, bytes, sizeof(bytes)),
				 sizeof(bytes));
	}
	return fd;
}

static void ioremap_on(struct lfv *lfv)
{
	const int fd = file_with('a');

	assert_non_null(lfv_get_vm_area(lfv, PAGE_SIZE, 0));

	char *area = lfv_ioremap(lfv, fd, PAGE_SIZE, 3 * PAGE_SIZE, PROT_READ);
	struct lfv_vm_info info;

	assert_non_null(area);
	(void)close(fd);
	assert_int_equal((uintptr_t)area % (4 * PAGE_SIZE), 0);
	assert_int_equal(area[0], 'b');
	assert_int_equal(area[2 * PAGE_SIZE], 'd');
	assert_true(faults(area + 3 * PAGE_SIZE));
	assert_int_equal(lfv_find_vm_area(lfv, area, &info), 0);
	assert_int_equal(info.flags, LFV_VM_IOREMAP);
	assert_int_equal(info.phys, PAGE_SIZE);
	assert_int_equal(lfv_iounmap(lfv, area), 0);
	assert_int_equal(lfv_purge(lfv), 0);
	assert_true(faults(area));
}

static void a_file_is_mapped_with_ioremap_s_alignment(void **state)
{
	(void)state;
	for_each_strategy(ioremap_on);
}

static void a_mapping_behind_the_files_end_is_refused(void **state)
{
	struct lfv *lfv = engine_default();
	const int fd = file_with('a');

	(void)state;
	refused(lfv_ioremap(lfv, fd, 0, 9 * PAGE_SIZE, PROT_READ), EINVAL,
		"end behind");
	refused(lfv_ioremap(lfv, fd, 1, PAGE_SIZE, PROT_READ), EINVAL,
		"not page aligned");
	refused(lfv_ioremap(lfv, fd, 0, PAGE_SIZE, 0x3000), EINVAL, "prot");
	refused(lfv_ioremap(lfv, -1, 0, PAGE_SIZE, PROT_READ), EBADF,
		"descriptor -1");
	(void)close(fd);
	lfv_destroy(lfv);
}

static void vmap_on(struct lfv *lfv)
{
	struct lfv_page pages[3];

	assert_int_equal(lfv_alloc_pages(lfv, 0, &pages[0]), 0);
	assert_int_equal(lfv_alloc_pages(lfv, 0, &pages[1]), 0);
	pages[2] = pages[0];

	char *area = lfv_vmap(lfv, pages, 3);
	struct lfv_page found;

	assert_non_null(area);
	area[0] = 'x';
	area[PAGE_SIZE] = 'y';
	assert_int_equal(area[2 * PAGE_SIZE], 'x');
	assert_int_equal(*(char *)lfv_page_address(lfv, pages[1]), 'y');
	assert_int_equal(lfv_vmalloc_to_frame(lfv, area + PAGE_SIZE, &found),
			 0);
	assert_int_equal(found.frame, pages[1].frame);
	assert_int_equal(lfv_free_pages(lfv, pages[0], 0), -EBUSY);
	assert_int_equal(lfv_vunmap(lfv, area), 0);
	assert_int_equal(lfv_purge(lfv), 0);
	assert_int_equal(lfv_free_pages(lfv, pages[0], 0), 0);
	assert_int_equal(lfv_free_pages(lfv, pages[1], 0), 0);
	assert_int_equal(engine_stats(lfv).frames_free,
			 engine_stats(lfv).frames);
}

static void a_frame_may_be_mapped_twice_and_stays_the_callers(void **state)
{
	(void)state;
	for_each_strategy(vmap_on);
}

static void the_address_plane_maps_nothing(void **state)
{
	struct lfv_options options = TEST_OPTIONS;

	(void)state;
	options.address_plane = true;

	struct lfv *lfv = engine_make(&options);
	void *area = lfv_get_vm_area(lfv, PAGE_SIZE, 0);

	assert_non_null(area);
	assert_true(faults(area));
	refused(lfv_vmalloc(lfv, PAGE_SIZE), EOPNOTSUPP, "address plane");
	assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	lfv_destroy(lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_sizes_are_refused),
		cmocka_unit_test(bad_requests_are_refused),
		cmocka_unit_test(a_guard_page_follows_every_area),
		cmocka_unit_test(a_purged_area_faults),
		cmocka_unit_test(with_strict_a_freed_area_faults_at_once),
		cmocka_unit_test(without_a_guard_areas_touch),
		cmocka_unit_test(alignment_is_kept_by_every_strategy),
		cmocka_unit_test(a_sub_range_bounds_the_addresses),
		cmocka_unit_test(a_file_is_mapped_with_ioremap_s_alignment),
		cmocka_unit_test(a_mapping_behind_the_files_end_is_refused),
		cmocka_unit_test(
			a_frame_may_be_mapped_twice_and_stays_the_callers),
		cmocka_unit_test(the_address_plane_maps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
