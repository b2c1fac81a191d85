/* SPDX-License-Identifier: MIT */
/*
 * area_census.c - collect, sort, and look at neighbours.
 */
#include "va/area_census.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { CENSUS_ROOM_FIRST = 1024 };

static size_t ranges_bytes(size_t room)
{
	return room * sizeof(struct area_range);
}

static struct area_range *ranges_map(const struct os *os, size_t room)
{
	struct area_range *const ranges = os->mmap_anon(ranges_bytes(room));

	require(ranges);
	return ranges;
}

void area_census_begin(struct area_census *census,
		       const struct va_config *config)
{
	census->config = config;
	census->count = 0;
	census->room = CENSUS_ROOM_FIRST;
	census->ranges = ranges_map(config->os, census->room);
}

static void census_grow(struct area_census *census)
{
	const struct os *const os = census->config->os;
	struct area_range *const larger = ranges_map(os, 2 * census->room);

	memcpy(larger, census->ranges, ranges_bytes(census->count));
	os->munmap_anon(census->ranges, ranges_bytes(census->room));
	census->ranges = larger;
	census->room *= 2;
}

void area_census_add(struct area_census *census, const struct vmap_area *area)
{
	if (census->count == census->room)
		census_grow(census);
	census->ranges[census->count++] =
		(struct area_range){ area->va_start, area->va_end };
}

uint64_t area_census_add_list(struct area_census *census,
			      const struct list *list)
{
	uint64_t pages = 0;

	list_for_each (link, list) {
		area_census_add(census, area_of_link(link));
		pages += area_pages(area_of_link(link));
	}
	return pages;
}

static int range_compare(const void *left, const void *right)
{
	const struct area_range *const a = left;
	const struct area_range *const b = right;

	return (a->start > b->start) - (a->start < b->start);
}

void area_census_end(struct area_census *census, uint64_t pages_elsewhere)
{
	const struct va_config *const config = census->config;
	uintptr_t end = config->start;
	uint64_t pages = pages_elsewhere;

	qsort(census->ranges, census->count, sizeof(*census->ranges),
	      range_compare);
	for (size_t i = 0; i < census->count; i++) {
		const struct area_range *const range = &census->ranges[i];

		require_invariant(range->start >= end, "A2");
		require_invariant(range->end > range->start, "A2");
		end = range->end;
		pages += (range->end - range->start) >> PAGE_SHIFT;
	}
	require_invariant(end <= config->end, "A2");
	require_invariant(pages == (config->end - config->start) >> PAGE_SHIFT,
			  "A1");
	config->os->munmap_anon(census->ranges, ranges_bytes(census->room));
}

void area_visit(const struct vmap_area *area, bool lazy, va_visit *visit,
		void *context)
{
	struct va_found found;

	area_to_found(area, &found, lazy);
	visit(context, &found);
}

void stats_add_live(struct va_stats *stats, const struct vmap_area *area)
{
	stats->live_areas++;
	stats->live_pages += area_pages(area);
	if (area->va_end > stats->highest_end)
		stats->highest_end = area->va_end;
	if (stats->lowest_start == 0 || area->va_start < stats->lowest_start)
		stats->lowest_start = area->va_start;
}

void stats_add_hole(struct va_stats *stats, const struct vmap_area *hole)
{
	const uint64_t pages = area_pages(hole);

	stats->holes++;
	stats->hole_pages += pages;
	if (pages > stats->hole_pages_max)
		stats->hole_pages_max = pages;
}

void stats_add_lock(struct va_stats *stats, struct lock *lock)
{
	/* relaxed: a sum for people, consistent with nothing. */
	stats->locks_entered += load_relaxed(&lock->entered);
	/* relaxed: as above. */
	stats->locks_waited += load_relaxed(&lock->waited);
}
