/* SPDX-License-Identifier: MIT */
/*
 * spares.h - the engine of a floor row: what no engine can do without.
 *
 * A take is one restartable section that pops an address from a stock of this
 * CPU's, and one release store; a give is one section that pushes it back, and
 * one release store (base/percpu.h; where sections do not work, the member that
 * compares and swaps).  There is no index, no hole and no state: what an engine
 * costs above this row is what it does.
 *
 * Each thread has stocks of its own, so that none waits for another's.  Behind
 * them lies a stack with all its addresses: as many as it may hold live, and
 * SPARES for what is on its way.  Behind that, for what other threads keep, are
 * all of them again, round and round.
 */
#ifndef LFV_BENCH_SPARES_H
#define LFV_BENCH_SPARES_H

#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/percpu.h"

enum { SPARES = 2048, SPARES_STOCK = 64 };

struct spares {
	struct percpu stock;
	struct cpu_map cpus;
	uintptr_t start;
	uintptr_t stride;
	uintptr_t bytes; /* of all its addresses */
	size_t all;
	size_t count;
	size_t next;             /* from here on, round and round */
	_Atomic(uintptr_t) word; /* what the release stores go to */
	uintptr_t stack[];
};

/* spares_make - `all` addresses from `start` on, or NULL. */
struct spares *spares_make(uintptr_t start, uintptr_t stride, size_t all);
void spares_free(struct spares *spares);

uintptr_t spares_take_slowly(struct spares *spares);
void spares_give_slowly(struct spares *spares, uintptr_t address);

static inline uintptr_t spare_take(struct spares *spares)
{
	uint64_t address;

	if (__builtin_expect(!percpu_take(&spares->stock, &address), 0))
		address = spares_take_slowly(spares);
	/* release: for its cost; nobody acquires it. */
	store_release(&spares->word, address);
	return address;
}

static inline int spare_give(struct spares *spares, uintptr_t address)
{
	/* release: for its cost; nobody acquires it. */
	store_release(&spares->word, 0);
	/* Another thread's go round by themselves. */
	if (__builtin_expect(address - spares->start >= spares->bytes, 0))
		return 0;
	if (__builtin_expect(!percpu_push(&spares->stock, address), 0))
		spares_give_slowly(spares, address);
	return 0;
}

#endif
