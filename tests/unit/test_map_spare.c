/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "backing/map_spare.h"
#include "engine_fixture.h"

static unsigned refusals; /* remap_none refuses as often */
static unsigned remaps;
static int spares; /* mappings made and not given up */
static unsigned makes;

static void *mmap_counted(size_t bytes)
{
	spares++;
	makes++;
	return os_linux.mmap_anon(bytes);
}

static void munmap_counted(void *base, size_t bytes)
{
	spares--;
	os_linux.munmap_anon(base, bytes);
}

static int remap_counted(void *base, size_t bytes)
{
	remaps++;
	if (refusals > 0) {
		refusals--;
		return -ENOMEM;
	}
	return os_linux.remap_none(base, bytes);
}

static struct os os;

static int os_make(void **state)
{
	(void)state;
	os = os_linux;
	os.mmap_anon = mmap_counted;
	os.munmap_anon = munmap_counted;
	os.remap_none = remap_counted;
	refusals = 0;
	spares = 0;
	return 0;
}

static void *page_make(void)
{
	void *page = os_linux.mmap_anon(PAGE_SIZE);

	assert_non_null(page);
	return page;
}

static void a_refused_call_is_made_again_without_the_spare(void **state)
{
	struct spare spare;
	void *page = page_make();

	(void)state;
	spare_init(&spare, &os);
	assert_int_equal(spares, 1);
	refusals = 1;
	assert_int_equal(spare_remap_none(&spare, &os, page, PAGE_SIZE), 0);
	/* There is one again. */
	assert_int_equal(spares, 1);
	spare_fini(&spare, &os);
	assert_int_equal(spares, 0);
	os_linux.munmap_anon(page, PAGE_SIZE);
}

static void refused_twice_is_refused_and_the_next_success_refills(void **state)
{
	struct spare spare;
	void *page = page_make();

	(void)state;
	spare_init(&spare, &os);
	refusals = 2;
	assert_int_equal(spare_remap_none(&spare, &os, page, PAGE_SIZE),
			 -ENOMEM);
	assert_int_equal(spares, 0);
	assert_int_equal(spare_remap_none(&spare, &os, page, PAGE_SIZE), 0);
	assert_int_equal(spares, 1);
	spare_fini(&spare, &os);
	os_linux.munmap_anon(page, PAGE_SIZE);
}

static void a_cut_needs_the_spare_and_does_not_use_it(void **state)
{
	struct spare spare;
	void *page = page_make();

	(void)state;
	spare_init(&spare, &os);
	refusals = 1;
	assert_int_equal(spare_cut(&spare, &os, page, PAGE_SIZE), -ENOMEM);
	assert_int_equal(refusals, 0);
	assert_int_equal(spares, 1);
	assert_int_equal(spare_cut(&spare, &os, page, PAGE_SIZE), 0);
	spare_fini(&spare, &os);
	/* There is none, and none can be had. */
	refusals = 1;
	remaps = 0;
	makes = 0;
	assert_int_equal(spare_cut(&spare, &os, page, PAGE_SIZE), -ENOMEM);
	assert_int_equal(makes, 1);
	assert_int_equal(remaps, 1);
	assert_int_equal(spares, 0);
	os_linux.munmap_anon(page, PAGE_SIZE);
}

static void with_a_spare_at_hand_one_call_is_one_call(void **state)
{
	struct spare spare;
	void *page = page_make();

	(void)state;
	spare_init(&spare, &os);
	remaps = 0;
	assert_int_equal(spare_remap_none(&spare, &os, page, PAGE_SIZE), 0);
	assert_int_equal(remaps, 1);
	spare_fini(&spare, &os);
	os_linux.munmap_anon(page, PAGE_SIZE);
}

/* What a call cuts before it merges, and what a refused one leaves cut. */
static void a_spare_is_seven_mappings_wherever_it_lies(void **state)
{
	const size_t before = os_linux.map_count();
	struct spare spare;

	(void)state;
	spare_init(&spare, &os_linux);
	assert_true(spare_hold(&spare, &os_linux));
	assert_in_range(os_linux.map_count() - before, 7, 9);
	spare_fini(&spare, &os_linux);
	assert_int_equal(os_linux.map_count(), before);
}

static void what_cannot_be_had_is_not_held(void **state)
{
	struct os refusing = os_linux;
	struct spare spare;

	(void)state;
	refusing.remap_none = remap_counted;
	refusals = 2;
	spare_init(&spare, &refusing);
	assert_false(spare_hold(&spare, &refusing));
	assert_int_equal(refusals, 0);
	assert_true(spare_hold(&spare, &refusing));
	spare_fini(&spare, &refusing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_had_is_not_held),
		cmocka_unit_test(a_spare_is_seven_mappings_wherever_it_lies),
		cmocka_unit_test_setup(
			a_refused_call_is_made_again_without_the_spare,
			os_make),
		cmocka_unit_test_setup(
			refused_twice_is_refused_and_the_next_success_refills,
			os_make),
		cmocka_unit_test_setup(
			a_cut_needs_the_spare_and_does_not_use_it, os_make),
		cmocka_unit_test_setup(
			with_a_spare_at_hand_one_call_is_one_call, os_make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
