/* SPDX-License-Identifier: MIT */
/*
 * cached.h - any strategy with the cache of holes in front.
 *
 *	          alloc                              free
 *	            |                                 |
 *	  stock of this CPU, depot  <--- idle ---  live -> idle
 *	            |  (va/hole_cache.h)              |
 *	            |  empty: a batch                 |  full, or no class
 *	            v                                 v
 *	        the strategy, to which all that lies in the cache is live
 *
 * It works as a strategy itself: a table of its own, in which what it adds
 * stands in the place of the other's.  An area of a cached size is carved once
 * and used again whole, so that the strategy's own index is edited only when
 * the cache is short or full (Linux's IOVA rcache; vmem's quantum caches).
 *
 * Whether an area is a user's is told by the state word of its first page
 * (va/page_map.h), which is the linearization point of alloc and free, and is
 * looked at after each lookup of the strategy's.  A strategy with a page map of
 * its own (ops->back) shares it: then there is one word and one look.
 *
 *   K1  an area that is idle is in the cache, or with one operation;
 *   K2  what is in the cache has the size of its class; with `keep`, where
 *       there is memory, all its pages but the guard have frames and are
 *       mapped, else none is.
 *
 * Who may run with whom: as the strategy, and the cache with everything.
 * Progress: the strategy's, where the cache is short or full; else lock-free.
 *
 * The inline functions below, and `fits`, are the way of nearly all calls, for
 * the core (core/fast.h), which falls back on the table.
 */
#ifndef LFV_VA_CACHED_H
#define LFV_VA_CACHED_H

#include "va/hole_cache.h"
#include "va/page_map.h"
#include "va/va.h"

static_assert((int)STOCK_CAPACITY <= VA_RELEASE_MAX, "given up at once");

/* class_fit - what serves a size: the stocks of its class. */
struct class_fit {
	struct percpu *stock;
	size_t pages; /* of the class's areas */
};

struct cached {
	/* constant after init */
	struct page_map *map;
	bool hardened; /* live -> idle by exchange: of two frees one is refused
			*/
	bool is_plain; /* not so, and the stocks are sections' */
	bool keeps;    /* K2; never on the address plane */
	bool unmaps;   /* in free */
	uint32_t whole_flags; /* K2: of the areas that have all frames */
	struct class_fit fits[CLASS_PAGES_MAX + 1]; /* by pages */
	const struct va_back *back;
	struct va_ops ops; /* the strategy's, with ours in their places */
	/* each has its own rules */
	struct page_map own_map;
	struct hole_cache cache;
	struct va inner;
};

/* cached_init - va->state is cached_state_bytes() of zero, config is set. */
__attribute__((warn_unused_result)) int cached_init(struct va *va,
						    const struct va_ops *ops);
size_t cached_state_bytes(void);

/*
 * cached_settle - an idle area that was a user's goes where it belongs;
 * `stuck`: it could not be unmapped.  True: a purge is due.
 */
bool cached_settle(struct va *va, uint64_t first, uint64_t pages, bool stuck);

/* cached_retract - live -> idle; false: no live area begins at `first`. */
static inline bool cached_retract(struct cached *self, uint64_t first,
				  struct page_head *before)
{
	return __builtin_expect(self->hardened, 0)
		       ? page_map_retract_once(self->map, first, before)
		       : page_map_retract(self->map, first, before);
}

/* cached_is_whole - an area that was just retracted is as K2 wants it. */
static inline bool cached_is_whole(struct cached *self, uint64_t first)
{
	/* relaxed: whoever retracted it is the only writer. */
	return !self->keeps ||
	       (uint32_t)load_relaxed(&self->map->records[first].kind) ==
		       self->whole_flags;
}

/*
 * cached_give - leave an idle area of `pages` with this CPU; false: it has no
 * class, or its stock is full.
 */
static inline bool cached_give(struct cached *self, uint64_t first,
			       uint64_t pages)
{
	return pages <= CLASS_PAGES_MAX && self->fits[pages].pages == pages &&
	       percpu_push(self->fits[pages].stock, first);
}

#endif
