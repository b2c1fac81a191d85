/* SPDX-License-Identifier: MIT */
/*
 * percpu_rseq.c - the member whose slots belong to the CPU that runs.
 *
 * push and take are the sections of base/percpu_section.h.  What is left is how
 * another thread empties a slot that sections work on without asking anybody:
 *
 *	stop                               a section on the slot's CPU
 *	stopped += 1
 *	membarrier(rseq, this CPU)
 *	  |  began before: committed by now, and the commit is seen here;
 *	  |                or aborted, and it will never commit
 *	  v  begins after: sees stopped, refuses
 *	... nobody changes the slot but those who hold a stop ...
 *	start
 *	stopped -= 1                       sees 0: and what drain left
 *
 * Between stops count goes from n to 0 at most once, by a compare-and-swap
 * after the cells were copied: of several drainers one has the values.
 */
#include "base/atomic.h"
#include "base/check.h"
#include "base/os.h"
#include "base/percpu.h"

static struct section_slot *slot_at(const struct percpu *percpu, unsigned slot)
{
	assert(slot < percpu->slots.count);
	return (struct section_slot *)(void *)(percpu->slots.base +
					       slot * percpu->slots.slot_bytes);
}

static size_t rseq_slot_bytes(unsigned capacity)
{
	return sizeof(struct section_slot) +
	       capacity * sizeof(_Atomic(uint64_t));
}

static bool rseq_push(struct percpu *percpu, uint64_t value)
{
	return slots_push(&percpu->slots, value);
}

static bool rseq_take(struct percpu *percpu, uint64_t *value)
{
	return slots_take(&percpu->slots, value);
}

static unsigned rseq_push_many(struct percpu *percpu, const uint64_t *values,
			       unsigned count)
{
	int moved = SECTION_ABORTED;

	for (int i = 0; i < SECTION_ABORTS_MAX && moved < 0; i++)
		moved = section_push_many(&percpu->slots, values, count);
	return moved > 0 ? (unsigned)moved : 0;
}

static unsigned rseq_take_many(struct percpu *percpu, uint64_t *values,
			       unsigned count)
{
	int moved = SECTION_ABORTED;

	for (int i = 0; i < SECTION_ABORTS_MAX && moved < 0; i++)
		moved = section_take_many(&percpu->slots, values, count);
	return moved > 0 ? (unsigned)moved : 0;
}

/* rseq_stop - takes effect when the fence has been on the slot's CPU. */
static int rseq_stop(struct percpu *percpu, unsigned slot)
{
	struct section_slot *const stock = slot_at(percpu, slot);

	/* relaxed: the fence orders it before all that it lets begin. */
	add_relaxed(&stock->stopped, 1);

	const int error = percpu->os->fence_cpu(slot);

	if (error != 0) {
		/* relaxed: nothing was done that anybody has to see. */
		sub_relaxed(&stock->stopped, 1);
	}
	return error;
}

static void rseq_start(struct percpu *percpu, unsigned slot)
{
	/* release [percpu-stop]: who finds 0 finds the count and the cells. */
	const uint32_t before = sub_release(&slot_at(percpu, slot)->stopped, 1);

	assert(before > 0); /* P6 */
	(void)before;
}

static unsigned rseq_drain(struct percpu *percpu, unsigned slot,
			   uint64_t *values)
{
	struct section_slot *const stock = slot_at(percpu, slot);

	/* relaxed: the caller's own stop is in it. */
	assert(load_relaxed(&stock->stopped) > 0);

	/* acquire [percpu-value]: the cells, and what they stand for. */
	uint32_t count = load_acquire(&stock->count);

	require_invariant(count <= percpu->slots.capacity, "P2");
	for (uint32_t cell = 0; cell < count; cell++) {
		/* relaxed: at rest until the last stop is started. */
		values[cell] = load_relaxed(&stock->cells[cell]);
	}
	/* relaxed: decides between drainers; sections wait for the start. */
	return cas_relaxed(&stock->count, &count, 0) ? count : 0;
}

static unsigned rseq_count(const struct percpu *percpu, unsigned slot)
{
	/* relaxed: a figure. */
	return load_relaxed(&slot_at(percpu, slot)->count);
}

const struct percpu_ops percpu_rseq = {
	.name = "rseq",
	.has_sections = true,
	.slot_bytes = rseq_slot_bytes,
	.push = rseq_push,
	.take = rseq_take,
	.push_many = rseq_push_many,
	.take_many = rseq_take_many,
	.stop = rseq_stop,
	.start = rseq_start,
	.drain = rseq_drain,
	.count = rseq_count,
};
