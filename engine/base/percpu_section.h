/* SPDX-License-Identifier: MIT */
/*
 * percpu_section.h - restartable sequences on the slot of this CPU.
 *
 * A section is a run of instructions that ends in one store, its commit.  The
 * thread tells the kernel where it begins and ends; a thread that is preempted,
 * moved or given a signal inside does not go on where it was: it comes back at
 * the section's abort.  So until its commit a section has the slot of the CPU
 * it runs on for itself, without an atomic read-modify-write and without a
 * system call, and one that is left for ever is as if it had not begun.
 *
 *	count = 3, stopped = 0
 *	cell 0   1   2   3   4
 *	   | v | v | v | ? | ? |     push writes cell 3, commits count = 4
 *	             ^               take reads cell 2, commits count = 2
 *
 *   S1  count <= capacity, and the cells below count hold values, the one
 *       pushed last on top; what lies above may change at any time;
 *   S2  while `stopped` is 0, count changes by the commit of a section on the
 *       slot's own CPU; while it is not, by whoever holds a stop and no
 *       section (percpu_rseq.c says how both are kept apart);
 *   S3  the commit is the last instruction of a section, and the only store
 *       that another thread could tell from none.
 *
 * Each section has four parts, the same on every architecture:
 *
 *	arm     rseq_cs = what the kernel has to know
 *	find    the slot of cpu_id; refused beyond the slots, or unregistered,
 *	        or stopped; acquire [percpu-stop]
 *	prepare cells and the caller's memory
 *	commit  count; release [percpu-value]
 *
 * Its result is how many values were moved; SECTION_REFUSED; or
 * SECTION_ABORTED, with nothing changed: then it may be tried again.
 *
 * Nothing is called inside, and nothing else of the area is written.  What the
 * kernel was told stays told until the next section, so the code must not be
 * unmapped.  A debugger that steps through a section aborts it at each step.
 *
 * The sanitizers do not see into sections: in their builds there are none.
 */
#ifndef LFV_BASE_PERCPU_SECTION_H
#define LFV_BASE_PERCPU_SECTION_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rseq.h"

/* percpu_slots - where they lie: all that a section needs to know. */
struct percpu_slots {
	/* constant after init */
	unsigned char *base;
	size_t slot_bytes; /* from one slot to the next: whole cache lines */
	ptrdiff_t rseq_offset;
	unsigned count; /* CPUs with an id below it have a slot */
	unsigned capacity;
};

/* section_slot - the slot of one CPU. */
struct section_slot {
	_Atomic(uint32_t) count;
	_Atomic(uint32_t) stopped; /* how many keep the sections out */
	_Atomic(uint64_t) cells[];
};

static_assert(offsetof(struct section_slot, cells) == 8, "for the assembly");

/* section_probe - of the section that only waits (percpu_choose.c). */
struct section_probe {
	_Atomic(uint32_t) entered; /* written inside the section */
	_Atomic(uint32_t) awaited; /* by another thread, while it is inside */
	_Atomic(uint32_t) committed;
};

enum section_result { SECTION_REFUSED = 0, SECTION_ABORTED = -1 };

/* After as many aborts in a row the caller goes elsewhere. */
enum { SECTION_ABORTS_MAX = 8 };

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SECTION_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SECTION_SANITIZED 1
#endif

/*
 * Each of them has
 *
 *	section_push(slots, value)
 *	section_take(slots, &value)                value only if 1 is returned
 *	section_push_many(slots, values, count)    values[0] first
 *	section_take_many(slots, values, count)    newest first
 *	section_wait(rseq_offset, probe, number, turns)
 *
 * and SECTIONS_EXIST.
 */
#if defined(SECTION_SANITIZED)
#include "base/section_none.h"
#elif defined(__x86_64__) && defined(__LP64__)
#include "base/section_x86_64.h"
#elif defined(__aarch64__) && defined(__LP64__)
#include "base/section_aarch64.h"
#else
#include "base/section_none.h"
#endif

/* slots_push - false: full, stopped, no slot, or aborted again and again. */
static inline bool slots_push(const struct percpu_slots *slots, uint64_t value)
{
	for (int i = 0; i < SECTION_ABORTS_MAX; i++) {
		const int moved = section_push(slots, value);

		if (moved != SECTION_ABORTED)
			return moved > 0;
	}
	return false;
}

/* slots_take - false, with `value` untouched: empty, or as above. */
static inline bool slots_take(const struct percpu_slots *slots, uint64_t *value)
{
	for (int i = 0; i < SECTION_ABORTS_MAX; i++) {
		uint64_t taken;
		const int moved = section_take(slots, &taken);

		if (moved > 0)
			*value = taken;
		if (moved != SECTION_ABORTED)
			return moved > 0;
	}
	return false;
}

#endif
