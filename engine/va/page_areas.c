/* SPDX-License-Identifier: MIT */
/*
 * page_areas.c - the life of an area between the holes and the lazy lists.
 */
#include "va/page_areas.h"

#include <errno.h>

#include "base/check.h"

int areas_init(struct va *va, const struct area_index *index, bool owners)
{
	struct page_areas *const areas = areas_of(va);
	const struct va_config *const config = &va->config;
	const struct va_range window = { .start = config->start,
					 .end = config->end };
	int error = page_map_init(&areas->map, config->os, &window, owners);

	if (error)
		return error;
	areas->index = index;
	error = holes_init(&areas->holes, config->os,
			   config->start >> PAGE_SHIFT, areas->map.pages);
	if (!error) {
		error = lazy_init(&areas->lazy, config->os, config->cpu_map,
				  &areas->map, va_lazy_max_pages(config->cpus));
		if (!error)
			return 0;
		holes_fini(&areas->holes);
	}
	page_map_fini(&areas->map);
	return error;
}

void areas_fini(struct va *va)
{
	struct page_areas *const areas = areas_of(va);

	lazy_fini(&areas->lazy);
	holes_fini(&areas->holes);
	page_map_fini(&areas->map);
}

/*
 * begin_many - idle areas on pages that were claimed; how many, from the first
 * on. What is left of the pages, which lie side by side, goes back.
 */
static unsigned begin_many(struct va *va, const uint64_t *firsts,
			   unsigned count, uint64_t pages)
{
	struct page_areas *const areas = areas_of(va);
	struct page_head head;
	unsigned added = count;

	for (unsigned i = 0; i < count; i++)
		page_map_begin(&areas->map, firsts[i], pages);
	if (areas->index->add)
		added = areas->index->add(va, firsts, count, pages);
	for (unsigned i = added; i < count; i++)
		require(page_map_end(&areas->map, firsts[i], &head));
	if (added < count)
		holes_give(&areas->holes, firsts[added],
			   (count - added) * pages);
	return added;
}

int areas_alloc(struct va *va, const struct va_request *request,
		struct va_range *range)
{
	struct page_areas *const areas = areas_of(va);
	const struct holes_request wanted = {
		.pages = request->size >> PAGE_SHIFT,
		.align_pages = request->align > PAGE_SIZE
				       ? request->align >> PAGE_SHIFT
				       : 1,
		.begin = areas_page(va, request->vstart),
		.end = areas_page(va, request->vend),
	};
	size_t page;
	const int error = holes_take(&areas->holes, &wanted, &page);
	const uint64_t first = page;

	if (error)
		return error;
	if (begin_many(va, &first, 1, wanted.pages) == 0)
		return -ENOBUFS;
	range->start = page_map_address(&areas->map, first);
	range->end = range->start + request->size;
	range->mapped = false;
	return 0;
}

unsigned areas_alloc_many(struct va *va, size_t pages, unsigned count,
			  uint64_t *firsts)
{
	struct page_areas *const areas = areas_of(va);
	struct holes_request wanted = { .align_pages = 1,
					.end = areas->map.pages };
	size_t first = 0;

	/*
	 * Side by side where that fits: compact, and one claim for all.  Not
	 * worth a search of all holes, though, nor more than rooms can tell.
	 */
	while (count > 1 && pages * count > ROOM_PAGES_MAX)
		count /= 2;
	for (; count > 1; count /= 2) {
		wanted.pages = pages * count;
		if (holes_try_take(&areas->holes, &wanted, &first))
			break;
	}
	wanted.pages = pages;
	if (count == 1 && holes_take(&areas->holes, &wanted, &first) != 0)
		return 0;
	for (unsigned i = 0; i < count; i++)
		firsts[i] = first + i * pages;
	return begin_many(va, firsts, count, pages);
}

bool areas_publish(struct va *va, const struct va_range *range,
		   const struct va_request *request)
{
	return page_map_publish(
		&areas_of(va)->map, areas_page(va, range->start),
		(range->end - range->start) >> PAGE_SHIFT, &request->vm);
}

bool areas_has_begun(struct va *va, uintptr_t start)
{
	return page_map_has_begun(&areas_of(va)->map, areas_page(va, start));
}

/* What could not be mapped may have left something behind: to the purge. */
void areas_withdraw(struct va *va, const struct va_range *range)
{
	(void)lazy_push(&areas_of(va)->lazy, areas_page(va, range->start));
}

int areas_free(struct va *va, uintptr_t start, bool *purge_due)
{
	struct page_areas *const areas = areas_of(va);
	const struct va_hooks *const hooks = &va->config.hooks;
	const uint64_t first = areas_page(va, start);
	struct page_head head;

	/* By exchange, hardened or not: the list or the holes take one, too. */
	if (!page_map_retract_once(&areas->map, first, &head))
		return -ENOENT;

	const struct va_range range = {
		.start = start,
		.end = start + pages_to_bytes(page_head_pages(head)),
	};
	const bool stuck =
		hooks->unmap && hooks->unmap(hooks->context, &range) != 0;

	*purge_due = areas_release(va, &first, 1,
				   va->config.reuse_at_once && !stuck);
	return 0;
}

bool areas_find_next(struct va *va, uintptr_t address, struct va_found *found)
{
	const struct page_areas *const areas = areas_of(va);
	struct area_step step;

	if (address >= va->config.end)
		return false;
	if (address < va->config.start)
		address = va->config.start;

	uint64_t page = areas_page(va, address);

	/* A shorter area may have begun there meanwhile, and end below. */
	for (; areas->index->next(va, page, &step); page = step_end(&step)) {
		if (page_head_is(step.head, PAGE_LIVE) &&
		    page_map_copy(&areas->map, step.first, step.page, found))
			return true;
	}
	return false;
}

static void lazy_visit(const struct page_areas *areas,
		       const struct area_step *step, va_visit *visit,
		       void *context)
{
	const struct va_found found = {
		.start = page_map_address(&areas->map, step->first),
		.end = page_map_address(&areas->map, step_end(step)),
		.lazy = true,
		.merged = 1,
	};

	visit(context, &found);
}

void areas_for_each(struct va *va, va_visit *visit, void *context)
{
	const struct page_areas *const areas = areas_of(va);
	struct va_found found;
	struct area_step step;

	for (uintptr_t at = va->config.start; areas_find_next(va, at, &found);
	     at = found.end)
		visit(context, &found);
	for (uint64_t page = 0; areas->index->next(va, page, &step);
	     page = step_end(&step)) {
		if (page_head_is(step.head, PAGE_LAZY))
			lazy_visit(areas, &step, visit, context);
	}
}

uint64_t areas_returned(struct va *va)
{
	return lazy_pushed(&areas_of(va)->lazy);
}

uint64_t areas_check(struct va *va)
{
	struct page_areas *const areas = areas_of(va);
	uint64_t count = 0;
	uint64_t taken = 0;
	uint64_t lazy = 0;
	uint64_t end = 0;
	struct area_step step;

	holes_check(&areas->holes);
	for (uint64_t page = 0; areas->index->next(va, page, &step);
	     page = end) {
		require_invariant(step.first >= end, "A2");
		end = step_end(&step);
		require_invariant(end <= areas->map.pages, "A2");
		taken += end - step.first;
		if (page_head_is(step.head, PAGE_LAZY))
			lazy += end - step.first;
		count++;
	}

	const struct holes_stats holes = holes_stats(&areas->holes);

	require_invariant(taken + holes.free_pages == areas->map.pages, "A1");
	require_invariant(lazy == lazy_pages(&areas->lazy), "A4");
	return count;
}

void areas_stats(struct va *va, struct va_stats *stats)
{
	struct page_areas *const areas = areas_of(va);
	struct area_step step;

	*stats = (struct va_stats){ .lazy_pages = lazy_pages(&areas->lazy) };
	for (uint64_t page = 0; areas->index->next(va, page, &step);
	     page = step_end(&step)) {
		if (page_head_is(step.head, PAGE_IDLE))
			stats->pool_pages += page_head_pages(step.head);
		if (!page_head_is(step.head, PAGE_LIVE))
			continue;
		if (stats->live_areas++ == 0)
			stats->lowest_start =
				page_map_address(&areas->map, step.first);
		stats->live_pages += page_head_pages(step.head);
		stats->highest_end =
			page_map_address(&areas->map, step_end(&step));
	}

	const struct holes_stats holes = holes_stats(&areas->holes);

	stats->holes = holes.holes;
	stats->hole_pages = holes.free_pages;
	stats->hole_pages_max = holes.largest_pages;
}

static struct page_map *back_map(struct va *va)
{
	return &areas_of(va)->map;
}

const struct va_back areas_back = {
	.map = back_map,
	.release = areas_release,
};
