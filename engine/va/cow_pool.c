/* SPDX-License-Identifier: MIT */
/*
 * cow_pool.c - a stack of bundles over chunks that double.
 *
 * Cells have numbers; chunk c holds the numbers from (2^c - 1) to
 * (2^(c+1) - 1) times COW_FIRST_CHUNK_CELLS.  Number 0 is nobody's.  The top of
 * the stack is a number and a count of changes in one word, so that a thread
 * that slept between its look and its compare-and-swap fails, unless the count
 * came around, all 2^32 of it, meanwhile.
 */
#include "va/cow_pool.h"

#include <errno.h>

#include "base/check.h"
#include "base/error.h"
#include "base/list.h"
#include "base/os.h"
#include "base/page.h"

static_assert((uint64_t)COW_FIRST_CHUNK_CELLS << COW_CHUNKS_MAX ==
		      (uint64_t)1 << 32,
	      "a number is 32 bits");

static uint64_t chunk_cells(unsigned chunk)
{
	return (uint64_t)COW_FIRST_CHUNK_CELLS << chunk;
}

/* chunk_begin - number of its first cell: what all chunks before it hold. */
static uint64_t chunk_begin(unsigned chunk)
{
	return chunk_cells(chunk) - COW_FIRST_CHUNK_CELLS;
}

/* chunk_of - where number `cell` lies. */
static unsigned chunk_of(uint64_t cell)
{
	return fls_ulong(cell / COW_FIRST_CHUNK_CELLS + 1) - 1;
}

static struct cow_cell *cell_at(const struct cow_pool *pool, uint64_t number)
{
	const unsigned chunk = chunk_of(number);

	/* relaxed: [cow-mapped] or [cow-cell] brought the number after it. */
	return load_relaxed(&pool->chunks[chunk]) +
	       (number - chunk_begin(chunk));
}

/* chunk_map - see to it that the chunk is there; false: no memory. */
static bool chunk_map(struct cow_pool *pool, unsigned chunk)
{
	const size_t bytes = chunk_cells(chunk) * sizeof(struct cow_cell);

	/* acquire [cow-mapped]: seen here, it may be counted here. */
	while (load_acquire(&pool->chunks[chunk]) == NULL) {
		struct cow_cell *none = NULL;
		struct cow_cell *const base = pool->os->mmap_anon(bytes);

		if (base == NULL)
			return false;
		/* release [cow-mapped]: to whoever counts it. */
		if (!cas_release(&pool->chunks[chunk], &none, base))
			pool->os->munmap_anon(base, bytes);
	}
	return true;
}

/*
 * pool_grow - map the chunk behind `mapped` cells; false: no memory, or no
 * numbers.
 *
 * Anyone may end what another has begun; whoever moves `mapped` counts.
 */
static bool pool_grow(struct cow_pool *pool, uint64_t mapped)
{
	const unsigned chunk = chunk_of(mapped);

	if (chunk == COW_CHUNKS_MAX || !chunk_map(pool, chunk))
		return false;
	/* release [cow-mapped]: the chunk is there before its numbers are. */
	if (cas_release(&pool->mapped, &mapped, mapped + chunk_cells(chunk)))
		cow_pool_count_in(pool, chunk_cells(chunk));
	return true;
}

bool cow_pool_count_out(struct cow_pool *pool, uint64_t cells)
{
	for (;;) {
		/* relaxed: how far the pool was grown when it did not do. */
		const uint64_t mapped = load_relaxed(&pool->mapped);
		/* relaxed: a guess, which the compare-and-swap puts right. */
		uint64_t spare = load_relaxed(&pool->spare);

		while (spare >= cells) {
			/* acquire [cow-spare]: what was counted in is there. */
			if (cas_acquire(&pool->spare, &spare, spare - cells))
				return true; /* Q2 */
		}
		if (!pool_grow(pool, mapped))
			return false;
	}
}

void cow_pool_count_in(struct cow_pool *pool, uint64_t cells)
{
	/* acq_rel [cow-spare]: after they were pushed, or mapped. */
	(void)add_acq_rel(&pool->spare, cells);
}

static uint64_t top_of(uint64_t before, uint32_t number)
{
	const uint64_t changes = (before >> 32) + 1;

	return changes << 32 | number;
}

/* stack_push - put the bundle of this head on top; its chain is made. */
static void stack_push(struct cow_pool *pool, struct cow_cell *head)
{
	/* relaxed: the old top is linked to, never looked into. */
	uint64_t top = load_relaxed(&pool->top);

	do {
		/* relaxed: a late stack_take() may read it, and then fails. */
		store_relaxed(&head->below, (uint32_t)top);
		/* release [cow-cell]: all that was done to the bundle. */
	} while (!cas_release(&pool->top, &top, top_of(top, head->self)));
}

/* stack_take - the bundle on top, or NULL. */
static struct cow_cell *stack_take(struct cow_pool *pool)
{
	/* acquire [cow-cell]: the bundle on top, as it was pushed. */
	uint64_t top = load_acquire(&pool->top);

	while ((uint32_t)top != 0) {
		struct cow_cell *const head = cell_at(pool, (uint32_t)top);
		/* relaxed: of another time, if the top has changed. */
		const uint32_t below = load_relaxed(&head->below);

		/* relaxed: it is the very value that was acquired. */
		if (cas_relaxed(&pool->top, &top, top_of(top, below)))
			return head;
		/* acquire [cow-cell]: as at first. */
		top = load_acquire(&pool->top);
	}
	return NULL;
}

/* carve - up to COW_CARVE_CELLS that never were in use, chained, or NULL. */
static struct cow_cell *carve(struct cow_pool *pool, uint32_t *cells)
{
	/* relaxed: numbers; the cells come by [cow-mapped]. */
	uint64_t begin = load_relaxed(&pool->carved);
	struct cow_cell *chain = NULL;
	uint64_t end;

	do {
		/* acquire [cow-mapped]: the chunks of all these numbers. */
		const uint64_t mapped = load_acquire(&pool->mapped);

		if (begin >= mapped)
			return NULL;
		end = begin + COW_CARVE_CELLS < mapped ? begin + COW_CARVE_CELLS
						       : mapped;
		/* relaxed: who moves it has the numbers for himself. */
	} while (!cas_relaxed(&pool->carved, &begin, end));

	for (uint64_t number = end; number-- > begin;) {
		struct cow_cell *const cell = cell_at(pool, number);

		cell->self = (uint32_t)number;
		cell->next = chain;
		chain = cell;
	}
	*cells = (uint32_t)(end - begin);
	return chain;
}

/*
 * cow_pool_take - loops only while others hold more than they were counted in
 * for, which is more than the slack.
 */
struct cow_cell *cow_pool_take(struct cow_pool *pool, uint32_t *cells)
{
	for (;;) {
		struct cow_cell *bundle = stack_take(pool);

		if (bundle != NULL) {
			*cells = bundle->ticket.cells;
			return bundle;
		}
		bundle = carve(pool, cells);
		if (bundle != NULL)
			return bundle;
		cpu_relax();
	}
}

void cow_pool_give(struct cow_pool *pool, struct cow_cell *bundle,
		   uint32_t cells)
{
	assert(cells > 0 && cells <= COW_BUNDLE_CELLS);
	bundle->ticket.cells = cells;
	stack_push(pool, bundle);
}

#ifdef NDEBUG
static void poison(struct cow_cell *ticket)
{
	(void)ticket;
}
#else
/* poison - a reader who is still there follows no link of these again. */
static void poison(struct cow_cell *ticket)
{
	struct cow_node *const nowhere = (struct cow_node *)UINTPTR_MAX;
	struct cow_cell *cell = ticket->next;

	for (uint32_t left = ticket->ticket.cells - 1; left > 0; left--) {
		cell->node.left = nowhere;
		cell->node.right = nowhere;
		cell->node.pages = 0;
		cell = cell->next;
	}
	assert(cell == NULL); /* Q1 */
}
#endif

/* give_back - a grace period after cow_pool_retire(). */
static void give_back(struct rcu_head *deferred)
{
	struct cow_cell *ticket =
		container_of(deferred, struct cow_cell, ticket.deferred);

	rcu_begin_deferred(deferred);

	struct cow_pool *const pool = ticket->ticket.pool;
	uint64_t returned = 0;

	while (ticket != NULL) {
		struct cow_cell *const next = ticket->own_next;
		const uint32_t cells = ticket->ticket.cells;

		poison(ticket);
		cow_pool_give(pool, ticket, cells);
		returned += cells;
		ticket = next;
	}
	cow_pool_count_in(pool, returned);
	/* relaxed: [cow-held] is what brings it. */
	(void)add_relaxed(&pool->returns, 1);
	/* release [cow-held]: the cells were counted in, and told of; Q5. */
	(void)sub_release(&pool->held_cells, returned);
	rcu_end_deferred();
}

/* held_add - counted before they can come back, Q3. */
static void held_add(struct cow_pool *pool, uint64_t cells)
{
	/* relaxed: [cow-held] orders what comes back. */
	const uint64_t held = add_relaxed(&pool->held_cells, cells) + cells;
	/* relaxed: a figure. */
	uint64_t most = load_relaxed(&pool->held_cells_most);

	/* relaxed: as above; who fails has met another's, or a higher one. */
	while (held > most && !cas_relaxed(&pool->held_cells_most, &most, held))
		;
}

void cow_pool_retire(struct cow_pool *pool, struct cow_cell *tickets)
{
	uint64_t cells = 0;

	for (const struct cow_cell *ticket = tickets; ticket != NULL;
	     ticket = ticket->own_next)
		cells += ticket->ticket.cells;
	held_add(pool, cells);
	tickets->ticket.pool = pool;
	rcu_defer(&tickets->ticket.deferred, give_back);
}

bool cow_pool_is_full(const struct cow_pool *pool)
{
	/* relaxed: a limit that is met within one update a thread. */
	return load_relaxed(&pool->held_cells) >= pool->held_cells_max;
}

/* held_look - Q5: first what is held, and then how often it came back. */
static void held_look(struct cow_wait *wait, const struct cow_pool *pool)
{
	/* acquire [cow-held]: what is held no more has moved `returns`. */
	wait->is_held = load_acquire(&pool->held_cells) > 0;
	/* relaxed: compared, with what it orders above. */
	wait->returns = load_relaxed(&pool->returns);
}

void cow_wait_begin(struct cow_wait *wait, const struct cow_pool *pool)
{
	wait->quiet = 0;
	held_look(wait, pool);
}

bool cow_pool_wait(struct cow_pool *pool, struct cow_wait *wait)
{
	const struct cow_wait before = *wait;

	held_look(wait, pool);
	if (wait->returns != before.returns) {
		wait->quiet = 0;
	} else {
		if (!wait->is_held && !before.is_held)
			return false;
		/* relaxed: a figure; who knows none waits by himself. */
		if (wait->quiet++ == COW_QUIET_MAX)
			store_relaxed(&pool->stopped_at, wait->returns);
		/* relaxed: as above. */
		if (load_relaxed(&pool->stopped_at) == wait->returns)
			return false;
	}
	pool->os->sleep_ns(COW_MOMENT_NS);
	return true;
}

int cow_pool_init(struct cow_pool *pool, const struct os *os,
		  uint64_t held_bytes_max)
{
	const int error = rcu_init();

	if (error != 0)
		return error;
	*pool = (struct cow_pool){
		.os = os,
		.held_cells_max = held_bytes_max / sizeof(struct cow_cell),
		.carved = 1, /* 0 is nobody's */
		.stopped_at = UINT64_MAX,
	};
	if (!pool_grow(pool, 0))
		return error_set(-ENOMEM, "no memory for the first %d nodes",
				 COW_FIRST_CHUNK_CELLS);
	/* relaxed: nobody else knows the pool. */
	(void)sub_relaxed(&pool->spare, COW_SLACK_CELLS + 1); /* Q2 */
	return 0;
}

void cow_pool_fini(struct cow_pool *pool)
{
	rcu_wait();
	cow_pool_check(pool, 0, 0);
	for (unsigned chunk = 0; chunk < COW_CHUNKS_MAX; chunk++) {
		/* relaxed: nobody else works with the pool any more. */
		struct cow_cell *const base =
			load_relaxed(&pool->chunks[chunk]);

		if (base != NULL)
			pool->os->munmap_anon(base,
					      chunk_cells(chunk) *
						      sizeof(struct cow_cell));
	}
}

/* stack_cells - how many are on the stack; the walk ends past `most`. */
static uint64_t stack_cells(const struct cow_pool *pool, uint64_t most)
{
	uint64_t sum = 0;
	/* relaxed: the caller is alone. */
	uint32_t number = (uint32_t)load_relaxed(&pool->top);

	while (number != 0 && sum <= most) {
		const struct cow_cell *const head = cell_at(pool, number);
		uint32_t cells = 0;

		for (const struct cow_cell *cell = head;
		     cell != NULL && cells <= COW_BUNDLE_CELLS;
		     cell = cell->next)
			cells++;
		require_invariant(cells == head->ticket.cells, "Q1");
		sum += cells;
		/* relaxed: the caller is alone. */
		number = load_relaxed(&head->below);
	}
	return sum;
}

void cow_pool_check(struct cow_pool *pool, uint64_t in_trees,
		    uint64_t counted_out)
{
	/* relaxed: the caller is alone, here and below. */
	const uint64_t mapped = load_relaxed(&pool->mapped);
	const uint64_t fresh = mapped - load_relaxed(&pool->carved);
	const uint64_t spare = load_relaxed(&pool->spare);
	const uint64_t held = load_relaxed(&pool->held_cells);
	const uint64_t in_pool = fresh + stack_cells(pool, mapped);

	require_invariant(held == 0, "Q3");
	require_invariant(1 + in_pool + in_trees == mapped, "Q1");
	require_invariant(spare + counted_out + COW_SLACK_CELLS == in_pool,
			  "Q2");
}

void cow_pool_stats(const struct cow_pool *pool, struct cow_pool_stats *stats)
{
	/* relaxed: figures, each of its own instant; as all below. */
	const uint64_t held = load_relaxed(&pool->held_cells);

	*stats = (struct cow_pool_stats){
		.cells = load_relaxed(&pool->mapped),
		.spare = load_relaxed(&pool->spare),
		.held_bytes = held * sizeof(struct cow_cell),
		.held_bytes_most = load_relaxed(&pool->held_cells_most) *
				   sizeof(struct cow_cell),
		.held_bytes_max =
			pool->held_cells_max * sizeof(struct cow_cell),
	};
}
