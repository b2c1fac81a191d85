/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - small stocks of values, one a CPU, that nobody waits for.
 *
 * A percpu is an array of slots, one a possible CPU.  A slot holds up to
 * `capacity` values (frame numbers, page numbers), newest first.  push and take
 * work on the slot of the CPU that the caller runs on, and refuse when it is
 * full or empty: then the caller goes to whatever lies behind (a depot, a
 * locked allocator).  How a slot is kept whole is the member's affair:
 *
 *   cas    one atomic exchange or compare-and-swap on a cell; right on any CPU
 *          at any time, so a thread that is moved between asking where it runs
 *          and the operation only pays for a remote cache line.
 *
 * Contract, of every member:
 *
 *   P1  a value that was pushed is taken exactly once, or still there;
 *   P2  a slot never holds more than `capacity` values;
 *   P3  take refuses only if each cell of the slot was empty at some instant
 *       of the call, push only if each was full at some instant of it;
 *   P4  without interference, take gives the value pushed last.
 *
 * Who may run with whom: push, take and drain by any threads on any slots;
 * init and fini alone.
 *
 * Order: what was done before the push is seen after the take [percpu-value].
 *
 * Progress: wait-free, at most `capacity` cells are looked at.  A thread that
 * stops inside strands nothing but the one value it is handing over.
 */
#ifndef LFV_BASE_PERCPU_H
#define LFV_BASE_PERCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

struct os;
struct percpu;

/* The one value that cannot be kept: an empty cell. */
#define PERCPU_NO_VALUE UINT64_MAX

enum { PERCPU_CAPACITY_MAX = 4096 };

struct percpu_ops {
	const char *name; /* as in statistics: the way a slot is kept whole */
	size_t (*slot_bytes)(unsigned capacity);
	bool (*push)(struct percpu *percpu, unsigned slot, uint64_t value);
	bool (*take)(struct percpu *percpu, unsigned slot, uint64_t *value);
	/* Take every value that was there when the call began. */
	unsigned (*drain)(struct percpu *percpu, unsigned slot,
			  uint64_t *values);
};

struct percpu {
	/* constant after init */
	const struct percpu_ops *ops;
	const struct cpu_map *map;
	const struct os *os;
	unsigned capacity;
	size_t slot_bytes; /* distance between slots: whole cache lines */
	unsigned char *slots;
};

/* percpu_cas - the member that is right everywhere. */
extern const struct percpu_ops percpu_cas;

/*
 * percpu_init - empty slots for every CPU of `map`; the map must outlive them.
 *
 * 0, or -ENOMEM.  `capacity` is from 1 to PERCPU_CAPACITY_MAX.
 */
__attribute__((warn_unused_result)) int
percpu_init(struct percpu *percpu, const struct percpu_ops *ops,
	    const struct cpu_map *map, unsigned capacity, const struct os *os);

/* percpu_fini - values still there are forgotten: drain first. */
void percpu_fini(struct percpu *percpu);

/* percpu_push - leave a value with this CPU; false when its slot is full. */
static inline bool percpu_push(struct percpu *percpu, uint64_t value)
{
	return percpu->ops->push(percpu, cpu_slot(percpu->map, cpu_current()),
				 value);
}

/*
 * percpu_take - a value of this CPU's; false, with `value` untouched, when its
 * slot is empty.
 */
__attribute__((warn_unused_result)) static inline bool
percpu_take(struct percpu *percpu, uint64_t *value)
{
	return percpu->ops->take(percpu, cpu_slot(percpu->map, cpu_current()),
				 value);
}

/*
 * percpu_drain - empty one CPU's slot, by any thread, into `values`, which has
 * room for `capacity`; returns how many there were.
 *
 * What others push meanwhile may stay.
 */
static inline unsigned percpu_drain(struct percpu *percpu, unsigned slot,
				    uint64_t *values)
{
	return percpu->ops->drain(percpu, slot, values);
}

#endif
