/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - small stocks of values, one a CPU, that nobody waits for.
 *
 * A percpu is an array of slots, one a possible CPU.  A slot holds up to
 * `capacity` values (frame numbers, page numbers), newest first.  push and take
 * work on the slot of the CPU that the caller runs on, and may refuse: then the
 * caller goes to whatever lies behind (a depot, a locked allocator).  How a
 * slot is kept whole is the member's affair:
 *
 *   rseq   restartable sequences (base/percpu_section.h): no atomic
 *          read-modify-write, no system call, inlined into the caller;
 *   cas    one atomic exchange or compare-and-swap on a cell; right on any CPU
 *          at any time, so a thread that is moved between asking where it runs
 *          and the operation only pays for a remote cache line.
 *
 * Contract, of every member:
 *
 *   P1  a value that was pushed is taken exactly once, or still there;
 *   P2  a slot never holds more than `capacity` values;
 *   P3  take refuses if each cell of the slot was empty at some instant of the
 *       call, push if each was full at some instant of it, both if the slot
 *       was stopped, and else only what the member says: rseq, when the thread
 *       was interrupted SECTION_ABORTS_MAX times in a row, or runs on a CPU
 *       without a slot;
 *   P4  without interference, take gives the value pushed last.
 *
 * Any thread may empty any slot, of a CPU that is offline too:
 *
 *	stop    from now on push and take refuse in this slot
 *	drain   take every value that is there
 *	start   as if nothing had been
 *
 *   P5  what is ordered after a stop, and not after its start, refuses.  With
 *       rseq nothing else commits either: when stop returns, the slot is at
 *       rest.  With cas, an operation that had begun by then may still hand
 *       over its values after it, and after the drain.
 *   P6  stops add up: a slot works again when each was started.  Of threads
 *       that drain one slot at once, each value comes to exactly one.
 *
 * A thread that never gets from stop to start costs this one slot: its CPU's
 * threads go to what lies behind, and others may still drain.
 *
 * Who may run with whom: all by any threads; init and fini alone.  rseq is safe
 * in signal handlers, for a handler aborts the section it interrupts.
 *
 * Order: what was done before the push is seen after the take or drain
 * [percpu-value].
 *
 * Progress: wait-free; cas looks at `capacity` cells at most, rseq tries
 * SECTION_ABORTS_MAX times.  A thread that stops inside strands, with cas, the
 * values it is handing over, and with rseq nothing.
 */
#ifndef LFV_BASE_PERCPU_H
#define LFV_BASE_PERCPU_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/percpu_section.h"

struct os;
struct percpu;

/* The one value that cannot be kept: an empty cell. */
#define PERCPU_NO_VALUE UINT64_MAX

enum { PERCPU_CAPACITY_MAX = 4096 };

struct percpu_ops {
	const char *name;  /* as in statistics: the way a slot is kept whole */
	bool has_sections; /* push and take are inlined; exclusive by CPU */
	size_t (*slot_bytes)(unsigned capacity);
	bool (*push)(struct percpu *percpu, uint64_t value);
	bool (*take)(struct percpu *percpu, uint64_t *value);
	unsigned (*push_many)(struct percpu *percpu, const uint64_t *values,
			      unsigned count);
	unsigned (*take_many)(struct percpu *percpu, uint64_t *values,
			      unsigned count);
	int (*stop)(struct percpu *percpu, unsigned slot);
	void (*start)(struct percpu *percpu, unsigned slot);
	unsigned (*drain)(struct percpu *percpu, unsigned slot,
			  uint64_t *values);
	unsigned (*count)(const struct percpu *percpu, unsigned slot);
};

struct percpu {
	/* constant after init; what push and take need comes first */
	const struct percpu_ops *ops;
	bool has_sections;
	struct percpu_slots slots;
	const struct cpu_map *map;
	const struct os *os;
};

/* percpu_cas - the member that is right everywhere. */
extern const struct percpu_ops percpu_cas;
/* percpu_rseq - only where percpu_choose() chose it. */
extern const struct percpu_ops percpu_rseq;

enum percpu_wanted { PERCPU_AUTO, PERCPU_RSEQ, PERCPU_CAS };

/*
 * percpu_choose - the member for this process: for PERCPU_AUTO rseq where it
 * works and cas elsewhere; NULL for PERCPU_RSEQ where it does not.
 *
 * rseq works where glibc has registered it, the kernel has its fence, and a
 * probe, made once a process, saw that a preempted section is aborted
 * (base/percpu_probe.h).  It makes two threads, which end with it, and leaves
 * the caller's signals and affinity alone.
 */
const struct percpu_ops *percpu_choose(enum percpu_wanted wanted,
				       const struct os *os);

/*
 * percpu_init - empty slots for every CPU of `map`; the map must outlive them.
 *
 * 0, or -ENOMEM.  `capacity` is from 1 to PERCPU_CAPACITY_MAX.  Where CPUs of
 * the machine share a slot of the map, the member is cas whatever was asked
 * for: no CPU has a slot for itself.
 */
__attribute__((warn_unused_result)) int
percpu_init(struct percpu *percpu, const struct percpu_ops *ops,
	    const struct cpu_map *map, unsigned capacity, const struct os *os);

/* percpu_fini - values still there are forgotten: drain first. */
void percpu_fini(struct percpu *percpu);

/* percpu_push - leave a value with this CPU; false: refused (P3). */
static inline bool percpu_push(struct percpu *percpu, uint64_t value)
{
	assert(value != PERCPU_NO_VALUE);
	return __builtin_expect(percpu->has_sections, 1)
		       ? slots_push(&percpu->slots, value)
		       : percpu->ops->push(percpu, value);
}

/*
 * percpu_take - a value of this CPU's; false, with `value` untouched: refused.
 */
__attribute__((warn_unused_result)) static inline bool
percpu_take(struct percpu *percpu, uint64_t *value)
{
	if (__builtin_expect(percpu->has_sections, 1))
		return slots_take(&percpu->slots, value);

	/* A cell of its own, so that `value` may stay in a register. */
	uint64_t taken;

	if (!percpu->ops->take(percpu, &taken))
		return false;
	*value = taken;
	return true;
}

/*
 * percpu_try_push, percpu_try_take - as above, of a member with sections, and
 * refused as well when the one try was interrupted.
 */
static inline bool percpu_try_push(struct percpu *percpu, uint64_t value)
{
	assert(percpu->has_sections && value != PERCPU_NO_VALUE);
	return section_push(&percpu->slots, value) > 0;
}

__attribute__((warn_unused_result)) static inline bool
percpu_try_take(struct percpu *percpu, uint64_t *value)
{
	uint64_t taken;

	assert(percpu->has_sections);
	if (__builtin_expect(section_take(&percpu->slots, &taken) <= 0, 0))
		return false;
	*value = taken;
	return true;
}

/*
 * percpu_push_many - push values[0] and so on, as many as fit; how many.
 *
 * With rseq it takes effect at one instant, with cas one by one.
 */
__attribute__((warn_unused_result)) static inline unsigned
percpu_push_many(struct percpu *percpu, const uint64_t *values, unsigned count)
{
	assert(count >= 1);
	return percpu->ops->push_many(percpu, values, count);
}

/*
 * percpu_take_many - take up to `count` values, newest first; how many.
 *
 * As above.  What of `values` was not filled may have been written to.
 */
__attribute__((warn_unused_result)) static inline unsigned
percpu_take_many(struct percpu *percpu, uint64_t *values, unsigned count)
{
	assert(count >= 1);
	return percpu->ops->take_many(percpu, values, count);
}

/*
 * percpu_stop - keep everybody out of one CPU's slot (P5, P6).
 *
 * 0, or the error of the fence, and then nothing is stopped: rseq in a process
 * that has forbidden itself membarrier(2) since the member was chosen.
 */
__attribute__((warn_unused_result)) static inline int
percpu_stop(struct percpu *percpu, unsigned slot)
{
	return percpu->ops->stop(percpu, slot);
}

/* percpu_start - undo one stop of the caller's. */
static inline void percpu_start(struct percpu *percpu, unsigned slot)
{
	percpu->ops->start(percpu, slot);
}

/*
 * percpu_drain - empty a slot that the caller has stopped into `values`, which
 * has room for `capacity`; how many there were.
 */
static inline unsigned percpu_drain(struct percpu *percpu, unsigned slot,
				    uint64_t *values)
{
	return percpu->ops->drain(percpu, slot, values);
}

/* percpu_count - how many values one CPU's slot has; a figure, wait-free. */
static inline unsigned percpu_count(const struct percpu *percpu, unsigned slot)
{
	return percpu->ops->count(percpu, slot);
}

/*
 * percpu_take_all - stop, drain and start; how many there were, or the error
 * of the stop.
 */
__attribute__((warn_unused_result)) int
percpu_take_all(struct percpu *percpu, unsigned slot, uint64_t *values);

#endif
