/* SPDX-License-Identifier: MIT */
/*
 * va_rbtree_2628.c - generation 2 as it was merged in Linux 2.6.28: a tree and
 * a list under one lock, first fit without a cache, and the old vmlist beside.
 *
 * Against 4.19 (va_rbtree.c):
 *
 *   - every search begins at vstart;
 *   - an area is placed a spare page behind the one before it, on top of the
 *     guard page, and a hole of the very size is refused;
 *   - the vm_structs of live areas also hang in `vmlist`, sorted, under a lock
 *     of its own, which alloc and free walk from its head;
 *   - free marks the area without a lock, and a purge finds the marked ones by
 *     a walk over all areas, live ones included.
 *
 *   V1  vmlist holds the live areas, sorted by address, linked by purge_next
 *       (which nothing else needs before an area is lazy).
 *
 * The kernel's purge walks the list of areas under RCU, beside writers.  Here
 * it holds the lock: what that costs is one more hold of it in each purge.
 * An allocation that finds no hole purges before it tries again; it waits for
 * a purge that runs already, where 2.6.28 only tried to be the one.
 *
 * The lock is entered once by alloc and once by free, vmlist's as well.
 *
 * Who may run with whom: everything with everything; one purge at a time.
 * Progress: a thread stopped inside either lock blocks everyone.
 */
#include <errno.h>

#include "base/check.h"
#include "base/error.h"
#include "va/area_census.h"
#include "va/lazy_tree.h"
#include "va/strategies.h"

struct rbtree_2628 {
	struct lazy_tree tree;
	struct lock vmlist_lock;
	/* guarded by vmlist_lock */
	struct vmap_area *vmlist; /* V1 */
};

static struct rbtree_2628 *state_of(struct va *va)
{
	return va->state;
}

static int rbtree_2628_init(struct va *va)
{
	struct rbtree_2628 *const state = state_of(va);
	int error = lazy_tree_init(&state->tree, &va->config);

	if (error)
		return error;
	error = lock_init(&state->vmlist_lock, va->config.lock,
			  va->config.lock_yield);
	if (error)
		lazy_tree_fini(&state->tree);
	return error;
}

static void rbtree_2628_fini(struct va *va)
{
	lock_fini(&state_of(va)->vmlist_lock);
	lazy_tree_fini(&state_of(va)->tree);
}

/* hole_find - the lowest fit, with its spare pages.  The lock is held. */
static bool hole_find(struct rbtree_2628 *state,
		      const struct va_request *request, uintptr_t *start)
{
	const uintptr_t size = request->size;
	uintptr_t addr = align_up(request->vstart, request->align);

	if (addr < request->vstart || addr + size < addr)
		return false;

	const struct vmap_area *first = lazy_tree_first(&state->tree, addr);

	while (first && addr + size >= first->va_start &&
	       addr + size <= request->vend) {
		addr = align_up(first->va_end + PAGE_SIZE, request->align);
		if (addr < first->va_end || addr + size < addr)
			return false;
		first = lazy_tree_next(&state->tree, first);
	}
	if (addr + size > request->vend)
		return false;
	*start = addr;
	return true;
}

/* The link in vmlist that leads to the first area at or above `address`. */
static struct vmap_area **vmlist_place(struct rbtree_2628 *state,
				       uintptr_t address)
{
	struct vmap_area **link = &state->vmlist;

	while (*link && (*link)->va_start < address)
		link = &(*link)->purge_next;
	return link;
}

/* From here on the area is live: found by everyone. */
static void vmlist_add(struct rbtree_2628 *state, struct vmap_area *area)
{
	struct lock_turn turn;

	lock_enter(&state->vmlist_lock, &turn);
	struct vmap_area **const link = vmlist_place(state, area->va_start);

	area->purge_next = *link;
	*link = area;
	lazy_phase_set(area, LAZY_PHASE_LIVE);
	lock_leave(&state->vmlist_lock, &turn);
}

static void vmlist_remove(struct rbtree_2628 *state, struct vmap_area *area)
{
	struct lock_turn turn;

	lock_enter(&state->vmlist_lock, &turn);
	struct vmap_area **const link = vmlist_place(state, area->va_start);

	require(*link == area); /* V1 */
	*link = area->purge_next;
	lock_leave(&state->vmlist_lock, &turn);
}

static int rbtree_2628_alloc(struct va *va, const struct va_request *request,
			     struct va_range *range)
{
	struct rbtree_2628 *const state = state_of(va);
	struct vmap_area *const area = area_take(va->config.os);
	struct lock_turn turn;

	if (!area)
		return error_set(-ENOMEM, "no memory for an area's descriptor"
					  " (RLIMIT_AS, vm.max_map_count)");
	area->merged = 1;
	area->vm = request->vm;

	lock_enter(&state->tree.lock, &turn);
	const bool fits = hole_find(state, request, &area->va_start);

	if (fits) {
		area->va_end = area->va_start + request->size;
		lazy_phase_set(area, LAZY_PHASE_RESERVED);
		area_tree_add(&state->tree.areas, area);
	}
	lock_leave(&state->tree.lock, &turn);

	if (!fits) {
		area_give(area);
		return -ENOMEM;
	}
	*range = area_range(area);
	/* From here on it can be freed, and the descriptor be another's. */
	vmlist_add(state, area);
	return 0;
}

static int rbtree_2628_free(struct va *va, uintptr_t start, bool *purge_due)
{
	struct rbtree_2628 *const state = state_of(va);
	const struct va_hooks *const hooks = &va->config.hooks;
	struct vmap_area *const area = lazy_tree_claim(&state->tree, start);

	if (!area)
		return -ENOENT;
	vmlist_remove(state, area);
	const struct va_range range = area_range(area);

	if (hooks->unmap)
		(void)hooks->unmap(hooks->context, &range);

	/* The kernel marks first; counted first, the sum is never too low. */
	*purge_due = lazy_tree_count(&state->tree, area);
	/* release [lazy-mark]: unmapped, counted, and off vmlist. */
	store_release(&area->phase, (uint32_t)LAZY_PHASE_LAZY);
	return 0;
}

static bool rbtree_2628_find(struct va *va, uintptr_t address,
			     struct va_found *found)
{
	return lazy_tree_find(&state_of(va)->tree, address, found);
}

static bool rbtree_2628_find_next(struct va *va, uintptr_t address,
				  struct va_found *found)
{
	return lazy_tree_find_next(&state_of(va)->tree, address, found);
}

static void rbtree_2628_for_each(struct va *va, va_visit *visit, void *context)
{
	lazy_tree_for_each(&state_of(va)->tree, visit, context);
}

static struct vmap_area *rbtree_2628_purge_take(struct va *va,
						enum va_purge how)
{
	struct rbtree_2628 *const state = state_of(va);
	struct vmap_area *chain = NULL;
	struct lock_turn turn;

	(void)how;
	lock_enter(&state->tree.lock, &turn);
	list_for_each (link, &state->tree.areas.list) {
		struct vmap_area *const area = area_of_link(link);

		/* acquire [lazy-mark]: what the free did comes before. */
		if (load_acquire(&area->phase) != (uint32_t)LAZY_PHASE_LAZY)
			continue;
		lazy_phase_set(area, LAZY_PHASE_TAKEN);
		area->purge_next = chain;
		chain = area;
	}
	lock_leave(&state->tree.lock, &turn);
	return chain;
}

static void rbtree_2628_purge_give(struct va *va, struct vmap_area *chain,
				   enum va_purge how)
{
	struct rbtree_2628 *const state = state_of(va);
	struct lock_turn turn;

	(void)how;
	if (!chain)
		return;
	lock_enter(&state->tree.lock, &turn);
	for (struct vmap_area *area = chain; area; area = area->purge_next) {
		area_tree_remove(&state->tree.areas, area, NULL);
		lazy_tree_uncount(&state->tree, area);
	}
	lock_leave(&state->tree.lock, &turn);
	area_chain_give(chain);
}

static void rbtree_2628_purge_keep(struct va *va, struct vmap_area *chain)
{
	(void)va;
	while (chain) {
		struct vmap_area *const next = chain->purge_next;

		/* release [lazy-mark]: the next purge takes it as it is. */
		store_release(&chain->phase, (uint32_t)LAZY_PHASE_LAZY);
		chain = next;
	}
}

static void rbtree_2628_check(struct va *va)
{
	struct rbtree_2628 *const state = state_of(va);
	const struct vmap_area *entry = state->vmlist;

	lazy_tree_check(&state->tree, &va->config);
	list_for_each (link, &state->tree.areas.list) {
		struct vmap_area *const area = area_of_link(link);

		if (!lazy_phase_is(area, LAZY_PHASE_LIVE))
			continue;
		require_invariant(entry == area, "V1");
		entry = entry->purge_next;
	}
	require_invariant(entry == NULL, "V1");
}

static void rbtree_2628_stats(struct va *va, struct va_stats *stats)
{
	struct rbtree_2628 *const state = state_of(va);

	lazy_tree_stats(&state->tree, &va->config, stats);
	stats_add_lock(stats, &state->tree.lock);
	stats_add_lock(stats, &state->vmlist_lock);
}

static const char *const aliases[] = { "linux-2.6.28", NULL };

const struct va_ops va_rbtree_2628 = {
	.name = "rbtree-2.6.28",
	.variant = "2.6.28",
	.aliases = aliases,
	.summary = "the first rbtree: no hole cache, vmlist walked beside it",
	.deterministic = true,
	.retries = true,
	.state_bytes = sizeof(struct rbtree_2628),
	.init = rbtree_2628_init,
	.fini = rbtree_2628_fini,
	.alloc = rbtree_2628_alloc,
	.free = rbtree_2628_free,
	.find = rbtree_2628_find,
	.find_next = rbtree_2628_find_next,
	.for_each = rbtree_2628_for_each,
	.purge_take = rbtree_2628_purge_take,
	.purge_give = rbtree_2628_purge_give,
	.purge_keep = rbtree_2628_purge_keep,
	.check = rbtree_2628_check,
	.stats = rbtree_2628_stats,
};
