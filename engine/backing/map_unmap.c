/* SPDX-License-Identifier: MIT */
/*
 * map_unmap.c - unmapping runs, and giving back what was mapped in them.
 *
 * Two passes.  The first makes the system calls and notes in each run how it
 * went; the second clears the entries of the runs that went well and gives
 * their frames back: only then, as a frame that is still mapped must not get
 * another owner.
 *
 * With markers, a run is cut at its gaps into pieces, for a marker belongs on
 * pages of ours: on a bare reservation it would cost page tables, and keep that
 * from merging.  A run with a page whose frame lies elsewhere is laid out bare
 * by a call of its own, whatever the flush: hidden, it would keep a foreign
 * file in use, or a kernel mapping of its own that nobody shares.
 */
#include <string.h>
#include <sys/uio.h>

#include <errno.h>

#include "backing/map_steps.h"
#include "base/check.h"
#include "base/tsan.h"

enum way { WAY_NONE, WAY_REMAP, WAY_GUARD };

struct pieces {
	struct map *map;
	struct map_run *runs;
	size_t count;
	struct iovec ranges[OS_GUARD_RANGES_MAX];
	uint32_t run_of[OS_GUARD_RANGES_MAX];
};

static size_t run_page(const struct map *map, const struct map_run *run)
{
	return window_page(map->window, run->start);
}

static size_t run_pages(const struct map_run *run)
{
	return (run->end - run->start) >> PAGE_SHIFT;
}

/* page_way - how an open page is to be unmapped. */
static enum way page_way(const struct map *map, size_t page, struct pte pte)
{
	const bool is_own =
		pte.kind == PTE_OWNED &&
		map_pte_frame(map, page, pte) == map_own_frame(map, page);

	return is_own && map_closes_by_guard(map) ? WAY_GUARD : WAY_REMAP;
}

/* run_way - how the run is to be unmapped; from its entries alone. */
static enum way run_way(const struct map *map, const struct map_run *run)
{
	const size_t page = run_page(map, run);
	const size_t pages = run_pages(run);
	enum way way = WAY_NONE;

	for (size_t i = 0; i < pages && way != WAY_REMAP; i++) {
		const struct pte pte = table_get(&map->table, page + i);

		if (pte_is_open(pte))
			way = page_way(map, page + i, pte);
	}
	return way;
}

/*
 * Whoever still uses what he freed races with this: to the thread sanitizer it
 * is a write.
 */
static void note_write(const struct map_run *run)
{
	tsan_write_range((void *)run->start, run->end - run->start);
}

static void run_remap(struct map *map, struct map_run *run)
{
	const size_t bytes = run->end - run->start;
	void *const base = (void *)run->start;

	note_write(run);
	map_count(map, MAP_UNMAP_CALLS, 1);
	run->error = spare_cut(&map->spare, map->os, base, bytes);
	/* Whether it is a cut is asked where that matters, at the limit. */
	if (run->error == -ENOMEM &&
	    !map_is_cut_by(map, window_page(map->window, run->start),
			   bytes >> PAGE_SHIFT))
		run->error =
			spare_remap_none(&map->spare, map->os, base, bytes);
}

/* pieces_one_by_one - which of them it was that failed. */
static void pieces_one_by_one(struct pieces *pieces)
{
	struct map *const map = pieces->map;

	for (size_t i = 0; i < pieces->count; i++) {
		const struct iovec *const range = &pieces->ranges[i];

		map_count(map, MAP_GUARD_CALLS, 1);
		const int error =
			map->os->guard_install(range->iov_base, range->iov_len);

		if (error != 0)
			pieces->runs[pieces->run_of[i]].error = error;
	}
}

static void pieces_flush(struct pieces *pieces)
{
	struct map *const map = pieces->map;

	if (pieces->count == 0)
		return;
	map_count(map, MAP_GUARD_CALLS, 1);
	if (map->os->guard_install_many(pieces->ranges, pieces->count) != 0)
		pieces_one_by_one(pieces);
	pieces->count = 0;
}

static void pieces_add(struct pieces *pieces, size_t run, size_t page,
		       size_t pages)
{
	if (pieces->count == OS_GUARD_RANGES_MAX)
		pieces_flush(pieces);
	pieces->run_of[pieces->count] = (uint32_t)run;
	pieces->ranges[pieces->count++] = (struct iovec){
		.iov_base = map_address(pieces->map, page),
		.iov_len = pages_to_bytes(pages),
	};
}

/* run_cut - the pieces of a run: from an open page to the last before a gap. */
static void run_cut(struct pieces *pieces, size_t index)
{
	const struct map_run *const run = &pieces->runs[index];
	const size_t page = run_page(pieces->map, run);
	const size_t pages = run_pages(run);
	size_t first = pages; /* of the piece; `pages` for none */
	size_t end = 0;       /* behind the last open page */

	note_write(run);
	for (size_t i = 0; i < pages; i++) {
		const struct pte pte = table_get(&pieces->map->table, page + i);

		if (pte_is_open(pte)) {
			first = first == pages ? i : first;
			end = i + 1;
		} else if (pte.kind == PTE_EMPTY && first != pages) {
			pieces_add(pieces, index, page + first, end - first);
			first = pages;
		}
	}
	if (first != pages)
		pieces_add(pieces, index, page + first, end - first);
}

/* giver - collects the contiguous frames of a run into as few gives. */
struct giver {
	struct frames *frames;
	struct frame_run run;
};

static void giver_flush(struct giver *giver)
{
	if (giver->run.count > 0)
		giver->frames->ops->give(giver->frames, giver->run);
	giver->run.count = 0;
}

/*
 * giver_add - in `paired` what lies between two frames of a run is nobody
 * else's, so that a run is given back in one piece.
 */
static void giver_add(struct giver *giver, uint32_t frame)
{
	struct frame_run *const run = &giver->run;
	const bool joins = run->count > 0 && (giver->frames->ops->fixed ||
					      frame == run->first + run->count);

	if (joins) {
		run->count = frame - run->first + 1;
		return;
	}
	giver_flush(giver);
	*run = (struct frame_run){ frame, 1 };
}

/* page_close - the entry of one page of a run that cannot be touched now. */
static void page_close(struct map *map, size_t page, struct pte pte,
		       enum way way)
{
	if (way == WAY_GUARD)
		pte.kind = PTE_GUARDED;
	else
		pte = (struct pte){ .kind = PTE_EMPTY };
	table_set(&map->table, page, 1, pte);
}

/* run_give - clear the entries, then give back what they named. */
static void run_give(struct map *map, const struct map_run *run, enum way way)
{
	struct giver giver = { .frames = map->frames };
	const size_t page = run_page(map, run);
	uint64_t closed = 0;

	for (size_t i = 0; i < run_pages(run); i++) {
		const struct pte pte = table_get(&map->table, page + i);

		if (pte.kind == PTE_EMPTY)
			continue;
		if (pte.kind == PTE_GUARDED && way == WAY_GUARD)
			continue;
		page_close(map, page + i, pte, way);
		closed += pte_is_open(pte);
		if (pte.kind == PTE_OWNED)
			giver_add(&giver, map_pte_frame(map, page + i, pte));
		if (pte.kind == PTE_BORROWED)
			frames_unmap(map->frames, pte.frame);
	}
	giver_flush(&giver);
	map_count(map, MAP_UNMAPPED_PAGES, closed);
}

size_t map_unmap(struct map *map, struct map_run *runs, size_t count)
{
	struct pieces pieces;
	size_t failed = 0;

	pieces.map = map;
	pieces.runs = runs;
	pieces.count = 0;
	for (size_t i = 0; i < count; i++) {
		const enum way way = run_way(map, &runs[i]);

		assert(runs[i].start < runs[i].end);
		runs[i].error = 0;
		if (way == WAY_REMAP)
			run_remap(map, &runs[i]);
		if (way == WAY_GUARD)
			run_cut(&pieces, i);
	}
	pieces_flush(&pieces);

	for (size_t i = 0; i < count; i++) {
		const enum way way = run_way(map, &runs[i]);

		/* The first one's cause is told: looking for it is slow. */
		if (runs[i].error != 0 && failed++ == 0)
			(void)map_refused(map, runs[i].error, "unmapping");
		if (runs[i].error == 0 && way != WAY_NONE)
			run_give(map, &runs[i], way);
	}
	return failed;
}
