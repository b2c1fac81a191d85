/* SPDX-License-Identifier: MIT */
/*
 * augmented.c - the locks and trees of generation 3, without the lazy areas.
 */
#include "va/augmented.h"

#include <errno.h>

#include "base/check.h"
#include "base/error.h"
#include "va/area_census.h"

/* vmap_area.state: Linux's "va->vm is set", guarded by busy_lock. */
enum { AREA_DETACHED, AREA_ATTACHED };

static bool is_live(const struct vmap_area *area)
{
	return area->state == AREA_ATTACHED;
}

int augmented_init(struct va *va, enum free_align_rule rule)
{
	struct augmented *const self = augmented_of(va);
	const struct va_config *const config = &va->config;
	int error = free_space_init(&self->space, config, rule);

	if (error)
		return error;
	error = lock_init(&self->busy_lock, config->lock, config->lock_yield);
	if (error)
		goto fini_space;
	error = lock_init(&self->lazy_lock, config->lock, config->lock_yield);
	if (error)
		goto fini_busy;
	self->lazy_pages_max = va_lazy_max_pages(config->cpus);
	area_tree_init(&self->busy);
	area_tree_init(&self->lazy);
	return 0;

fini_busy:
	lock_fini(&self->busy_lock);
fini_space:
	free_space_fini(&self->space);
	return error;
}

void augmented_fini(struct va *va)
{
	struct augmented *const self = augmented_of(va);

	area_chain_give(area_tree_take_all(&self->busy));
	lock_fini(&self->lazy_lock);
	lock_fini(&self->busy_lock);
	free_space_fini(&self->space);
}

static void busy_add(struct augmented *self, struct vmap_area *area)
{
	struct lock_turn turn;

	(void)lock_enter(&self->busy_lock, &turn);
	area_tree_add(&self->busy, area);
	lock_leave(&self->busy_lock, &turn);
}

/* Linux's setup_vmalloc_vm(): a round of its own until 6.9. */
static void busy_attach(struct augmented *self, struct vmap_area *area,
			const struct vm_struct *vm)
{
	struct lock_turn turn;

	(void)lock_enter(&self->busy_lock, &turn);
	area->vm = *vm;
	area->state = AREA_ATTACHED;
	lock_leave(&self->busy_lock, &turn);
}

int augmented_alloc(struct va *va, const struct va_request *request,
		    struct va_range *range)
{
	struct augmented *const self = augmented_of(va);
	struct vmap_area *const area = area_take(va->config.os);

	if (!area)
		return error_set(-ENOMEM, "no memory for an area's descriptor"
					  " (RLIMIT_AS, vm.max_map_count)");

	const int error =
		free_space_take(&self->space, request, &area->va_start);

	if (error) {
		area_give(area);
		return error;
	}
	area->va_end = area->va_start + request->size;
	area->state = AREA_DETACHED;
	area->merged = 1;
	assert(area->va_start >= request->vstart); /* A2 */
	assert(area->va_end <= request->vend);     /* A2 */
	assert((area->va_start & (request->align - 1)) == 0);
	*range = area_range(area);
	busy_add(self, area);
	/* From here on it can be freed, and the descriptor be another's. */
	busy_attach(self, area, &request->vm);
	return 0;
}

/* The live area that begins at `start`, no longer live; NULL: there is none. */
static struct vmap_area *busy_detach(struct augmented *self, uintptr_t start)
{
	struct lock_turn turn;

	(void)lock_enter(&self->busy_lock, &turn);

	struct vmap_area *const area = area_tree_find(&self->busy, start);
	const bool hit = area && area->va_start == start && is_live(area);

	if (hit)
		area->state = AREA_DETACHED;
	lock_leave(&self->busy_lock, &turn);
	return hit ? area : NULL;
}

static void busy_remove(struct augmented *self, struct vmap_area *area)
{
	struct lock_turn turn;

	(void)lock_enter(&self->busy_lock, &turn);
	area_tree_remove(&self->busy, area, NULL);
	lock_leave(&self->busy_lock, &turn);
}

int augmented_retire(struct va *va, uintptr_t start, struct vmap_area **out,
		     bool *purge_due)
{
	struct augmented *const self = augmented_of(va);
	const struct va_hooks *const hooks = &va->config.hooks;
	struct vmap_area *const area = busy_detach(self, start);

	if (!area)
		return -ENOENT;
	/* A range that stays mapped is lazy like any other. */
	const struct va_range range = area_range(area);

	if (hooks->unmap)
		(void)hooks->unmap(hooks->context, &range);
	busy_remove(self, area);

	const uint64_t pages = area_pages(area);
	/*
	 * relaxed: counted before it can be taken, and subtracted by who took
	 * it, so the sum never goes below zero; it guards no data.
	 */
	const uint64_t before = add_relaxed(&self->lazy_pages, pages);

	*purge_due = before + pages > self->lazy_pages_max;
	*out = area;
	return 0;
}

bool augmented_find(struct va *va, uintptr_t address, struct va_found *found)
{
	struct augmented *const self = augmented_of(va);
	struct lock_turn turn;

	(void)lock_enter_shared(&self->busy_lock, &turn);

	const struct vmap_area *const area =
		area_tree_find(&self->busy, address);
	const bool hit = area && is_live(area);

	if (hit)
		area_to_found(area, found, false);
	lock_leave_shared(&self->busy_lock, &turn);
	return hit;
}

bool augmented_find_next(struct va *va, uintptr_t address,
			 struct va_found *found)
{
	struct augmented *const self = augmented_of(va);
	const struct vmap_area *area;
	struct lock_turn turn;

	(void)lock_enter_shared(&self->busy_lock, &turn);
	area = area_tree_find_next(&self->busy, address);
	while (area && !is_live(area))
		area = area_tree_find_next(&self->busy, area->va_end);

	const bool hit = area != NULL;

	if (hit)
		area_to_found(area, found, false);
	lock_leave_shared(&self->busy_lock, &turn);
	return hit;
}

struct vmap_area *augmented_taken(struct va *va, struct vmap_area *chain)
{
	struct augmented *const self = augmented_of(va);

	for (const struct vmap_area *area = chain; area;
	     area = area->purge_next)
		self->taken_pages += area_pages(area);
	return chain;
}

void augmented_purge_give(struct va *va, struct vmap_area *chain,
			  enum va_purge how)
{
	struct augmented *const self = augmented_of(va);
	struct lock_turn turn;

	(void)how; /* there are no pools to spare */
	if (!chain)
		return;
	free_space_enter(&self->space, &turn);
	while (chain) {
		struct vmap_area *const area = chain;
		const uint64_t pages = area_pages(area);

		chain = area->purge_next;
		free_space_merge(&self->space, area);
		self->taken_pages -= pages;
		/* relaxed: counts only; added before the area was taken. */
		sub_relaxed(&self->lazy_pages, pages);
	}
	free_space_leave(&self->space, &turn);
}

void augmented_kept(struct va *va, const struct vmap_area *area)
{
	augmented_of(va)->taken_pages -= area_pages(area);
}

void augmented_visit_busy(struct augmented *self, va_visit *visit,
			  void *context)
{
	list_for_each (link, &self->busy.list) {
		const struct vmap_area *const area = area_of_link(link);

		if (is_live(area))
			area_visit(area, false, visit, context);
	}
}

void augmented_stats(struct va *va, struct va_stats *stats)
{
	struct augmented *const self = augmented_of(va);
	struct lock_turn turn;

	*stats = (struct va_stats){ 0 };
	(void)lock_enter_shared(&self->busy_lock, &turn);
	list_for_each (link, &self->busy.list)
		stats_add_live(stats, area_of_link(link));
	lock_leave_shared(&self->busy_lock, &turn);
	free_space_stats(&self->space, stats);
	/* relaxed: a figure for people. */
	stats->lazy_pages = load_relaxed(&self->lazy_pages);
	stats_add_lock(stats, &self->busy_lock);
	stats_add_lock(stats, &self->lazy_lock);
}
