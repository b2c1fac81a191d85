/* SPDX-License-Identifier: MIT */
/*
 * trace_live.c - a treap of ranges (Seidel and Aragon, 1996).
 */
#include "trace/trace_live.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "trace/trace_grow.h"

#define NODE_NONE 0u

void live_init(struct live *live)
{
	*live = (struct live){ .node_count = 1 };
}

void live_fini(struct live *live)
{
	free(live->nodes);
	*live = (struct live){ 0 };
}

/* priority_of - a bijection of 32 bits: no two slots share a priority. */
static uint32_t priority_of(uint32_t slot)
{
	uint32_t x = slot;

	x = (x ^ (x >> 16)) * 0x7feb352du;
	x = (x ^ (x >> 15)) * 0x846ca68bu;
	return x ^ (x >> 16);
}

/* node_take - a node to be filled, or NODE_NONE without memory. */
static uint32_t node_take(struct live *live)
{
	const uint32_t recycled = live->free_nodes;

	if (recycled != NODE_NONE) {
		live->free_nodes = live->nodes[recycled].low;
		return recycled;
	}
	if (live->node_count > UINT32_MAX)
		return NODE_NONE;
	struct live_node *nodes = grow_room(live->nodes, &live->node_room,
					    live->node_count, sizeof(*nodes));
	if (!nodes)
		return NODE_NONE;
	live->nodes = nodes;
	return (uint32_t)live->node_count++;
}

static void node_give(struct live *live, uint32_t index)
{
	live->nodes[index].low = live->free_nodes;
	live->free_nodes = index;
}

/* tree_split - what begins below `start` to *low, the rest to *high. */
static void tree_split(struct live *live, uint32_t root, uint64_t start,
		       uint32_t links[2])
{
	uint32_t *low = &links[0];
	uint32_t *high = &links[1];

	while (root != NODE_NONE) {
		struct live_node *node = &live->nodes[root];

		if (node->area.start < start) {
			*low = root;
			low = &node->high;
			root = node->high;
		} else {
			*high = root;
			high = &node->low;
			root = node->low;
		}
	}
	*low = NODE_NONE;
	*high = NODE_NONE;
}

/* tree_join - one tree of two; all of `low` lies below all of `high`. */
static uint32_t tree_join(struct live *live, uint32_t low, uint32_t high)
{
	uint32_t root = NODE_NONE;
	uint32_t *link = &root;

	while (low != NODE_NONE && high != NODE_NONE) {
		struct live_node *below = &live->nodes[low];
		struct live_node *above = &live->nodes[high];

		if (below->priority > above->priority) {
			*link = low;
			link = &below->high;
			low = below->high;
		} else {
			*link = high;
			link = &above->low;
			high = above->low;
		}
	}
	*link = low != NODE_NONE ? low : high;
	return root;
}

int live_add(struct live *live, const struct live_area *area)
{
	assert(area->start < area->end);
	assert(!live_find_overlap(live, area->start, area->end)); /* V1 */

	const uint32_t index = node_take(live);
	if (index == NODE_NONE)
		return -ENOMEM;
	const uint32_t priority = priority_of(area->slot);
	uint32_t *link = &live->root;

	while (*link != NODE_NONE && live->nodes[*link].priority > priority) {
		struct live_node *node = &live->nodes[*link];

		link = area->start < node->area.start ? &node->low
						      : &node->high;
	}
	uint32_t children[2] = { NODE_NONE, NODE_NONE };

	tree_split(live, *link, area->start, children);
	live->nodes[index] = (struct live_node){
		.area = *area,
		.priority = priority,
		.low = children[0],
		.high = children[1],
	};
	*link = index;
	return 0;
}

const struct live_area *live_find(const struct live *live, uint64_t start)
{
	uint32_t index = live->root;

	while (index != NODE_NONE) {
		const struct live_node *node = &live->nodes[index];

		if (node->area.start == start)
			return &node->area;
		index = start < node->area.start ? node->low : node->high;
	}
	return NULL;
}

const struct live_area *live_find_overlap(const struct live *live,
					  uint64_t start, uint64_t end)
{
	const struct live_area *last = NULL;
	uint32_t index = live->root;

	/* The last that begins below `end`: by V1 only it can reach highest. */
	while (index != NODE_NONE) {
		const struct live_node *node = &live->nodes[index];

		if (node->area.start < end) {
			last = &node->area;
			index = node->high;
		} else {
			index = node->low;
		}
	}
	return last && last->end > start ? last : NULL;
}

void live_remove(struct live *live, uint64_t start)
{
	uint32_t *link = &live->root;

	while (*link != NODE_NONE && live->nodes[*link].area.start != start) {
		struct live_node *node = &live->nodes[*link];

		link = start < node->area.start ? &node->low : &node->high;
	}
	const uint32_t index = *link;

	require(index != NODE_NONE);
	*link = tree_join(live, live->nodes[index].low,
			  live->nodes[index].high);
	node_give(live, index);
}

/* subtree_check - recursion as deep as the treap, some 60 levels at most. */
static void subtree_check(const struct live *live, uint32_t index,
			  uint64_t *end_last)
{
	if (index == NODE_NONE)
		return;
	const struct live_node *node = &live->nodes[index];
	const uint32_t children[2] = { node->low, node->high };

	for (size_t i = 0; i < 2; i++) {
		if (children[i] != NODE_NONE)
			require_invariant(live->nodes[children[i]].priority <
						  node->priority,
					  "V2");
	}
	subtree_check(live, node->low, end_last);
	require_invariant(node->area.start >= *end_last, "V1");
	require_invariant(node->area.start < node->area.end, "V1");
	*end_last = node->area.end;
	subtree_check(live, node->high, end_last);
}

void live_check(const struct live *live)
{
	uint64_t end_last = 0;

	subtree_check(live, live->root, &end_last);
}
