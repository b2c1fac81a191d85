/* SPDX-License-Identifier: MIT */
/*
 * va_augmented.c - row `augmented`: generation 3 as in Linux 6.1.
 *
 * Lazy areas lie in a tree of their own, behind a lock of its own, and are
 * merged while they wait: a free that touches a lazy neighbour becomes one with
 * it, so a purge meets runs, not areas (since 5.11).  The alignment rule is
 * that of 5.18.
 *
 *   W1  lazy areas do not overlap or touch (T1 to T3).
 *
 * Locks of one alloc and free: 1 free, 4 busy, 1 lazy.
 */
#include "base/check.h"
#include "va/area_census.h"
#include "va/augmented.h"
#include "va/strategies.h"

static int tree_init(struct va *va)
{
	return augmented_init(va, FREE_ALIGN_UNLESS_EXACT);
}

static void tree_fini(struct va *va)
{
	area_chain_give(area_tree_take_all(&augmented_of(va)->lazy));
	augmented_fini(va);
}

static void lazy_add(struct augmented *self, struct vmap_area *area)
{
	struct vmap_area *surplus = NULL;
	struct lock_turn turn;

	(void)lock_enter(&self->lazy_lock, &turn);
	(void)area_tree_merge(&self->lazy, area, NULL, &surplus);
	area_chain_give(surplus);
	lock_leave(&self->lazy_lock, &turn);
}

static int tree_free(struct va *va, uintptr_t start, bool *purge_due)
{
	struct vmap_area *area;
	const int error = augmented_retire(va, start, &area, purge_due);

	if (!error)
		lazy_add(augmented_of(va), area);
	return error;
}

/*
 * The lazy areas are shown with the busy lock still held: an area leaves the
 * busy tree before it becomes lazy, so it cannot be met twice.
 */
static void tree_for_each(struct va *va, va_visit *visit, void *context)
{
	struct augmented *const self = augmented_of(va);
	struct lock_turn busy_turn;
	struct lock_turn lazy_turn;

	(void)lock_enter_shared(&self->busy_lock, &busy_turn);
	augmented_visit_busy(self, visit, context);
	(void)lock_enter_shared(&self->lazy_lock, &lazy_turn);
	list_for_each (link, &self->lazy.list)
		area_visit(area_of_link(link), true, visit, context);
	lock_leave_shared(&self->lazy_lock, &lazy_turn);
	lock_leave_shared(&self->busy_lock, &busy_turn);
}

static struct vmap_area *tree_purge_take(struct va *va, enum va_purge how)
{
	struct augmented *const self = augmented_of(va);
	struct lock_turn turn;

	(void)how; /* there are no pools to spare */
	(void)lock_enter(&self->lazy_lock, &turn);

	struct vmap_area *const chain = area_tree_take_all(&self->lazy);

	lock_leave(&self->lazy_lock, &turn);
	return augmented_taken(va, chain);
}

static void tree_purge_keep(struct va *va, struct vmap_area *chain)
{
	while (chain) {
		struct vmap_area *const area = chain;

		chain = area->purge_next;
		augmented_kept(va, area);
		lazy_add(augmented_of(va), area);
	}
}

static void tree_check(struct va *va)
{
	struct augmented *const self = augmented_of(va);
	struct area_census census;

	free_space_check(&self->space);
	area_tree_check(&self->busy);
	area_tree_check_apart(&self->lazy); /* W1 */
	area_census_begin(&census, &va->config);
	free_space_census(&self->space, &census);
	(void)area_census_add_list(&census, &self->busy.list);

	const uint64_t lazy_pages =
		area_census_add_list(&census, &self->lazy.list);

	area_census_end(&census, self->taken_pages); /* B1 */
	/* relaxed: check runs alone. */
	require_invariant(lazy_pages + self->taken_pages ==
				  load_relaxed(&self->lazy_pages),
			  "A4");
}

static const char *const aliases[] = { "linux-6.1", NULL };

const struct va_ops va_augmented = {
	.name = "augmented",
	.variant = "6.1",
	.aliases = aliases,
	.summary = "Linux 5.2 to 6.8 as in 6.1: tree of holes that knows the "
		   "largest below each node, two locks, merging purge tree",
	.deterministic = true,
	.retries = true,
	.vfree_finds = true,
	.state_bytes = sizeof(struct augmented),
	.init = tree_init,
	.fini = tree_fini,
	.alloc = augmented_alloc,
	.free = tree_free,
	.find = augmented_find,
	.find_next = augmented_find_next,
	.for_each = tree_for_each,
	.purge_take = tree_purge_take,
	.purge_give = augmented_purge_give,
	.purge_keep = tree_purge_keep,
	.check = tree_check,
	.stats = augmented_stats,
};
