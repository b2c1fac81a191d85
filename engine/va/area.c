/* SPDX-License-Identifier: MIT */
/*
 * area.c - the one slab of descriptors of the process.
 *
 * Type-stable: a pointer to a descriptor that went back and came out again
 * still points to a descriptor.
 */
#include "va/area.h"

#include "base/slab.h"
#include "va/va.h"

static struct slab area_slab = SLAB("vmap_area", struct vmap_area);

struct vmap_area *area_take(const struct os *os)
{
	return slab_take(&area_slab, os);
}

void area_give(struct vmap_area *area)
{
	slab_give(&area_slab, area);
}

void area_chain_give(struct vmap_area *chain)
{
	while (chain) {
		struct vmap_area *const next = chain->purge_next;

		area_give(chain);
		chain = next;
	}
}

void area_fork_begin(void)
{
	slab_fork_begin(&area_slab);
}

void area_fork_end(void)
{
	slab_fork_end(&area_slab);
}

void area_to_found(const struct vmap_area *area, struct va_found *found,
		   bool lazy)
{
	*found = (struct va_found){
		.start = area->va_start,
		.end = area->va_end,
		.vm = area->vm,
		.lazy = lazy,
		.merged = lazy ? area->merged : 0,
	};
}
