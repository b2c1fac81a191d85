/* SPDX-License-Identifier: MIT */
/*
 * rcu_world.h - `rcu` over several zones, told in pages.
 */
#ifndef TESTS_UNIT_RCU_WORLD_H
#define TESTS_UNIT_RCU_WORLD_H

#include "lockfree_world.h"

#include "base/rcu.h"
#include "va/cow_zone.h"

enum { ZONE = COW_ZONE_PAGES, ZONES = 4 };

static inline struct va_config rcu_config(long pages)
{
	struct va_config config = world_config(pages);

	config.reuse_at_once = true;
	return config;
}

static inline void rcu_begin(struct world *world, long pages)
{
	const struct va_config config = rcu_config(pages);

	world_make(world, &va_rcu, &config);
}

/* take_at - an area of `pages` that begins at `page`, and nowhere else. */
static inline void take_at(struct world *world, long page, long pages)
{
	const struct va_request request =
		request_of(pages, 0, page, page + pages);

	assert_int_equal(try_request(world, &request, NULL), page);
}

#endif
