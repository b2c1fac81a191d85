/* SPDX-License-Identifier: MIT */
/*
 * hole_cache.h - areas that were freed and wait to be used again, whole: a
 * stock of page numbers for each class of sizes and each CPU, and a depot
 * behind them.
 *
 *	take:  stock of this CPU --empty--> a batch of the depot --> none
 *	give:  stock of this CPU --full---> most of it to the depot --> spilt
 *
 * Three quarters of a stock move at a time: where one CPU takes and another
 * gives, that is what the lines of the depot are asked for, and what is left,
 *or the room that is left, still serves a CPU that changes its mind.
 *
 * (Bonwick and Adams 2001; Linux's IOVA rcache; tcmalloc's per-CPU caches.)
 * Most operations are one restartable section on the CPU's own lines
 * (base/percpu.h), without an atomic read-modify-write.
 *
 *   C1  a number that was given is taken once, or still there;
 *   C2  a stock holds at most `capacity` numbers, and at most
 *       stock_bytes_max bytes of addresses, or STOCK_CAPACITY_MIN numbers where
 *       that is more;
 *   C3  the depot holds at most depot_pages_max pages;
 *   C4  hole_cache_moved() moves with each put to the depot, after it, and with
 *       each number that a drain finds in a stock: of a closed cache that two
 *       drains have found empty, with no move from before the first to after
 *       the second, each give that had ended between them was seen.
 *
 * What a number means is the caller's affair (va/page_map.h: an idle area).
 *
 * Who may run with whom: all with all; init and fini alone.
 * Progress: lock-free; of a thread that stops in here, the numbers it is moving
 * are stranded: most of a stock, and of a drain a whole one.
 * Order: what was done before a give is seen after the take.
 */
#ifndef LFV_VA_HOLE_CACHE_H
#define LFV_VA_HOLE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/percpu.h"
#include "va/depot.h"
#include "va/size_class.h"

enum { STOCK_CAPACITY = 128, STOCK_CAPACITY_MIN = 2 };

static_assert(STOCK_CAPACITY / 4 * 3 == DEPOT_BATCH, "a move fills a batch");

struct hole_cache_config {
	const struct os *os;
	const struct cpu_map *cpus;
	const struct percpu_ops *percpu;
	unsigned capacity;        /* numbers in a stock; 0: STOCK_CAPACITY */
	uint64_t stock_bytes_max; /* of one class, one CPU; 0: any */
	uint64_t depot_pages_max;
};

struct hole_cache {
	struct percpu stocks[CLASSES];
	struct depot depot;
	/* constant after init */
	const struct os *os;
	unsigned slots; /* of CPUs */
	/* shared */
	_Atomic(uint32_t) *seen; /* of each stock, at the last decay */
	/* numbers ever found in stocks; C4 */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) drained;
};

typedef void hole_sink(void *context, const uint64_t *values, unsigned count);

/* hole_cache_init - -ENOMEM with a message. */
__attribute__((warn_unused_result)) int
hole_cache_init(struct hole_cache *cache,
		const struct hole_cache_config *config);
/* hole_cache_fini - what it holds is forgotten: drain first. */
void hole_cache_fini(struct hole_cache *cache);

/* hole_spill - numbers that found no room: the caller's again. */
struct hole_spill {
	unsigned count;
	uint64_t values[STOCK_CAPACITY];
};

/* hole_cache_take - the number given last on this CPU; false: none is left. */
static inline bool hole_cache_take(struct hole_cache *cache,
				   unsigned size_class, uint64_t *value)
{
	return percpu_take(&cache->stocks[size_class], value);
}

/* hole_cache_refill - then, one from the depot, and more into the stock. */
bool hole_cache_refill(struct hole_cache *cache, unsigned size_class,
		       uint64_t *value, struct hole_spill *spill);

/* hole_cache_give - leave a number with this CPU; false: its stock is full. */
static inline bool hole_cache_give(struct hole_cache *cache,
				   unsigned size_class, uint64_t value)
{
	return percpu_push(&cache->stocks[size_class], value);
}

/* hole_cache_spill - then, make room in the stock, by way of the depot. */
void hole_cache_spill(struct hole_cache *cache, unsigned size_class,
		      uint64_t value, struct hole_spill *spill);

/* hole_cache_batch - how many fresh numbers to stock up with: half. */
unsigned hole_cache_batch(const struct hole_cache *cache, unsigned size_class);

/*
 * hole_cache_put - stock up with fresh numbers; how many, from the first on,
 * found room with this CPU.
 */
unsigned hole_cache_put(struct hole_cache *cache, unsigned size_class,
			const uint64_t *values, unsigned count);

/*
 * hole_cache_close - keep every CPU's stocks out of use until
 * hole_cache_open(): what is given meanwhile goes to the depot, or is spilt.
 * False, and nothing is closed: the kernel has refused the fence.
 */
bool hole_cache_close(struct hole_cache *cache);
void hole_cache_open(struct hole_cache *cache);

/*
 * hole_cache_decay - some time has passed: a quarter of the depot, and the
 * stocks that have as many numbers as the last time, into `sink`.  So what is
 * not used comes to an end, on CPUs that are offline as well.
 */
void hole_cache_decay(struct hole_cache *cache, hole_sink *sink, void *context);

/*
 * hole_cache_drain - empty every CPU's stocks and the depot into `sink`.
 *
 * What is given meanwhile may stay.
 */
void hole_cache_drain(struct hole_cache *cache, hole_sink *sink, void *context);

/* hole_cache_moved - C4. */
uint64_t hole_cache_moved(const struct hole_cache *cache);

#endif
