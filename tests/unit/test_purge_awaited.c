/* SPDX-License-Identifier: MIT */
/*
 * test_purge_awaited.c - what a purge of another thread has in its hands is
 * free, but nobody can find it: who needs it gives that purge a moment.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "base/atomic.h"
#include "engine_fixture.h"

#define HELD_BYTES (12 * MIB)
#define HELD_RANGE (100 * MIB)

/* A purge that stands before its system call until somebody naps. */
static struct held {
	struct lfv *lfv;
	void *area;   /* what the purging thread frees first */
	bool is_vain; /* naps do not help */
	unsigned naps;
	sem_t inside;
	sem_t go_on;
} held;

static _Thread_local bool is_purger;

static int held_remap_none(void *base, size_t bytes)
{
	if (is_purger) {
		is_purger = false;
		assert_int_equal(sem_post(&held.inside), 0);
		assert_int_equal(sem_wait(&held.go_on), 0);
	}
	return os_linux.remap_none(base, bytes);
}

static void held_sleep_ns(uint64_t ns)
{
	if (held.naps++ == 0 && !held.is_vain)
		assert_int_equal(sem_post(&held.go_on), 0);
	if (!held.is_vain)
		os_linux.sleep_ns(ns);
}

static void *purger_main(void *argument)
{
	is_purger = true;
	assert_int_equal(lfv_free_vm_area(held.lfv, held.area), 0);
	assert_int_equal(lfv_purge(held.lfv), 0);
	return argument;
}

/* purger_start - frees held.area, purges, and stands still. */
static pthread_t purger_start(void)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, purger_main, NULL), 0);
	assert_int_equal(sem_wait(&held.inside), 0);
	return thread;
}

static void purger_end(pthread_t thread)
{
	assert_int_equal(pthread_join(thread, NULL), 0);
	lfv_check(held.lfv);
	lfv_destroy(held.lfv);
}

static void held_make(const char *cache, const char *mapping)
{
	static struct os os;
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = "lockfree";
	options.cache = cache;
	options.mapping = mapping;
	options.memory_bytes = 16 * MIB;
	os = os_linux;
	os.remap_none = held_remap_none;
	os.sleep_ns = held_sleep_ns;
	memset(&held, 0, sizeof(held));
	assert_int_equal(sem_init(&held.inside, 0, 0), 0);
	assert_int_equal(sem_init(&held.go_on, 0, 0), 0);
	held.lfv = engine_create(&options, &os);
	assert_non_null(held.lfv);
}

static void frames_come(const char *cache, const char *mapping)
{
	held_make(cache, mapping);
	held.area = lfv_vmalloc(held.lfv, HELD_BYTES);
	assert_non_null(held.area);

	const pthread_t purger = purger_start();

	assert_non_null(lfv_vmalloc(held.lfv, HELD_BYTES));
	assert_true(held.naps > 0);
	purger_end(purger);
}

static void the_frames_that_another_unmaps_are_awaited(void **state)
{
	(void)state;
	frames_come("none", "lazy");
	frames_come("percpu", "lazy");
	frames_come("percpu", "keep");
}

static void the_block_that_another_unmaps_is_awaited(void **state)
{
	struct lfv_page block;

	(void)state;
	held_make("none", "lazy");
	held.area = lfv_vmalloc(held.lfv, HELD_BYTES);
	assert_non_null(held.area);
	while (lfv_alloc_pages(held.lfv, 0, &block) == 0)
		;

	const pthread_t purger = purger_start();

	assert_int_equal(lfv_alloc_pages(held.lfv, 0, &block), 0);
	assert_true(held.naps > 0);
	purger_end(purger);
}

static void the_range_that_another_purges_is_awaited(void **state)
{
	(void)state;
	held_make("none", "lazy");

	void *const range = lfv_get_vm_area(held.lfv, HELD_RANGE, 0);

	assert_non_null(range);
	/* So that there is something to unmap. */
	held.area = lfv_vmalloc(held.lfv, PAGE_SIZE);
	assert_non_null(held.area);
	/* The free that passes the limit is not to purge. */
	store_relaxed(&held.lfv->purge.retry_ns, UINT64_MAX);
	assert_int_equal(lfv_free_vm_area(held.lfv, range), 0);

	const pthread_t purger = purger_start();

	assert_non_null(lfv_get_vm_area(held.lfv, HELD_RANGE, 0));
	assert_true(held.naps > 0);
	purger_end(purger);
}

static void a_page_that_another_unmaps_can_be_freed(void **state)
{
	struct lfv_page page;

	(void)state;
	held_make("none", "lazy");
	assert_int_equal(lfv_alloc_pages(held.lfv, 0, &page), 0);
	held.area = lfv_vmap(held.lfv, &page, 1);
	assert_non_null(held.area);

	const pthread_t purger = purger_start();

	assert_int_equal(lfv_free_pages(held.lfv, page, 0), 0);
	assert_true(held.naps > 0);
	purger_end(purger);
}

static void a_purge_that_stands_still_is_not_awaited_for_ever(void **state)
{
	(void)state;
	held_make("none", "lazy");
	held.is_vain = true;
	held.area = lfv_vmalloc(held.lfv, HELD_BYTES);
	assert_non_null(held.area);

	const pthread_t purger = purger_start();

	assert_null(lfv_vmalloc(held.lfv, HELD_BYTES));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(held.naps, PURGE_NAPS_MAX);
	assert_int_equal(sem_post(&held.go_on), 0);
	purger_end(purger);
}

static void where_nobody_purges_nobody_naps(void **state)
{
	(void)state;
	held_make("none", "lazy");
	assert_non_null(lfv_vmalloc(held.lfv, HELD_BYTES));

	const uint64_t purges = engine_stats(held.lfv).purges;

	assert_null(lfv_vmalloc(held.lfv, HELD_BYTES));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(held.naps, 0);
	assert_int_equal(engine_stats(held.lfv).purges, purges + 1);
	lfv_destroy(held.lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frames_that_another_unmaps_are_awaited),
		cmocka_unit_test(the_block_that_another_unmaps_is_awaited),
		cmocka_unit_test(the_range_that_another_purges_is_awaited),
		cmocka_unit_test(a_page_that_another_unmaps_can_be_freed),
		cmocka_unit_test(
			a_purge_that_stands_still_is_not_awaited_for_ever),
		cmocka_unit_test(where_nobody_purges_nobody_naps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
