/* SPDX-License-Identifier: MIT */
/*
 * percpu.c - the memory of per-CPU slots, whatever member keeps them whole.
 */
#include "base/percpu.h"

#include <errno.h>

#include "base/atomic.h"
#include "base/check.h"
#include "base/os.h"
#include "base/page.h"

static size_t slots_bytes(const struct percpu_slots *slots)
{
	return align_up(slots->slot_bytes * slots->count, PAGE_SIZE);
}

/* member_for - sections need a slot that no two CPUs share. */
static const struct percpu_ops *member_for(const struct percpu_ops *wanted,
					   const struct cpu_map *map)
{
	return wanted->has_sections && map->is_folded ? &percpu_cas : wanted;
}

int percpu_init(struct percpu *percpu, const struct percpu_ops *ops,
		const struct cpu_map *map, unsigned capacity,
		const struct os *os)
{
	assert(capacity >= 1);
	assert(capacity <= PERCPU_CAPACITY_MAX);

	const struct percpu_ops *const member = member_for(ops, map);
	struct percpu result = {
		.ops = member,
		.has_sections = member->has_sections,
		.slots = {
			.slot_bytes = align_up(member->slot_bytes(capacity),
					       FALSE_SHARING_BYTES),
			.rseq_offset = member->has_sections ? rseq_offset() : 0,
			.count = map->cpu_slots,
			.capacity = capacity,
		},
		.map = map,
		.os = os,
	};

	/* Zero is the empty slot of every member. */
	result.slots.base = os->mmap_anon(slots_bytes(&result.slots));
	if (result.slots.base == NULL)
		return -ENOMEM;
	*percpu = result;
	return 0;
}

void percpu_fini(struct percpu *percpu)
{
	percpu->os->munmap_anon(percpu->slots.base,
				slots_bytes(&percpu->slots));
	percpu->slots.base = NULL;
}

int percpu_take_all(struct percpu *percpu, unsigned slot, uint64_t *values)
{
	const int error = percpu_stop(percpu, slot);

	if (error != 0)
		return error;

	const unsigned count = percpu_drain(percpu, slot, values);

	percpu_start(percpu, slot);
	return (int)count;
}
