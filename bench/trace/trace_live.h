/* SPDX-License-Identifier: MIT */
/*
 * trace_live.h - the areas that live at one moment of a recording.
 *
 * An ordered set of ranges.  A replayed allocation may lie across ranges that
 * begin elsewhere, so equal addresses are not enough and a hash would miss it.
 * A treap: its priorities are a hash of the slot, so the shape is the same in
 * every run and no recording can make it deep by accident.
 *
 *   V1  ranges do not overlap;
 *   V2  in order by start, and a heap by priority.
 */
#ifndef LFV_TRACE_LIVE_H
#define LFV_TRACE_LIVE_H

#include "trace/trace.h"

struct live_area {
	uint64_t start;
	uint64_t end;
	uint64_t epoch; /* recordings without a gap have one */
	uint32_t slot;
	uint32_t window;
	int32_t pid; /* of the allocation */
};

struct live_node {
	struct live_area area;
	uint32_t priority;
	uint32_t low; /* index; a free node: the next free one */
	uint32_t high;
};

struct live {
	struct live_node *nodes; /* index 0 is no node */
	size_t node_count;
	size_t node_room;
	uint32_t root;
	uint32_t free_nodes;
};

void live_init(struct live *live);
void live_fini(struct live *live);

/* live_add - needs that nothing overlaps (V1); 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int live_add(struct live *live,
						 const struct live_area *area);

/* live_find - the area that begins at `start`, or NULL; until the next add. */
const struct live_area *live_find(const struct live *live, uint64_t start);

/* live_find_overlap - the highest area that meets [start, end), or NULL. */
const struct live_area *live_find_overlap(const struct live *live,
					  uint64_t start, uint64_t end);

/* live_remove - the area that begins at `start`, which must be there. */
void live_remove(struct live *live, uint64_t start);

/* live_check - walk the set and abort with the first broken V. */
void live_check(const struct live *live);

#endif
