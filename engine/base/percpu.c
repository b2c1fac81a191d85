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

static size_t slots_bytes(const struct percpu *percpu)
{
	return align_up(percpu->slot_bytes * percpu->map->cpu_slots, PAGE_SIZE);
}

int percpu_init(struct percpu *percpu, const struct percpu_ops *ops,
		const struct cpu_map *map, unsigned capacity,
		const struct os *os)
{
	assert(capacity >= 1);
	assert(capacity <= PERCPU_CAPACITY_MAX);

	struct percpu result = {
		.ops = ops,
		.map = map,
		.os = os,
		.capacity = capacity,
		.slot_bytes = align_up(ops->slot_bytes(capacity),
				       FALSE_SHARING_BYTES),
	};

	/* Zero is the empty slot of every member. */
	result.slots = os->mmap_anon(slots_bytes(&result));
	if (result.slots == NULL)
		return -ENOMEM;
	*percpu = result;
	return 0;
}

void percpu_fini(struct percpu *percpu)
{
	percpu->os->munmap_anon(percpu->slots, slots_bytes(percpu));
	percpu->slots = NULL;
}
