/* SPDX-License-Identifier: MIT */
/*
 * areas_world.h - page_areas with an index that is looked at: an array by first
 * pages, which takes as many areas as a test says.
 */
#ifndef TESTS_UNIT_AREAS_WORLD_H
#define TESTS_UNIT_AREAS_WORLD_H

#include "lockfree_world.h"

#include "va/page_areas.h"

enum { PAGES = 4096 };

struct watched {
	struct page_areas areas;
	uint64_t pages[PAGES]; /* of an area that begins here; 0: none */
	unsigned room;
	unsigned removals;                          /* calls */
	unsigned removed;                           /* areas */
	unsigned removed_most;                      /* by one call */
	void (*met)(struct va *va, uint64_t first); /* in a walk */
};

static inline struct watched *watched_of(const struct va *va)
{
	return va->state;
}

static inline unsigned watched_add(struct va *va, const uint64_t *firsts,
				   unsigned count, uint64_t pages)
{
	struct watched *const self = watched_of(va);
	unsigned added = 0;

	for (; added < count && self->room > 0; added++, self->room--) {
		assert_int_equal(self->pages[firsts[added]], 0);
		self->pages[firsts[added]] = pages;
	}
	return added;
}

/* Its pages are nobody else's yet: F2. */
static inline void removed_check(struct watched *self, uint64_t first)
{
	size_t taken;

	assert_int_not_equal(self->pages[first], 0);
	for (uint64_t page = first; page < first + self->pages[first]; page++) {
		assert_true(holes_next_taken(&self->areas.holes, page, &taken));
		assert_int_equal(taken, page);
	}
}

static inline void watched_remove(struct va *va, const uint64_t *firsts,
				  unsigned count)
{
	struct watched *const self = watched_of(va);

	for (unsigned i = 0; i < count; i++) {
		assert_true(i == 0 || firsts[i - 1] < firsts[i]);
		removed_check(self, firsts[i]);
		self->pages[firsts[i]] = 0;
	}
	self->removals++;
	self->removed += count;
	if (count > self->removed_most)
		self->removed_most = count;
}

static inline bool watched_next(const struct va *va, uint64_t page,
				struct area_step *step)
{
	struct watched *const self = watched_of(va);

	for (uint64_t first = 0; first < PAGES; first++) {
		if (self->pages[first] == 0 ||
		    first + self->pages[first] <= page)
			continue;
		step->page = first > page ? first : page;
		step->first = first;
		step->head = page_map_head(&self->areas.map, first);
		if (self->met)
			self->met((struct va *)(uintptr_t)va, first);
		return true;
	}
	return false;
}

static inline int watched_init(struct va *va)
{
	static const struct area_index index = {
		.add = watched_add,
		.remove = watched_remove,
		.next = watched_next,
	};

	watched_of(va)->room = UINT32_MAX;
	return areas_init(va, &index, false);
}

static inline void watched_areas_check(struct va *va)
{
	(void)areas_check(va);
}

static const struct va_ops watched_ops = {
	.name = "watched",
	.state_bytes = sizeof(struct watched),
	.init = watched_init,
	.fini = areas_fini,
	.alloc = areas_alloc,
	.alloc_many = areas_alloc_many,
	.publish = areas_publish,
	.has_begun = areas_has_begun,
	.withdraw = areas_withdraw,
	.free = areas_free,
	.find_next = areas_find_next,
	.for_each = areas_for_each,
	.purge = areas_purge,
	.returned = areas_returned,
	.check = watched_areas_check,
	.stats = areas_stats,
	.back = &areas_back,
};

static inline void watched_begin(struct world *world, bool reuse_at_once)
{
	struct va_config config = world_config(PAGES);

	config.reuse_at_once = reuse_at_once;
	world_make(world, &watched_ops, &config);
}

static inline bool is_indexed(const struct world *world, long page)
{
	return watched_of(&world->va)->pages[page] != 0;
}

#endif
