/* SPDX-License-Identifier: MIT */
/*
 * depot.h - batches of page numbers, by class, between the CPUs' stocks and
 * whatever lies behind.
 *
 *	stack of a class:  {tag, top} --> batch --> batch --> none
 *	empty ones:        {tag, top} --> batch --> none       and not yet used
 *
 * (Bonwick and Adams, "Magazines and Vmem", 2001; the stacks are Treiber's,
 * with a tag.)  A thread hands over a whole batch with one compare-and-swap, so
 * a number costs 1/DEPOT_BATCH of one.
 *
 *   D1  a batch is on one stack, or with one thread, or was never used;
 *   D2  a batch on the stack of a class has 1 to DEPOT_BATCH numbers in it,
 *       which nobody else has;
 *   D3  `pages` is never less than the pages of all areas in the depot, and
 *       these are at most `pages_max`;
 *   D4  depot_puts() moves with each put: who has emptied the depot, and finds
 *       it unmoved since before, has missed no put that had ended.
 *
 * Batches are type-stable: a thread that was stopped between its look at the
 * top and its exchange may read the link of a batch that is used elsewhere by
 * then, and the tag makes the exchange fail.  The tag counts the pushes, for a
 * batch that was popped lies on top again only by a push, and so it tells the
 * puts as well.  It has 40 bits: it comes round after 10^12 of them, days of
 * nothing else, during which that thread would have to stand between two
 * instructions.
 *
 * A put and a take cost three atomic read-modify-writes each on lines that all
 * share, the two stacks and `pages`: with whole batches one for 32 numbers.
 *
 * Who may run with whom: all with all; init and fini alone.
 * Progress: lock-free; a failed exchange is another thread's success.
 * Order: what was done before a put is seen after the take [depot-batch].
 */
#ifndef LFV_VA_DEPOT_H
#define LFV_VA_DEPOT_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/os.h"
#include "va/size_class.h"

enum { DEPOT_BATCH = 96, DEPOT_BATCHES_MAX = 1 << 16 };

struct depot_batch;

struct depot_stack {
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) top; /* tag, index + 1 */
};

struct depot {
	/* constant after init */
	const struct os *os;
	struct depot_batch *batches;
	uint64_t pages_max;
	/* shared */
	struct depot_stack full[CLASSES];
	struct depot_stack empty;
	alignas(FALSE_SHARING_BYTES) _Atomic(uint32_t) fresh; /* ever used */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) pages; /* D3 */
};

/* depot_init - -ENOMEM with a message; pages_max bounds what it may hold. */
__attribute__((warn_unused_result)) int
depot_init(struct depot *depot, const struct os *os, uint64_t pages_max);
void depot_fini(struct depot *depot);

/*
 * depot_put - leave `count` numbers, 1 to DEPOT_BATCH, of one class.
 *
 * False, and nothing left: it would hold too much, or has no batch for them.
 */
bool depot_put(struct depot *depot, unsigned size_class, const uint64_t *values,
	       unsigned count);

/* depot_take - the batch that was left last; how many, 0 for none. */
unsigned depot_take(struct depot *depot, unsigned size_class,
		    uint64_t values[DEPOT_BATCH]);

/*
 * depot_batches - how many batches of a class there are; a figure, which costs
 * a look at each.
 */
unsigned depot_batches(const struct depot *depot, unsigned size_class);

/* depot_puts - D4. */
uint64_t depot_puts(const struct depot *depot);

/* depot_pages - pages of the areas in it; a figure. */
uint64_t depot_pages(const struct depot *depot);

#endif
