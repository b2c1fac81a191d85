/* SPDX-License-Identifier: MIT */
/*
 * va_rbtree.c - generation 2 in the form of Linux 4.19: one tree and one list
 * under one lock, first fit with a cache of where the last search ended.
 *
 * 2.6.28 brought the tree and the lazy purge, 2.6.39 the cache, 4.7 the
 * lock-free purge list.  Freed areas stay in the tree until the purge, see
 * lazy_tree.h.
 *
 * The search does not begin at the window's start but behind `cache`, the area
 * that was added last, as long as nothing says that a lower hole would do:
 *
 *   C1  no hole below the cache, above cached_vstart, was larger than
 *       cached_hole_size when it was passed by;
 *   C2  so the cache is of no use to a request that is smaller than that, or
 *       begins below cached_vstart, or is less aligned than cached_align;
 *   C3  when an area at or below the cache is erased, the cache moves to the
 *       area before it, so that the new hole is seen.
 *
 * The hole size is not mended when areas are erased, nor is the alignment: as
 * in the kernel the result is nearly, not always, the lowest fit.
 *
 * The lock is entered twice by alloc (add to the tree, attach the vm_struct),
 * and twice by free (look up, mark as freed); the vfree of that time looks the
 * area up once more before, which is the core's to do.  The kernel gives the
 * lock up between two erasures when the scheduler wants the CPU; a thread here
 * cannot know that, and erases a whole purge under one hold.
 *
 * Who may run with whom: everything with everything; one purge at a time.
 * Progress: a thread stopped inside the lock blocks everyone; the push to the
 * purge list is lock-free and its taking wait-free.
 */
#include <errno.h>

#include "base/check.h"
#include "base/error.h"
#include "va/area_census.h"
#include "va/lazy_tree.h"
#include "va/strategies.h"

struct rbtree {
	struct lazy_tree tree;
	/* guarded by tree.lock */
	struct vmap_area *cache; /* free_vmap_cache */
	uintptr_t cached_hole_size;
	uintptr_t cached_vstart;
	uintptr_t cached_align;
	/* shared: newest first, linked by purge_next */
	alignas(FALSE_SHARING_BYTES) _Atomic(struct vmap_area *) purge_list;
};

static struct rbtree *rbtree_of(struct va *va)
{
	return va->state;
}

static int rbtree_init(struct va *va)
{
	return lazy_tree_init(&rbtree_of(va)->tree, &va->config);
}

static void rbtree_fini(struct va *va)
{
	lazy_tree_fini(&rbtree_of(va)->tree);
}

/* Keep the cache only where C1 says that nothing lower fits. */
static void cache_prepare(struct rbtree *rbtree,
			  const struct va_request *request)
{
	if (!rbtree->cache || request->size < rbtree->cached_hole_size ||
	    request->vstart < rbtree->cached_vstart ||
	    request->align < rbtree->cached_align) {
		rbtree->cache = NULL;
		rbtree->cached_hole_size = 0;
	}
	rbtree->cached_vstart = request->vstart;
	rbtree->cached_align = request->align;
	if (rbtree->cache &&
	    align_up(rbtree->cache->va_end, request->align) < request->vstart) {
		rbtree->cache = NULL;
		rbtree->cached_hole_size = 0;
	}
}

/*
 * hole_find - the lowest hole from the cache on, or from vstart; C1 is kept on
 * the way.  The lock is held.
 */
static bool hole_find(struct rbtree *rbtree, const struct va_request *request,
		      uintptr_t *start)
{
	const uintptr_t size = request->size;
	const struct vmap_area *first = NULL;
	uintptr_t addr = 0;

	cache_prepare(rbtree, request);
	if (rbtree->cache) {
		first = rbtree->cache;
		addr = align_up(first->va_end, request->align);
	} else {
		addr = align_up(request->vstart, request->align);
		if (addr < request->vstart)
			return false;
		first = lazy_tree_first(&rbtree->tree, addr);
	}
	if (addr + size < addr)
		return false;

	while (first && addr + size > first->va_start &&
	       addr + size <= request->vend) {
		if (addr + rbtree->cached_hole_size < first->va_start)
			rbtree->cached_hole_size = first->va_start - addr;
		addr = align_up(first->va_end, request->align);
		if (addr < first->va_end || addr + size < addr)
			return false;
		first = lazy_tree_next(&rbtree->tree, first);
	}
	if (addr + size > request->vend)
		return false;
	*start = addr;
	return true;
}

static int rbtree_alloc(struct va *va, const struct va_request *request,
			struct va_range *range)
{
	struct rbtree *const rbtree = rbtree_of(va);
	struct vmap_area *const area = area_take(va->config.os);
	struct lock_turn turn;

	if (!area)
		return error_set(-ENOMEM, "no memory for an area's descriptor"
					  " (RLIMIT_AS, vm.max_map_count)");

	lock_enter(&rbtree->tree.lock, &turn);
	const bool fits = hole_find(rbtree, request, &area->va_start);

	if (fits) {
		area->va_end = area->va_start + request->size;
		area->merged = 1;
		lazy_phase_set(area, LAZY_PHASE_RESERVED);
		area_tree_add(&rbtree->tree.areas, area);
		rbtree->cache = area;
	}
	lock_leave(&rbtree->tree.lock, &turn);

	if (!fits) {
		area_give(area);
		return -ENOMEM;
	}

	*range = area_range(area);
	lock_enter(&rbtree->tree.lock, &turn);
	area->vm = request->vm;
	/* From here on it can be freed, and the descriptor be another's. */
	lazy_phase_set(area, LAZY_PHASE_LIVE);
	lock_leave(&rbtree->tree.lock, &turn);
	return 0;
}

/*
 * purge_list_push - leave a freed area to whoever purges next.
 *
 * Lock-free: a failed CAS is another thread's success.
 */
static void purge_list_push(struct rbtree *rbtree, struct vmap_area *area)
{
	/* relaxed: the old head is linked to, never looked into. */
	struct vmap_area *head = load_relaxed(&rbtree->purge_list);

	do {
		area->purge_next = head;
		/* release [purge-list]: the area is counted and unmapped. */
	} while (!cas_release(&rbtree->purge_list, &head, area));
}

static int rbtree_free(struct va *va, uintptr_t start, bool *purge_due)
{
	struct rbtree *const rbtree = rbtree_of(va);
	const struct va_hooks *const hooks = &va->config.hooks;
	struct vmap_area *const area = lazy_tree_claim(&rbtree->tree, start);
	struct lock_turn turn;

	if (!area)
		return -ENOENT;

	lock_enter(&rbtree->tree.lock, &turn);
	lazy_phase_set(area, LAZY_PHASE_LAZY);
	lock_leave(&rbtree->tree.lock, &turn);

	const struct va_range range = area_range(area);

	if (hooks->unmap)
		(void)hooks->unmap(hooks->context, &range);
	*purge_due = lazy_tree_count(&rbtree->tree, area);
	purge_list_push(rbtree, area);
	return 0;
}

static bool rbtree_find(struct va *va, uintptr_t address,
			struct va_found *found)
{
	return lazy_tree_find(&rbtree_of(va)->tree, address, found);
}

static bool rbtree_find_next(struct va *va, uintptr_t address,
			     struct va_found *found)
{
	return lazy_tree_find_next(&rbtree_of(va)->tree, address, found);
}

static void rbtree_for_each(struct va *va, va_visit *visit, void *context)
{
	lazy_tree_for_each(&rbtree_of(va)->tree, visit, context);
}

static struct vmap_area *rbtree_purge_take(struct va *va, enum va_purge how)
{
	(void)how;
	/*
	 * acquire [purge-list]: one swap meets every push since the last, for
	 * each push extends the release sequence of the one before.
	 */
	return swap_acquire(&rbtree_of(va)->purge_list, NULL);
}

/* C3; the order in which a purge erases its areas makes no difference. */
static void cache_erase(struct rbtree *rbtree, const struct vmap_area *area)
{
	if (!rbtree->cache)
		return;
	if (area->va_end < rbtree->cached_vstart) {
		rbtree->cache = NULL;
	} else if (area->va_start <= rbtree->cache->va_start) {
		struct rb_node *const before = rb_prev(&area->rb);

		rbtree->cache = before ? area_of_rb(before) : NULL;
	}
}

static void rbtree_purge_give(struct va *va, struct vmap_area *chain,
			      enum va_purge how)
{
	struct rbtree *const rbtree = rbtree_of(va);
	struct lock_turn turn;

	(void)how;
	if (!chain)
		return;
	lock_enter(&rbtree->tree.lock, &turn);
	for (struct vmap_area *area = chain; area; area = area->purge_next) {
		cache_erase(rbtree, area);
		area_tree_remove(&rbtree->tree.areas, area, NULL);
		lazy_tree_uncount(&rbtree->tree, area);
	}
	lock_leave(&rbtree->tree.lock, &turn);
	area_chain_give(chain);
}

static void rbtree_purge_keep(struct va *va, struct vmap_area *chain)
{
	while (chain) {
		struct vmap_area *const next = chain->purge_next;

		purge_list_push(rbtree_of(va), chain);
		chain = next;
	}
}

static void rbtree_check(struct va *va)
{
	struct rbtree *const rbtree = rbtree_of(va);
	bool cache_found = rbtree->cache == NULL;

	lazy_tree_check(&rbtree->tree, &va->config);
	list_for_each (link, &rbtree->tree.areas.list) {
		if (area_of_link(link) == rbtree->cache)
			cache_found = true;
	}
	require_invariant(cache_found, "C3");
}

static void rbtree_stats(struct va *va, struct va_stats *stats)
{
	struct rbtree *const rbtree = rbtree_of(va);

	lazy_tree_stats(&rbtree->tree, &va->config, stats);
	stats_add_lock(stats, &rbtree->tree.lock);
}

static const char *const aliases[] = { "linux-4.19", NULL };

const struct va_ops va_rbtree = {
	.name = "rbtree",
	.variant = "4.19",
	.aliases = aliases,
	.summary = "rbtree and list under one lock, hole cache, lazy purge",
	.deterministic = true,
	.retries = true,
	.vfree_finds = true,
	.state_bytes = sizeof(struct rbtree),
	.init = rbtree_init,
	.fini = rbtree_fini,
	.alloc = rbtree_alloc,
	.free = rbtree_free,
	.find = rbtree_find,
	.find_next = rbtree_find_next,
	.for_each = rbtree_for_each,
	.purge_take = rbtree_purge_take,
	.purge_give = rbtree_purge_give,
	.purge_keep = rbtree_purge_keep,
	.check = rbtree_check,
	.stats = rbtree_stats,
};
