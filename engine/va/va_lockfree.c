/* SPDX-License-Identifier: MIT */
/*
 * va_lockfree.c - no lock, no tree, no grace period.
 *
 * The page map is the index: the area that covers a page is an entry away
 * (va/page_map.h, M1).  All else is va/page_areas.h.
 *
 * Who may run with whom: everything with everything, purges included; check
 * alone.
 *
 * Progress: lookups are wait-free; all else is lock-free, and calls nothing
 * that takes a lock: no malloc, no stdio, no liburcu.
 */
#include "base/check.h"
#include "va/page_areas.h"
#include "va/strategies.h"

/* Pages of a claim that is no area yet are passed one by one. */
static bool lockfree_next(const struct va *va, uint64_t page,
			  struct area_step *step)
{
	const struct page_areas *const areas = areas_of(va);
	size_t taken = page;

	while (holes_next_taken(&areas->holes, taken, &taken)) {
		step->page = taken;
		if (page_map_covering(&areas->map, taken, &step->first,
				      &step->head))
			return true;
		taken++;
	}
	return false;
}

static const struct area_index lockfree_index = { .next = lockfree_next };

static int lockfree_init(struct va *va)
{
	return areas_init(va, &lockfree_index, true);
}

static bool lockfree_find(struct va *va, uintptr_t address,
			  struct va_found *found)
{
	if (address < va->config.start || address >= va->config.end)
		return false;
	return page_map_find(&areas_of(va)->map, areas_page(va, address),
			     found);
}

/* entries_check - M1, for an area that is live. */
static void entries_check(const struct page_areas *areas,
			  const struct area_step *step)
{
	for (uint64_t page = step->first; page < step_end(step); page++) {
		struct va_found found;

		require_invariant(
			page_map_find(&areas->map, page, &found) &&
				page_map_page(&areas->map, found.start) ==
					step->first,
			"M1");
	}
}

static void lockfree_check(struct va *va)
{
	const struct page_areas *const areas = areas_of(va);
	struct area_step step;

	(void)areas_check(va);
	for (uint64_t page = 0; lockfree_next(va, page, &step);
	     page = step_end(&step)) {
		if (page_head_is(step.head, PAGE_LIVE))
			entries_check(areas, &step);
	}
}

const struct va_ops va_lockfree = {
	.name = "lockfree",
	.variant = "lockfree",
	.summary = "page map, bitmap of holes, lazy lists; nobody waits",
	.lock_free = true,
	.lockless = true,
	.retries = true,
	.cached_by_default = true,
	.state_bytes = sizeof(struct page_areas),
	.init = lockfree_init,
	.fini = areas_fini,
	.alloc = areas_alloc,
	.alloc_many = areas_alloc_many,
	.publish = areas_publish,
	.has_begun = areas_has_begun,
	.withdraw = areas_withdraw,
	.free = areas_free,
	.find = lockfree_find,
	.find_next = areas_find_next,
	.for_each = areas_for_each,
	.purge = areas_purge,
	.returned = areas_returned,
	.check = lockfree_check,
	.stats = areas_stats,
	.back = &areas_back,
};
