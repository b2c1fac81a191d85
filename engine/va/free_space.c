/* SPDX-License-Identifier: MIT */
/*
 * free_space.c - preload, search, cut and merge under one lock.
 */
#include "va/free_space.h"

#include <errno.h>

#include "base/check.h"
#include "base/cpu.h"
#include "base/error.h"
#include "va/area_census.h"

static size_t slots_bytes(const struct free_space *space)
{
	return space->slot_count * sizeof(*space->slots);
}

int free_space_init(struct free_space *space, const struct va_config *config,
		    enum free_align_rule rule)
{
	struct vmap_area *const everything = area_take(config->os);

	if (!everything)
		return error_set(-ENOMEM, "no memory for an area's descriptor"
					  " (RLIMIT_AS, vm.max_map_count)");
	space->os = config->os;
	space->slot_count = config->cpus;
	space->slots = config->os->mmap_anon(slots_bytes(space));
	if (!space->slots) {
		area_give(everything);
		return error_set(-ENOMEM, "no memory for the CPUs' stock"
					  " (RLIMIT_AS, vm.max_map_count)");
	}

	const int error =
		lock_init(&space->lock, config->lock, config->lock_yield);

	if (error) {
		config->os->munmap_anon(space->slots, slots_bytes(space));
		area_give(everything);
		return error;
	}
	space->start = config->start;
	space->end = config->end;
	free_tree_init(&space->tree, rule);
	everything->va_start = PAGE_SIZE;
	everything->va_end = UINTPTR_MAX & PAGE_MASK;
	free_space_merge(space, everything);
	return 0;
}

void free_space_fini(struct free_space *space)
{
	area_chain_give(area_tree_take_all(&space->tree.holes));
	for (unsigned i = 0; i < space->slot_count; i++) {
		/* relaxed: fini runs alone. */
		struct vmap_area *const spare =
			load_relaxed(&space->slots[i].spare);

		if (spare)
			area_give(spare);
	}
	lock_fini(&space->lock);
	space->os->munmap_anon(space->slots, slots_bytes(space));
}

static struct free_slot *slot_here(struct free_space *space)
{
	return &space->slots[cpu_current().value % space->slot_count];
}

/*
 * A descriptor for the slot, if it seems empty; NULL if not, or if there is no
 * memory, which matters only if it comes to an NE fit.
 */
static struct vmap_area *preload_begin(struct free_space *space,
				       struct free_slot *slot)
{
	/* relaxed: a hint; looked at again under the lock. */
	return load_relaxed(&slot->spare) ? NULL : area_take(space->os);
}

/* Fill the slot, under the lock; what it had no use for comes back. */
static struct vmap_area *preload_end(struct free_slot *slot,
				     struct vmap_area *spare)
{
	/* relaxed: G2, the lock orders all writers. */
	if (!spare || load_relaxed(&slot->spare))
		return spare;
	/* relaxed: as above. */
	store_relaxed(&slot->spare, spare);
	return NULL;
}

/* The slot's descriptor, or a new one; the lock is held. */
static struct vmap_area *spare_take(struct free_space *space,
				    struct free_slot *slot)
{
	/* relaxed: G2, the lock orders all writers. */
	struct vmap_area *const spare = load_relaxed(&slot->spare);

	if (!spare)
		return area_take(space->os);
	/* relaxed: as above. */
	store_relaxed(&slot->spare, NULL);
	return spare;
}

/* Search and cut; the lock is held. */
static int space_cut(struct free_space *space, struct free_slot *slot,
		     const struct va_request *request, uintptr_t *start)
{
	uintptr_t lowest;
	struct vmap_area *const hole =
		free_tree_find(&space->tree, request, &lowest);
	struct vmap_area *left = NULL;

	if (!hole)
		return -ENOMEM;
	if (free_fit_of(hole, lowest, request->size) == FREE_FIT_NE) {
		left = spare_take(space, slot);
		if (!left)
			return error_set(-ENOMEM,
					 "no memory for a descriptor"
					 " (RLIMIT_AS, vm.max_map_count)");
	}

	struct vmap_area *const gone =
		free_tree_cut(&space->tree, hole, lowest, request->size, left);

	if (gone)
		area_give(gone);
	*start = lowest;
	return 0;
}

int free_space_take(struct free_space *space, const struct va_request *request,
		    uintptr_t *start)
{
	struct free_slot *const slot = slot_here(space);
	struct vmap_area *spare = preload_begin(space, slot);
	struct lock_turn turn;

	(void)lock_enter(&space->lock, &turn);
	spare = preload_end(slot, spare);

	const int error = space_cut(space, slot, request, start);

	lock_leave(&space->lock, &turn);
	if (spare)
		area_give(spare);
	return error;
}

void free_space_enter(struct free_space *space, struct lock_turn *turn)
{
	(void)lock_enter(&space->lock, turn);
}

void free_space_leave(struct free_space *space, struct lock_turn *turn)
{
	lock_leave(&space->lock, turn);
}

void free_space_merge(struct free_space *space, struct vmap_area *area)
{
	struct vmap_area *surplus = NULL;

	free_tree_give(&space->tree, area, &surplus);
	area_chain_give(surplus);
}

void free_space_give(struct free_space *space, struct vmap_area *chain)
{
	struct lock_turn turn;

	if (!chain)
		return;
	(void)lock_enter(&space->lock, &turn);
	while (chain) {
		struct vmap_area *const area = chain;

		chain = area->purge_next;
		free_space_merge(space, area);
	}
	lock_leave(&space->lock, &turn);
}

void free_space_check(const struct free_space *space)
{
	free_tree_check(&space->tree);
}

/* hole_clip - the part of a hole that lies in the window; false: none does. */
static bool hole_clip(const struct free_space *space,
		      const struct vmap_area *hole, struct vmap_area *clipped)
{
	*clipped = *hole;
	if (clipped->va_start < space->start)
		clipped->va_start = space->start;
	if (clipped->va_end > space->end)
		clipped->va_end = space->end;
	return clipped->va_start < clipped->va_end;
}

void free_space_census(const struct free_space *space,
		       struct area_census *census)
{
	struct vmap_area clipped;

	list_for_each (link, &space->tree.holes.list) {
		if (hole_clip(space, area_of_link(link), &clipped))
			area_census_add(census, &clipped);
	}
}

void free_space_stats(struct free_space *space, struct va_stats *stats)
{
	struct vmap_area clipped;
	struct lock_turn turn;

	(void)lock_enter_shared(&space->lock, &turn);
	list_for_each (link, &space->tree.holes.list) {
		if (hole_clip(space, area_of_link(link), &clipped))
			stats_add_hole(stats, &clipped);
	}
	lock_leave_shared(&space->lock, &turn);
	stats_add_lock(stats, &space->lock);
}
