/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "engine_fixture.h"

static void misused(struct lfv *lfv, const void *address, const char *kind)
{
	const struct lfv_stats before = engine_stats(lfv);

	assert_int_equal(lfv_vfree(lfv, address), -EINVAL);
	assert_non_null(strstr(lfv_last_error(), kind));
	assert_int_equal(lfv_free_vm_area(lfv, address), -EINVAL);
	assert_non_null(strstr(lfv_last_error(), kind));
	assert_int_equal(engine_stats(lfv).live_areas, before.live_areas);
	assert_int_equal(engine_stats(lfv).lazy_pages, before.lazy_pages);
}

static void misuse_on(struct lfv *lfv)
{
	unsigned char *area = lfv_vmalloc(lfv, 3 * PAGE_SIZE);
	unsigned char *other = lfv_vmalloc(lfv, PAGE_SIZE);

	assert_non_null(area);
	assert_non_null(other);
	misused(lfv, area + PAGE_SIZE, "inside the area");
	misused(lfv, area + 3 * PAGE_SIZE, "inside the area");
	misused(lfv, area + 1, "not page aligned");
	misused(lfv, &lfv, "outside the window");
	misused(lfv, (void *)(lfv_vmalloc_end(lfv) - PAGE_SIZE), "wild free");
	assert_int_equal(lfv_vfree(lfv, area), 0);
	misused(lfv, area, "double free");
	(void)lfv_purge(lfv);
	misused(lfv, area, "double free");
	assert_int_equal(lfv_vfree(lfv, NULL), 0);
	assert_int_equal(lfv_vfree(lfv, other), 0);
}

static void every_misuse_is_named_and_changes_nothing(void **state)
{
	(void)state;
	for_each_strategy(misuse_on);
}

static bool map_fails;

static int map_at_times(void *base, size_t bytes, int prot, int fd,
			off_t offset)
{
	return map_fails ? -ENOMEM
			 : os_linux.map_file(base, bytes, prot, fd, offset);
}

static void an_area_that_cannot_be_mapped_leaves_nothing(void **state)
{
	struct os os = os_linux;
	const struct lfv_options options = TEST_OPTIONS;

	(void)state;
	os.map_file = map_at_times;

	struct lfv *lfv = engine_create(&options, &os);

	assert_non_null(lfv);
	map_fails = true;
	errno = 0;
	assert_null(lfv_vmalloc(lfv, 5 * PAGE_SIZE));
	assert_int_equal(errno, ENOMEM);
	assert_string_not_equal(lfv_last_error(), "");
	map_fails = false;
	assert_int_equal(engine_stats(lfv).live_areas, 0);
	assert_int_equal(lfv_purge(lfv), 0);
	assert_int_equal(engine_stats(lfv).frames_free,
			 engine_stats(lfv).frames);
	lfv_check(lfv);

	void *area = lfv_vmalloc(lfv, 5 * PAGE_SIZE);

	assert_non_null(area);
	memset(area, 1, 5 * PAGE_SIZE);
	lfv_destroy(lfv);
}

/* Lazy areas hold all frames: the allocation purges and gets them. */
static void lazy_frames_are_had_back(struct lfv *lfv)
{
	const size_t half = engine_stats(lfv).frames / 2;

	for (int i = 0; i < 6; i++) {
		void *area = lfv_vmalloc(lfv, half * PAGE_SIZE);

		assert_non_null(area);
		assert_int_equal(lfv_vfree(lfv, area), 0);
	}
}

static void lazy_frames_are_no_reason_to_fail(void **state)
{
	(void)state;
	for_each_strategy(lazy_frames_are_had_back);
}

static void out_of_frames_on(struct lfv *lfv)
{
	const size_t frames = engine_stats(lfv).frames;

	errno = 0;
	assert_null(lfv_vmalloc(lfv, (frames + 1) * PAGE_SIZE));
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(lfv_last_error(), "memory_bytes"));
	assert_int_equal(engine_stats(lfv).live_areas, 0);
	(void)lfv_purge(lfv);
	assert_int_equal(engine_stats(lfv).frames_free, frames);
}

static void frames_used_up_are_an_ordinary_error(void **state)
{
	(void)state;
	for_each_strategy(out_of_frames_on);
}

static void out_of_window_on(struct lfv *lfv)
{
	void *last = NULL;
	size_t areas = 0;

	for (;;) {
		void *area = lfv_get_vm_area(lfv, 1023 * PAGE_SIZE, 0);

		if (area == NULL)
			break;
		last = area;
		areas++;
	}
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(lfv_last_error(), "no hole of 1024 pages"));
	assert_true(areas >= 31);
	assert_int_equal(lfv_free_vm_area(lfv, last), 0);
	assert_ptr_equal(lfv_get_vm_area(lfv, 1000 * PAGE_SIZE, 0), last);
}

static void a_full_window_is_an_ordinary_error_and_a_free_mends_it(void **state)
{
	(void)state;
	for_each_strategy(out_of_window_on);
}

static unsigned char read_byte(const unsigned char *byte)
{
	return *(const volatile unsigned char *)byte;
}

static void zeroed_memory_is_zero_on(struct lfv *lfv)
{
	for (int i = 0; i < 3; i++) {
		unsigned char *area = lfv_vzalloc(lfv, 4 * PAGE_SIZE);

		assert_non_null(area);
		for (size_t byte = 0; byte < 4 * PAGE_SIZE; byte += 512)
			assert_int_equal(read_byte(area + byte), 0);
		memset(area, 0xaa, 4 * PAGE_SIZE);
		assert_int_equal(lfv_vfree(lfv, area), 0);
		(void)lfv_purge(lfv);
	}
}

static void zeroed_memory_is_zero_whatever_was_there(void **state)
{
	(void)state;
	for_each_strategy(zeroed_memory_is_zero_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_misuse_is_named_and_changes_nothing),
		cmocka_unit_test(an_area_that_cannot_be_mapped_leaves_nothing),
		cmocka_unit_test(lazy_frames_are_no_reason_to_fail),
		cmocka_unit_test(frames_used_up_are_an_ordinary_error),
		cmocka_unit_test(
			a_full_window_is_an_ordinary_error_and_a_free_mends_it),
		cmocka_unit_test(zeroed_memory_is_zero_whatever_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
