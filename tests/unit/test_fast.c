/* SPDX-License-Identifier: MIT */
/*
 * test_fast.c - areas that are used again at once: what the short way gives,
 * what it leaves to the long one, and that both are one engine.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fast.h"
#include "engine_fixture.h"
#include "fault_probe.h"

enum { RACERS = 8, RACES = 200 };

static struct lfv_options keep_options(const char *strategy)
{
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = strategy;
	options.mapping = "keep";
	options.cache = "percpu";
	return options;
}

static struct lfv_options plane_options(const char *strategy)
{
	struct lfv_options options = keep_options(strategy);

	options.address_plane = true;
	return options;
}

/* Both kinds of page map: the strategy's own, and the cache's. */
static void each_keep(void (*body)(struct lfv *lfv))
{
	const struct lfv_options lockfree = keep_options("lockfree");
	const struct lfv_options augmented = keep_options("augmented");

	on_engine(&lockfree, body);
	on_engine(&augmented, body);
}

static void each_plane(void (*body)(struct lfv *lfv))
{
	const struct lfv_options lockfree = plane_options("lockfree");
	const struct lfv_options augmented = plane_options("augmented");

	on_engine(&lockfree, body);
	on_engine(&augmented, body);
}

static size_t pages_at(struct lfv *lfv, const void *address)
{
	struct lfv_vm_info info;

	assert_int_equal(lfv_find_vm_area(lfv, address, &info), 0);
	return (info.va_end - info.va_start) >> PAGE_SHIFT;
}

static void kept_on(struct lfv *lfv)
{
	unsigned char *const area = lfv_vmalloc(lfv, 3 * PAGE_SIZE);

	assert_non_null(lfv->fast);
	assert_non_null(area);
	memset(area, 0x5a, 3 * PAGE_SIZE);
	assert_int_equal(lfv_vfree(lfv, area), 0);

	const struct lfv_stats before = engine_stats(lfv);

	assert_int_equal(before.live_areas, 0);
	assert_int_equal(before.lazy_pages, 0);
	assert_ptr_equal(lfv_vmalloc(lfv, 3 * PAGE_SIZE - 5), area);
	assert_int_equal(area[3 * PAGE_SIZE - 1], 0x5a);
	assert_true(faults(area + 3 * PAGE_SIZE));
	assert_int_equal(pages_at(lfv, area + 1), 4);

	const struct lfv_stats after = engine_stats(lfv);

	assert_int_equal(after.map_calls, before.map_calls);
	assert_int_equal(after.unmap_calls, before.unmap_calls);
	assert_int_equal(after.guard_calls, before.guard_calls);
	assert_int_equal(after.frames_free, before.frames_free);
	assert_int_equal(lfv_vfree(lfv, area), 0);
}

static void a_kept_area_is_used_again_without_a_system_call(void **state)
{
	(void)state;
	each_keep(kept_on);
}

static void zeroed_on(struct lfv *lfv)
{
	unsigned char *area = lfv_vmalloc(lfv, 18 * PAGE_SIZE);

	assert_non_null(area);
	memset(area, 0x5a, 18 * PAGE_SIZE);
	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_ptr_equal(lfv_vzalloc(lfv, 17 * PAGE_SIZE + 1), area);
	for (size_t byte = 0; byte < 18 * PAGE_SIZE; byte++)
		assert_int_equal(area[byte], 0);
	assert_int_equal(lfv_vfree(lfv, area), 0);
}

static void zeroed_memory_is_zero_where_it_was_kept(void **state)
{
	(void)state;
	each_keep(zeroed_on);
}

static void given_back_on(struct lfv *lfv)
{
	const struct lfv_stats before = engine_stats(lfv);
	void *areas[40];

	for (size_t i = 0; i < 40; i++) {
		areas[i] = lfv_vmalloc(lfv, (i + 1) * PAGE_SIZE);
		assert_non_null(areas[i]);
	}
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(lfv_vfree(lfv, areas[i]), 0);

	const struct lfv_stats kept = engine_stats(lfv);

	assert_int_equal(kept.live_areas, 0);
	assert_true(kept.frames_free < before.frames_free);
	assert_true(kept.mapped_pages > kept.unmapped_pages);
	assert_int_equal(lfv_purge(lfv), 0);

	const struct lfv_stats after = engine_stats(lfv);

	assert_int_equal(after.frames_free, after.frames);
	assert_int_equal(after.mappings, before.mappings);
	assert_int_equal(after.lazy_pages, 0);
	assert_int_equal(after.holes, 1);
}

static void a_purge_gives_frames_and_mappings_of_kept_areas_back(void **state)
{
	(void)state;
	each_keep(given_back_on);
}

/* All pages of the class but the guard have memory, for the next owner. */
static void rounded_on(struct lfv *lfv)
{
	unsigned char *const area = lfv_vmalloc(lfv, 16 * PAGE_SIZE);
	unsigned char *const large = lfv_vmalloc(lfv, 511 * PAGE_SIZE);
	unsigned char *const larger = lfv_vmalloc(lfv, 511 * PAGE_SIZE + 1);
	void *const smaller = lfv_vmalloc(lfv, 2 * PAGE_SIZE);

	assert_int_equal(pages_at(lfv, area), 20);
	assert_false(faults(area + 19 * PAGE_SIZE - 1));
	assert_true(faults(area + 19 * PAGE_SIZE));
	assert_int_equal(pages_at(lfv, large), 512);
	assert_true(faults(large + 511 * PAGE_SIZE));
	assert_int_equal(pages_at(lfv, larger), 513);
	assert_int_equal(lfv_vfree(lfv, smaller), 0);
	assert_int_equal(pages_at(lfv, lfv_vmalloc(lfv, 3 * PAGE_SIZE)), 4);
	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_ptr_equal(lfv_vmalloc(lfv, 19 * PAGE_SIZE), area);
	memset(area, 1, 19 * PAGE_SIZE);
	assert_int_equal(lfv_vfree(lfv, larger), 0);
	assert_int_equal(engine_stats(lfv).lazy_pages, 513);
}

static void a_kept_area_has_the_size_of_its_class(void **state)
{
	(void)state;
	each_keep(rounded_on);
}

static void passes_by(struct lfv *lfv, void *area)
{
	const uint64_t lazy = engine_stats(lfv).lazy_pages;
	struct lfv_vm_info info;

	assert_non_null(area);
	assert_int_equal(lfv_find_vm_area(lfv, area, &info), 0);

	const size_t pages = (info.va_end - info.va_start) >> PAGE_SHIFT;

	assert_int_equal(lfv_vfree(lfv, area), 0);
	assert_int_equal(engine_stats(lfv).lazy_pages, lazy + pages);
}

static void others_on(struct lfv *lfv)
{
	const struct lfv_request unguarded = {
		.size = 4 * PAGE_SIZE,
		.node = -1,
		.flags = LFV_VM_NO_GUARD,
	};
	const int fd = memfd_create("file", MFD_CLOEXEC);
	struct lfv_page page;

	/* And what lies there is not for them: it has memory. */
	void *const kept = lfv_vmalloc(lfv, 3 * PAGE_SIZE);

	assert_int_equal(lfv_vfree(lfv, kept), 0);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 3 * PAGE_SIZE), 0);
	assert_int_equal(lfv_alloc_pages(lfv, 0, &page), 0);
	passes_by(lfv, lfv_ioremap(lfv, fd, 0, 3 * PAGE_SIZE, PROT_READ));
	passes_by(lfv, lfv_vmap(lfv, &page, 1));
	passes_by(lfv, lfv_get_vm_area(lfv, 3 * PAGE_SIZE, 0));
	passes_by(lfv, lfv_vmalloc_range(lfv, &unguarded));
	assert_ptr_equal(lfv_vmalloc(lfv, 3 * PAGE_SIZE), kept);
	assert_int_equal(lfv_free_pages(lfv, page, 0), 0);
	(void)close(fd);
}

static void what_is_no_vmalloc_never_comes_into_the_cache(void **state)
{
	(void)state;
	each_keep(others_on);
}

static void conditions_on(struct lfv *lfv)
{
	void *const freed = lfv_vmalloc(lfv, 19 * PAGE_SIZE);
	const struct lfv_request high = {
		.size = 16 * PAGE_SIZE,
		.node = -1,
		.vstart = (uintptr_t)freed + 20 * PAGE_SIZE,
	};

	assert_int_equal(lfv_vfree(lfv, freed), 0);

	unsigned char *const aligned =
		lfv_vmalloc_align(lfv, 16 * PAGE_SIZE, 64 * KIB);
	unsigned char *const above = lfv_vmalloc_range(lfv, &high);

	assert_int_equal((uintptr_t)aligned % (64 * KIB), 0);
	assert_int_equal(pages_at(lfv, aligned), 17);
	assert_true((uintptr_t)above >= high.vstart);
	assert_int_equal(pages_at(lfv, above), 17);
	memset(aligned, 1, 16 * PAGE_SIZE);
	memset(above, 1, 16 * PAGE_SIZE);
	assert_int_equal(lfv_vfree(lfv, aligned), 0);
	assert_int_equal(lfv_vfree(lfv, above), 0);
	assert_ptr_equal(lfv_vmalloc(lfv, 16 * PAGE_SIZE), freed);
}

static void requests_with_conditions_go_the_long_way(void **state)
{
	(void)state;
	each_keep(conditions_on);
}

static void sizes_on(struct lfv *lfv)
{
	errno = 0;
	assert_null(lfv_vmalloc(lfv, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(lfv_vmalloc(lfv, SIZE_MAX));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(lfv_vfree(lfv, NULL), 0);
}

static void sizes_that_are_none_are_refused(void **state)
{
	(void)state;
	each_keep(sizes_on);
}

/* misused - by either name, as engine_free() says it. */
static void misused(struct lfv *lfv, const void *address, const char *kind)
{
	assert_int_equal(lfv_vfree(lfv, address), -EINVAL);
	assert_non_null(strstr(lfv_last_error(), kind));
	assert_int_equal(lfv_free_vm_area(lfv, address), -EINVAL);
	assert_non_null(strstr(lfv_last_error(), kind));
}

static void misuse_on(struct lfv *lfv)
{
	const bool plane = lfv->choices.address_plane;
	unsigned char *const area =
		plane ? lfv_get_vm_area(lfv, 3 * PAGE_SIZE, 0)
		      : lfv_vmalloc(lfv, 3 * PAGE_SIZE);

	assert_non_null(area);
	misused(lfv, area + PAGE_SIZE, "inside the area");
	misused(lfv, area + 1, "not page aligned");
	misused(lfv, (unsigned char *)lfv_vmalloc_end(lfv) - PAGE_SIZE,
		"wild free");
	misused(lfv, (unsigned char *)lfv_vmalloc_end(lfv), "outside");
	misused(lfv, (unsigned char *)lfv_vmalloc_start(lfv) - PAGE_SIZE,
		"outside");
	assert_int_equal(lfv_vfree(lfv, area), 0);
	misused(lfv, area, "double free");
	/* It lies in the cache: no user's. */
	misused(lfv, area + PAGE_SIZE, "wild free");
	assert_int_equal(lfv_purge(lfv), 0);
	misused(lfv, area, "double free");
}

static void every_misuse_has_its_name_on_both_planes(void **state)
{
	(void)state;
	each_keep(misuse_on);
	each_plane(misuse_on);
}

static void plane_on(struct lfv *lfv)
{
	unsigned char *const area = lfv_get_vm_area(lfv, 3 * PAGE_SIZE, 0);

	assert_non_null(lfv->fast);
	assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	assert_null(lfv_vmalloc(lfv, 3 * PAGE_SIZE));
	assert_int_equal(errno, EOPNOTSUPP);
	/* The larger one, freed last, is not for it. */
	assert_int_equal(
		lfv_free_vm_area(lfv, lfv_get_vm_area(lfv, 4 * PAGE_SIZE, 0)),
		0);
	assert_ptr_equal(lfv_get_vm_area(lfv, 4 * PAGE_SIZE, LFV_VM_NO_GUARD),
			 area);
	assert_int_equal(pages_at(lfv, area), 4);
	assert_int_equal(lfv_free_vm_area(lfv, area), 0);
	/* A page alone is an area too. */
	void *const page = lfv_get_vm_area(lfv, 1, LFV_VM_NO_GUARD);

	assert_int_equal(pages_at(lfv, page), 1);
	assert_int_equal(lfv_free_vm_area(lfv, page), 0);
	assert_ptr_equal(lfv_get_vm_area(lfv, 1, LFV_VM_NO_GUARD), page);
	assert_int_equal(lfv_free_vm_area(lfv, page), 0);
	/* A page more than a class with its guard has none. */
	assert_int_equal(
		pages_at(lfv, lfv_get_vm_area(lfv, 511 * PAGE_SIZE + 1, 0)),
		513);
}

static void ranges_alone_are_used_again_whatever_is_in_them(void **state)
{
	(void)state;
	each_plane(plane_on);
}

static void what_a_free_must_obey_goes_the_long_way(void **state)
{
	struct lfv_options options = keep_options("lockfree");

	(void)state;
	options.mapping = "strict";

	struct lfv *lfv = engine_make(&options);

	assert_null(lfv->fast);
	lfv_destroy(lfv);
	options.mapping = "lazy";
	lfv = engine_make(&options);
	assert_null(lfv->fast);
	lfv_destroy(lfv);
	options.cache = "none";
	options.address_plane = true;
	lfv = engine_make(&options);
	assert_null(lfv->fast);
	lfv_destroy(lfv);
}

static int forked(struct lfv *lfv, unsigned char *area)
{
	int wrong = 0;

	wrong += lfv_vmalloc(lfv, PAGE_SIZE) != NULL || errno != EOWNERDEAD;
	wrong += lfv_get_vm_area(lfv, PAGE_SIZE, 0) != NULL ||
		 errno != EOWNERDEAD;
	wrong += lfv_vfree(lfv, area) != -EOWNERDEAD;
	wrong += lfv_free_vm_area(lfv, area) != -EOWNERDEAD;
	wrong += !faults(area);
	lfv_destroy(lfv);
	return wrong;
}

static void child_on(struct lfv *lfv)
{
	const bool plane = lfv->choices.address_plane;
	unsigned char *const area = plane ? lfv_get_vm_area(lfv, PAGE_SIZE, 0)
					  : lfv_vmalloc(lfv, PAGE_SIZE);
	void *const cached = plane ? lfv_get_vm_area(lfv, PAGE_SIZE, 0)
				   : lfv_vmalloc(lfv, PAGE_SIZE);

	assert_int_equal(lfv_vfree(lfv, cached), 0);

	const pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0)
		_exit(forked(lfv, area));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* The parent's goes on. */
	assert_int_equal(lfv_vfree(lfv, area), 0);
}

static void a_forked_child_has_no_short_way(void **state)
{
	(void)state;
	each_keep(child_on);
	each_plane(child_on);
}

struct race {
	struct lfv *lfv;
	pthread_barrier_t turn;
	void *area;
	_Atomic(unsigned) freed;
};

static void *racer(void *context)
{
	struct race *const race = context;

	for (unsigned i = 0; i < RACES; i++) {
		pthread_barrier_wait(&race->turn);
		if (lfv_vfree(race->lfv, race->area) == 0)
			atomic_fetch_add(&race->freed, 1);
		pthread_barrier_wait(&race->turn);
	}
	return NULL;
}

static void race_on(struct lfv *lfv)
{
	struct race race = { .lfv = lfv };
	pthread_t threads[RACERS];
	unsigned wrong = 0;

	pthread_barrier_init(&race.turn, NULL, RACERS + 1);
	for (unsigned i = 0; i < RACERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, racer, &race), 0);
	for (unsigned i = 0; i < RACES; i++) {
		race.freed = 0;
		race.area = lfv_vmalloc(lfv, 3 * PAGE_SIZE);
		pthread_barrier_wait(&race.turn);
		pthread_barrier_wait(&race.turn);
		wrong += race.freed != 1;
	}
	for (unsigned i = 0; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&race.turn);
	assert_int_equal(wrong, 0);
	assert_int_equal(engine_stats(lfv).live_areas, 0);
}

static void hardened_of_frees_that_race_one_succeeds(void **state)
{
	struct lfv_options lockfree = keep_options("lockfree");
	struct lfv_options augmented = keep_options("augmented");

	(void)state;
	lockfree.hardened = true;
	augmented.hardened = true;
	on_engine(&lockfree, race_on);
	on_engine(&augmented, race_on);
}

static int stay(void **state)
{
	cpu_set_t set;

	(void)state;
	CPU_ZERO(&set);
	CPU_SET(cpu_current().value, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

#define ON_ONE_CPU(test) cmocka_unit_test_setup(test, stay)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hardened_of_frees_that_race_one_succeeds),
		ON_ONE_CPU(a_kept_area_is_used_again_without_a_system_call),
		ON_ONE_CPU(zeroed_memory_is_zero_where_it_was_kept),
		ON_ONE_CPU(
			a_purge_gives_frames_and_mappings_of_kept_areas_back),
		ON_ONE_CPU(a_kept_area_has_the_size_of_its_class),
		ON_ONE_CPU(what_is_no_vmalloc_never_comes_into_the_cache),
		ON_ONE_CPU(requests_with_conditions_go_the_long_way),
		ON_ONE_CPU(sizes_that_are_none_are_refused),
		ON_ONE_CPU(every_misuse_has_its_name_on_both_planes),
		ON_ONE_CPU(ranges_alone_are_used_again_whatever_is_in_them),
		ON_ONE_CPU(what_a_free_must_obey_goes_the_long_way),
		ON_ONE_CPU(a_forked_child_has_no_short_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
