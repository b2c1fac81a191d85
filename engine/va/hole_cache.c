/* SPDX-License-Identifier: MIT */
/*
 * hole_cache.c - stocks and depot, and what moves between them.
 */
#include "va/hole_cache.h"

#include <errno.h>

#include "base/check.h"
#include "base/error.h"

/* drain - where numbers go. */
struct drain {
	hole_sink *sink;
	void *context;
};

static size_t seen_bytes(const struct hole_cache *cache)
{
	return align_up(CLASSES * cache->slots * sizeof(uint32_t), PAGE_SIZE);
}

/* capacity_of - C2. */
static unsigned capacity_of(const struct hole_cache_config *config,
			    unsigned size_class)
{
	unsigned capacity =
		config->capacity != 0 ? config->capacity : STOCK_CAPACITY;
	const uint64_t fits = config->stock_bytes_max /
			      pages_to_bytes(class_pages(size_class));

	if (config->stock_bytes_max != 0 && capacity > fits)
		capacity = (unsigned)fits;
	return capacity > STOCK_CAPACITY_MIN ? capacity : STOCK_CAPACITY_MIN;
}

static void stocks_fini(struct hole_cache *cache, unsigned made)
{
	while (made > 0)
		percpu_fini(&cache->stocks[--made]);
}

static int stocks_init(struct hole_cache *cache,
		       const struct hole_cache_config *config)
{
	for (unsigned size_class = 0; size_class < CLASSES; size_class++) {
		const int error = percpu_init(&cache->stocks[size_class],
					      config->percpu, config->cpus,
					      capacity_of(config, size_class),
					      config->os);

		if (error) {
			stocks_fini(cache, size_class);
			return error;
		}
	}
	return 0;
}

int hole_cache_init(struct hole_cache *cache,
		    const struct hole_cache_config *config)
{
	int error =
		depot_init(&cache->depot, config->os, config->depot_pages_max);

	if (error)
		return error;
	cache->os = config->os;
	cache->slots = config->cpus->cpu_slots;
	cache->seen = config->os->mmap_anon(seen_bytes(cache));
	error = cache->seen ? stocks_init(cache, config) : -ENOMEM;
	if (!error)
		return 0;
	if (cache->seen)
		config->os->munmap_anon((void *)cache->seen, seen_bytes(cache));
	depot_fini(&cache->depot);
	return error_set(error, "no memory for the stocks of the CPUs "
				"(RLIMIT_AS, vm.max_map_count)");
}

void hole_cache_fini(struct hole_cache *cache)
{
	stocks_fini(cache, CLASSES);
	cache->os->munmap_anon((void *)cache->seen, seen_bytes(cache));
	depot_fini(&cache->depot);
}

unsigned hole_cache_batch(const struct hole_cache *cache, unsigned size_class)
{
	return cache->stocks[size_class].slots.capacity / 2;
}

unsigned hole_cache_put(struct hole_cache *cache, unsigned size_class,
			const uint64_t *values, unsigned count)
{
	return count > 0 ? percpu_push_many(&cache->stocks[size_class], values,
					    count)
			 : 0;
}

/* spill_put - what the depot takes of `spill` is no longer the caller's. */
static void spill_put(struct hole_cache *cache, unsigned size_class,
		      struct hole_spill *spill)
{
	while (spill->count > 0) {
		const unsigned part =
			spill->count < DEPOT_BATCH ? spill->count : DEPOT_BATCH;

		if (!depot_put(&cache->depot, size_class,
			       spill->values + spill->count - part, part))
			return;
		spill->count -= part;
	}
}

bool hole_cache_refill(struct hole_cache *cache, unsigned size_class,
		       uint64_t *value, struct hole_spill *spill)
{
	uint64_t values[DEPOT_BATCH];
	unsigned count = depot_take(&cache->depot, size_class, values);

	spill->count = 0;
	if (count == 0)
		return false;
	*value = values[--count];
	/* The stock may have been filled meanwhile. */
	for (unsigned i = hole_cache_put(cache, size_class, values, count);
	     i < count; i++)
		spill->values[spill->count++] = values[i];
	spill_put(cache, size_class, spill);
	return true;
}

/* moved_of - how many a full stock gives up: three quarters. */
static unsigned moved_of(const struct percpu *stock)
{
	return stock->slots.capacity - (stock->slots.capacity + 3) / 4;
}

void hole_cache_spill(struct hole_cache *cache, unsigned size_class,
		      uint64_t value, struct hole_spill *spill)
{
	struct percpu *const stock = &cache->stocks[size_class];

	spill->count = percpu_take_many(stock, spill->values, moved_of(stock));
	assert(spill->count < STOCK_CAPACITY);
	/* What the stock gave up is older: the new one stays with this CPU. */
	if (spill->count == 0 || !percpu_push(stock, value))
		spill->values[spill->count++] = value;
	spill_put(cache, size_class, spill);
}

/* stocks_start - undo the stops of the first `stopped` stocks. */
static void stocks_start(struct hole_cache *cache, unsigned stopped)
{
	while (stopped-- > 0)
		percpu_start(&cache->stocks[stopped / cache->slots],
			     stopped % cache->slots);
}

bool hole_cache_close(struct hole_cache *cache)
{
	const unsigned all = CLASSES * cache->slots;

	for (unsigned i = 0; i < all; i++) {
		if (percpu_stop(&cache->stocks[i / cache->slots],
				i % cache->slots) != 0) {
			stocks_start(cache, i);
			return false;
		}
	}
	return true;
}

void hole_cache_open(struct hole_cache *cache)
{
	stocks_start(cache, CLASSES * cache->slots);
}

/*
 * stock_drain - an empty stock costs a look; without the fence the CPU's stock
 * stays its own.
 */
static void stock_drain(struct hole_cache *cache, unsigned size_class,
			unsigned slot, const struct drain *drain)
{
	struct percpu *const stock = &cache->stocks[size_class];
	uint64_t values[STOCK_CAPACITY];

	if (percpu_count(stock, slot) == 0)
		return;

	const int taken = percpu_take_all(stock, slot, values);

	if (taken <= 0)
		return;
	/* relaxed: for who drains, and compares; C4. */
	add_relaxed(&cache->drained, (uint64_t)taken);
	drain->sink(drain->context, values, (unsigned)taken);
}

void hole_cache_drain(struct hole_cache *cache, hole_sink *sink, void *context)
{
	const struct drain drain = { sink, context };

	for (unsigned size_class = 0; size_class < CLASSES; size_class++) {
		uint64_t values[STOCK_CAPACITY];
		unsigned count;

		for (unsigned slot = 0; slot < cache->slots; slot++)
			stock_drain(cache, size_class, slot, &drain);
		while ((count = depot_take(&cache->depot, size_class, values)) >
		       0)
			sink(context, values, count);
	}
}

/* is_idle - a stock holds as many numbers as at the last decay. */
static bool is_idle(struct hole_cache *cache, unsigned size_class,
		    unsigned slot)
{
	_Atomic(uint32_t) *const seen =
		&cache->seen[size_class * cache->slots + slot];
	const unsigned count = percpu_count(&cache->stocks[size_class], slot);

	/* relaxed: a figure; two decays at once drain at most too much. */
	return swap_relaxed(seen, count) == count && count > 0;
}

void hole_cache_decay(struct hole_cache *cache, hole_sink *sink, void *context)
{
	const struct drain drain = { sink, context };

	for (unsigned size_class = 0; size_class < CLASSES; size_class++) {
		uint64_t values[DEPOT_BATCH];
		unsigned batches =
			(depot_batches(&cache->depot, size_class) + 3) / 4;

		for (unsigned slot = 0; slot < cache->slots; slot++) {
			if (is_idle(cache, size_class, slot))
				stock_drain(cache, size_class, slot, &drain);
		}
		while (batches-- > 0) {
			const unsigned count =
				depot_take(&cache->depot, size_class, values);

			if (count > 0)
				sink(context, values, count);
		}
	}
}

uint64_t hole_cache_moved(const struct hole_cache *cache)
{
	/* relaxed: the caller's own drain, or one that ran beside it and whose
	 * numbers are with that operation. */
	return depot_puts(&cache->depot) + load_relaxed(&cache->drained);
}
