/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "engine_fixture.h"

static void a_block_is_aligned_to_its_order(void **state)
{
	struct lfv *lfv = engine_default();
	struct lfv_page one;
	struct lfv_page block;

	(void)state;
	assert_int_equal(lfv_alloc_pages(lfv, 0, &one), 0);
	assert_int_equal(lfv_alloc_pages(lfv, 5, &block), 0);
	assert_int_equal(block.frame % 32, 0);
	assert_int_equal(lfv_free_pages(lfv, block, 5), 0);
	assert_int_equal(lfv_free_pages(lfv, one, 0), 0);
	lfv_check(lfv);
	lfv_destroy(lfv);
}

static void wrong_frees_of_frames_are_refused(void **state)
{
	struct lfv *lfv = engine_default();
	struct lfv_page block;
	const struct lfv_page wild = { 1u << 29 };

	(void)state;
	assert_int_equal(lfv_alloc_pages(lfv, 3, &block), 0);
	assert_int_equal(lfv_free_pages(lfv, block, 2), -EINVAL);
	assert_int_equal(lfv_free_pages(lfv, block, 11), -EINVAL);
	assert_int_equal(lfv_free_pages(lfv, wild, 0), -EINVAL);
	assert_int_equal(lfv_free_pages(lfv, block, 3), 0);
	assert_int_equal(lfv_free_pages(lfv, block, 3), -EINVAL);
	lfv_destroy(lfv);
}

static void frames_of_addresses_cannot_be_had_alone(void **state)
{
	struct lfv_options options = TEST_OPTIONS;
	struct lfv_page page;

	(void)state;
	options.frames = "paired";

	struct lfv *lfv = engine_make(&options);

	assert_int_equal(lfv_alloc_pages(lfv, 0, &page), -EOPNOTSUPP);
	assert_non_null(strstr(lfv_last_error(), "paired"));
	lfv_destroy(lfv);
}

static void no_frames_left_is_an_ordinary_error(void **state)
{
	struct lfv *lfv = engine_default();
	struct lfv_page page;
	int blocks = 0;

	(void)state;
	while (lfv_alloc_pages(lfv, LFV_MAX_ORDER, &page) == 0)
		blocks++;
	assert_int_equal(blocks, 64 * MIB / (PAGE_SIZE << LFV_MAX_ORDER));
	assert_non_null(strstr(lfv_last_error(), "contiguous"));
	assert_int_equal(lfv_free_pages(lfv, page, LFV_MAX_ORDER), 0);
	assert_int_equal(lfv_alloc_pages(lfv, LFV_MAX_ORDER, &page), 0);
	lfv_destroy(lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_aligned_to_its_order),
		cmocka_unit_test(wrong_frees_of_frames_are_refused),
		cmocka_unit_test(frames_of_addresses_cannot_be_had_alone),
		cmocka_unit_test(no_frames_left_is_an_ordinary_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
