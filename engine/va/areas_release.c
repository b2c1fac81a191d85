/* SPDX-License-Identifier: MIT */
/*
 * areas_release.c - what the cache in front gives up, many areas at once.
 *
 *	from a stock   9 4 6 5 4        the second 4 by two frees that raced
 *	sorted, ended    4 5 6 9        idle -> none; the copy gives nothing
 *	out of the index                by one call
 *	to the holes    |4 5 6|  |9|    neighbours by one call
 *
 * A refill enters the index by one step for all of a batch; so what comes back
 * leaves it, which is what a tree that is copied where it changes needs.
 *
 * Who may run with whom: everything with everything.  An area of the batch is
 * the caller's own, K1 of va/cached.h, or another's who had a copy of it.
 *
 * Progress: as the index; a thread that is stopped here strands the batch.
 */
#include "va/page_areas.h"

#include "base/check.h"

/* batch - idle areas, and then what nothing begins at any more. */
struct batch {
	unsigned count;
	uint64_t firsts[VA_RELEASE_MAX];
	uint64_t pages[VA_RELEASE_MAX];
};

/* sort - ascending; Shell's, with the gaps of Ciura: stocks are reversed. */
static void sort(uint64_t *values, unsigned count)
{
	static const unsigned gaps[] = { 57, 23, 10, 4, 1 };

	for (unsigned i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		const unsigned gap = gaps[i];

		for (unsigned next = gap; next < count; next++) {
			const uint64_t value = values[next];
			unsigned at = next;

			for (; at >= gap && values[at - gap] > value; at -= gap)
				values[at] = values[at - gap];
			values[at] = value;
		}
	}
}

/* batch_end - idle -> none, of those that still are the caller's. */
static void batch_end(struct batch *batch, struct page_map *map)
{
	const unsigned count = batch->count;
	struct page_head head;

	batch->count = 0;
	for (unsigned i = 0; i < count; i++) {
		const uint64_t first = batch->firsts[i];

		/* Two frees that raced, and one copy was used: not ours. */
		if (!page_map_end(map, first, &head))
			continue;
		batch->firsts[batch->count] = first;
		batch->pages[batch->count++] = page_head_pages(head);
	}
}

/* batch_give - F2: runs of neighbours become holes, each by one call. */
static void batch_give(const struct batch *batch, struct holes *holes)
{
	unsigned i = 0;

	while (i < batch->count) {
		const uint64_t first = batch->firsts[i];
		uint64_t end = first;

		for (; i < batch->count && batch->firsts[i] == end; i++)
			end += batch->pages[i];
		holes_give(holes, first, end - first);
	}
}

bool areas_release(struct va *va, const uint64_t *firsts, unsigned count,
		   bool unmapped)
{
	struct page_areas *const areas = areas_of(va);
	struct batch batch;
	bool purge_due = false;

	assert(count <= VA_RELEASE_MAX);
	if (!unmapped) {
		for (unsigned i = 0; i < count; i++)
			purge_due |= lazy_push(&areas->lazy, firsts[i]);
		return purge_due;
	}
	for (batch.count = 0; batch.count < count; batch.count++)
		batch.firsts[batch.count] = firsts[batch.count];
	sort(batch.firsts, count);
	batch_end(&batch, &areas->map);
	if (areas->index->remove && batch.count > 0)
		areas->index->remove(va, batch.firsts, batch.count);
	batch_give(&batch, &areas->holes);
	return false;
}
