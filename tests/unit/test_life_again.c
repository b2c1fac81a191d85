/* SPDX-License-Identifier: MIT */
/*
 * test_life_again.c - a request that finds no hole, or no frame, of an engine
 * with a cache: all that is no live area's is had back, and the cache is as
 * before.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "engine_fixture.h"

/* What a CPU's stock, the depot and purge lists hold is no live area's. */
static void all_is_had_back(struct lfv *lfv)
{
	const size_t window = lfv_vmalloc_end(lfv) - lfv_vmalloc_start(lfv);
	static void *areas[1 << 15];
	size_t count = 0;

	/* Of five pages, a class: every page that there is. */
	while ((areas[count] = lfv_get_vm_area(lfv, 4 * PAGE_SIZE, 0)) != NULL)
		count++;
	assert_int_equal(count, window / (5 * PAGE_SIZE));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(lfv_free_vm_area(lfv, areas[i]), 0);
	areas[0] = lfv_get_vm_area(lfv, window - PAGE_SIZE, 0);
	assert_non_null(areas[0]);
	assert_int_equal(lfv_free_vm_area(lfv, areas[0]), 0);
}

/* After a request that found nothing a stock is in use as before. */
static void stocks_are_open(struct lfv *lfv)
{
	const size_t window = lfv_vmalloc_end(lfv) - lfv_vmalloc_start(lfv);
	void *const area = lfv_get_vm_area(lfv, 4 * PAGE_SIZE, 0);

	assert_null(lfv_get_vm_area(lfv, window - PAGE_SIZE, 0));
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(lfv_last_error(), "no hole of"));
	if (lfv->fast != NULL) {
		struct depot *const depot = &lfv->fast->cache.depot;
		const uint64_t puts = depot_puts(depot);

		assert_int_equal(lfv_free_vm_area(lfv, area), 0);
		assert_int_equal(depot_puts(depot), puts);
	}
}

static void a_window_of_cached_areas_is_not_full(void **state)
{
	(void)state;
	for (size_t i = 0; i < CACHED_ENGINES; i++) {
		struct lfv_options options = cached_options(i);

		options.address_plane = true;
		on_engine(&options, all_is_had_back);
		on_engine(&options, stocks_are_open);
	}
}

/* fill - areas of `pages` pages until there is none; then they are freed. */
static size_t fill(struct lfv *lfv, size_t pages)
{
	static void *areas[1 << 12];
	size_t count = 0;

	while ((areas[count] = lfv_vmalloc(lfv, pages * PAGE_SIZE)) != NULL)
		count++;
	assert_int_equal(errno, ENOMEM);
	/* Nothing is refused that there were frames for. */
	assert_in_range(engine_stats(lfv).frames_free, 0, pages - 1);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(lfv_vfree(lfv, areas[i]), 0);
	return count;
}

/* Of 80 pages that a class has, 66 were asked for: the last has no more. */
static void all_frames_are_had_back(struct lfv *lfv)
{
	const uint64_t frames = engine_stats(lfv).frames;

	assert_int_equal(fill(lfv, 1), frames);
	assert_int_equal(fill(lfv, 4), frames / 4);
	assert_int_equal(fill(lfv, 65), frames / 79 + 1);
	lfv_check(lfv);
	assert_int_equal(fill(lfv, 1), frames);
	assert_int_equal(lfv_purge(lfv), 0);
	assert_int_equal(engine_stats(lfv).frames_free, frames);
}

static void a_memory_of_kept_areas_is_not_full(void **state)
{
	(void)state;
	for (size_t i = 0; i < CACHED_ENGINES; i++) {
		struct lfv_options options = cached_options(i);

		options.mapping = "keep";
		options.memory_bytes = 4 * MIB;
		on_engine(&options, all_frames_are_had_back);
		options.frames = "bitmap";
		on_engine(&options, all_frames_are_had_back);
	}
}

static struct percpu_ops late_percpu;
static struct lfv *late_lfv;
static void *late_area; /* NULL: it has been freed */

/*
 * A free that had looked at a stock before it was stopped, and puts its area
 * there after the drain: base/percpu.h, P5.
 */
static unsigned late_drain(struct percpu *percpu, unsigned slot,
			   uint64_t *values)
{
	const unsigned count = percpu_cas.drain(percpu, slot, values);
	void *const area = late_area;

	if (area == NULL || slot != cpu_slot(percpu->map, cpu_current()) ||
	    percpu != &late_lfv->fast->cache.stocks[class_of(5)])
		return count;
	late_area = NULL;
	/* The stops of the request, and of the drain. */
	for (int i = 0; i < 2; i++)
		percpu_cas.start(percpu, slot);
	assert_int_equal(lfv_free_vm_area(late_lfv, area), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(percpu_cas.stop(percpu, slot), 0);
	return count;
}

static void a_free_that_is_late_for_a_drain_is_seen(void **state)
{
	struct lfv_options options = cached_options(2);
	void *area;

	(void)state;
	options.address_plane = true;
	options.percpu = "cas";

	struct lfv *lfv = engine_make(&options);
	const size_t window = lfv_vmalloc_end(lfv) - lfv_vmalloc_start(lfv);
	struct percpu *const stock = &lfv->fast->cache.stocks[class_of(5)];

	late_lfv = lfv;
	area = lfv_get_vm_area(lfv, 4 * PAGE_SIZE, 0);
	assert_non_null(area);
	late_percpu = percpu_cas;
	late_percpu.drain = late_drain;
	stock->ops = &late_percpu;
	late_area = area;
	assert_non_null(lfv_get_vm_area(lfv, window - PAGE_SIZE, 0));
	assert_null(late_area);
	stock->ops = &percpu_cas;
	lfv_destroy(lfv);
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
		cmocka_unit_test(a_window_of_cached_areas_is_not_full),
		cmocka_unit_test(a_memory_of_kept_areas_is_not_full),
		cmocka_unit_test_setup(a_free_that_is_late_for_a_drain_is_seen,
				       stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
