/* SPDX-License-Identifier: MIT */
/*
 * va_list.c - generation 1: one sorted list, first fit by linear search.
 *
 * Linux up to 2.6.27.  Live areas hang in `vmlist` in the order of their
 * addresses; what lies between two of them is a hole, so holes merge by
 * themselves.  A reader-writer lock keeps writers apart and is held for the
 * whole of both searches, and while a freed area is unmapped and the machine's
 * TLBs are flushed.  Nothing is lazy: a freed range is a hole at once.
 *
 * Two rows, which differ in one comparison:
 *
 *   list          2.4.0: a hole is used if it is larger than the request; one
 *                 of the very size is passed by
 *   list-2.6.24   a hole of the very size is used
 *
 * 2.4.0 knew neither alignment nor sub-windows; where none is asked for, the
 * cursor of 2.6.24 goes the way of 2.4.0's.  So both rows move it as 2.6.24
 * does, and `list` keeps 2.4.0's comparison.  One quirk is not kept: in 2.4.0
 * nothing looked at VMALLOC_END while the list was empty; here A2 holds.
 *
 * Nor is one of 2.6.24's: lfv_ioremap() aligns for all rows to the size rounded
 * up to a power of two.  2.6.24 shifted by fls(size), which doubles a size that
 * is a power of two already.
 *
 * The big kernel lock, which 2.4.0 holds around page allocation and page
 * tables, is a second lock here, of the kind that the strategy was made with:
 * what is compared is how a kind of lock bears this generation's pattern, and
 * one lock of another kind in every allocation would blur that.
 *
 *   L1  the list is sorted, its areas are disjoint and lie in the window;
 *   L2  areas is the number of its members;
 *   L3  stuck_pages is the sum of those that are not live.
 *
 * The kernel cannot fail to unmap; here the system call can.  Such an area
 * stays on the list, stuck, where it keeps its range from being used and is not
 * found; every later free says that a purge is due, which tries again.
 *
 * Who may run with whom: alloc and free exclude everything; finds and walks
 * share.  Progress: a thread stopped inside blocks everyone.  Order: all that
 * one wrote inside is seen by the next inside [lock-handover].
 */
#include <errno.h>

#include "base/check.h"
#include "base/error.h"
#include "va/area_census.h"
#include "va/strategies.h"
#include "va/va_stats.h"

/* vmap_area.state; guarded by the list's lock */
enum {
	VMLIST_LIVE,
	VMLIST_STUCK, /* freed, but could not be unmapped */
	VMLIST_TAKEN, /* a purge tries again */
};

struct vmlist {
	struct lock lock;
	struct lock kernel_lock;
	/* guarded by lock */
	struct list sorted;   /* L1 */
	uint64_t areas;       /* L2: on the list, stuck or not */
	uint64_t stuck_pages; /* L3 */
};

static struct vmlist *vmlist_of(struct va *va)
{
	return va->state;
}

static int vmlist_init(struct va *va)
{
	struct vmlist *const vmlist = vmlist_of(va);
	const struct va_config *const config = &va->config;

	list_init(&vmlist->sorted);

	int error = lock_init(&vmlist->lock, config->lock, config->lock_yield);

	if (error)
		return error;
	error = lock_init(&vmlist->kernel_lock, config->lock,
			  config->lock_yield);
	if (error)
		lock_fini(&vmlist->lock);
	return error;
}

static void vmlist_fini(struct va *va)
{
	struct vmlist *const vmlist = vmlist_of(va);

	list_for_each_safe (link, &vmlist->sorted)
		area_give(area_of_link(link));
	lock_fini(&vmlist->kernel_lock);
	lock_fini(&vmlist->lock);
}

/* Whether `size` bytes from `cursor` end below `limit`, or, if exact, at it. */
static bool fits_below(uintptr_t cursor, uintptr_t size, uintptr_t limit,
		       bool exact)
{
	if (cursor > limit || size > limit - cursor)
		return false;
	return exact || size < limit - cursor;
}

/*
 * hole_find - the lowest place for the request, by the cursor of 2.6.24.
 *
 * On success *start is the place and *next the link to insert before.
 */
static bool hole_find(struct vmlist *vmlist, const struct va_request *request,
		      bool exact, uintptr_t *start, struct list **next)
{
	uintptr_t cursor = align_up(request->vstart, request->align);

	if (cursor < request->vstart)
		return false;
	list_for_each (link, &vmlist->sorted) {
		const struct vmap_area *const area = area_of_link(link);

		if (fits_below(cursor, request->size, area->va_start, exact)) {
			*next = link;
			*start = cursor;
			return fits_below(cursor, request->size, request->vend,
					  true);
		}
		if (area->va_end <= cursor)
			continue;
		cursor = align_up(area->va_end, request->align);
		if (cursor < area->va_end)
			return false;
		if (!fits_below(cursor, request->size, request->vend, true))
			return false;
	}
	*next = &vmlist->sorted;
	*start = cursor;
	return fits_below(cursor, request->size, request->vend, true);
}

static int vmlist_alloc(struct va *va, const struct va_request *request,
			bool exact, struct va_range *range)
{
	struct vmlist *const vmlist = vmlist_of(va);
	struct vmap_area *const area = area_take(va->config.os);
	struct list *next = NULL;
	struct lock_turn turn;

	if (!area)
		return error_set(-ENOMEM, "no memory for an area's descriptor"
					  " (RLIMIT_AS, vm.max_map_count)");

	lock_enter(&vmlist->lock, &turn);
	const bool fits =
		hole_find(vmlist, request, exact, &area->va_start, &next);

	if (fits) {
		area->va_end = area->va_start + request->size;
		area->vm = request->vm;
		area->state = VMLIST_LIVE;
		area->merged = 1;
		list_add_tail(next, &area->link);
		vmlist->areas++;
		*range = area_range(area);
	}
	/* From here on it can be freed, and the descriptor be another's. */
	lock_leave(&vmlist->lock, &turn);

	if (!fits)
		area_give(area);
	return fits ? 0 : -ENOMEM;
}

/* 2.4.0 passes a hole of the very size by. */
static int vmlist_alloc_larger(struct va *va, const struct va_request *request,
			       struct va_range *range)
{
	return vmlist_alloc(va, request, false, range);
}

static int vmlist_alloc_exact(struct va *va, const struct va_request *request,
			      struct va_range *range)
{
	return vmlist_alloc(va, request, true, range);
}

static int vmlist_map(struct va *va, const struct va_range *range,
		      const struct va_request *request, const void *source)
{
	struct vmlist *const vmlist = vmlist_of(va);
	const struct va_hooks *const hooks = &va->config.hooks;
	struct lock_turn turn;

	lock_enter(&vmlist->kernel_lock, &turn);
	const int error = hooks->map(hooks->context, range, request, source);

	lock_leave(&vmlist->kernel_lock, &turn);
	return error;
}

/* The live area that begins at `start`, or NULL; the lock is held. */
static struct vmap_area *area_at(const struct vmlist *vmlist, uintptr_t start)
{
	list_for_each (link, &vmlist->sorted) {
		struct vmap_area *const area = area_of_link(link);

		if (area->va_start == start)
			return area->state == VMLIST_LIVE ? area : NULL;
	}
	return NULL;
}

static void area_unlink(struct vmlist *vmlist, struct vmap_area *area)
{
	assert(vmlist->areas > 0); /* L2 */
	list_remove(&area->link);
	vmlist->areas--;
}

/* The unmapping, and so the flush, happens under the lock. */
static int vmlist_free(struct va *va, uintptr_t start, bool *purge_due)
{
	struct vmlist *const vmlist = vmlist_of(va);
	const struct va_hooks *const hooks = &va->config.hooks;
	bool stuck = false;
	struct lock_turn turn;

	lock_enter(&vmlist->lock, &turn);
	struct vmap_area *const area = area_at(vmlist, start);
	const bool due = vmlist->stuck_pages > 0;

	if (area) {
		const struct va_range range = area_range(area);

		stuck = hooks->unmap && hooks->unmap(hooks->context, &range);
		if (stuck) {
			area->state = VMLIST_STUCK;
			vmlist->stuck_pages += area_pages(area); /* L3 */
		} else {
			area_unlink(vmlist, area);
		}
	}
	lock_leave(&vmlist->lock, &turn);

	if (!area)
		return -ENOENT;
	if (!stuck)
		area_give(area);
	*purge_due = due;
	return 0;
}

/* The first live area that ends above `address`, or NULL; needs the lock. */
static const struct vmap_area *end_above(const struct vmlist *vmlist,
					 uintptr_t address)
{
	list_for_each (link, &vmlist->sorted) {
		const struct vmap_area *const area = area_of_link(link);

		if (area->va_end > address && area->state == VMLIST_LIVE)
			return area;
	}
	return NULL;
}

static bool vmlist_find_next(struct va *va, uintptr_t address,
			     struct va_found *found)
{
	struct vmlist *const vmlist = vmlist_of(va);
	struct lock_turn turn;

	lock_enter_shared(&vmlist->lock, &turn);
	const struct vmap_area *const area = end_above(vmlist, address);

	if (area)
		area_to_found(area, found, false);
	lock_leave_shared(&vmlist->lock, &turn);
	return area != NULL;
}

static bool vmlist_find(struct va *va, uintptr_t address,
			struct va_found *found)
{
	struct vmlist *const vmlist = vmlist_of(va);
	struct lock_turn turn;

	lock_enter_shared(&vmlist->lock, &turn);
	const struct vmap_area *const area = end_above(vmlist, address);
	const bool hit = area && area->va_start <= address;

	if (hit)
		area_to_found(area, found, false);
	lock_leave_shared(&vmlist->lock, &turn);
	return hit;
}

static void vmlist_walk(struct va *va, va_visit *visit, void *context)
{
	struct vmlist *const vmlist = vmlist_of(va);
	struct lock_turn turn;

	lock_enter_shared(&vmlist->lock, &turn);
	list_for_each (link, &vmlist->sorted) {
		if (area_of_link(link)->state == VMLIST_LIVE)
			area_visit(area_of_link(link), false, visit, context);
	}
	list_for_each (link, &vmlist->sorted) {
		if (area_of_link(link)->state != VMLIST_LIVE)
			area_visit(area_of_link(link), true, visit, context);
	}
	lock_leave_shared(&vmlist->lock, &turn);
}

/* Only what is stuck: whatever else was freed is a hole already. */
static struct vmap_area *vmlist_purge_take(struct va *va, enum va_purge how)
{
	struct vmlist *const vmlist = vmlist_of(va);
	struct vmap_area *chain = NULL;
	struct lock_turn turn;

	(void)how;
	lock_enter(&vmlist->lock, &turn);
	if (vmlist->stuck_pages > 0) {
		list_for_each (link, &vmlist->sorted) {
			struct vmap_area *const area = area_of_link(link);

			if (area->state != VMLIST_STUCK)
				continue;
			area->state = VMLIST_TAKEN;
			area->purge_next = chain;
			chain = area;
		}
	}
	lock_leave(&vmlist->lock, &turn);
	return chain;
}

static void vmlist_purge_give(struct va *va, struct vmap_area *chain,
			      enum va_purge how)
{
	struct vmlist *const vmlist = vmlist_of(va);
	struct lock_turn turn;

	(void)how;
	if (!chain)
		return;
	lock_enter(&vmlist->lock, &turn);
	for (struct vmap_area *area = chain; area; area = area->purge_next) {
		require(area->state == VMLIST_TAKEN);
		area_unlink(vmlist, area);
		vmlist->stuck_pages -= area_pages(area); /* L3 */
	}
	lock_leave(&vmlist->lock, &turn);
	area_chain_give(chain);
}

static void vmlist_purge_keep(struct va *va, struct vmap_area *chain)
{
	struct vmlist *const vmlist = vmlist_of(va);
	struct lock_turn turn;

	if (!chain)
		return;
	lock_enter(&vmlist->lock, &turn);
	for (struct vmap_area *area = chain; area; area = area->purge_next) {
		require(area->state == VMLIST_TAKEN);
		area->state = VMLIST_STUCK;
	}
	lock_leave(&vmlist->lock, &turn);
}

static void vmlist_check(struct va *va)
{
	const struct vmlist *const vmlist = vmlist_of(va);
	uintptr_t end = va->config.start;
	uint64_t areas = 0;
	uint64_t stuck_pages = 0;

	list_for_each (link, &vmlist->sorted) {
		const struct vmap_area *const area = area_of_link(link);

		require_invariant(area->va_start >= end, "A2"); /* L1 */
		require_invariant(area->va_end > area->va_start, "A2");
		require_invariant(link->next->prev == link, "A1");
		end = area->va_end;
		areas++;
		if (area->state != VMLIST_LIVE)
			stuck_pages += area_pages(area);
	}
	require_invariant(end <= va->config.end, "A2");
	require_invariant(areas == vmlist->areas, "A1");             /* L2 */
	require_invariant(stuck_pages == vmlist->stuck_pages, "A4"); /* L3 */
}

static void vmlist_count(struct va *va, struct va_stats *stats)
{
	struct vmlist *const vmlist = vmlist_of(va);
	uintptr_t end = va->config.start;
	struct lock_turn turn;

	*stats = (struct va_stats){ 0 };
	lock_enter_shared(&vmlist->lock, &turn);
	list_for_each (link, &vmlist->sorted) {
		const struct vmap_area *const area = area_of_link(link);

		stats_add_gap(stats, end, area->va_start);
		if (area->state == VMLIST_LIVE)
			stats_add_live(stats, area);
		end = area->va_end;
	}
	stats->lazy_pages = vmlist->stuck_pages;
	lock_leave_shared(&vmlist->lock, &turn);
	stats_add_gap(stats, end, va->config.end);
	stats_add_lock(stats, &vmlist->lock);
	stats_add_lock(stats, &vmlist->kernel_lock);
}

static const char *const aliases_24[] = { "linux-2.4", NULL };

const struct va_ops va_list_24 = {
	.name = "list",
	.variant = "2.4.0",
	.aliases = aliases_24,
	.summary = "one sorted list under one rwlock, flush inside it",
	.deterministic = true,
	.strict_reuse = true,
	.state_bytes = sizeof(struct vmlist),
	.init = vmlist_init,
	.fini = vmlist_fini,
	.alloc = vmlist_alloc_larger,
	.map = vmlist_map,
	.free = vmlist_free,
	.find = vmlist_find,
	.find_next = vmlist_find_next,
	.for_each = vmlist_walk,
	.purge_take = vmlist_purge_take,
	.purge_give = vmlist_purge_give,
	.purge_keep = vmlist_purge_keep,
	.check = vmlist_check,
	.stats = vmlist_count,
};

const struct va_ops va_list_2624 = {
	.name = "list-2.6.24",
	.variant = "2.6.24",
	.summary = "as list, but holes of the very size asked for are used",
	.deterministic = true,
	.strict_reuse = true,
	.state_bytes = sizeof(struct vmlist),
	.init = vmlist_init,
	.fini = vmlist_fini,
	.alloc = vmlist_alloc_exact,
	.map = vmlist_map,
	.free = vmlist_free,
	.find = vmlist_find,
	.find_next = vmlist_find_next,
	.for_each = vmlist_walk,
	.purge_take = vmlist_purge_take,
	.purge_give = vmlist_purge_give,
	.purge_keep = vmlist_purge_keep,
	.check = vmlist_check,
	.stats = vmlist_count,
};
