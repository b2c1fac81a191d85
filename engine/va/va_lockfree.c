/* SPDX-License-Identifier: MIT */
/*
 * va_lockfree.c - no lock, no tree, no grace period.
 *
 *	holes       which pages are in no area       (va/holes.h)
 *	page map    which area covers a page, its state word and what it holds
 *	lazy lists  freed areas that wait for a purge, a list a CPU
 *
 *	alloc    claim pages of the holes; begin an area there, idle
 *	publish  idle -> live                        linearization point
 *	free     live -> idle                        linearization point
 *	         then to a hole, where a freed range may be used at once,
 *	         or onto the lazy list of this CPU
 *	purge    take the lists, sort, merge, unmap, give to the holes
 *
 *   F1  every taken page of the holes is in exactly one area of the page map,
 *       or with an operation that is claiming or giving it;
 *   F2  an area's pages are given to the holes after its head is none: who
 *       claims them next finds no area there.
 *
 * Who may run with whom: everything with everything, purges included; check
 * alone.
 *
 * Progress: lookups are wait-free; all else is lock-free, and calls nothing
 * that takes a lock: no malloc, no stdio, no liburcu.  A thread that is stopped
 * strands what it holds: the area it was making or freeing, or, in a purge, the
 * areas that it took.
 */
#include <errno.h>

#include "base/check.h"
#include "va/holes.h"
#include "va/lazy_lists.h"
#include "va/page_map.h"
#include "va/strategies.h"

struct lockfree {
	struct page_map map;
	struct holes holes;
	struct lazy_lists lazy;
};

static struct lockfree *lockfree_of(const struct va *va)
{
	return va->state;
}

static struct page_map *lockfree_map(struct va *va)
{
	return &lockfree_of(va)->map;
}

static uint64_t page_of(const struct va *va, uintptr_t address)
{
	return (address - va->config.start) >> PAGE_SHIFT;
}

static int lockfree_init(struct va *va)
{
	struct lockfree *const self = lockfree_of(va);
	const struct va_config *const config = &va->config;
	const struct va_range window = { .start = config->start,
					 .end = config->end };
	int error = page_map_init(&self->map, config->os, &window, true);

	if (error)
		return error;
	error = holes_init(&self->holes, config->os,
			   config->start >> PAGE_SHIFT, self->map.pages);
	if (!error) {
		error = lazy_init(&self->lazy, config->os, config->cpu_map,
				  &self->map, va_lazy_max_pages(config->cpus));
		if (!error)
			return 0;
		holes_fini(&self->holes);
	}
	page_map_fini(&self->map);
	return error;
}

static void lockfree_fini(struct va *va)
{
	struct lockfree *const self = lockfree_of(va);

	lazy_fini(&self->lazy);
	holes_fini(&self->holes);
	page_map_fini(&self->map);
}

static int lockfree_alloc(struct va *va, const struct va_request *request,
			  struct va_range *range)
{
	struct lockfree *const self = lockfree_of(va);
	const struct holes_request wanted = {
		.pages = request->size >> PAGE_SHIFT,
		.align_pages = request->align > PAGE_SIZE
				       ? request->align >> PAGE_SHIFT
				       : 1,
		.begin = page_of(va, request->vstart),
		.end = page_of(va, request->vend),
	};
	size_t first;
	const int error = holes_take(&self->holes, &wanted, &first);

	if (error)
		return error;
	page_map_begin(&self->map, first, wanted.pages);
	range->start = page_map_address(&self->map, first);
	range->end = range->start + request->size;
	range->mapped = false;
	return 0;
}

static unsigned lockfree_alloc_many(struct va *va, size_t pages, unsigned count,
				    uint64_t *firsts)
{
	struct lockfree *const self = lockfree_of(va);
	struct holes_request wanted = { .align_pages = 1,
					.end = self->map.pages };
	size_t first = 0;

	/* Side by side where that fits: compact, and one claim for all. */
	for (; count > 0; count /= 2) {
		wanted.pages = pages * count;
		if (holes_take(&self->holes, &wanted, &first) == 0)
			break;
	}
	for (unsigned i = 0; i < count; i++) {
		firsts[i] = first + i * pages;
		page_map_begin(&self->map, firsts[i], pages);
	}
	return count;
}

static bool lockfree_publish(struct va *va, const struct va_range *range,
			     const struct va_request *request)
{
	return page_map_publish(&lockfree_of(va)->map,
				page_of(va, range->start), &request->vm);
}

static bool lockfree_has_begun(struct va *va, uintptr_t start)
{
	return page_map_has_begun(&lockfree_of(va)->map, page_of(va, start));
}

/* What could not be mapped may have left something behind: to the purge. */
static void lockfree_withdraw(struct va *va, const struct va_range *range)
{
	(void)lazy_push(&lockfree_of(va)->lazy, page_of(va, range->start));
}

static bool lockfree_release(struct va *va, uint64_t first, bool unmapped)
{
	struct lockfree *const self = lockfree_of(va);
	struct page_head head;

	if (!unmapped)
		return lazy_push(&self->lazy, first);
	/* Two frees that raced, and one copy was used: nothing to give. */
	if (page_map_end(&self->map, first, &head)) /* F2 */
		holes_give(&self->holes, first, page_head_pages(head));
	return false;
}

/* By exchange, hardened or not: the list or the holes take one as well. */
static int lockfree_free(struct va *va, uintptr_t start, bool *purge_due)
{
	const struct va_hooks *const hooks = &va->config.hooks;
	const uint64_t first = page_of(va, start);
	struct page_head head;

	if (!page_map_retract_once(&lockfree_of(va)->map, first, &head))
		return -ENOENT;

	const struct va_range range = {
		.start = start,
		.end = start + pages_to_bytes(page_head_pages(head)),
	};
	const bool stuck =
		hooks->unmap && hooks->unmap(hooks->context, &range) != 0;

	*purge_due =
		lockfree_release(va, first, va->config.reuse_at_once && !stuck);
	return 0;
}

static bool lockfree_find(struct va *va, uintptr_t address,
			  struct va_found *found)
{
	if (address < va->config.start || address >= va->config.end)
		return false;
	return page_map_find(&lockfree_of(va)->map, page_of(va, address),
			     found);
}

/* What a walk meets: an area in any state but none, and where it goes on. */
struct met {
	uint64_t page; /* where it was met */
	uint64_t first;
	struct page_head head;
};

/*
 * walk_next - the lowest area that ends above `page`.
 *
 * Pages of a claim that is no area yet are passed one by one.
 */
static bool walk_next(const struct lockfree *self, uint64_t page,
		      struct met *met)
{
	size_t taken = page;

	while (holes_next_taken(&self->holes, taken, &taken)) {
		met->page = taken;
		if (page_map_covering(&self->map, taken, &met->first,
				      &met->head))
			return true;
		taken++;
	}
	return false;
}

static uint64_t met_end(const struct met *met)
{
	return met->first + page_head_pages(met->head);
}

static bool lockfree_find_next(struct va *va, uintptr_t address,
			       struct va_found *found)
{
	const struct lockfree *const self = lockfree_of(va);
	struct met met;

	if (address < va->config.start)
		address = va->config.start;

	uint64_t page = page_of(va, address);

	/* A shorter area may have begun there meanwhile, and end below. */
	for (; walk_next(self, page, &met); page = met_end(&met)) {
		if (page_map_copy(&self->map, met.first, met.page, found))
			return true;
	}
	return false;
}

static void met_visit(const struct lockfree *self, const struct met *met,
		      va_visit *visit, void *context)
{
	const struct va_found found = {
		.start = page_map_address(&self->map, met->first),
		.end = page_map_address(&self->map, met_end(met)),
		.lazy = true,
		.merged = 1,
	};

	visit(context, &found);
}

static void lockfree_for_each(struct va *va, va_visit *visit, void *context)
{
	const struct lockfree *const self = lockfree_of(va);
	struct va_found found;
	struct met met;

	for (uintptr_t at = va->config.start;
	     lockfree_find_next(va, at, &found); at = found.end)
		visit(context, &found);
	for (uint64_t page = 0; walk_next(self, page, &met);
	     page = met_end(&met)) {
		if (page_head_is(met.head, PAGE_LAZY))
			met_visit(self, &met, visit, context);
	}
}

/* batch - runs of a sorted chain. */
struct batch {
	struct va_run runs[VA_RUNS_MAX];
	size_t count;
	uint64_t rest; /* of the chain: what did not fit */
};

/* batch_extend - one more area, above the others; false: no room for it. */
static bool batch_extend(struct batch *batch, uintptr_t start, uintptr_t end)
{
	if (batch->count == 0 || batch->runs[batch->count - 1].end != start) {
		if (batch->count == VA_RUNS_MAX)
			return false;
		batch->runs[batch->count++] = (struct va_run){ .start = start };
	}

	struct va_run *const run = &batch->runs[batch->count - 1];

	run->end = end;
	run->areas++;
	return true;
}

/* batch_fill - merge the front of a sorted chain into runs. */
static void batch_fill(struct batch *batch, struct page_map *map,
		       uint64_t chain)
{
	batch->count = 0;
	for (; chain != 0; chain = page_map_record(map, chain - 1)->next) {
		const uint64_t first = chain - 1;
		const uintptr_t start = page_map_address(map, first);
		const uintptr_t end =
			start + (page_head_pages(page_map_head(map, first))
				 << PAGE_SHIFT);

		if (!batch_extend(batch, start, end))
			break;
	}
	batch->rest = chain;
}

/* run_end - the areas of a run: holes at once, or lazy again; what follows. */
static uint64_t run_end(struct lockfree *self, const struct va_run *run,
			uint64_t chain)
{
	struct page_map *const map = &self->map;
	const uint64_t pages = (run->end - run->start) >> PAGE_SHIFT;

	while (chain != 0 && page_map_address(map, chain - 1) < run->end) {
		const uint64_t first = chain - 1;

		chain = page_map_record(map, first)->next;
		if (run->error) {
			lazy_push_back(&self->lazy, first);
			continue;
		}
		page_map_from_lazy(map, first); /* F2 */
	}
	if (run->error)
		return chain;
	holes_give(&self->holes, page_map_page(map, run->start), pages);
	lazy_settle(&self->lazy, pages);
	return chain;
}

static int lockfree_purge(struct va *va, enum va_purge how,
			  const struct va_unmapper *unmapper)
{
	struct lockfree *const self = lockfree_of(va);
	uint64_t chain = lazy_sort(&self->map, lazy_take(&self->lazy));
	int error = 0;

	(void)how;
	while (chain != 0) {
		struct batch batch;

		batch_fill(&batch, &self->map, chain);
		unmapper->unmap(unmapper->context, batch.runs, batch.count);
		for (size_t i = 0; i < batch.count; i++) {
			chain = run_end(self, &batch.runs[i], chain);
			if (!error)
				error = batch.runs[i].error;
		}
		assert(chain == batch.rest);
	}
	return error;
}

static uint64_t lockfree_returned(struct va *va)
{
	return lazy_pushed(&lockfree_of(va)->lazy);
}

/* entries_check - M1, for an area that is live. */
static void entries_check(const struct lockfree *self, const struct met *met)
{
	for (uint64_t page = met->first; page < met_end(met); page++) {
		struct va_found found;

		require_invariant(
			page_map_find(&self->map, page, &found) &&
				page_map_page(&self->map, found.start) ==
					met->first,
			"M1");
	}
}

static void lockfree_check(struct va *va)
{
	struct lockfree *const self = lockfree_of(va);
	uint64_t taken = 0;
	uint64_t lazy = 0;
	uint64_t end = 0;
	struct met met;

	holes_check(&self->holes);
	for (uint64_t page = 0; walk_next(self, page, &met); page = end) {
		require_invariant(met.first >= end, "A2");
		end = met_end(&met);
		require_invariant(end <= self->map.pages, "A2");
		taken += end - met.first;
		if (page_head_is(met.head, PAGE_LIVE))
			entries_check(self, &met);
		if (page_head_is(met.head, PAGE_LAZY))
			lazy += end - met.first;
	}

	const struct holes_stats holes = holes_stats(&self->holes);

	require_invariant(taken + holes.free_pages == self->map.pages, "A1");
	require_invariant(lazy == lazy_pages(&self->lazy), "A4");
}

static void lockfree_stats(struct va *va, struct va_stats *stats)
{
	struct lockfree *const self = lockfree_of(va);
	struct met met;

	*stats = (struct va_stats){ .lazy_pages = lazy_pages(&self->lazy) };
	for (uint64_t page = 0; walk_next(self, page, &met);
	     page = met_end(&met)) {
		if (page_head_is(met.head, PAGE_IDLE))
			stats->pool_pages += page_head_pages(met.head);
		if (!page_head_is(met.head, PAGE_LIVE))
			continue;
		if (stats->live_areas++ == 0)
			stats->lowest_start =
				page_map_address(&self->map, met.first);
		stats->live_pages += page_head_pages(met.head);
		stats->highest_end =
			page_map_address(&self->map, met_end(&met));
	}

	const struct holes_stats holes = holes_stats(&self->holes);

	stats->holes = holes.holes;
	stats->hole_pages = holes.free_pages;
	stats->hole_pages_max = holes.largest_pages;
}

static const struct va_back lockfree_back = {
	.map = lockfree_map,
	.release = lockfree_release,
};

const struct va_ops va_lockfree = {
	.name = "lockfree",
	.variant = "lockfree",
	.summary = "page map, bitmap of holes, lazy lists; nobody waits",
	.lock_free = true,
	.retries = true,
	.cached_by_default = true,
	.state_bytes = sizeof(struct lockfree),
	.init = lockfree_init,
	.fini = lockfree_fini,
	.alloc = lockfree_alloc,
	.alloc_many = lockfree_alloc_many,
	.publish = lockfree_publish,
	.has_begun = lockfree_has_begun,
	.withdraw = lockfree_withdraw,
	.free = lockfree_free,
	.find = lockfree_find,
	.find_next = lockfree_find_next,
	.for_each = lockfree_for_each,
	.purge = lockfree_purge,
	.returned = lockfree_returned,
	.check = lockfree_check,
	.stats = lockfree_stats,
	.back = &lockfree_back,
};
