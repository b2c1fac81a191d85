/* SPDX-License-Identifier: MIT */
/*
 * cow_world.h - one zone over a pool of its own, and an array that knows what
 * is in it.
 *
 * The area of slot i begins at page `stride * i` and is `pages` long.
 */
#ifndef TESTS_UNIT_COW_WORLD_H
#define TESTS_UNIT_COW_WORLD_H

#include <stdlib.h>

#include "va_world.h"

#include "va/cow_zone.h"

enum { COW_SLOTS_MAX = 4096 };

struct cow_world {
	struct cow_pool pool;
	struct cow_zone zone;
	bool inside[COW_SLOTS_MAX];
	unsigned slots;
	uint32_t stride;
	uint32_t pages;
	size_t seen; /* of cow_world_see(), in this walk */
};

static inline struct cow_world *cow_world_begin(unsigned slots, uint32_t stride,
						uint32_t pages)
{
	struct cow_world *const world = calloc(1, sizeof(*world));

	assert_non_null(world);
	assert_in_range(slots, 1, COW_SLOTS_MAX);
	assert_int_equal(cow_pool_init(&world->pool, &os_linux, UINT64_MAX), 0);
	cow_zone_init(&world->zone);
	world->slots = slots;
	world->stride = stride;
	world->pages = pages;
	return world;
}

/* The area of a slot. */
static inline struct cow_area cow_world_area(const struct cow_world *world,
					     unsigned slot)
{
	return (struct cow_area){
		.first = slot * world->stride,
		.pages = world->pages,
	};
}

/* The slot of a node that is one's. */
static inline unsigned cow_world_slot(const struct cow_world *world,
				      const struct cow_node *node)
{
	return node->first / world->stride;
}

static inline size_t cow_world_count(const struct cow_world *world)
{
	size_t count = 0;

	for (unsigned slot = 0; slot < world->slots; slot++)
		count += world->inside[slot];
	return count;
}

/* cow_world_add - the slots, ascending, by one exchange. */
static inline void cow_world_add(struct cow_world *world, const unsigned *slots,
				 size_t count)
{
	struct cow_area *const areas = calloc(count + 1, sizeof(*areas));

	assert_non_null(areas);
	for (size_t i = 0; i < count; i++) {
		areas[i] = cow_world_area(world, slots[i]);
		world->inside[slots[i]] = true;
	}
	assert_int_equal(cow_zone_add(&world->zone, &world->pool, areas, count),
			 0);
	free(areas);
}

static inline void cow_world_remove(struct cow_world *world,
				    const unsigned *slots, size_t count)
{
	struct cow_area *const areas = calloc(count + 1, sizeof(*areas));

	assert_non_null(areas);
	for (size_t i = 0; i < count; i++) {
		areas[i] = cow_world_area(world, slots[i]);
		world->inside[slots[i]] = false;
	}
	cow_zone_remove(&world->zone, &world->pool, areas, count);
	free(areas);
}

static inline void cow_world_see(void *context, const struct cow_node *node)
{
	struct cow_world *const world = context;
	const unsigned slot = cow_world_slot(world, node);

	assert_true(slot < world->slots && world->inside[slot]);
	assert_int_equal(node->first, slot * world->stride);
	assert_int_equal(node->pages, world->pages);
	world->seen++;
}

/* cow_world_compare - the tree is whole, and has what the array has. */
static inline void cow_world_compare(struct cow_world *world)
{
	const struct cow_node *root;

	world->seen = 0;
	rcu_enter();
	root = cow_zone_snapshot(&world->zone);
	cow_tree_walk(root, cow_world_see, world);
	rcu_leave();
	assert_int_equal(world->seen, cow_world_count(world));
	assert_int_equal(cow_tree_check(root), world->seen);
}

/* cow_world_look - find and find_next at one page agree with the array. */
static inline void cow_world_look(struct cow_world *world, uint32_t page)
{
	unsigned slot = page / world->stride;
	const bool hit = slot < world->slots && world->inside[slot] &&
			 page % world->stride < world->pages;

	if (slot < world->slots && page % world->stride >= world->pages)
		slot++;
	while (slot < world->slots && !world->inside[slot])
		slot++;

	rcu_enter();
	const struct cow_node *const root = cow_zone_snapshot(&world->zone);
	const struct cow_node *const found = cow_tree_find(root, page);
	const struct cow_node *const next = cow_tree_find_next(root, page);

	assert_int_equal(found != NULL, hit);
	assert_int_equal(next != NULL, slot < world->slots);
	if (next != NULL)
		assert_int_equal(cow_world_slot(world, next), slot);
	if (found != NULL)
		assert_ptr_equal(found, next);
	rcu_leave();
}

/* cow_world_settle - after all readers: every cell is accounted for. */
static inline void cow_world_settle(struct cow_world *world)
{
	size_t areas = 0;

	rcu_wait();
	cow_zone_check(&world->zone, &areas);
	assert_int_equal(areas, cow_world_count(world));
	cow_cells_check(&world->pool, areas);
}

static inline void cow_world_end(struct cow_world *world)
{
	cow_world_settle(world);
	cow_zone_fini(&world->zone, &world->pool);
	cow_pool_fini(&world->pool);
	free(world);
}

#endif
