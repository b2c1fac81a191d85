/* SPDX-License-Identifier: MIT */
/*
 * section_aarch64.h - the sections of base/percpu_section.h, for 64-bit ARM.
 *
 * Numbers of labels: 1 begin, 2 behind the commit, 3 refused, 4 abort, 5 and 6
 * the section's own, 9 what the kernel is told.
 *
 * Loads pass each other here, so `stopped` is loaded with ldar: the count and
 * the cells that are read behind it are not older [percpu-stop].  The commit is
 * an stlr [percpu-value].
 */
#ifndef LFV_BASE_SECTION_AARCH64_H
#define LFV_BASE_SECTION_AARCH64_H

#define SECTIONS_EXIST true

/* version, flags; begin, length, abort */
#define SECTION_ARM                            \
	".pushsection __rseq_cs, \"aw\"\n"     \
	".balign 32\n"                         \
	"9: .long 0, 0\n"                      \
	".quad 1f, 2f - 1f, 4f\n"              \
	".popsection\n"                        \
	"adrp %[slot], 9b\n"                   \
	"add %[slot], %[slot], :lo12:9b\n"     \
	"str %[slot], [%[area], %[rseq_cs]]\n" \
	"1:\n"

/* slot = base + cpu_id * slot_bytes; as an unsigned, none is beyond all */
#define SECTION_FIND                                      \
	"ldr %w[slot], [%[area], %[cpu_id]]\n"            \
	"cmp %w[slot], %w[cpus]\n"                        \
	"b.hs 3f\n"                                       \
	"madd %[slot], %[slot], %[slot_bytes], %[base]\n" \
	"add %[cells], %[slot], %[stopped_at]\n"          \
	"ldar %w[cell], [%[cells]]\n"                     \
	"cbnz %w[cell], 3f\n"                             \
	"ldr %w[cell], [%[slot]]\n"                       \
	"add %[cells], %[slot], %[cells_at]\n"

/*
 * Out of the way, so that the common case runs straight through.  The kernel
 * goes to no abort that its signature does not stand before.
 */
#define SECTION_END                      \
	"2:\n"                           \
	".subsection 1\n"                \
	".inst 0xd428bc00\n"             \
	"4: mov %w[moved], %[aborted]\n" \
	"b 2b\n"                         \
	"3: mov %w[moved], wzr\n"        \
	"b 2b\n"                         \
	".previous\n"

static_assert(offsetof(struct section_slot, count) == 0, "for ldr, stlr");

#define SECTION_OFFSETS                                                   \
	[rseq_cs] "i"(RSEQ_CS), [cpu_id] "i"(RSEQ_CPU_ID),                \
		[stopped_at] "i"(offsetof(struct section_slot, stopped)), \
		[cells_at] "i"(offsetof(struct section_slot, cells)),     \
		[aborted] "i"(SECTION_ABORTED)

#define SECTION_SLOTS(slots)                           \
	[area] "r"(rseq_area((slots)->rseq_offset)),   \
		[cpus] "r"((slots)->count),            \
		[slot_bytes] "r"((slots)->slot_bytes), \
		[base] "r"((slots)->base), SECTION_OFFSETS

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
	uintptr_t cells;
	uint64_t cell;

	__asm__ volatile(
		/* acquire [percpu-stop]: what drain() left is what we count. */
		SECTION_ARM SECTION_FIND
		"cmp %w[cell], %w[capacity]\n"
		"b.hs 3f\n"
		"str %[value], [%[cells], %[cell], lsl #3]\n"
		"add %w[cell], %w[cell], #1\n"
		/* release [percpu-value]: the cell, and what it stands for. */
		"stlr %w[cell], [%[slot]]\n" SECTION_END
		: [moved] "+&r"(moved), [slot] "=&r"(slot),
		  [cells] "=&r"(cells), [cell] "=&r"(cell)
		: [value] "r"(value), [capacity] "r"(slots->capacity),
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
	uintptr_t cells;
	uint64_t cell;

	__asm__ volatile(SECTION_ARM SECTION_FIND
			 "subs %w[cell], %w[cell], #1\n"
			 "b.lo 3f\n"
			 "ldr %[value], [%[cells], %[cell], lsl #3]\n"
			 "stlr %w[cell], [%[slot]]\n" SECTION_END
			 : [moved] "+&r"(moved), [slot] "=&r"(slot),
			   [cells] "=&r"(cells), [cell] "=&r"(cell),
			   [value] "=&r"(*value)
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
	uintptr_t cells;
	uint64_t cell;
	uint64_t value;
	unsigned room;

	__asm__ volatile(SECTION_ARM SECTION_FIND
			 "subs %w[room], %w[capacity], %w[cell]\n"
			 "b.ls 3f\n"
			 "cmp %w[room], %w[wanted]\n"
			 "csel %w[room], %w[room], %w[wanted], lo\n"
			 "mov %[moved], #0\n"
			 "5: ldr %[value], [%[values], %[moved], lsl #3]\n"
			 "str %[value], [%[cells], %[cell], lsl #3]\n"
			 "add %w[cell], %w[cell], #1\n"
			 "add %w[moved], %w[moved], #1\n"
			 "cmp %w[moved], %w[room]\n"
			 "b.lo 5b\n"
			 "stlr %w[cell], [%[slot]]\n" SECTION_END
			 : [moved] "=&r"(moved), [slot] "=&r"(slot),
			   [cells] "=&r"(cells), [cell] "=&r"(cell),
			   [value] "=&r"(value), [room] "=&r"(room)
			 : [values] "r"(values), [wanted] "r"(count),
			   [capacity] "r"(slots->capacity), SECTION_SLOTS(slots)
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
	uintptr_t cells;
	uint64_t cell;
	uint64_t value;
	unsigned most;

	__asm__ volatile(SECTION_ARM SECTION_FIND
			 "cbz %w[cell], 3f\n"
			 "cmp %w[cell], %w[wanted]\n"
			 "csel %w[most], %w[cell], %w[wanted], lo\n"
			 "mov %[moved], #0\n"
			 "5: sub %w[cell], %w[cell], #1\n"
			 "ldr %[value], [%[cells], %[cell], lsl #3]\n"
			 "str %[value], [%[values], %[moved], lsl #3]\n"
			 "add %w[moved], %w[moved], #1\n"
			 "cmp %w[moved], %w[most]\n"
			 "b.lo 5b\n"
			 "stlr %w[cell], [%[slot]]\n" SECTION_END
			 : [moved] "=&r"(moved), [slot] "=&r"(slot),
			   [cells] "=&r"(cells), [cell] "=&r"(cell),
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
			 "str %w[number], %[entered]\n"
			 "5: ldr %w[slot], %[awaited]\n"
			 "cmp %w[slot], %w[number]\n"
			 "b.eq 6f\n"
			 "subs %w[turns], %w[turns], #1\n"
			 "b.ne 5b\n"
			 "b 3f\n"
			 "6: str %w[number], %[committed]\n" SECTION_END
			 : [moved] "+&r"(moved), [slot] "=&r"(slot),
			   [turns] "+&r"(turns), [entered] "=m"(probe->entered),
			   [committed] "=m"(probe->committed)
			 : [area] "r"(rseq_area(offset)), [number] "r"(number),
			   [awaited] "m"(probe->awaited), SECTION_OFFSETS
			 : "memory", "cc");
	return moved;
}

#endif
