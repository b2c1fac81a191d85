/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "engine_fixture.h"
#include "va/area.h"

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

static void address_misuse_on(const char *strategy, const char *wild,
			      const char *twice)
{
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = strategy;
	options.address_plane = true;

	struct lfv *lfv = engine_make(&options);
	unsigned char *area = lfv_get_vm_area(lfv, 2 * PAGE_SIZE, 0);

	assert_non_null(area);
	misused(lfv, area + PAGE_SIZE, "inside the area");
	misused(lfv, (void *)(lfv_vmalloc_end(lfv) - PAGE_SIZE), wild);
	assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	misused(lfv, area, twice);
	lfv_destroy(lfv);
}

/* There is no page table: who remembers nothing of the dead cannot tell them.
 */
static void misuse_is_named_on_the_address_plane(void **state)
{
	(void)state;
	address_misuse_on("nodes", "double or wild free",
			  "double or wild free");
	address_misuse_on("lockfree", "wild free", "double free");
}

static bool map_fails;

static int map_at_times(void *base, size_t bytes, int prot, int fd,
			off_t offset)
{
	return map_fails ? -ENOMEM
			 : os_linux.map_file(base, bytes, prot, fd, offset);
}

/* `pools`: the strategy has pools, in which ranges stay. */
static void cannot_be_mapped(const struct lfv_options *options, bool pools)
{
	struct os os = os_linux;

	os.map_file = map_at_times;

	struct lfv *lfv = engine_create(options, &os);

	assert_non_null(lfv);
	map_fails = true;
	errno = 0;
	assert_null(lfv_vmalloc(lfv, 5 * PAGE_SIZE));
	assert_int_equal(errno, ENOMEM);
	assert_string_not_equal(lfv_last_error(), "");
	map_fails = false;
	assert_int_equal(engine_stats(lfv).live_areas, 0);
	assert_int_equal(lfv_purge(lfv), 0);
	assert_int_equal(engine_stats(lfv).lazy_pages, 0);
	if (!pools)
		assert_int_equal(engine_stats(lfv).hole_pages_max,
				 128 * MIB >> PAGE_SHIFT);
	assert_int_equal(engine_stats(lfv).frames_free,
			 engine_stats(lfv).frames);
	lfv_check(lfv);

	void *area = lfv_vmalloc(lfv, 5 * PAGE_SIZE);

	assert_non_null(area);
	memset(area, 1, 5 * PAGE_SIZE);
	lfv_destroy(lfv);
}

static void an_area_that_cannot_be_mapped_leaves_nothing(void **state)
{
	const struct lfv_options options = TEST_OPTIONS;

	(void)state;
	cannot_be_mapped(&options, true);
	for (size_t i = 0; i < CACHED_ENGINES; i++) {
		const struct lfv_options cached = cached_options(i);

		cannot_be_mapped(&cached,
				 strcmp(cached.strategy, "nodes") == 0);
	}
}

/*
 * Live and lazy areas hold all frames, with fewer lazy pages than make a free
 * purge: the allocation purges and gets them.
 */
static void lazy_frames_are_had_back(struct lfv *lfv)
{
	const size_t frames = engine_stats(lfv).frames;
	const size_t lazy = engine_stats(lfv).lazy_max_pages - 100;
	void *live = lfv_vmalloc(lfv, (frames - lazy) * PAGE_SIZE);
	void *area = lfv_vmalloc(lfv, lazy * PAGE_SIZE);

	assert_non_null(live);
	assert_non_null(area);
	assert_int_equal(lfv_vfree(lfv, area), 0);
	area = lfv_vmalloc(lfv, lazy * PAGE_SIZE);
	assert_non_null(area);
	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_int_equal(lfv_vfree(lfv, live), 0);
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
	assert_non_null(strstr(lfv_last_error(), "more than all memory"));
	assert_int_equal(engine_stats(lfv).map_calls, 0);

	void *half = lfv_vmalloc(lfv, frames / 2 * PAGE_SIZE);

	assert_non_null(half);
	assert_null(lfv_vmalloc(lfv, (frames / 2 + 1) * PAGE_SIZE));
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(lfv_last_error(), "memory_bytes"));
	assert_int_equal(lfv_vfree(lfv, half), 0);
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

static struct lfv *early_lfv;
static int early_error;
static char early_text[ERROR_BYTES];

/* Somebody frees the address while the area there is being mapped. */
static int map_freed_early(void *base, size_t bytes, int prot, int fd,
			   off_t offset)
{
	if (early_lfv != NULL) {
		early_error = lfv_vfree(early_lfv, base);
		(void)strcpy(early_text, lfv_last_error());
	}
	return os_linux.map_file(base, bytes, prot, fd, offset);
}

static void not_freed_while_made(struct lfv *lfv, const char *named)
{
	early_lfv = lfv;
	early_error = 0;

	unsigned char *area = lfv_vmalloc(lfv, 3 * PAGE_SIZE);

	early_lfv = NULL;
	assert_non_null(area);
	assert_int_equal(early_error, -EINVAL);
	assert_non_null(strstr(early_text, named));
	memset(area, 3, 3 * PAGE_SIZE);
	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_int_equal(lfv_purge(lfv), 0);
	assert_int_equal(engine_stats(lfv).frames_free,
			 engine_stats(lfv).frames);
	lfv_check(lfv);
}

static void an_area_that_is_being_made_cannot_be_freed(void **state)
{
	struct lfv_choice choice;
	struct os os = os_linux;

	(void)state;
	os.map_file = map_freed_early;
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		struct lfv_options options = TEST_OPTIONS;

		if (choice.busted)
			continue;
		options.strategy = choice.name;

		struct lfv *lfv = engine_create(&options, &os);

		assert_non_null(lfv);
		not_freed_while_made(lfv, "wild free");
		/* The same addresses again: what freed them frees twice. */
		not_freed_while_made(lfv, "double free");
		lfv_destroy(lfv);
	}
}

static bool anonymous_fails;

static void *anonymous_at_times(size_t bytes)
{
	return anonymous_fails ? NULL : os_linux.mmap_anon(bytes);
}

/* Every descriptor that there is, by purge_next; the slab cannot grow. */
static struct vmap_area *descriptors_take(const struct os *os)
{
	struct vmap_area *chain = NULL;
	struct vmap_area *area;

	while ((area = area_take(os)) != NULL) {
		area->purge_next = chain;
		chain = area;
	}
	return chain;
}

static void no_memory_for_a_descriptor_is_not_a_full_window(void **state)
{
	static struct os os;
	struct lfv_choice choice;

	(void)state;
	os = os_linux;
	os.mmap_anon = anonymous_at_times;
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		struct lfv_options options = TEST_OPTIONS;

		/* Without a lock there are no descriptors either. */
		if (choice.lockless)
			continue;
		options.strategy = choice.name;
		/* It has no descriptors. */
		if (va_find_ops(choice.name)->lock_free)
			continue;

		struct lfv *lfv = engine_create(&options, &os);

		assert_non_null(lfv);
		anonymous_fails = true;

		struct vmap_area *chain = descriptors_take(&os);

		/* Not the first one: a CPU's stock may hold one. */
		for (int area = 0; area < 2; area++)
			(void)!lfv_get_vm_area(lfv, PAGE_SIZE, 0);
		errno = 0;
		assert_null(lfv_get_vm_area(lfv, PAGE_SIZE, 0));
		assert_int_equal(errno, ENOMEM);
		assert_non_null(strstr(lfv_last_error(), "descriptor"));
		anonymous_fails = false;
		area_chain_give(chain);
		assert_non_null(lfv_get_vm_area(lfv, PAGE_SIZE, 0));
		lfv_destroy(lfv);
	}
}

static const void *stuck_base;

static int remap_but_one(void *base, size_t bytes)
{
	return base == stuck_base ? -ENOMEM : os_linux.remap_none(base, bytes);
}

/* A purge that cannot unmap one run has still given back the others. */
static void failed_in_part(const char *strategy)
{
	struct os os = os_linux;
	struct lfv_options options = TEST_OPTIONS;
	struct lfv_page block;

	os.remap_none = remap_but_one;
	options.strategy = strategy;
	/* Less than makes a free purge. */
	options.memory_bytes = 16 * MIB;

	struct lfv *lfv = engine_create(&options, &os);

	assert_non_null(lfv);

	const size_t part = engine_stats(lfv).frames / 4;
	void *stuck = lfv_vmalloc(lfv, part * PAGE_SIZE);
	void *between = lfv_vmalloc(lfv, part * PAGE_SIZE);
	void *other = lfv_vmalloc(lfv, 2 * part * PAGE_SIZE);

	assert_non_null(between);
	assert_non_null(other);
	assert_int_equal(lfv_vfree(lfv, stuck), 0);
	assert_int_equal(lfv_vfree(lfv, other), 0);
	stuck_base = stuck;
	other = lfv_vmalloc(lfv, 2 * part * PAGE_SIZE);
	assert_non_null(other);
	assert_int_equal(lfv_vfree(lfv, other), 0);
	assert_int_equal(lfv_alloc_pages(lfv, 3, &block), 0);
	stuck_base = NULL;
	lfv_destroy(lfv);
}

static void a_purge_that_failed_in_part_still_gives_frames(void **state)
{
	(void)state;
	failed_in_part("augmented");
	failed_in_part("lockfree");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_misuse_is_named_and_changes_nothing),
		cmocka_unit_test(misuse_is_named_on_the_address_plane),
		cmocka_unit_test(an_area_that_cannot_be_mapped_leaves_nothing),
		cmocka_unit_test(lazy_frames_are_no_reason_to_fail),
		cmocka_unit_test(frames_used_up_are_an_ordinary_error),
		cmocka_unit_test(
			a_full_window_is_an_ordinary_error_and_a_free_mends_it),
		cmocka_unit_test(zeroed_memory_is_zero_whatever_was_there),
		cmocka_unit_test(an_area_that_is_being_made_cannot_be_freed),
		cmocka_unit_test(
			no_memory_for_a_descriptor_is_not_a_full_window),
		cmocka_unit_test(
			a_purge_that_failed_in_part_still_gives_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
