/* SPDX-License-Identifier: MIT */
/*
 * cow_pool.h - the memory of copy-on-write trees: equal cells, taken before a
 * change and given back a grace period after it.
 *
 * A cell is a tree's node or a ticket.  Cells travel in bundles: a chain of up
 * to COW_BUNDLE_CELLS, of which the head says how many.
 *
 *	fresh cells --------+
 *	                    | take          exchange
 *	stack of bundles ---+------> update --------> tree
 *	   ^    ^                    |    |             |
 *	   |    +-------- give ------+    +-> ticket <--+
 *	   |                                    |
 *	   +----------- a grace period ---------+
 *
 * A ticket is the head of a bundle of replaced cells: the one cell of it that
 * no reader can see, so that it has room for what call_rcu() wants.  After the
 * grace period the bundle is pushed as it is: the reclaiming thread looks at
 * the ticket and at no other cell, so it keeps up with any writer.
 *
 * What cannot fail has its cells counted beforehand.  `spare` counts the cells
 * that are in the pool and promised to nobody:
 *
 *   Q1  a cell is in the pool, in an update's hand, in a tree, or held behind
 *       readers;
 *   Q2  spare = cells in the pool - cells counted out and not yet taken -
 *       COW_SLACK_CELLS, and it is never negative: whoever was counted in
 *       finds a cell;
 *   Q3  held_cells is what waits for a grace period, tickets included; past
 *       the limit nothing new is added, but removals go on;
 *   Q4  memory is type-stable: what was a cell stays one until fini;
 *   Q5  `returns` moves after cells came back and were counted in, and before
 *       they are held no more: of a pool that holds nothing, with no move in
 *       between, nothing came back in between.
 *
 * An update that finds no room may wait (cow_pool_wait) while anything comes
 * back.  That the readers are slow, each of them without a CPU, say, is told
 * from a reader that is stopped by this: behind him nothing does.
 *
 * Who may run with whom: everything with everything, but init, fini, check.
 *
 * Progress: lock-free, but for the kernel's own locks where memory is mapped.
 * A thread holds at most COW_BUNDLE_CELLS - 1 cells more than it was counted in
 * for, and the slack is for COW_SLACK_THREADS such threads: if so many stop at
 * once just there, the next may wait for them.  A thread that stops strands
 * what it holds, and no more.
 *
 * Order: a cell's last use is seen by the next one [cow-cell].
 */
#ifndef LFV_VA_COW_POOL_H
#define LFV_VA_COW_POOL_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/rcu.h"

struct os;
struct cow_pool;

enum {
	COW_BUNDLE_CELLS = 64,
	COW_CARVE_CELLS = 32, /* a bundle of cells that never were in use */
	COW_SLACK_THREADS = 64,
	COW_SLACK_CELLS = COW_SLACK_THREADS * COW_BUNDLE_CELLS,
	COW_FIRST_CHUNK_CELLS = 2 * COW_SLACK_CELLS,
	COW_CHUNKS_MAX = 19, /* each doubles the pool: 2^32 cells */
	COW_FIRST_BITS = 24,
	COW_HEIGHT_BITS = 6,
	COW_FIRST_MASK = (1 << COW_FIRST_BITS) - 1,
	COW_HEIGHT_MASK = (1 << COW_HEIGHT_BITS) - 1,
	/* a second, of moments each of which ran: not of a machine's pause */
	COW_QUIET_MAX = 1000,
	COW_MOMENT_NS = 1000000,
};

/* cow_node - see cow_tree.h; constant while a reader may see it. */
struct cow_node {
	struct cow_node *left;
	struct cow_node *right;
	uint32_t first : COW_FIRST_BITS; /* page of the zone */
	uint32_t black_height : COW_HEIGHT_BITS;
	uint32_t is_red : 1;
	uint32_t is_own : 1; /* made by the update at hand, not published */
	uint32_t pages;
	/* no reader's: the node that this one replaces, or NULL */
	struct cow_node *old;
};

struct cow_ticket {
	struct rcu_head deferred;
	struct cow_pool *pool;
	uint32_t cells; /* of the bundle, the ticket included */
};

struct cow_cell {
	alignas(CACHE_LINE_BYTES) union {
		struct cow_node node;
		struct cow_ticket ticket;
	};
	struct cow_cell *own_next; /* in the list of whoever made it */
	struct cow_cell *next;     /* in its bundle */
	uint32_t self;             /* the cell's number, never 0 */
	_Atomic(uint32_t) below;   /* a head's: the bundle below it, or 0 */
};

static_assert(sizeof(struct cow_cell) == CACHE_LINE_BYTES, "a line a cell");

struct cow_pool {
	/* constant after init */
	const struct os *os;
	uint64_t held_cells_max;
	/* written when memory is mapped */
	_Atomic(struct cow_cell *) chunks[COW_CHUNKS_MAX];
	_Atomic(uint64_t) mapped; /* cells in chunks */
	/* written by every update */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t)
		top;                       /* stack of bundles */
	_Atomic(uint64_t) carved;          /* cells that were ever in use */
	_Atomic(uint64_t) spare;           /* Q2 */
	_Atomic(uint64_t) held_cells;      /* Q3 */
	_Atomic(uint64_t) held_cells_most; /* that it ever was */
	/* written a grace period, and when a reader is taken for stopped */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) returns; /* Q5 */
	_Atomic(uint64_t)
		stopped_at; /* `returns`, of which none came for long */
};

/* cow_wait - what an update that finds no room has seen of the pool. */
struct cow_wait {
	bool is_held;
	uint64_t returns;
	unsigned quiet; /* moments in which nothing came back */
};

struct cow_pool_stats {
	uint64_t cells;           /* mapped */
	uint64_t spare;           /* Q2 */
	uint64_t held_bytes;      /* behind readers now */
	uint64_t held_bytes_most; /* at any time */
	uint64_t held_bytes_max;
};

/*
 * cow_pool_init - 0, or -ENOMEM, or -EAGAIN as rcu_init().
 *
 * Past `held_bytes_max` behind readers cow_pool_is_full().
 */
__attribute__((warn_unused_result)) int cow_pool_init(struct cow_pool *pool,
						      const struct os *os,
						      uint64_t held_bytes_max);

/* cow_pool_fini - waits for the readers; no tree has a cell any more. */
void cow_pool_fini(struct cow_pool *pool);

/* cow_pool_is_full - as much waits behind readers as may. */
bool cow_pool_is_full(const struct cow_pool *pool);

/*
 * cow_pool_count_out - see to it that so many cells can be taken.
 *
 * False when the kernel has no memory for more.
 */
__attribute__((warn_unused_result)) bool
cow_pool_count_out(struct cow_pool *pool, uint64_t cells);

/* cow_pool_count_in - so many cells, counted out before, are spare again. */
void cow_pool_count_in(struct cow_pool *pool, uint64_t cells);

/*
 * cow_pool_take - a bundle, chained by `next`; *cells says how many.
 *
 * The caller was counted in for one more cell than it holds.
 */
struct cow_cell *cow_pool_take(struct cow_pool *pool, uint32_t *cells);

/* cow_pool_give - push a bundle of so many cells, seen by no reader. */
void cow_pool_give(struct cow_pool *pool, struct cow_cell *bundle,
		   uint32_t cells);

/*
 * cow_pool_retire - give bundles back when the readers of now have left.
 *
 * `tickets` are linked by own_next, each the head of a bundle; the cells are
 * counted in when they are back.
 */
void cow_pool_retire(struct cow_pool *pool, struct cow_cell *tickets);

/* cow_wait_begin - before the first try. */
void cow_wait_begin(struct cow_wait *wait, const struct cow_pool *pool);

/*
 * cow_pool_wait - there was no room: true, a moment later, when another try is
 * worth it.
 *
 * False where nothing waited behind readers while the caller tried, and where
 * nothing has come back for COW_QUIET_MAX moments, which the first caller waits
 * and the others then need not.  So it ends, but for somebody whom others that
 * get on leave nothing.
 */
__attribute__((warn_unused_result)) bool cow_pool_wait(struct cow_pool *pool,
						       struct cow_wait *wait);

/* cow_pool_check - alone, after rcu_wait(): Q1 to Q3 with cells in trees. */
void cow_pool_check(struct cow_pool *pool, uint64_t in_trees,
		    uint64_t counted_out);

void cow_pool_stats(const struct cow_pool *pool, struct cow_pool_stats *stats);

#endif
