/* SPDX-License-Identifier: MIT */
/*
 * va_rcu.c - areas in a red-black tree a zone, under read-copy-update.
 *
 *	   0        1 GiB      2 GiB      3 GiB
 *	   | zone 0   |  zone 1  |  zone 2  |
 *	   |  ##   ######## ##   |  ##  ### |
 *	       |    |     |          |   |
 *	       tree of 0  tree of 1  tree of 2      by first pages
 *	               <--'
 *	               from_below of zone 1 names the area that begins in 0
 *
 * A writer makes a new tree beside the old one and exchanges the root; a reader
 * follows the root that it found (va/cow_zone.h).  An area is in the tree of
 * the zone in which it begins, with the pages that it has there; each zone
 * above, whose first page it covers, knows where it begins.  All else is
 * va/page_areas.h: what is found is looked at by its head, so that a user's
 * allocation and free edit no tree where the cache in front answers them, and
 * what refills or leaves that, or is purged, is many areas by one exchange.
 *
 *   N1  an area that is indexed (F3) is in the tree of its zone;
 *   N2  while an area is live, from_below of each zone whose first page it
 *       covers, and in which it does not begin, names its first page; it is
 *       written by whoever holds that page, before the area is live;
 *   N3  at any instant no two nodes, of all zones, and the pages behind them,
 *       overlap: a node leaves before its pages are given to the holes;
 *   N4  a find hits iff a live area covers the page at one instant of the call.
 *
 * Why N4: a hit was read in one look at a head that was live and covers the
 * page.  In a miss no area was live and covered the page throughout: by N1 and
 * Z1 it would have been in the snapshot, or by N2, if it begins below, been
 * named, unless another node covered the page then, which N3 excludes.  So the
 * area that covered it was freed, or made, during the call, and between the
 * areas of two owners there is an instant without.
 *
 * Who may run with whom: everything with everything, purges included; check
 * alone.
 *
 * Progress: lookups are wait-free and never look twice; all else is lock-free.
 * Here is where this ends:
 *
 *   - a thread's first look takes the library's mutex (base/rcu.h): if another
 *     is stopped just there, it waits;
 *   - memory grows behind a reader who is stopped.  At a limit an allocation
 *     that the cache in front does not answer waits while memory comes back,
 *     since on a busy machine each reader may be waiting for a CPU; when none
 *     has come for a second it is refused, and so are all until he goes on.
 *     Frees and purges neither wait nor are refused.
 */
#include <errno.h>

#include "base/check.h"
#include "base/error.h"
#include "va/cow_zone.h"
#include "va/page_areas.h"
#include "va/strategies.h"

enum { BATCH_MAX = VA_RELEASE_MAX };

#define HELD_BYTES_DEFAULT (256 * MIB)

struct rcu_zone {
	alignas(FALSE_SHARING_BYTES) struct cow_zone tree;
	_Atomic(uint64_t) from_below; /* N2: a page of the window */
};

struct rcu {
	struct page_areas areas;
	/* constant after init */
	struct rcu_zone *zones;
	uint64_t zone_count;
	/* has its own rules */
	struct cow_pool pool;
};

static struct rcu *rcu_of(const struct va *va)
{
	return va->state;
}

static_assert(offsetof(struct rcu, areas) == 0, "areas_of() finds them");

static uint64_t zone_of(uint64_t page)
{
	return page >> COW_ZONE_PAGES_SHIFT;
}

static uint64_t zone_begin(uint64_t zone)
{
	return zone << COW_ZONE_PAGES_SHIFT;
}

static size_t zones_bytes(const struct rcu *self)
{
	return align_up(self->zone_count * sizeof(struct rcu_zone), PAGE_SIZE);
}

/* name_below - to the zones that the area reaches; N2. */
static void name_below(struct rcu *self, uint64_t first, uint64_t pages)
{
	const uint64_t last = zone_of(first + pages - 1);

	/* relaxed: [area-head] is what publishes it. */
	for (uint64_t zone = zone_of(first) + 1; zone <= last; zone++)
		store_relaxed(&self->zones[zone].from_below, first);
}

/* batch_fill - the front of `firsts`, as far as it begins in one zone. */
static unsigned batch_fill(struct cow_area *batch, const uint64_t *firsts,
			   unsigned count, uint64_t pages)
{
	const uint64_t begin = zone_begin(zone_of(firsts[0]));
	unsigned filled = 0;

	for (; filled < count && filled < BATCH_MAX; filled++) {
		const uint64_t first = firsts[filled] - begin;
		const uint64_t rest = COW_ZONE_PAGES - first;

		if (first >= COW_ZONE_PAGES)
			break;
		batch[filled] = (struct cow_area){
			.first = (uint32_t)first,
			.pages = (uint32_t)(pages < rest ? pages : rest),
		};
	}
	return filled;
}

static unsigned rcu_add(struct va *va, const uint64_t *firsts, unsigned count,
			uint64_t pages)
{
	struct rcu *const self = rcu_of(va);
	unsigned added = 0;

	while (added < count) {
		struct cow_area batch[BATCH_MAX];
		const uint64_t *const front = firsts + added;
		struct rcu_zone *const zone = &self->zones[zone_of(*front)];
		const unsigned filled =
			batch_fill(batch, front, count - added, pages);

		for (unsigned i = 0; i < filled; i++)
			name_below(self, front[i], pages);
		if (cow_zone_add(&zone->tree, &self->pool, batch, filled))
			break;
		added += filled;
	}
	return added;
}

static void rcu_remove(struct va *va, const uint64_t *firsts, unsigned count)
{
	struct rcu *const self = rcu_of(va);

	while (count > 0) {
		struct cow_area batch[BATCH_MAX];
		struct rcu_zone *const zone = &self->zones[zone_of(*firsts)];
		/* Only the first pages are looked at. */
		const unsigned filled = batch_fill(batch, firsts, count, 1);

		cow_zone_remove(&zone->tree, &self->pool, batch, filled);
		firsts += filled;
		count -= filled;
	}
}

/* first_covering - where the area begins that may cover the page; N1, N2. */
static uint64_t first_covering(const struct rcu *self, uint64_t page)
{
	const struct rcu_zone *const zone = &self->zones[zone_of(page)];
	const uint64_t begin = zone_begin(zone_of(page));
	uint64_t first;

	rcu_enter();

	const struct cow_node *const node =
		cow_tree_find(cow_zone_snapshot(&zone->tree), page - begin);

	/*
	 * relaxed: what it names is looked at, and N2 holds while it is live;
	 * that of a live area is ordered by whoever told of the address.
	 */
	first = node ? begin + node->first : load_relaxed(&zone->from_below);
	rcu_leave();
	return first;
}

/* The copy is of the area's head: outside, where nothing is held back. */
static bool rcu_find(struct va *va, uintptr_t address, struct va_found *found)
{
	if (address < va->config.start || address >= va->config.end)
		return false;

	const struct rcu *const self = rcu_of(va);
	const uint64_t page = areas_page(va, address);

	return page_map_copy(&self->areas.map, first_covering(self, page), page,
			     found);
}

/*
 * step_at - the area that begins at `first`, if it ends above `page`; none has
 * no length.
 */
static bool step_at(const struct rcu *self, uint64_t first, uint64_t page,
		    struct area_step *step)
{
	step->page = first > page ? first : page;
	step->first = first;
	step->head = page_map_head(&self->areas.map, first);
	return page_head_covers(step->head, first, step->page);
}

/* node_next - a copy of the lowest node of a zone that ends above `page`. */
static bool node_next(const struct rcu_zone *zone, uint64_t page,
		      struct cow_node *copy)
{
	rcu_enter();

	const struct cow_node *const node =
		cow_tree_find_next(cow_zone_snapshot(&zone->tree), page);

	if (node)
		*copy = *node;
	rcu_leave();
	return node != NULL;
}

/* zone_next - as rcu_next(), of what begins in the zone of `page`. */
static bool zone_next(const struct rcu *self, uint64_t page,
		      struct area_step *step)
{
	const struct rcu_zone *const zone = &self->zones[zone_of(page)];
	const uint64_t begin = zone_begin(zone_of(page));
	struct cow_node node;

	/* What is no area any more, or a shorter one, is passed. */
	for (; node_next(zone, page - begin, &node);
	     page = begin + cow_node_end(&node)) {
		if (step_at(self, begin + node.first, page, step))
			return true;
	}
	return false;
}

static bool rcu_next(const struct va *va, uint64_t page, struct area_step *step)
{
	const struct rcu *const self = rcu_of(va);

	for (uint64_t zone = zone_of(page); zone < self->zone_count; zone++) {
		/* relaxed: as in first_covering(). */
		const uint64_t below =
			load_relaxed(&self->zones[zone].from_below);

		if (step_at(self, below, page, step) ||
		    zone_next(self, page, step))
			return true;
		page = zone_begin(zone + 1);
	}
	return false;
}

static const struct area_index rcu_index = {
	.add = rcu_add,
	.remove = rcu_remove,
	.next = rcu_next,
};

static int zones_init(struct rcu *self, const struct os *os)
{
	self->zone_count = zone_of(self->areas.map.pages - 1) + 1;
	/* Zero is an empty tree, and a page that is looked at. */
	self->zones = os->mmap_anon(zones_bytes(self));
	if (!self->zones)
		return error_set(-ENOMEM, "no memory for the zones' trees"
					  " (RLIMIT_AS, vm.max_map_count)");
	return 0;
}

static int rcu_va_init(struct va *va)
{
	struct rcu *const self = rcu_of(va);
	const struct va_config *const config = &va->config;
	const uint64_t held_bytes_max = config->held_bytes_max != 0
						? config->held_bytes_max
						: HELD_BYTES_DEFAULT;
	int error = areas_init(va, &rcu_index, false);

	if (error)
		return error;
	error = zones_init(self, config->os);
	if (!error) {
		error = cow_pool_init(&self->pool, config->os, held_bytes_max);
		if (!error)
			return 0;
		config->os->munmap_anon(self->zones, zones_bytes(self));
	}
	areas_fini(va);
	return error;
}

static void rcu_va_fini(struct va *va)
{
	struct rcu *const self = rcu_of(va);

	for (uint64_t zone = 0; zone < self->zone_count; zone++)
		cow_zone_fini(&self->zones[zone].tree, &self->pool);
	cow_pool_fini(&self->pool);
	va->config.os->munmap_anon(self->zones, zones_bytes(self));
	areas_fini(va);
}

/* no_room - why the pool gives no nodes: it is no lack of holes. */
static int no_room(const struct rcu *self)
{
	struct cow_pool_stats stats;

	cow_pool_stats(&self->pool, &stats);
	if (stats.held_bytes < stats.held_bytes_max)
		return error_set(-ENOMEM, "no memory for the nodes of a tree"
					  " (RLIMIT_AS, vm.max_map_count)");
	return error_set(-ENOMEM,
			 "%llu KiB of memory wait for readers that have not "
			 "left, the limit is %llu KiB (held_bytes_max): is a "
			 "thread stopped in a lookup?",
			 (unsigned long long)(stats.held_bytes >> 10),
			 (unsigned long long)(stats.held_bytes_max >> 10));
}

static int rcu_alloc(struct va *va, const struct va_request *request,
		     struct va_range *range)
{
	struct rcu *const self = rcu_of(va);
	struct cow_wait wait;

	cow_wait_begin(&wait, &self->pool);
	for (;;) {
		const int error = areas_alloc(va, request, range);

		if (error != -ENOBUFS)
			return error;
		if (!cow_pool_wait(&self->pool, &wait))
			return no_room(self);
	}
}

/* below_check - N2, for an area in any state. */
static void below_check(const struct rcu *self, const struct area_step *step)
{
	const uint64_t last = zone_of(step_end(step) - 1);

	/* relaxed: the caller is alone. */
	for (uint64_t zone = zone_of(step->first) + 1; zone <= last; zone++)
		require_invariant(load_relaxed(&self->zones[zone].from_below) ==
					  step->first,
				  "N2");
}

static void rcu_check(struct va *va)
{
	struct rcu *const self = rcu_of(va);
	const uint64_t count = areas_check(va);
	struct area_step step;
	size_t indexed = 0;

	for (uint64_t page = 0; rcu_next(va, page, &step);
	     page = step_end(&step))
		below_check(self, &step);
	for (uint64_t zone = 0; zone < self->zone_count; zone++)
		cow_zone_check(&self->zones[zone].tree, &indexed);
	require_invariant(indexed == count, "N1");
	rcu_wait();
	cow_cells_check(&self->pool, indexed);
}

static void rcu_stats(struct va *va, struct va_stats *stats)
{
	struct cow_pool_stats pool;

	areas_stats(va, stats);
	cow_pool_stats(&rcu_of(va)->pool, &pool);
	stats->held_bytes = pool.held_bytes;
	stats->held_bytes_most = pool.held_bytes_most;
	stats->held_bytes_max = pool.held_bytes_max;
}

const struct va_ops va_rcu = {
	.name = "rcu",
	.variant = "rcu",
	.summary = "a copy-on-write tree a GiB, read under RCU; no lock",
	.lockless = true,
	.retries = true,
	.cached_by_default = true,
	.state_bytes = sizeof(struct rcu),
	.init = rcu_va_init,
	.fini = rcu_va_fini,
	.alloc = rcu_alloc,
	.alloc_many = areas_alloc_many,
	.publish = areas_publish,
	.has_begun = areas_has_begun,
	.withdraw = areas_withdraw,
	.free = areas_free,
	.find = rcu_find,
	.find_next = areas_find_next,
	.for_each = areas_for_each,
	.purge = areas_purge,
	.returned = areas_returned,
	.check = rcu_check,
	.stats = rcu_stats,
	.back = &areas_back,
};
