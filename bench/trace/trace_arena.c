/* SPDX-License-Identifier: MIT */
/*
 * trace_arena.c - windows are gathered, sorted by width, joined to arenas.
 */
#include "trace/trace_arena.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "trace/trace_why.h"

#define PAGE_MASK (~(uint64_t)(TRACE_PAGE_BYTES - 1))

static bool window_find(struct arena_map *map, const struct trace_event *event)
{
	for (uint32_t i = 0; i < map->window_count; i++) {
		const uint32_t at = (map->window_last + i) % map->window_count;

		if (map->windows[at].vstart == event->vstart &&
		    map->windows[at].vend == event->vend) {
			map->window_last = at;
			return true;
		}
	}
	return false;
}

static int window_push(struct arena_map *map, const struct trace_event *event,
		       struct trace_why *why)
{
	if (window_find(map, event))
		return 0;
	if (map->window_count == TRACE_WINDOWS_MAX)
		return why_set(why, -E2BIG,
			       "more than %u windows [vstart, vend), expected "
			       "a few: this is no recording of one kernel",
			       TRACE_WINDOWS_MAX);
	/* An area of whole pages lies inside, so this cannot wrap. */
	map->windows[map->window_count++] = (struct arena_window){
		.vstart = event->vstart,
		.vend = event->vend,
		.start = (event->vstart + TRACE_PAGE_BYTES - 1) & PAGE_MASK,
		.end = event->vend & PAGE_MASK,
	};
	return 0;
}

static int window_compare(const void *left, const void *right)
{
	const struct arena_window *a = left;
	const struct arena_window *b = right;
	const uint64_t a_bytes = a->end - a->start;
	const uint64_t b_bytes = b->end - b->start;

	if (a_bytes != b_bytes)
		return a_bytes > b_bytes ? -1 : 1;
	if (a->vstart != b->vstart)
		return a->vstart < b->vstart ? -1 : 1;
	return a->vend < b->vend ? -1 : a->vend > b->vend;
}

static bool is_overlap(const struct arena_window *a,
		       const struct arena_window *b)
{
	return a->start < b->end && b->start < a->end;
}

/*
 * arenas_join - give overlapping windows the lowest number among them.
 *
 * Ends: each round that changes something lowers a number.
 */
static void arenas_join(struct arena_map *map)
{
	bool changed = true;

	for (uint32_t i = 0; i < map->window_count; i++)
		map->windows[i].arena = i;
	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < map->window_count; i++) {
			for (uint32_t j = 0; j < map->window_count; j++) {
				struct arena_window *a = &map->windows[i];
				const struct arena_window *b = &map->windows[j];

				if (!is_overlap(a, b) || a->arena <= b->arena)
					continue;
				a->arena = b->arena;
				changed = true;
			}
		}
	}
}

/* arenas_number - make the numbers dense, in order of the windows' width. */
static void arenas_number(struct arena_map *map)
{
	uint32_t numbers[TRACE_WINDOWS_MAX + 1] = { 0 };

	for (uint32_t i = 0; i < map->window_count; i++) {
		struct arena_window *window = &map->windows[i];
		const uint32_t leader = window->arena;

		if (leader == i) {
			numbers[i] = map->arena_count++;
			map->arenas[numbers[i]] = (struct trace_arena){
				.start = window->start,
				.pages = (window->end - window->start) /
					 TRACE_PAGE_BYTES,
				.window = i,
				.traced = true,
			};
		}
		struct trace_arena *arena = &map->arenas[numbers[leader]];
		const uint64_t end =
			arena->start + arena->pages * TRACE_PAGE_BYTES;
		const uint64_t end_new = end > window->end ? end : window->end;

		if (window->start < arena->start)
			arena->start = window->start;
		arena->pages = (end_new - arena->start) / TRACE_PAGE_BYTES;
		window->arena = numbers[leader];
	}
}

static bool arena_has(const struct trace_arena *arena,
		      const struct trace_range *range)
{
	const uint64_t end = arena->start + arena->pages * TRACE_PAGE_BYTES;

	return range->start >= arena->start && range->end <= end;
}

static bool arena_find(const struct arena_map *map,
		       const struct trace_range *range, uint32_t *index)
{
	for (uint32_t i = 0; i < map->arena_count; i++) {
		if (arena_has(&map->arenas[i], range)) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* arena_push_untraced - one arena for all areas that no window covers. */
static void arena_push_untraced(struct arena_map *map,
				const struct trace_snapshot *snapshot)
{
	uint64_t start = UINT64_MAX;
	uint64_t end = 0;
	uint32_t index = 0;

	for (size_t i = 0; i < snapshot->range_count; i++) {
		const struct trace_range *range = &snapshot->ranges[i];

		if (arena_find(map, range, &index))
			continue;
		start = range->start < start ? range->start : start;
		end = range->end > end ? range->end : end;
	}
	if (start >= end)
		return;
	map->arenas[map->arena_count] = (struct trace_arena){
		.start = start,
		.pages = (end - start) / TRACE_PAGE_BYTES,
		.window = map->window_count,
	};
	map->windows[map->window_count++] = (struct arena_window){
		.vstart = start,
		.vend = end,
		.start = start,
		.end = end,
		.arena = map->arena_count++,
	};
}

int arena_map_init(const struct trace *trace,
		   const struct trace_snapshot *snapshot, struct trace_why *why,
		   struct arena_map *map)
{
	struct arena_map fresh = { 0 };

	for (size_t i = 0; i < trace->event_count; i++) {
		if (trace->events[i].op != TRACE_ALLOC)
			continue;
		const int error = window_push(&fresh, &trace->events[i], why);

		if (error)
			return error;
	}
	fresh.window_last = 0;
	if (fresh.window_count)
		qsort(fresh.windows, fresh.window_count,
		      sizeof(fresh.windows[0]), window_compare);
	arenas_join(&fresh);
	arenas_number(&fresh);
	if (snapshot)
		arena_push_untraced(&fresh, snapshot);
	*map = fresh;
	return 0;
}

uint32_t arena_window_get(struct arena_map *map,
			  const struct trace_event *event)
{
	const bool found = window_find(map, event);

	require(found);
	return map->window_last;
}

uint32_t arena_range_window(const struct arena_map *map,
			    const struct trace_range *range)
{
	uint32_t index = 0;
	const bool found = arena_find(map, range, &index);

	require(found);
	return map->arenas[index].window;
}
