/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "engine_fixture.h"

enum { CHAIN_AREAS = 1000 };

static void a_chain_in_any_order_is_sorted_by_address(void **state)
{
	static struct vmap_area areas[CHAIN_AREAS];
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < CHAIN_AREAS; i++) {
		areas[i].va_start = i * PAGE_SIZE;
		areas[i].va_end = (i + 1) * PAGE_SIZE;
	}

	struct vmap_area *chain = NULL;
	size_t left = CHAIN_AREAS;
	size_t order[CHAIN_AREAS];

	for (size_t i = 0; i < CHAIN_AREAS; i++)
		order[i] = i;
	while (left > 0) {
		random = random * 6364136223846793005u + 1442695040888963407u;

		const size_t pick = (size_t)(random >> 33) % left;

		areas[order[pick]].purge_next = chain;
		chain = &areas[order[pick]];
		order[pick] = order[--left];
	}
	chain = chain_sort(chain);
	for (size_t i = 0; i < CHAIN_AREAS; i++) {
		assert_ptr_equal(chain, &areas[i]);
		chain = chain->purge_next;
	}
	assert_null(chain);
}

static void an_empty_chain_stays_empty(void **state)
{
	(void)state;
	assert_null(chain_sort(NULL));
}

/* `augmented` merges them as they are freed, the others leave it to the core.
 */
static void neighbours_on(const char *strategy)
{
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = strategy;
	/* Side by side, one after the other. */
	options.cache = "none";

	struct lfv *lfv = engine_make(&options);
	void *areas[64];

	for (size_t i = 0; i < 64; i++) {
		areas[i] = lfv_vmalloc(lfv, 4 * PAGE_SIZE);
		assert_non_null(areas[i]);
	}
	/* Odd ones first: the order of the frees must not matter. */
	for (size_t i = 1; i < 64; i += 2)
		assert_int_equal(lfv_vfree(lfv, areas[i]), 0);
	for (size_t i = 0; i < 64; i += 2)
		assert_int_equal(lfv_vfree(lfv, areas[i]), 0);

	const struct lfv_stats before = engine_stats(lfv);

	assert_int_equal(before.lazy_pages, 64 * 5);
	assert_int_equal(lfv_purge(lfv), 0);

	const struct lfv_stats after = engine_stats(lfv);

	assert_int_equal(after.lazy_pages, 0);
	assert_int_equal(after.purged_areas - before.purged_areas, 64);
	assert_int_equal(after.purged_runs - before.purged_runs, 1);
	assert_int_equal(after.unmap_calls - before.unmap_calls, 1);
	assert_int_equal(after.frames_free, after.frames);
	lfv_destroy(lfv);
}

static void neighbours_with_the_guard_between_them_are_one_run(void **state)
{
	(void)state;
	neighbours_on("rbtree");
	neighbours_on("augmented-5.10");
	neighbours_on("augmented");
	neighbours_on("nodes");
	neighbours_on("lockfree");
}

static void scattered_on(const char *strategy)
{
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = strategy;
	options.cache = "none";

	struct lfv *lfv = engine_make(&options);
	void *areas[8];

	for (size_t i = 0; i < 8; i++)
		areas[i] = lfv_vmalloc(lfv, PAGE_SIZE);
	for (size_t i = 0; i < 8; i += 2)
		assert_int_equal(lfv_vfree(lfv, areas[i]), 0);
	assert_int_equal(lfv_purge(lfv), 0);
	assert_int_equal(engine_stats(lfv).purged_runs, 4);
	assert_int_equal(engine_stats(lfv).live_areas, 4);
	lfv_destroy(lfv);
}

static void scattered_areas_are_runs_of_their_own(void **state)
{
	(void)state;
	scattered_on("augmented");
	scattered_on("lockfree");
}

static bool remap_fails;

static int remap_at_times(void *base, size_t bytes)
{
	return remap_fails ? -ENOMEM : os_linux.remap_none(base, bytes);
}

/* The range stays lazy, its frames taken, and the next purge gets both. */
static void a_run_that_cannot_be_unmapped_is_kept(const char *strategy)
{
	struct os os = os_linux;
	struct lfv_options options = TEST_OPTIONS;

	os.remap_none = remap_at_times;
	options.strategy = strategy;

	struct lfv *lfv = engine_create(&options, &os);

	assert_non_null(lfv);

	void *area = lfv_vmalloc(lfv, 4 * PAGE_SIZE);

	assert_non_null(area);
	remap_fails = true;
	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_int_equal(lfv_purge(lfv), -ENOMEM);
	assert_int_equal(engine_stats(lfv).lazy_pages, 5);
	/* Nobody who waits for what a purge gives is told of it. */
	assert_int_equal(engine_stats(lfv).purged_pages, 0);
	assert_int_equal(engine_stats(lfv).purged_areas, 0);
	assert_int_equal(engine_stats(lfv).purged_runs, 0);
	assert_true(engine_stats(lfv).purge_failures > 0);
	assert_int_not_equal(engine_stats(lfv).frames_free,
			     engine_stats(lfv).frames);
	lfv_check(lfv);
	assert_int_equal(lfv_vfree(lfv, area), -EINVAL);
	remap_fails = false;
	assert_int_equal(lfv_purge(lfv), 0);
	assert_int_equal(engine_stats(lfv).lazy_pages, 0);
	assert_int_equal(engine_stats(lfv).frames_free,
			 engine_stats(lfv).frames);
	lfv_check(lfv);
	lfv_destroy(lfv);
}

static void what_cannot_be_unmapped_stays_lazy_and_is_not_lost(void **state)
{
	struct lfv_choice choice;

	(void)state;
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		if (!choice.busted)
			a_run_that_cannot_be_unmapped_is_kept(choice.name);
	}
}

static void the_free_that_passes_the_limit_purges(void **state)
{
	struct lfv_options options = TEST_OPTIONS;

	(void)state;
	options.strategy = "augmented";
	options.address_plane = true;

	/* One CPU: the limit is 32 MiB, 8,192 pages. */
	struct lfv *lfv = engine_make(&options);

	for (size_t i = 0; i < 32; i++) {
		void *area = lfv_get_vm_area(lfv, 255 * PAGE_SIZE, 0);

		assert_non_null(area);
		assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	}
	assert_int_equal(engine_stats(lfv).purges, 0);

	void *area = lfv_get_vm_area(lfv, PAGE_SIZE, 0);

	assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	assert_int_equal(engine_stats(lfv).purges, 1);
	assert_int_equal(engine_stats(lfv).lazy_pages, 0);
	lfv_destroy(lfv);
}

enum { PURGERS = 6, PURGES = 60 };

static struct lfv *purged_lfv;
static _Atomic(unsigned) purge_errors;

static void *purger(void *context)
{
	struct lfv *const lfv = purged_lfv;
	const unsigned char stamp = (unsigned char)(uintptr_t)context;

	for (unsigned i = 0; i < PURGES; i++) {
		unsigned char *areas[4];

		for (unsigned j = 0; j < 4; j++) {
			areas[j] = lfv_vmalloc(lfv, (1 + j) * PAGE_SIZE);
			if (areas[j] != NULL)
				areas[j][0] = stamp;
			else
				purge_errors++;
		}
		for (unsigned j = 0; j < 4; j++)
			if (areas[j] != NULL && (areas[j][0] != stamp ||
						 lfv_vfree(lfv, areas[j]) != 0))
				purge_errors++;
		if (lfv_purge(lfv) != 0)
			purge_errors++;
	}
	return NULL;
}

static void many_purge(struct lfv *lfv)
{
	pthread_t threads[PURGERS];

	purged_lfv = lfv;
	purge_errors = 0;
	for (uintptr_t i = 0; i < PURGERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, purger,
						(void *)(i + 1)),
				 0);
	for (unsigned i = 0; i < PURGERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(purge_errors, 0);
	assert_int_equal(lfv_purge(lfv), 0);

	const struct lfv_stats stats = engine_stats(lfv);

	assert_int_equal(stats.live_areas, 0);
	assert_int_equal(stats.lazy_pages, 0);
	assert_int_equal(stats.frames_free, stats.frames);
	assert_int_equal(stats.purge_failures, 0);
	/* What is counted was given back once. */
	assert_int_equal(stats.mapped_pages, stats.unmapped_pages);
}

static void several_threads_may_purge_at_once(void **state)
{
	(void)state;
	for_each_strategy(many_purge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_in_any_order_is_sorted_by_address),
		cmocka_unit_test(an_empty_chain_stays_empty),
		cmocka_unit_test(
			neighbours_with_the_guard_between_them_are_one_run),
		cmocka_unit_test(scattered_areas_are_runs_of_their_own),
		cmocka_unit_test(
			what_cannot_be_unmapped_stays_lazy_and_is_not_lost),
		cmocka_unit_test(the_free_that_passes_the_limit_purges),
		cmocka_unit_test(several_threads_may_purge_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
