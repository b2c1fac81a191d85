/* SPDX-License-Identifier: MIT */
/*
 * va_augmented_510.c - row `augmented-5.10`: generation 3 as in Linux 5.10.
 *
 * Lazy areas wait on one list without order, pushed by compare-and-swap and
 * taken whole by one exchange; nothing is merged before a purge gives it to the
 * tree of holes.  The search length is always size + align - 1.
 *
 * A purge gives its areas to the tree of holes as the kernel does, newest
 * first, on the address plane.  On the full plane the core sorts them before,
 * to merge runs, and they come in the order of their addresses.  The holes are
 * the same, but the tree may get another shape, and with it a later aligned
 * request another address.
 *
 *   V1  lazy_list, by purge_next, holds each lazy area once, newest first.
 *
 * Walks of the list would meet descriptors that a purge has given back, so a
 * walk and the taking exclude each other by lazy_lock, as Linux's mutex of the
 * purge does; a free takes no part in that.
 *
 * Locks of one alloc and free: 1 free, 4 busy.
 */
#include "base/check.h"
#include "va/area_census.h"
#include "va/augmented.h"
#include "va/strategies.h"

static int list_init_510(struct va *va)
{
	return augmented_init(va, FREE_ALIGN_ALWAYS);
}

static void list_fini_510(struct va *va)
{
	/* relaxed: fini runs alone. */
	area_chain_give(load_relaxed(&augmented_of(va)->lazy_list));
	augmented_fini(va);
}

/*
 * lazy_push - lock-free: a failed CAS is another thread's success.  From the
 * successful one on, the area is the next purge's.
 */
static void lazy_push(struct augmented *self, struct vmap_area *area)
{
	/* relaxed: the old head is linked to, never looked into. */
	struct vmap_area *head = load_relaxed(&self->lazy_list);

	do {
		area->purge_next = head;
		/* release [lazy-list]: the area as it is. */
	} while (!cas_release(&self->lazy_list, &head, area));
}

static int list_free_510(struct va *va, uintptr_t start, bool *purge_due)
{
	struct vmap_area *area;
	const int error = augmented_retire(va, start, &area, purge_due);

	if (!error)
		lazy_push(augmented_of(va), area);
	return error;
}

/* As in 6.1, the busy lock is held to the end: no area is met twice. */
static void list_for_each_510(struct va *va, va_visit *visit, void *context)
{
	struct augmented *const self = augmented_of(va);
	struct lock_turn busy_turn;
	struct lock_turn lazy_turn;

	(void)lock_enter_shared(&self->busy_lock, &busy_turn);
	augmented_visit_busy(self, visit, context);
	(void)lock_enter_shared(&self->lazy_lock, &lazy_turn);
	/* acquire [lazy-list]: one load meets every push before it. */
	const struct vmap_area *area = load_acquire(&self->lazy_list);

	for (; area; area = area->purge_next)
		area_visit(area, true, visit, context);
	lock_leave_shared(&self->lazy_lock, &lazy_turn);
	lock_leave_shared(&self->busy_lock, &busy_turn);
}

static struct vmap_area *list_purge_take_510(struct va *va, enum va_purge how)
{
	struct augmented *const self = augmented_of(va);
	struct lock_turn turn;

	(void)how; /* there are no pools to spare */
	(void)lock_enter(&self->lazy_lock, &turn);
	/*
	 * acquire [lazy-list]: every push since the last take, for each extends
	 * the release sequence of the one before.
	 */
	struct vmap_area *const chain = swap_acquire(&self->lazy_list, NULL);

	lock_leave(&self->lazy_lock, &turn);
	return augmented_taken(va, chain);
}

static void list_purge_keep_510(struct va *va, struct vmap_area *chain)
{
	while (chain) {
		struct vmap_area *const area = chain;

		chain = area->purge_next;
		augmented_kept(va, area);
		lazy_push(augmented_of(va), area);
	}
}

static void list_check_510(struct va *va)
{
	struct augmented *const self = augmented_of(va);
	struct area_census census;
	uint64_t lazy_pages = 0;

	free_space_check(&self->space);
	area_tree_check(&self->busy);
	area_census_begin(&census, &va->config);
	free_space_census(&self->space, &census);
	(void)area_census_add_list(&census, &self->busy.list);
	/* relaxed: check runs alone. */
	const struct vmap_area *area = load_relaxed(&self->lazy_list);

	for (; area; area = area->purge_next) {
		area_census_add(&census, area);
		lazy_pages += area_pages(area);
	}
	area_census_end(&census, self->taken_pages); /* B1, V1 */
	/* relaxed: check runs alone. */
	require_invariant(lazy_pages + self->taken_pages ==
				  load_relaxed(&self->lazy_pages),
			  "A4");
}

static const char *const aliases[] = { "linux-5.10", NULL };

const struct va_ops va_augmented_510 = {
	.name = "augmented-5.10",
	.variant = "5.10",
	.aliases = aliases,
	.summary = "Linux 5.2 to 5.10 as in 5.10: as augmented, but lazy areas "
		   "on one lock-free list, and the longer aligned search",
	.deterministic = true,
	.retries = true,
	.vfree_finds = true,
	.state_bytes = sizeof(struct augmented),
	.init = list_init_510,
	.fini = list_fini_510,
	.alloc = augmented_alloc,
	.free = list_free_510,
	.find = augmented_find,
	.find_next = augmented_find_next,
	.for_each = list_for_each_510,
	.purge_take = list_purge_take_510,
	.purge_give = augmented_purge_give,
	.purge_keep = list_purge_keep_510,
	.check = list_check_510,
	.stats = augmented_stats,
};
