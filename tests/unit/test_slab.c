/* SPDX-License-Identifier: MIT */
/*
 * test_slab.c - objects are given to one owner at a time, counted exactly, and
 * survive the threads that cached them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/os.h"
#include "base/slab.h"
#include "base/tsan.h"

enum {
	THREADS = 8,
	ROUNDS = 150,
	BATCH = 3 * SLAB_MAGAZINE_OBJECTS + 7, /* past both magazines */
	MANY = 5000,                           /* several chunks */
};

/* thing - an object whose size divides nothing evenly. */
struct thing {
	uint64_t owner;
	unsigned char rest[80];
};

static uint64_t live(struct slab *slab)
{
	struct slab_stats stats;

	slab_stats(slab, &stats);
	return stats.live;
}

/* The kernel of these tests: gives so many mappings more. */
static atomic_int mappings_left = INT32_MAX;

static void *mmap_some(size_t bytes)
{
	if (atomic_fetch_sub(&mappings_left, 1) <= 0)
		return NULL;
	return os_linux.mmap_anon(bytes);
}

static const struct os counting_os = { .mmap_anon = mmap_some };

static void a_new_object_is_zero_and_aligned(void **state)
{
	static struct slab slab = SLAB("thing", struct thing);
	static const struct thing zero;
	struct thing *const thing = slab_take(&slab, &os_linux);

	(void)state;
	assert_non_null(thing);
	assert_int_equal((uintptr_t)thing % alignof(struct thing), 0);
	assert_memory_equal(thing, &zero, sizeof(zero));
	slab_give(&slab, thing);
}

static void an_object_keeps_what_its_owner_left(void **state)
{
	static struct slab slab = SLAB("thing", struct thing);
	struct thing *const thing = slab_take(&slab, &os_linux);

	(void)state;
	thing->owner = 42;
	slab_give(&slab, thing);
	assert_ptr_equal(slab_take(&slab, &os_linux), thing);
	assert_int_equal(thing->owner, 42);
	slab_give(&slab, thing);
}

static void live_counts_what_has_owners(void **state)
{
	static struct slab slab = SLAB("thing", struct thing);
	void *objects[BATCH];

	(void)state;
	for (unsigned i = 0; i < BATCH; i++)
		objects[i] = slab_take(&slab, &os_linux);
	assert_int_equal(live(&slab), BATCH);
	for (unsigned i = 0; i < BATCH / 2; i++)
		slab_give(&slab, objects[i]);
	assert_int_equal(live(&slab), BATCH - BATCH / 2);
	for (unsigned i = BATCH / 2; i < BATCH; i++)
		slab_give(&slab, objects[i]);
	assert_int_equal(live(&slab), 0);
}

static void cached_counts_what_can_be_taken(void **state)
{
	static struct slab slab = SLAB("thing", struct thing);
	struct slab_stats held;
	struct slab_stats given;

	(void)state;
	void *const object = slab_take(&slab, &os_linux);
	slab_stats(&slab, &held);
	slab_give(&slab, object);
	slab_stats(&slab, &given);
	assert_true(held.cached > SLAB_MAGAZINE_OBJECTS);
	assert_int_equal(given.cached, held.cached + 1);
	assert_in_range(given.bytes, SLAB_CHUNK_BYTES, 2 * SLAB_CHUNK_BYTES);
}

static int compare_pointers(const void *a, const void *b)
{
	const uintptr_t left = (uintptr_t) * (void *const *)a;
	const uintptr_t right = (uintptr_t) * (void *const *)b;

	return (left > right) - (left < right);
}

static void objects_never_overlap(void **state)
{
	static struct slab slab = SLAB("thing", struct thing);
	static unsigned char *objects[MANY];
	unsigned overlaps = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		objects[i] = slab_take(&slab, &os_linux);
	qsort(objects, MANY, sizeof(objects[0]), compare_pointers);
	for (unsigned i = 1; i < MANY; i++)
		overlaps += objects[i - 1] + sizeof(struct thing) > objects[i];
	assert_int_equal(overlaps, 0);
	for (unsigned i = 0; i < MANY; i++)
		slab_give(&slab, objects[i]);
}

static void given_objects_are_taken_again_before_new_memory(void **state)
{
	static struct slab slab = SLAB("thing", struct thing);
	static void *objects[MANY];
	struct slab_stats before;
	struct slab_stats after;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		objects[i] = slab_take(&slab, &os_linux);
	slab_stats(&slab, &before);
	for (unsigned i = 0; i < MANY; i++)
		slab_give(&slab, objects[i]);
	for (unsigned i = 0; i < MANY; i++)
		objects[i] = slab_take(&slab, &os_linux);
	slab_stats(&slab, &after);
	assert_int_equal(after.bytes, before.bytes);
	for (unsigned i = 0; i < MANY; i++)
		slab_give(&slab, objects[i]);
}

struct huge {
	unsigned char bytes[SLAB_OBJECT_BYTES_MAX];
};

static unsigned char *only_chunk;

/* One chunk, with its end known, and a cache for each thread. */
static void *mmap_one_chunk(size_t bytes)
{
	if (bytes != SLAB_CHUNK_BYTES)
		return os_linux.mmap_anon(bytes);
	if (only_chunk != NULL)
		return NULL;
	only_chunk = os_linux.mmap_anon(bytes);
	return only_chunk;
}

static void the_largest_objects_lie_inside_their_chunk(void **state)
{
	static const struct os one_chunk_os = { .mmap_anon = mmap_one_chunk };
	static struct slab slab = SLAB("huge", struct huge);
	struct huge *objects[SLAB_MAGAZINE_OBJECTS];
	struct huge *highest = NULL;
	unsigned count = 0;

	(void)state;
	while (count < SLAB_MAGAZINE_OBJECTS) {
		objects[count] = slab_take(&slab, &one_chunk_os);
		if (objects[count] == NULL)
			break;
		if (objects[count] > highest)
			highest = objects[count];
		count++;
	}
	assert_int_equal(count, SLAB_CHUNK_BYTES / sizeof(struct huge) - 1);
	assert_true((unsigned char *)(highest + 1) <=
		    only_chunk + SLAB_CHUNK_BYTES);
	for (unsigned i = 0; i < count; i++)
		slab_give(&slab, objects[i]);
}

static void no_memory_gives_null_and_loses_nothing(void **state)
{
	static struct slab slab = SLAB("thing", struct thing);
	static void *objects[MANY];
	unsigned count = 0;

	(void)state;
	atomic_store(&mappings_left, 2); /* the cache and one chunk */
	while (count < MANY) {
		objects[count] = slab_take(&slab, &counting_os);
		if (objects[count] == NULL)
			break;
		count++;
	}
	assert_in_range(count, 1, MANY - 1);
	assert_int_equal(live(&slab), count);
	for (unsigned i = 0; i < count; i++)
		slab_give(&slab, objects[i]);
	assert_int_equal(live(&slab), 0);

	for (unsigned i = 0; i < count; i++)
		objects[i] = slab_take(&slab, &counting_os);
	assert_non_null(objects[count - 1]);
	assert_null(slab_take(&slab, &counting_os));
	for (unsigned i = 0; i < count; i++)
		slab_give(&slab, objects[i]);
}

/* Chunks are larger than threads' caches: these get no memory. */
static void *mmap_chunks_only(size_t bytes)
{
	return bytes == SLAB_CHUNK_BYTES ? os_linux.mmap_anon(bytes) : NULL;
}

static void without_a_cache_the_depot_serves(void **state)
{
	static const struct os no_caches_os = { .mmap_anon = mmap_chunks_only };
	static struct slab slab = SLAB("thing", struct thing);
	static void *objects[MANY];

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		objects[i] = slab_take(&slab, &no_caches_os);
	assert_null(slab.caches);
	assert_int_equal(live(&slab), MANY);
	for (unsigned i = 0; i < MANY; i++)
		slab_give(&slab, objects[i]);
	assert_int_equal(live(&slab), 0);
}

/* churn - take a batch, sign each, check the signatures, give it back. */
static struct slab churn_slab = SLAB("thing", struct thing);
static atomic_uint breaches;
static pthread_barrier_t start;

static void *churn(void *argument)
{
	const uint64_t me = (uint64_t)(uintptr_t)argument;
	struct thing *things[BATCH];

	(void)pthread_barrier_wait(&start);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < BATCH; i++) {
			things[i] = slab_take(&churn_slab, &os_linux);
			things[i]->owner = me;
		}
		for (unsigned i = 0; i < BATCH; i++) {
			if (things[i]->owner != me)
				atomic_fetch_add(&breaches, 1);
			slab_give(&churn_slab, things[i]);
		}
	}
	return NULL;
}

static void threads_never_share_an_object(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	require(pthread_barrier_init(&start, NULL, THREADS) == 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		require(pthread_create(&threads[i], NULL, churn,
				       (void *)(i + 1)) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		require(pthread_join(threads[i], NULL) == 0);
	require(pthread_barrier_destroy(&start) == 0);
	assert_int_equal(atomic_load(&breaches), 0);
	assert_int_equal(live(&churn_slab), 0);
}

/* baton - what one thread takes and another gives. */
static struct slab baton_slab = SLAB("baton", struct thing);
static void *batons[MANY];

static void *take_all(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < MANY; i++)
		batons[i] = slab_take(&baton_slab, &os_linux);
	return NULL;
}

static void *give_all(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < MANY; i++)
		slab_give(&baton_slab, batons[i]);
	return NULL;
}

static void run_thread(void *(*body)(void *))
{
	pthread_t thread;

	require(pthread_create(&thread, NULL, body, NULL) == 0);
	require(pthread_join(thread, NULL) == 0);
}

static void an_ended_threads_objects_are_taken_by_others(void **state)
{
	struct slab_stats first;
	struct slab_stats last;

	(void)state;
	run_thread(take_all);
	slab_stats(&baton_slab, &first);
	run_thread(give_all);
	for (unsigned round = 0; round < 5; round++) {
		run_thread(take_all);
		run_thread(give_all);
	}
	slab_stats(&baton_slab, &last);
	assert_int_equal(first.live, MANY);
	assert_int_equal(last.live, 0);
	assert_int_equal(last.bytes, first.bytes); /* all were found again */
}

/* late - a thread-specific value that is given back as its thread ends. */
static struct slab late_slab = SLAB("late", struct thing);
static pthread_key_t late_key;

/*
 * In the last round of destructors nobody retires a new cache any more.
 * ThreadSanitizer has taken leave of the thread by then: one round earlier.
 */
enum { LATE_ROUND = PTHREAD_DESTRUCTOR_ITERATIONS - TSAN_ENABLED };

static void give_late(void *object)
{
	static _Thread_local unsigned rounds;

	if (++rounds < LATE_ROUND)
		(void)pthread_setspecific(late_key, object);
	else
		slab_give(&late_slab, object);
}

static void *leave_late(void *argument)
{
	(void)argument;
	(void)pthread_setspecific(late_key, slab_take(&late_slab, &os_linux));
	return NULL;
}

static void a_give_after_the_threads_cache_is_gone_works(void **state)
{
	(void)state;
	require(pthread_key_create(&late_key, give_late) == 0);
	run_thread(leave_late);
	assert_int_equal(live(&late_slab), 0);
	assert_ptr_equal(late_slab.idle_caches, late_slab.caches);
	require(pthread_key_delete(late_key) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_object_is_zero_and_aligned),
		cmocka_unit_test(an_object_keeps_what_its_owner_left),
		cmocka_unit_test(live_counts_what_has_owners),
		cmocka_unit_test(cached_counts_what_can_be_taken),
		cmocka_unit_test(objects_never_overlap),
		cmocka_unit_test(
			given_objects_are_taken_again_before_new_memory),
		cmocka_unit_test(the_largest_objects_lie_inside_their_chunk),
		cmocka_unit_test(no_memory_gives_null_and_loses_nothing),
		cmocka_unit_test(without_a_cache_the_depot_serves),
		cmocka_unit_test(threads_never_share_an_object),
		cmocka_unit_test(an_ended_threads_objects_are_taken_by_others),
		cmocka_unit_test(a_give_after_the_threads_cache_is_gone_works),
	};

	return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
