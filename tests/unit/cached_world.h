/* SPDX-License-Identifier: MIT */
/*
 * cached_world.h - the cache in front of a strategy with a page map of its own,
 * and of one without.
 */
#ifndef TESTS_UNIT_CACHED_WORLD_H
#define TESTS_UNIT_CACHED_WORLD_H

#include "lockfree_world.h"

#include "va/cached.h"

enum { PAGES = 4096, MAGAZINE = 4, CLASS_4 = 3 };

static const struct va_ops *const inners[] = { &va_lockfree, &va_augmented };

enum { INNERS = sizeof(inners) / sizeof(inners[0]) };

/* Freed areas are used again at once, unless a test says otherwise. */
static inline struct va_config cached_config(long pages)
{
	struct va_config config = world_config(pages);

	config.cached = true;
	config.magazine = MAGAZINE;
	config.reuse_at_once = true;
	return config;
}

static inline void each_inner(void (*body)(struct world *world),
			      const struct va_config *config)
{
	for (unsigned i = 0; i < INNERS; i++) {
		struct world world;

		world_make(&world, inners[i], config);
		body(&world);
		world.va.ops->check(&world.va);
		va_fini(&world.va);
	}
}

static inline struct cached *cached_of(struct world *world)
{
	return world->va.state;
}

#endif
