/* SPDX-License-Identifier: MIT */
/*
 * cow_zone.c - the loop around a zone's root.
 *
 * The comparison cannot be fooled by a root that went and came back at the same
 * address (ABA): a replaced root is not reused before the section ends in which
 * the writer read it.
 */
#include "va/cow_zone.h"

#include <errno.h>

#include "base/check.h"

typedef struct cow_node *tree_change(struct cow_update *update,
				     struct cow_node *root,
				     struct cow_batch batch);

/*
 * zone_change - replace the tree by what `change` makes of it.
 *
 * Takes effect at the compare-and-swap that succeeds.  Lock-free.
 */
static void zone_change(struct cow_zone *zone, struct cow_update *update,
			struct cow_batch batch, tree_change *change)
{
	struct cow_node *root;
	struct cow_node *next;

	rcu_enter();
	for (;;) {
		/* acquire [cow-root]: the nodes that are to be copied. */
		root = load_acquire(&zone->root);
		next = change(update, root, batch);
		cow_update_seal(update);
		/* release [cow-root]: whoever sees it sees a whole tree, Z1. */
		if (cas_release(&zone->root, &root, next))
			break;
		cow_update_retry(update);
	}
	cow_update_retire(update);
	rcu_leave();
}

/* count_out - cells to add so many areas, and to remove them, Z3. */
static int count_out(struct cow_pool *pool, size_t count)
{
	const uint64_t to_add = COW_AREA_CELLS * count;
	const uint64_t to_remove = COW_AREA_CELLS * count;

	if (cow_pool_is_full(pool) ||
	    !cow_pool_count_out(pool, to_add + to_remove))
		return -ENOMEM;
	return 0;
}

int cow_zone_add(struct cow_zone *zone, struct cow_pool *pool,
		 const struct cow_area *areas, size_t count)
{
	struct cow_update update;
	const int error = count_out(pool, count);

	if (error != 0)
		return error;
	cow_update_begin(&update, pool, COW_AREA_CELLS * count);
	for (size_t i = 0; i < count; i++)
		assert(areas[i].first < COW_ZONE_PAGES &&
		       areas[i].pages <= COW_ZONE_PAGES - areas[i].first);
	zone_change(zone, &update, (struct cow_batch){ areas, count },
		    cow_tree_add);
	cow_update_end(&update);
	return 0;
}

void cow_zone_remove(struct cow_zone *zone, struct cow_pool *pool,
		     const struct cow_area *areas, size_t count)
{
	struct cow_update update;

	cow_update_begin(&update, pool, COW_AREA_CELLS * count); /* Z3 */
	zone_change(zone, &update, (struct cow_batch){ areas, count },
		    cow_tree_remove);
	cow_update_end(&update);
}

static void drop_all(struct cow_update *update, struct cow_node *node)
{
	if (node == NULL)
		return;
	drop_all(update, node->left);
	drop_all(update, node->right);
	cow_update_drop(update, node);
}

/* drop_tree - a change like the others: nothing is left. */
static struct cow_node *drop_tree(struct cow_update *update,
				  struct cow_node *root, struct cow_batch batch)
{
	(void)batch;
	drop_all(update, root);
	return NULL;
}

void cow_zone_fini(struct cow_zone *zone, struct cow_pool *pool)
{
	const struct cow_batch none = { NULL, 0 };
	struct cow_update update;
	size_t areas = 0;

	cow_zone_check(zone, &areas);
	cow_update_begin(&update, pool, COW_AREA_CELLS * areas); /* Z3 */
	zone_change(zone, &update, none, drop_tree);
	cow_update_end(&update);
}

void cow_zone_check(const struct cow_zone *zone, size_t *areas)
{
	/* relaxed: the caller is alone. */
	*areas += cow_tree_check(load_relaxed(&zone->root));
}
