/* SPDX-License-Identifier: MIT */
/*
 * page_oracle.h - random operations on a strategy against a map of pages.
 *
 * The map knows for each page whether it is free, live or lazy and where its
 * area begins.  After each step check() walks the strategy; lookups, walks and
 * statistics are compared with the map.
 */
#ifndef TESTS_UNIT_PAGE_ORACLE_H
#define TESTS_UNIT_PAGE_ORACLE_H

#include "va_world.h"

enum { ORACLE_PAGES = 320, ORACLE_PAGES_MAX = 24 };

enum page_state { PAGE_FREE, PAGE_LIVE, PAGE_LAZY };

struct oracle {
	struct world world;
	enum page_state state[ORACLE_PAGES];
	long start[ORACLE_PAGES]; /* LIVE and LAZY: first page of the area */
	long live_areas;
	long seen_live;
	long seen_lazy_pages;
	uint64_t random;
};

static inline long oracle_count(const struct oracle *oracle,
				enum page_state state)
{
	long count = 0;

	for (long page = 0; page < ORACLE_PAGES; page++)
		count += oracle->state[page] == state;
	return count;
}

/* The lowest aligned run of free pages at or above vstart, or NO_PAGE. */
static inline long oracle_lowest(const struct oracle *oracle, long pages,
				 long align, long vstart)
{
	const long step = align ? align : 1;

	for (long at = (vstart + step - 1) / step * step;
	     at + pages <= ORACLE_PAGES; at += step) {
		long run = 0;

		while (run < pages && oracle->state[at + run] == PAGE_FREE)
			run++;
		if (run == pages)
			return at;
	}
	return NO_PAGE;
}

static inline void oracle_set(struct oracle *oracle, long start, long end,
			      enum page_state from, enum page_state to)
{
	for (long page = start; page < end; page++) {
		assert_int_equal(oracle->state[page], from);
		oracle->state[page] = to;
		oracle->start[page] = start;
	}
}

static inline void oracle_alloc(struct oracle *oracle)
{
	static const long aligns[] = { 0, 0, 1, 2, 4, 8 };
	const bool deterministic = oracle->world.va.ops->deterministic;
	const long pages = 1 + random_below(&oracle->random, ORACLE_PAGES_MAX);
	const long align = aligns[random_below(&oracle->random, 6)];
	const bool whole = random_below(&oracle->random, 4) != 0;
	const long vstart =
		whole ? 0 : random_below(&oracle->random, ORACLE_PAGES / 2);
	const long vend =
		whole ? ORACLE_PAGES
		      : vstart + pages +
				random_below(&oracle->random, ORACLE_PAGES / 2);
	const struct va_request request =
		request_of(pages, align, vstart,
			   vend < ORACLE_PAGES ? vend : ORACLE_PAGES);
	const long lowest = oracle_lowest(oracle, pages, align, vstart);
	const long page = world_alloc_in(&oracle->world, &request);

	if (deterministic && align == 0)
		assert_int_equal(
			page, lowest != NO_PAGE && address_of(lowest + pages) <=
							   request.vend
				      ? lowest
				      : NO_PAGE);
	if (page == NO_PAGE)
		return;
	assert_true(page >= vstart);
	assert_true(address_of(page + pages) <= request.vend);
	assert_int_equal(align ? page % align : 0, 0);
	oracle_set(oracle, page, page + pages, PAGE_FREE, PAGE_LIVE);
	oracle->live_areas++;
}

/* The page after the area that begins at `start`. */
static inline long oracle_end(const struct oracle *oracle, long start)
{
	long end = start;

	while (end < ORACLE_PAGES &&
	       oracle->state[end] == oracle->state[start] &&
	       oracle->start[end] == start)
		end++;
	return end;
}

/* Free what covers a random page; what does not begin there is refused. */
static inline void oracle_free(struct oracle *oracle)
{
	const long page = random_below(&oracle->random, ORACLE_PAGES);
	const struct va *const va = &oracle->world.va;
	bool due = false;

	if (oracle->state[page] != PAGE_LIVE || oracle->start[page] != page)
		assert_int_equal(va->ops->free(&oracle->world.va,
					       address_of(page), &due),
				 -ENOENT);
	if (oracle->state[page] != PAGE_LIVE)
		return;

	const long start = oracle->start[page];

	world_free(&oracle->world, start);
	oracle_set(oracle, start, oracle_end(oracle, start), PAGE_LIVE,
		   PAGE_LAZY);
	oracle->live_areas--;
}

static inline void oracle_lookup(struct oracle *oracle)
{
	const long page = random_below(&oracle->random, ORACLE_PAGES);
	struct va *const va = &oracle->world.va;
	struct va_found found = { 0 };
	const bool live = oracle->state[page] == PAGE_LIVE;
	long next = page;

	assert_int_equal(va->ops->find(va, address_of(page) + 1, &found), live);
	if (live)
		assert_int_equal(page_of(found.start), oracle->start[page]);
	while (next < ORACLE_PAGES && oracle->state[next] != PAGE_LIVE)
		next++;
	assert_int_equal(va->ops->find_next(va, address_of(page), &found),
			 next < ORACLE_PAGES);
	if (next < ORACLE_PAGES)
		assert_int_equal(page_of(found.start), oracle->start[next]);
}

static inline void oracle_visit(void *context, const struct va_found *found)
{
	struct oracle *const oracle = context;
	const long start = page_of(found->start);

	for (long page = start; page < page_of(found->end); page++)
		assert_int_equal(oracle->state[page],
				 found->lazy ? PAGE_LAZY : PAGE_LIVE);
	if (found->lazy) {
		assert_true(found->merged >= 1);
		oracle->seen_lazy_pages += page_of(found->end) - start;
	} else {
		assert_int_equal(oracle->start[start], start);
		assert_int_equal(page_of(found->end),
				 oracle_end(oracle, start));
		oracle->seen_live++;
	}
}

static inline void oracle_compare(struct oracle *oracle)
{
	struct va *const va = &oracle->world.va;
	const struct va_stats stats = world_stats(&oracle->world);

	oracle->seen_live = 0;
	oracle->seen_lazy_pages = 0;
	va->ops->for_each(va, oracle_visit, oracle);
	assert_int_equal(oracle->seen_live, oracle->live_areas);
	assert_int_equal(oracle->seen_lazy_pages,
			 oracle_count(oracle, PAGE_LAZY));
	assert_int_equal(stats.live_areas, oracle->live_areas);
	assert_int_equal(stats.live_pages, oracle_count(oracle, PAGE_LIVE));
	assert_int_equal(stats.lazy_pages, oracle_count(oracle, PAGE_LAZY));
	assert_int_equal(stats.hole_pages + stats.pool_pages,
			 oracle_count(oracle, PAGE_FREE));
}

/* Take all, keep every second piece lazy, and give the others back. */
static inline void oracle_purge(struct oracle *oracle)
{
	const enum va_purge how = random_below(&oracle->random, 3)
					  ? VA_PURGE_DECAY
					  : VA_PURGE_FULL;
	const bool keeps = random_below(&oracle->random, 4) == 0;
	struct va *const va = &oracle->world.va;
	struct vmap_area *chain = va->ops->purge_take(va, how);
	struct vmap_area *parts[2] = { NULL, NULL };

	va->ops->check(va);
	for (unsigned i = 0; chain; i++) {
		struct vmap_area *const area = chain;
		struct vmap_area **const part = &parts[keeps && i % 2];
		const long start = page_of(area->va_start);

		chain = area->purge_next;
		area->purge_next = *part;
		*part = area;
		if (part == &parts[0])
			for (long page = start; page < page_of(area->va_end);
			     page++)
				oracle->state[page] = PAGE_FREE;
	}
	va->ops->purge_give(va, parts[0], how);
	va->ops->purge_keep(va, parts[1]);
	va->ops->check(va);
}

static inline void oracle_run(const struct va_ops *ops, unsigned cpus,
			      unsigned steps, uint64_t seed)
{
	struct oracle oracle = { .random = seed };

	world_begin(&oracle.world, ops, ORACLE_PAGES, cpus);
	for (unsigned step = 0; step < steps; step++) {
		const unsigned kind = random_below(&oracle.random, 32);

		if (kind < 12)
			oracle_alloc(&oracle);
		else if (kind < 24)
			oracle_free(&oracle);
		else if (kind < 30)
			oracle_lookup(&oracle);
		else if (kind < 31)
			oracle_purge(&oracle);
		else
			oracle_compare(&oracle);
	}
	/* Everything goes back: one hole, as at the beginning. */
	for (long page = 0; page < ORACLE_PAGES; page++)
		if (oracle.state[page] == PAGE_LIVE &&
		    oracle.start[page] == page)
			world_free(&oracle.world, page);
	(void)world_purge(&oracle.world, VA_PURGE_FULL);
	assert_int_equal(world_stats(&oracle.world).holes, 1);
	assert_int_equal(world_stats(&oracle.world).lazy_pages, 0);
	world_end(&oracle.world);
}

#endif
