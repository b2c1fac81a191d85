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

/* The unmapping may be lazy, the promise of lfv_vunmap() is not. */
static void unmapped_frames_can_be_freed_before_a_purge(struct lfv *lfv)
{
	struct lfv_page pages[2];

	assert_int_equal(lfv_alloc_pages(lfv, 0, &pages[0]), 0);
	assert_int_equal(lfv_alloc_pages(lfv, 0, &pages[1]), 0);

	void *area = lfv_vmap(lfv, pages, 2);
	void *again = lfv_vmap(lfv, &pages[1], 1);

	assert_non_null(area);
	assert_non_null(again);
	assert_int_equal(lfv_vunmap(lfv, area), 0);
	assert_int_equal(lfv_free_pages(lfv, pages[0], 0), 0);
	assert_int_equal(lfv_free_pages(lfv, pages[1], 0), -EBUSY);
	assert_int_equal(lfv_vunmap(lfv, again), 0);
	assert_int_equal(lfv_free_pages(lfv, pages[1], 0), 0);
}

static void frames_are_free_to_go_when_they_were_unmapped(void **state)
{
	(void)state;
	for_each_strategy(unmapped_frames_can_be_freed_before_a_purge);
}

static void vmap_refuses(struct lfv *lfv, struct lfv_page page)
{
	errno = 0;
	assert_null(lfv_vmap(lfv, &page, 1));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(lfv_last_error(), "lfv_alloc_pages"));
}

/* They would get, or have, an owner who knows of no other. */
static void only_frames_of_alloc_pages_can_be_mapped(void **state)
{
	struct lfv *lfv = engine_default();
	unsigned char *area = lfv_vmalloc(lfv, 2 * PAGE_SIZE);
	struct lfv_page block;
	struct lfv_page page;

	(void)state;
	assert_int_equal(lfv_vmalloc_to_frame(lfv, area, &page), 0);
	vmap_refuses(lfv, page);
	vmap_refuses(lfv, (struct lfv_page){ 9000 });
	assert_int_equal(lfv_alloc_pages(lfv, 3, &block), 0);
	for (uint32_t i = 0; i < 8; i++) {
		page.frame = block.frame + i;
		assert_non_null(lfv_vmap(lfv, &page, 1));
	}
	vmap_refuses(lfv, (struct lfv_page){ block.frame + 8 });
	lfv_check(lfv);
	lfv_destroy(lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_aligned_to_its_order),
		cmocka_unit_test(wrong_frees_of_frames_are_refused),
		cmocka_unit_test(frames_of_addresses_cannot_be_had_alone),
		cmocka_unit_test(no_frames_left_is_an_ordinary_error),
		cmocka_unit_test(frames_are_free_to_go_when_they_were_unmapped),
		cmocka_unit_test(only_frames_of_alloc_pages_can_be_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
