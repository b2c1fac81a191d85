/* SPDX-License-Identifier: MIT */
/*
 * areas_purge.c - take the lazy lists, sort, merge, unmap, give to the holes.
 *
 * Each purge works on lists that it took whole, so any number of them run at
 * once.
 */
#include "va/page_areas.h"

#include "base/check.h"

enum { REMOVED_MAX = 64 };

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

/* batch_remove - what was unmapped leaves the index, many areas at a time. */
static void batch_remove(struct va *va, const struct batch *batch,
			 uint64_t chain)
{
	struct page_areas *const areas = areas_of(va);
	const struct va_run *run = batch->runs;
	uint64_t firsts[REMOVED_MAX];
	unsigned count = 0;

	for (; chain != batch->rest;
	     chain = page_map_record(&areas->map, chain - 1)->next) {
		while (page_map_address(&areas->map, chain - 1) >= run->end)
			run++;
		if (run->error)
			continue;
		firsts[count++] = chain - 1;
		if (count < REMOVED_MAX)
			continue;
		areas->index->remove(va, firsts, count);
		count = 0;
	}
	if (count > 0)
		areas->index->remove(va, firsts, count);
}

/* run_end - the areas of a run: holes at once, or lazy again; what follows. */
static uint64_t run_end(struct page_areas *areas, const struct va_run *run,
			uint64_t chain)
{
	struct page_map *const map = &areas->map;
	const uint64_t pages = (run->end - run->start) >> PAGE_SHIFT;

	while (chain != 0 && page_map_address(map, chain - 1) < run->end) {
		const uint64_t first = chain - 1;

		chain = page_map_record(map, first)->next;
		if (run->error) {
			lazy_push_back(&areas->lazy, first);
			continue;
		}
		page_map_from_lazy(map, first); /* F2 */
	}
	if (run->error)
		return chain;
	holes_give(&areas->holes, page_map_page(map, run->start), pages);
	lazy_settle(&areas->lazy, pages);
	return chain;
}

int areas_purge(struct va *va, enum va_purge how,
		const struct va_unmapper *unmapper)
{
	struct page_areas *const areas = areas_of(va);
	uint64_t chain = lazy_sort(&areas->map, lazy_take(&areas->lazy));
	int error = 0;

	(void)how;
	while (chain != 0) {
		struct batch batch;

		batch_fill(&batch, &areas->map, chain);
		unmapper->unmap(unmapper->context, batch.runs, batch.count);
		if (areas->index->remove)
			batch_remove(va, &batch, chain);
		for (size_t i = 0; i < batch.count; i++) {
			chain = run_end(areas, &batch.runs[i], chain);
			if (!error)
				error = batch.runs[i].error;
		}
		assert(chain == batch.rest);
	}
	return error;
}
