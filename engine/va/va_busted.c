/* SPDX-License-Identifier: MIT */
/*
 * va_busted.c - deliberately broken: hands a range out twice now and then.
 *
 * DO NOT USE.  It works as `rbtree`, but every BUSTED_PERIOD-th allocation is
 * answered with the range of an area of the same size that is still live, if
 * there is one: a twin.  A check that passes over it checks nothing.
 *
 * Everything about the twin but the double use is in order: the first free of
 * its address retires the twin, the second the area itself, so that a program
 * runs on and only those who look at ownership see anything.
 *
 *   B1  breaks A2 and says so: check() aborts with A2 while a twin lives.
 *
 * Who may run with whom: as `rbtree`; the twins have a lock of their own, which
 * is not counted.
 */
#include <errno.h>

#include "base/check.h"
#include "base/error.h"
#include "va/area_census.h"
#include "va/strategies.h"

/* A prime, so that it falls in step with no loop of a benchmark. */
enum { BUSTED_PERIOD = 257 };

struct busted {
	struct va inner; /* what works */
	_Atomic(uint64_t) allocs;
	struct lock lock;
	/* guarded by lock; linked by purge_next */
	struct vmap_area *twins;
};

/* What a walk looks for: a live area that the request could have got. */
struct twin_search {
	const struct va_request *request;
	struct va_found found;
	bool hit;
};

static struct busted *busted_of(struct va *va)
{
	return va->state;
}

static int busted_init(struct va *va)
{
	struct busted *const busted = busted_of(va);
	int error = lock_init(&busted->lock, va->config.lock,
			      va->config.lock_yield);

	if (error)
		return error;
	error = va_init(&busted->inner, &va_rbtree, &va->config);
	if (error)
		lock_fini(&busted->lock);
	return error;
}

static void busted_fini(struct va *va)
{
	struct busted *const busted = busted_of(va);

	area_chain_give(busted->twins);
	va_fini(&busted->inner);
	lock_fini(&busted->lock);
}

static void twin_visit(void *context, const struct va_found *found)
{
	struct twin_search *const search = context;
	const struct va_request *const request = search->request;

	if (search->hit || found->lazy ||
	    found->end - found->start != request->size ||
	    (found->start & (request->align - 1)) != 0 ||
	    found->start < request->vstart || found->end > request->vend)
		return;
	search->found = *found;
	search->hit = true;
}

/* A second owner for a live range, or NULL when none is like the request. */
static struct vmap_area *twin_take(struct va *va,
				   const struct va_request *request)
{
	struct busted *const busted = busted_of(va);
	struct twin_search search = { .request = request };
	struct lock_turn turn;

	busted->inner.ops->for_each(&busted->inner, twin_visit, &search);
	if (!search.hit)
		return NULL;

	struct vmap_area *const twin = area_take(va->config.os);

	if (!twin)
		return NULL;
	twin->va_start = search.found.start;
	twin->va_end = search.found.end;
	twin->vm = request->vm;
	twin->merged = 1;
	lock_enter(&busted->lock, &turn);
	twin->purge_next = busted->twins;
	busted->twins = twin;
	lock_leave(&busted->lock, &turn);
	return twin;
}

static int busted_alloc(struct va *va, const struct va_request *request,
			struct va_range *range)
{
	struct busted *const busted = busted_of(va);

	/* relaxed: counts, orders nothing. */
	if (add_relaxed(&busted->allocs, 1) % BUSTED_PERIOD ==
	    BUSTED_PERIOD - 1) {
		struct vmap_area *const twin = twin_take(va, request);

		if (twin) {
			*range = area_range(twin);
			return 0;
		}
	}
	return busted->inner.ops->alloc(&busted->inner, request, range);
}

static struct vmap_area *twin_claim(struct busted *busted, uintptr_t start)
{
	struct lock_turn turn;

	lock_enter(&busted->lock, &turn);
	struct vmap_area **link = &busted->twins;

	while (*link && (*link)->va_start != start)
		link = &(*link)->purge_next;

	struct vmap_area *const twin = *link;

	if (twin)
		*link = twin->purge_next;
	lock_leave(&busted->lock, &turn);
	return twin;
}

static int busted_free(struct va *va, uintptr_t start, bool *purge_due)
{
	struct busted *const busted = busted_of(va);
	const struct va_hooks *const hooks = &va->config.hooks;
	struct vmap_area *const twin = twin_claim(busted, start);

	if (!twin)
		return busted->inner.ops->free(&busted->inner, start,
					       purge_due);
	const struct va_range range = area_range(twin);

	if (hooks->unmap)
		(void)hooks->unmap(hooks->context, &range);
	area_give(twin);
	*purge_due = false;
	return 0;
}

static bool busted_find(struct va *va, uintptr_t address,
			struct va_found *found)
{
	struct va *const inner = &busted_of(va)->inner;

	return inner->ops->find(inner, address, found);
}

static bool busted_find_next(struct va *va, uintptr_t address,
			     struct va_found *found)
{
	struct va *const inner = &busted_of(va)->inner;

	return inner->ops->find_next(inner, address, found);
}

static void busted_for_each(struct va *va, va_visit *visit, void *context)
{
	struct va *const inner = &busted_of(va)->inner;

	inner->ops->for_each(inner, visit, context);
}

static struct vmap_area *busted_purge_take(struct va *va, enum va_purge how)
{
	struct va *const inner = &busted_of(va)->inner;

	return inner->ops->purge_take(inner, how);
}

static void busted_purge_give(struct va *va, struct vmap_area *chain,
			      enum va_purge how)
{
	struct va *const inner = &busted_of(va)->inner;

	inner->ops->purge_give(inner, chain, how);
}

static void busted_purge_keep(struct va *va, struct vmap_area *chain)
{
	struct va *const inner = &busted_of(va)->inner;

	inner->ops->purge_keep(inner, chain);
}

static void busted_check(struct va *va)
{
	struct busted *const busted = busted_of(va);

	require_invariant(busted->twins == NULL, "A2"); /* B1 */
	busted->inner.ops->check(&busted->inner);
}

static void busted_stats(struct va *va, struct va_stats *stats)
{
	struct busted *const busted = busted_of(va);
	struct lock_turn turn;

	busted->inner.ops->stats(&busted->inner, stats);
	lock_enter(&busted->lock, &turn);
	for (const struct vmap_area *twin = busted->twins; twin;
	     twin = twin->purge_next)
		stats_add_live(stats, twin);
	lock_leave(&busted->lock, &turn);
}

const struct va_ops va_busted = {
	.name = "busted",
	.variant = "busted",
	.summary = "rbtree that hands one range out twice now and then",
	.busted = true,
	.retries = true,
	.vfree_finds = true,
	.state_bytes = sizeof(struct busted),
	.init = busted_init,
	.fini = busted_fini,
	.alloc = busted_alloc,
	.free = busted_free,
	.find = busted_find,
	.find_next = busted_find_next,
	.for_each = busted_for_each,
	.purge_take = busted_purge_take,
	.purge_give = busted_purge_give,
	.purge_keep = busted_purge_keep,
	.check = busted_check,
	.stats = busted_stats,
};
