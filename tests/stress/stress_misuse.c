/* SPDX-License-Identifier: MIT */
/*
 * stress_misuse.c - many threads free each other's areas on purpose.
 *
 * In each round one thread makes an area and all threads free it at once, with
 * a purger beside them: one free succeeds, every other is refused and named.
 * Between the rounds nobody allocates, so no address comes back while a stale
 * free of it is on its way: what the stale free of a reused address does is the
 * caller's to answer for, and is asked for in the second test, where only the
 * engine itself must stay whole.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/engine_fixture.h"
#include "base/tsan.h"

enum { THREADS = 4, ROUNDS = 400, TSAN_DIVISOR = 4, PAGES_MAX = 6 };

struct misuse {
	struct lfv *lfv;
	pthread_barrier_t barrier;
	unsigned rounds;
	void *area; /* written between the barriers, by the first thread */
	_Atomic(unsigned) freed;
	_Atomic(unsigned) refused;
	_Atomic(unsigned) errors;
};

struct freer {
	pthread_t thread;
	struct misuse *misuse;
	unsigned number;
};

static unsigned rounds_of_test(void)
{
	return ROUNDS / (TSAN_ENABLED ? TSAN_DIVISOR : 1);
}

static void count(_Atomic(unsigned) *counter)
{
	/* relaxed: a sum, read when the threads are joined. */
	add_relaxed(counter, 1);
}

static unsigned counted(_Atomic(unsigned) *counter)
{
	/* relaxed: the threads are joined. */
	return load_relaxed(counter);
}

/* Refused means named: it was freed, or something else begins below it. */
static bool is_named(void)
{
	return strstr(lfv_last_error(), "double free") != NULL ||
	       strstr(lfv_last_error(), "inside the area") != NULL;
}

static void free_one(struct misuse *misuse, void *area)
{
	const int error = lfv_vfree(misuse->lfv, area);

	if (error == 0)
		count(&misuse->freed);
	else if (error == -EINVAL && is_named())
		count(&misuse->refused);
	else
		count(&misuse->errors);
}

static void wait_all(struct misuse *misuse)
{
	(void)pthread_barrier_wait(&misuse->barrier);
}

static void *free_together(void *argument)
{
	struct freer *self = argument;
	struct misuse *misuse = self->misuse;

	for (unsigned round = 0; round < misuse->rounds; round++) {
		if (self->number == 0) {
			misuse->area = lfv_vmalloc(misuse->lfv,
						   (round % PAGES_MAX + 1) *
							   PAGE_SIZE);
			if (misuse->area == NULL)
				count(&misuse->errors);
		}
		wait_all(misuse);
		free_one(misuse, misuse->area);
		if (round % THREADS == self->number &&
		    lfv_purge(misuse->lfv) != 0)
			count(&misuse->errors);
		wait_all(misuse);
	}
	return NULL;
}

/* Frees with no regard for whose it is now; allocates as well. */
static void *free_anything(void *argument)
{
	struct freer *self = argument;
	struct misuse *misuse = self->misuse;
	const uintptr_t start = lfv_vmalloc_start(misuse->lfv);
	unsigned random = self->number + 1;

	for (unsigned round = 0; round < 4 * misuse->rounds; round++) {
		struct lfv_vm_info info;

		random = random * 1664525u + 1013904223u;

		const uintptr_t page = start + (random >> 16) % 64 * PAGE_SIZE;

		(void)!lfv_vmalloc(misuse->lfv,
				   ((random >> 8) % PAGES_MAX + 1) * PAGE_SIZE);
		if (lfv_find_vm_area(misuse->lfv, (void *)page, &info) == 0)
			(void)lfv_vfree(misuse->lfv, (void *)info.va_start);
		(void)lfv_vfree(misuse->lfv, (void *)page);
		if (random % 16 == 0 && lfv_purge(misuse->lfv) != 0)
			count(&misuse->errors);
	}
	return NULL;
}

static void run(struct misuse *misuse, void *(*body)(void *))
{
	struct freer freers[THREADS];

	assert_int_equal(pthread_barrier_init(&misuse->barrier, NULL, THREADS),
			 0);
	for (unsigned i = 0; i < THREADS; i++) {
		freers[i].misuse = misuse;
		freers[i].number = i;
		assert_int_equal(pthread_create(&freers[i].thread, NULL, body,
						&freers[i]),
				 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(freers[i].thread, NULL), 0);
	assert_int_equal(pthread_barrier_destroy(&misuse->barrier), 0);
}

static int free_visited(void *context, const struct lfv_vm_info *info)
{
	return lfv_vfree(context, (void *)info->va_start);
}

static void whole_and_empty(struct lfv *lfv)
{
	assert_int_equal(lfv_for_each_vm_area(lfv, free_visited, lfv), 0);
	assert_int_equal(lfv_purge(lfv), 0);

	const struct lfv_stats stats = engine_stats(lfv);

	assert_int_equal(stats.live_areas, 0);
	assert_int_equal(stats.lazy_pages, 0);
	assert_int_equal(stats.frames_free, stats.frames);
	assert_int_equal(stats.hole_pages + stats.pool_pages,
			 128 * MIB >> PAGE_SHIFT);
	lfv_check(lfv);
}

static void one_free_wins_on(struct lfv *lfv)
{
	struct misuse misuse = { .lfv = lfv, .rounds = rounds_of_test() };

	run(&misuse, free_together);
	assert_int_equal(counted(&misuse.errors), 0);
	assert_int_equal(counted(&misuse.freed), misuse.rounds);
	assert_int_equal(counted(&misuse.refused),
			 misuse.rounds * (THREADS - 1));
	whole_and_empty(lfv);
}

static void of_frees_that_race_one_succeeds(void **state)
{
	(void)state;
	for_each_hardened(one_free_wins_on);
}

static void any_free_at_any_time_on(struct lfv *lfv)
{
	struct misuse misuse = { .lfv = lfv, .rounds = rounds_of_test() };

	run(&misuse, free_anything);
	assert_int_equal(counted(&misuse.errors), 0);
	whole_and_empty(lfv);
}

static void frees_of_what_others_just_made_leave_the_engine_whole(void **state)
{
	(void)state;
	for_each_hardened(any_free_at_any_time_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_frees_that_race_one_succeeds),
		cmocka_unit_test(
			frees_of_what_others_just_made_leave_the_engine_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
