/* SPDX-License-Identifier: MIT */
/*
 * section_x86_64.h - the sections of base/percpu_section.h, for x86-64.
 *
 * Numbers of labels: 1 begin, 2 behind the commit, 3 refused, 4 abort, 5 and 6
 * the section's own, 9 what the kernel is told.
 *
 * Every load of x86-64 is an acquire and every store a release, so the plain
 * ones are what [percpu-stop] and [percpu-value] need.
 */
#ifndef LFV_BASE_SECTION_X86_64_H
#define LFV_BASE_SECTION_X86_64_H

#define SECTIONS_EXIST true

/* version, flags; begin, length, abort */
#define SECTION_ARM                                 \
	".pushsection __rseq_cs, \"aw\"\n"          \
	".balign 32\n"                              \
	"9: .long 0, 0\n"                           \
	".quad 1f, 2f - 1f, 4f\n"                   \
	".popsection\n"                             \
	"leaq 9b(%%rip), %[slot]\n"                 \
	"movq %[slot], %%fs:%c[rseq_cs](%[area])\n" \
	"1:\n"

/* slot = base + cpu_id * slot_bytes; as an unsigned, none is beyond all */
#define SECTION_FIND                                \
	"movl %%fs:%c[cpu_id](%[area]), %k[slot]\n" \
	"cmpl %[cpus], %k[slot]\n"                  \
	"jae 3f\n"                                  \
	"imulq %[slot_bytes], %[slot]\n"            \
	"addq %[base], %[slot]\n"                   \
	"cmpl $0, %c[stopped](%[slot])\n"           \
	"jne 3f\n"                                  \
	"movl %c[count](%[slot]), %k[cell]\n"

/*
 * Out of the way, so that the common case runs straight through.  The kernel
 * goes to no abort that its signature does not stand before.
 */
#define SECTION_END                       \
	"2:\n"                            \
	".subsection 1\n"                 \
	".byte 0x0f, 0xb9, 0x3d\n"        \
	".long 0x53053053\n"              \
	"4: movl %[aborted], %k[moved]\n" \
	"jmp 2b\n"                        \
	"3: xorl %k[moved], %k[moved]\n"  \
	"jmp 2b\n"                        \
	".previous\n"

#define SECTION_OFFSETS                                                \
	[rseq_cs] "i"(RSEQ_CS), [cpu_id] "i"(RSEQ_CPU_ID),             \
		[stopped] "i"(offsetof(struct section_slot, stopped)), \
		[count] "i"(offsetof(struct section_slot, count)),     \
		[cells] "i"(offsetof(struct section_slot, cells)),     \
		[aborted] "i"(SECTION_ABORTED)

#define SECTION_SLOTS(slots)                                          \
	[area] "r"((slots)->rseq_offset), [cpus] "m"((slots)->count), \
		[slot_bytes] "m"((slots)->slot_bytes),                \
		[base] "m"((slots)->base), SECTION_OFFSETS

/*
 *	arm; find the slot
 *	cell = slot.count
 *	if (cell >= capacity) refuse
 *	slot.cells[cell] = value
 *	slot.count = cell + 1
 */
static inline int section_push(const struct percpu_slots *slots, uint64_t value)
{
	int moved = 1;
	uintptr_t slot;
	uint64_t cell;

	__asm__ volatile(
		/* acquire [percpu-stop]: what drain() left is what we count. */
		SECTION_ARM SECTION_FIND
		"cmpl %[capacity], %k[cell]\n"
		"jae 3f\n"
		"movq %[value], %c[cells](%[slot],%[cell],8)\n"
		"addl $1, %k[cell]\n"
		/* release [percpu-value]: the cell, and what it stands for. */
		"movl %k[cell], %c[count](%[slot])\n" SECTION_END
		: [moved] "+&r"(moved), [slot] "=&r"(slot), [cell] "=&r"(cell)
		: [value] "r"(value), [capacity] "m"(slots->capacity),
		  SECTION_SLOTS(slots)
		: "memory", "cc");
	return moved;
}

/*
 *	arm; find the slot
 *	if (slot.count == 0) refuse
 *	cell = slot.count - 1
 *	value = slot.cells[cell]
 *	slot.count = cell
 */
static inline int section_take(const struct percpu_slots *slots,
			       uint64_t *value)
{
	int moved = 1;
	uintptr_t slot;
	uint64_t cell;

	__asm__ volatile(SECTION_ARM SECTION_FIND
			 "subl $1, %k[cell]\n"
			 "jb 3f\n"
			 "movq %c[cells](%[slot],%[cell],8), %[value]\n"
			 "movl %k[cell], %c[count](%[slot])\n" SECTION_END
			 : [moved] "+&r"(moved), [slot] "=&r"(slot),
			   [cell] "=&r"(cell), [value] "=&r"(*value)
			 : SECTION_SLOTS(slots)
			 : "memory", "cc");
	return moved;
}

/*
 *	arm; find the slot
 *	cell = slot.count
 *	if (cell >= capacity) refuse
 *	room = min(count, capacity - cell)
 *	for (i = 0; i < room; i++)
 *		slot.cells[cell++] = values[i]
 *	slot.count = cell
 */
static inline int section_push_many(const struct percpu_slots *slots,
				    const uint64_t *values, unsigned count)
{
	uint64_t moved; /* i */
	uintptr_t slot;
	uint64_t cell;
	uint64_t value;
	unsigned room;

	__asm__ volatile(
		SECTION_ARM SECTION_FIND
		"movl %[capacity], %[room]\n"
		"subl %k[cell], %[room]\n"
		"jbe 3f\n"
		"cmpl %[wanted], %[room]\n"
		"cmoval %[wanted], %[room]\n"
		"xorl %k[moved], %k[moved]\n"
		"5: movq (%[values],%[moved],8), %[value]\n"
		"movq %[value], %c[cells](%[slot],%[cell],8)\n"
		"addl $1, %k[cell]\n"
		"addl $1, %k[moved]\n"
		"cmpl %[room], %k[moved]\n"
		"jb 5b\n"
		"movl %k[cell], %c[count](%[slot])\n" SECTION_END
		: [moved] "=&r"(moved), [slot] "=&r"(slot), [cell] "=&r"(cell),
		  [value] "=&r"(value), [room] "=&r"(room)
		: [values] "r"(values), [wanted] "r"(count),
		  [capacity] "m"(slots->capacity), SECTION_SLOTS(slots)
		: "memory", "cc");
	return (int)moved;
}

/*
 *	arm; find the slot
 *	cell = slot.count
 *	if (cell == 0) refuse
 *	most = min(count, cell)
 *	for (i = 0; i < most; i++)
 *		values[i] = slot.cells[--cell]
 *	slot.count = cell
 */
static inline int section_take_many(const struct percpu_slots *slots,
				    uint64_t *values, unsigned count)
{
	uint64_t moved; /* i */
	uintptr_t slot;
	uint64_t cell;
	uint64_t value;
	unsigned most;

	__asm__ volatile(
		SECTION_ARM SECTION_FIND
		"testl %k[cell], %k[cell]\n"
		"jz 3f\n"
		"movl %[wanted], %[most]\n"
		"cmpl %k[cell], %[most]\n"
		"cmoval %k[cell], %[most]\n"
		"xorl %k[moved], %k[moved]\n"
		"5: subl $1, %k[cell]\n"
		"movq %c[cells](%[slot],%[cell],8), %[value]\n"
		"movq %[value], (%[values],%[moved],8)\n"
		"addl $1, %k[moved]\n"
		"cmpl %[most], %k[moved]\n"
		"jb 5b\n"
		"movl %k[cell], %c[count](%[slot])\n" SECTION_END
		: [moved] "=&r"(moved), [slot] "=&r"(slot), [cell] "=&r"(cell),
		  [value] "=&r"(value), [most] "=&r"(most)
		: [values] "r"(values), [wanted] "r"(count),
		  SECTION_SLOTS(slots)
		: "memory", "cc");
	return (int)moved;
}

/*
 *	arm
 *	probe.entered = number
 *	while (probe.awaited != number)
 *		if (--turns == 0) refuse
 *	probe.committed = number
 */
static inline int section_wait(ptrdiff_t offset, struct section_probe *probe,
			       uint32_t number, unsigned turns)
{
	int moved = 1;
	uintptr_t slot;

	__asm__ volatile(SECTION_ARM
			 "movl %[number], %[entered]\n"
			 "5: cmpl %[number], %[awaited]\n"
			 "je 6f\n"
			 "subl $1, %[turns]\n"
			 "jnz 5b\n"
			 "jmp 3f\n"
			 "6: movl %[number], %[committed]\n" SECTION_END
			 : [moved] "+&r"(moved), [slot] "=&r"(slot),
			   [turns] "+&r"(turns), [entered] "=m"(probe->entered),
			   [committed] "=m"(probe->committed)
			 : [area] "r"(offset), [number] "r"(number),
			   [awaited] "m"(probe->awaited), SECTION_OFFSETS
			 : "memory", "cc");
	return moved;
}

#endif
