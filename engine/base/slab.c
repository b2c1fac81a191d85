/* SPDX-License-Identifier: MIT */
/*
 * slab.c - magazines in threads, a depot behind them.
 *
 * A chunk begins with the magazines that S2 owes to its objects:
 *
 *	| magazine | ... | magazine | object | object | ... | object |
 *
 * A thread's cache is a mapping of its own, with its two magazines, and is
 * handed on to a later thread: as many are made as threads lived at a time.
 */
#include "base/slab.h"

#include <assert.h>
#include <stdbool.h>

#include "base/check.h"
#include "base/os.h"
#include "base/page.h"

struct slab_cache {
	/* constant after init */
	struct slab *slab;
	struct slab_cache *next; /* in slab->caches */
	/* guarded by the slab's mutex */
	struct slab_cache *next_idle;
	/* owner only */
	struct slab_magazine *loaded;
	struct slab_magazine *spare;
	/* written by the owner, read by slab_stats(); survive the owner */
	_Atomic(uint64_t) taken;
	_Atomic(uint64_t) given;
	struct slab_magazine magazines[2]; /* the two it brings; S2 */
};

static_assert(sizeof(struct slab_cache) <= PAGE_SIZE, "a page a cache");

/* Indexed by slab->type; entry 0 stays NULL. */
static _Thread_local struct slab_cache *thread_caches[SLAB_TYPES_MAX + 1];
static _Thread_local bool thread_ended;

static pthread_once_t process_once = PTHREAD_ONCE_INIT;
static _Atomic(unsigned) types_used;
static pthread_key_t thread_key;
static bool has_thread_key; /* constant after process_once */

static void slab_lock(struct slab *slab)
{
	const int error = pthread_mutex_lock(&slab->mutex);

	require(error == 0);
}

static void slab_unlock(struct slab *slab)
{
	const int error = pthread_mutex_unlock(&slab->mutex);

	require(error == 0);
}

static void magazine_push(struct slab_magazine *magazine, void *object)
{
	assert(magazine->count < SLAB_MAGAZINE_OBJECTS);
	magazine->objects[magazine->count++] = object;
}

static void *magazine_take(struct slab_magazine *magazine)
{
	assert(magazine->count > 0);
	return magazine->objects[--magazine->count];
}

static void stack_push(struct slab_magazine **stack,
		       struct slab_magazine *magazine)
{
	magazine->next = *stack;
	*stack = magazine;
}

static struct slab_magazine *stack_take(struct slab_magazine **stack)
{
	struct slab_magazine *const magazine = *stack;

	if (magazine != NULL)
		*stack = magazine->next;
	return magazine;
}

/* depot_partial - the partial magazine; the depot starts with one, S2. */
static struct slab_magazine *depot_partial(struct slab *slab)
{
	if (slab->partial == NULL)
		slab->partial = &slab->first_partial;
	return slab->partial;
}

/* chunk_objects - how many fit beside the magazines for them. */
static size_t chunk_objects(const struct slab *slab, size_t *objects_at)
{
	size_t objects = SLAB_CHUNK_BYTES / slab->object_bytes;

	for (;; objects--) {
		const size_t magazines = (objects + SLAB_MAGAZINE_OBJECTS - 1) /
					 SLAB_MAGAZINE_OBJECTS;

		*objects_at = align_up(magazines * sizeof(struct slab_magazine),
				       slab->align);
		if (*objects_at + objects * slab->object_bytes <=
		    SLAB_CHUNK_BYTES)
			return objects;
	}
}

/* depot_grow - map a chunk; false when the kernel has no memory. */
static bool depot_grow(struct slab *slab, const struct os *os)
{
	size_t objects_at;
	const size_t objects = chunk_objects(slab, &objects_at);
	unsigned char *const chunk = os->mmap_anon(SLAB_CHUNK_BYTES);

	if (chunk == NULL)
		return false;

	struct slab_magazine *const magazines =
		(struct slab_magazine *)(void *)chunk;
	for (size_t i = 0; i * SLAB_MAGAZINE_OBJECTS < objects; i++)
		stack_push(&slab->empty, &magazines[i]); /* S2 */
	slab->fresh = chunk + objects_at;
	slab->fresh_objects = objects;
	slab->objects += objects;
	slab->bytes += SLAB_CHUNK_BYTES;
	return true;
}

/* depot_carve - fill a magazine with fresh objects, lowest on top. */
static void depot_carve(struct slab *slab, struct slab_magazine *magazine)
{
	const size_t wanted = SLAB_MAGAZINE_OBJECTS - magazine->count;
	const size_t objects =
		slab->fresh_objects < wanted ? slab->fresh_objects : wanted;

	for (size_t i = objects; i > 0; i--)
		magazine_push(magazine,
			      slab->fresh + (i - 1) * slab->object_bytes);
	slab->fresh += objects * slab->object_bytes;
	slab->fresh_objects -= objects;
}

/*
 * depot_exchange - give an empty magazine, get one with objects.
 *
 * Returns the empty one itself when there is no memory.
 */
static struct slab_magazine *depot_exchange(struct slab *slab,
					    struct slab_magazine *magazine,
					    const struct os *os)
{
	assert(magazine->count == 0);

	struct slab_magazine *const full = stack_take(&slab->full);
	if (full != NULL) {
		stack_push(&slab->empty, magazine);
		return full;
	}

	struct slab_magazine *const partial = depot_partial(slab);
	if (partial->count > 0) {
		slab->partial = magazine;
		return partial;
	}

	if (slab->fresh_objects > 0 || depot_grow(slab, os))
		depot_carve(slab, magazine);
	return magazine;
}

/* depot_give - put one object into the depot; finds room by S3. */
static void depot_give(struct slab *slab, void *object)
{
	if (depot_partial(slab)->count == SLAB_MAGAZINE_OBJECTS) {
		struct slab_magazine *const empty = stack_take(&slab->empty);

		require_invariant(empty != NULL, "S3");
		stack_push(&slab->full, slab->partial);
		slab->partial = empty;
	}
	magazine_push(slab->partial, object);
}

/* depot_take - one object out of the depot, or NULL. */
static void *depot_take(struct slab *slab, const struct os *os)
{
	struct slab_magazine *const partial = depot_partial(slab);

	if (partial->count == 0)
		slab->partial = depot_exchange(slab, partial, os);
	return slab->partial->count > 0 ? magazine_take(slab->partial) : NULL;
}

/* cache_retire - the thread ends: its objects go to the depot; S2 stays. */
static void cache_retire(struct slab_cache *cache)
{
	struct slab *const slab = cache->slab;

	slab_lock(slab);
	while (cache->loaded->count > 0)
		depot_give(slab, magazine_take(cache->loaded));
	while (cache->spare->count > 0)
		depot_give(slab, magazine_take(cache->spare));
	cache->next_idle = slab->idle_caches;
	slab->idle_caches = cache;
	slab_unlock(slab);
}

/* thread_end - run by libc when a thread that has caches ends. */
static void thread_end(void *caches)
{
	(void)caches;
	thread_ended = true;
	for (unsigned type = 1; type <= SLAB_TYPES_MAX; type++) {
		if (thread_caches[type] != NULL)
			cache_retire(thread_caches[type]);
		thread_caches[type] = NULL;
	}
}

static void process_init(void)
{
	has_thread_key = pthread_key_create(&thread_key, thread_end) == 0;
}

/* slab_type - the slab's number, or 0 when there are too many slabs. */
static unsigned slab_type(struct slab *slab)
{
	/* relaxed: a thread's own entry is all that it leads to. */
	unsigned type = load_relaxed(&slab->type);

	if (type != 0)
		return type;

	slab_lock(slab);
	/* relaxed: as above; the mutex keeps a second one away. */
	type = load_relaxed(&slab->type);
	/* relaxed: only the number is asked for, here and below. */
	if (type == 0 && load_relaxed(&types_used) < SLAB_TYPES_MAX) {
		const unsigned next = add_relaxed(&types_used, 1) + 1;

		type = next <= SLAB_TYPES_MAX ? next : 0;
		/* relaxed: as above. */
		store_relaxed(&slab->type, type);
	}
	slab_unlock(slab);
	return type;
}

/* cache_create - a cache that an ended thread left, or a new one, or NULL. */
static struct slab_cache *cache_create(struct slab *slab, const struct os *os)
{
	struct slab_cache *cache = slab->idle_caches;

	if (cache != NULL) {
		slab->idle_caches = cache->next_idle;
		return cache;
	}

	cache = os->mmap_anon(PAGE_SIZE);
	if (cache == NULL)
		return NULL;
	cache->slab = slab;
	cache->loaded = &cache->magazines[0];
	cache->spare = &cache->magazines[1];
	cache->next = slab->caches;
	slab->caches = cache;
	slab->bytes += PAGE_SIZE;
	return cache;
}

/*
 * thread_cache - this thread's cache, made at its first use; NULL when it ends,
 * or there is no memory, no key or no type left.
 *
 * `os` NULL stands for the table that the slab was last used with.
 */
static struct slab_cache *thread_cache(struct slab *slab, const struct os *os)
{
	const unsigned type = slab_type(slab);

	if (type == 0 || thread_ended)
		return NULL;
	if (thread_caches[type] != NULL)
		return thread_caches[type];

	(void)pthread_once(&process_once, process_init);
	if (!has_thread_key ||
	    pthread_setspecific(thread_key, thread_caches) != 0)
		return NULL;

	slab_lock(slab);
	if (os != NULL)
		slab->os = os;
	thread_caches[type] =
		slab->os != NULL ? cache_create(slab, slab->os) : NULL;
	slab_unlock(slab);
	return thread_caches[type];
}

/* count_taken - one more, by the cache's owner. */
static void count_taken(struct slab_cache *cache)
{
	/* relaxed: one writer; [slab-count] orders it before the give. */
	store_relaxed(&cache->taken, load_relaxed(&cache->taken) + 1);
}

static void count_given(struct slab_cache *cache)
{
	/* relaxed: one writer, the caller. */
	const uint64_t before = load_relaxed(&cache->given);

	/* release [slab-count]: whoever sees it sees the object's take. */
	store_release(&cache->given, before + 1);
}

static void swap_magazines(struct slab_cache *cache)
{
	struct slab_magazine *const loaded = cache->loaded;

	cache->loaded = cache->spare;
	cache->spare = loaded;
}

/* take_uncached - by a thread that has no cache. */
static void *take_uncached(struct slab *slab, const struct os *os)
{
	slab_lock(slab);
	slab->os = os;
	void *const object = depot_take(slab, os);
	slab->taken += object != NULL;
	slab_unlock(slab);
	return object;
}

static __attribute__((noinline)) void *take_slowly(struct slab *slab,
						   const struct os *os)
{
	assert(slab->object_bytes <= SLAB_OBJECT_BYTES_MAX);

	struct slab_cache *const cache = thread_cache(slab, os);
	if (cache == NULL)
		return take_uncached(slab, os);

	if (cache->loaded->count == 0 && cache->spare->count > 0)
		swap_magazines(cache);
	if (cache->loaded->count == 0) {
		slab_lock(slab);
		cache->loaded = depot_exchange(slab, cache->loaded, os);
		slab_unlock(slab);
	}
	if (cache->loaded->count == 0)
		return NULL;
	count_taken(cache);
	return magazine_take(cache->loaded);
}

void *slab_take(struct slab *slab, const struct os *os)
{
	/* relaxed: 0 or the number for good; it leads to our own cache. */
	struct slab_cache *const cache =
		thread_caches[load_relaxed(&slab->type)];

	if (cache == NULL || cache->loaded->count == 0)
		return take_slowly(slab, os);
	count_taken(cache);
	return magazine_take(cache->loaded);
}

static void give_uncached(struct slab *slab, void *object)
{
	slab_lock(slab);
	depot_give(slab, object);
	slab->given++;
	slab_unlock(slab);
}

/* cache_make_room - hand a full magazine in; false: the depot has no empty. */
static bool cache_make_room(struct slab *slab, struct slab_cache *cache)
{
	slab_lock(slab);
	struct slab_magazine *const empty = stack_take(&slab->empty);
	if (empty != NULL) {
		stack_push(&slab->full, cache->loaded);
		cache->loaded = empty;
	}
	slab_unlock(slab);
	return empty != NULL;
}

static __attribute__((noinline)) void give_slowly(struct slab *slab,
						  void *object)
{
	struct slab_cache *const cache = thread_cache(slab, NULL);

	if (cache == NULL) {
		give_uncached(slab, object);
		return;
	}
	if (cache->loaded->count == SLAB_MAGAZINE_OBJECTS)
		swap_magazines(cache);
	if (cache->loaded->count == SLAB_MAGAZINE_OBJECTS &&
	    !cache_make_room(slab, cache)) {
		give_uncached(slab, object); /* S3 */
		return;
	}
	count_given(cache);
	magazine_push(cache->loaded, object);
}

void slab_give(struct slab *slab, void *object)
{
	assert(object != NULL);

	/* relaxed: 0 or the number for good; it leads to our own cache. */
	struct slab_cache *const cache =
		thread_caches[load_relaxed(&slab->type)];

	if (cache == NULL || cache->loaded->count == SLAB_MAGAZINE_OBJECTS) {
		give_slowly(slab, object);
		return;
	}
	count_given(cache);
	magazine_push(cache->loaded, object);
}

void slab_fork_begin(struct slab *slab)
{
	slab_lock(slab);
}

void slab_fork_end(struct slab *slab)
{
	slab_unlock(slab);
}

void slab_stats(struct slab *slab, struct slab_stats *stats)
{
	slab_lock(slab);
	uint64_t given = slab->given;
	for (struct slab_cache *cache = slab->caches; cache != NULL;
	     cache = cache->next) {
		/* acquire [slab-count]: gives first, then all their takes. */
		given += load_acquire(&cache->given);
	}

	uint64_t taken = slab->taken;
	for (struct slab_cache *cache = slab->caches; cache != NULL;
	     cache = cache->next) {
		/* relaxed: the acquires above came first. */
		taken += load_relaxed(&cache->taken);
	}

	assert(taken >= given); /* S4 */
	stats->live = taken - given;
	stats->cached =
		slab->objects > stats->live ? slab->objects - stats->live : 0;
	stats->bytes = slab->bytes;
	slab_unlock(slab);
}
