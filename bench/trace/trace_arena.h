/* SPDX-License-Identifier: MIT */
/*
 * trace_arena.h - the address spaces that a recording speaks of.
 *
 * An allocation says between which addresses it may lie.  The kernel uses a
 * few such windows: all of the vmalloc space, the modules' space.  Windows
 * that overlap compete for the same pages and so share an arena.
 */
#ifndef LFV_TRACE_ARENA_H
#define LFV_TRACE_ARENA_H

#include "trace/trace.h"

struct arena_window {
	uint64_t vstart; /* as recorded */
	uint64_t vend;
	uint64_t start; /* whole pages inside */
	uint64_t end;
	uint32_t arena;
};

/* windows[i] here becomes windows[i] of the program. */
struct arena_map {
	struct arena_window windows[TRACE_WINDOWS_MAX + 1];
	uint32_t window_count;
	uint32_t window_last; /* the one that was found last */
	struct trace_arena arenas[TRACE_WINDOWS_MAX + 1];
	uint32_t arena_count;
};

/* arena_map_init - the windows of all allocations, 0 the widest. */
__attribute__((warn_unused_result)) int
arena_map_init(const struct trace *trace, const struct trace_snapshot *snapshot,
	       struct trace_why *why, struct arena_map *map);

/* arena_window_get - the window of an allocation of that trace. */
uint32_t arena_window_get(struct arena_map *map,
			  const struct trace_event *event);

/* arena_range_window - the widest window of the arena that holds `range`. */
uint32_t arena_range_window(const struct arena_map *map,
			    const struct trace_range *range);

#endif
