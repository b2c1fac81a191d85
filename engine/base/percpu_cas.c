/* SPDX-License-Identifier: MIT */
/*
 * percpu_cas.c - the portable member: each cell is handed over by itself.
 *
 *	hint            cell 0   1   2   3   4
 *	  3 ----------> | v | v | v |   |   |     next push: cell 3
 *	                          ^               next take: cell 2
 *
 * A cell holds 0, or a value plus one.  A push claims an empty cell with one
 * compare-and-swap, a take empties a full one with one exchange; both are the
 * whole operation, and where it takes effect.  There is nothing to be left half
 * done, and no ABA: what is exchanged is the value itself, no link to it.
 *
 * The hint is where the last operation was.  Without interference it is the
 * number of values, and cells below it are full, cells from it on empty, so
 * the first look is right (P4).  Racing threads may leave it anywhere: then the
 * search goes once around, and P1 to P3 hold all the same.
 *
 * `stopped` is looked at first.  A stop is no barrier: an operation that looked
 * before it goes on after it, and its values may arrive in a drained slot,
 * where the next take or drain finds them (P5).
 */
#include "base/atomic.h"
#include "base/check.h"
#include "base/percpu.h"

struct cas_slot {
	_Atomic(unsigned) hint;    /* from 0 to capacity */
	_Atomic(unsigned) stopped; /* how many keep push and take out */
	_Atomic(uint64_t) cells[];
};

static struct cas_slot *slot_at(const struct percpu *percpu, unsigned slot)
{
	assert(slot < percpu->slots.count);
	return (struct cas_slot *)(void *)(percpu->slots.base +
					   slot * percpu->slots.slot_bytes);
}

/* slot_here - of the CPU we ran on a moment ago. */
static struct cas_slot *slot_here(const struct percpu *percpu)
{
	return slot_at(percpu, cpu_slot(percpu->map, cpu_current()));
}

static size_t cas_slot_bytes(unsigned capacity)
{
	return sizeof(struct cas_slot) + capacity * sizeof(_Atomic(uint64_t));
}

/* cell_above - the cell to look at next on the way up, around the end. */
static unsigned cell_above(const struct percpu *percpu, unsigned cell)
{
	return cell + 1 < percpu->slots.capacity ? cell + 1 : 0;
}

/* cell_below - the one before it, around the begin. */
static unsigned cell_below(const struct percpu *percpu, unsigned cell)
{
	return cell > 0 ? cell - 1 : percpu->slots.capacity - 1;
}

/* cell_push - false when the cell is full. */
static bool cell_push(_Atomic(uint64_t) *cell, uint64_t value)
{
	uint64_t empty = 0;

	/* relaxed: saves the locked instruction on a full cell. */
	if (load_relaxed(cell) != 0)
		return false;
	/* release [percpu-value]: what was done with the value's owner. */
	return cas_release(cell, &empty, value + 1);
}

/* cell_take - false when the cell is empty. */
static bool cell_take(_Atomic(uint64_t) *cell, uint64_t *value)
{
	/* relaxed: saves the locked instruction on an empty cell. */
	if (load_relaxed(cell) == 0)
		return false;

	/* acquire [percpu-value]: from whoever pushed it. */
	const uint64_t content = swap_acquire(cell, 0);

	if (content == 0)
		return false;
	*value = content - 1;
	return true;
}

static bool is_stopped(struct cas_slot *stock)
{
	/* relaxed: a stop that is ordered before this look is seen. */
	return load_relaxed(&stock->stopped) > 0;
}

/* slot_push - P3: false, having found each cell full. */
static bool slot_push(const struct percpu *percpu, struct cas_slot *stock,
		      uint64_t value)
{
	/* relaxed: only says where to begin. */
	const unsigned hint = load_relaxed(&stock->hint);
	unsigned cell = hint < percpu->slots.capacity ? hint : 0;

	assert(value != PERCPU_NO_VALUE);
	for (unsigned looked = 0; looked < percpu->slots.capacity; looked++) {
		if (cell_push(&stock->cells[cell], value)) {
			/* relaxed: as above. */
			store_relaxed(&stock->hint, cell + 1);
			return true;
		}
		cell = cell_above(percpu, cell);
	}
	return false;
}

/* slot_take - P3: false, having found each cell empty. */
static bool slot_take(const struct percpu *percpu, struct cas_slot *stock,
		      uint64_t *value)
{
	/* relaxed: only says where to begin. */
	unsigned cell = cell_below(percpu, load_relaxed(&stock->hint));

	for (unsigned looked = 0; looked < percpu->slots.capacity; looked++) {
		if (cell_take(&stock->cells[cell], value)) {
			/* relaxed: as above. */
			store_relaxed(&stock->hint, cell);
			return true;
		}
		cell = cell_below(percpu, cell);
	}
	return false;
}

static bool cas_push(struct percpu *percpu, uint64_t value)
{
	struct cas_slot *const stock = slot_here(percpu);

	return !is_stopped(stock) && slot_push(percpu, stock, value);
}

static bool cas_take(struct percpu *percpu, uint64_t *value)
{
	struct cas_slot *const stock = slot_here(percpu);

	return !is_stopped(stock) && slot_take(percpu, stock, value);
}

static unsigned cas_push_many(struct percpu *percpu, const uint64_t *values,
			      unsigned count)
{
	struct cas_slot *const stock = slot_here(percpu);
	unsigned moved = 0;

	while (moved < count && !is_stopped(stock) &&
	       slot_push(percpu, stock, values[moved]))
		moved++;
	return moved;
}

static unsigned cas_take_many(struct percpu *percpu, uint64_t *values,
			      unsigned count)
{
	struct cas_slot *const stock = slot_here(percpu);
	unsigned moved = 0;

	while (moved < count && !is_stopped(stock) &&
	       slot_take(percpu, stock, &values[moved]))
		moved++;
	return moved;
}

static int cas_stop(struct percpu *percpu, unsigned slot)
{
	/* relaxed: hands nothing over; each value orders itself. */
	add_relaxed(&slot_at(percpu, slot)->stopped, 1);
	return 0;
}

static void cas_start(struct percpu *percpu, unsigned slot)
{
	/* relaxed: as above. */
	const unsigned before = sub_relaxed(&slot_at(percpu, slot)->stopped, 1);

	assert(before > 0); /* P6 */
	(void)before;
}

static unsigned cas_drain(struct percpu *percpu, unsigned slot,
			  uint64_t *values)
{
	struct cas_slot *const stock = slot_at(percpu, slot);
	unsigned count = 0;

	assert(is_stopped(stock));
	for (unsigned cell = 0; cell < percpu->slots.capacity; cell++)
		count += cell_take(&stock->cells[cell], &values[count]);
	/* relaxed: only says where to begin. */
	store_relaxed(&stock->hint, 0);
	return count;
}

static unsigned cas_count(const struct percpu *percpu, unsigned slot)
{
	const struct cas_slot *const stock = slot_at(percpu, slot);
	unsigned count = 0;

	/* relaxed: a figure. */
	for (unsigned cell = 0; cell < percpu->slots.capacity; cell++)
		count += load_relaxed(&stock->cells[cell]) != 0;
	return count;
}

const struct percpu_ops percpu_cas = {
	.name = "cas",
	.slot_bytes = cas_slot_bytes,
	.push = cas_push,
	.take = cas_take,
	.push_many = cas_push_many,
	.take_many = cas_take_many,
	.stop = cas_stop,
	.start = cas_start,
	.drain = cas_drain,
	.count = cas_count,
};
