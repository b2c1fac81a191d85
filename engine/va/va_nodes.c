/* SPDX-License-Identifier: MIT */
/*
 * va_nodes.c - row `nodes`: generation 4, Linux 6.9 and later.
 *
 * The busy and lazy indexes are cut into nodes by address: 64 KiB slot by slot
 * in turn (Linux calls a slot a zone).  Each node also keeps pools of free
 * ranges, filled by purges; behind them lies one tree of holes, as in
 * generation 3.
 *
 *	alloc   full window, more than one node: pool of the node of this CPU
 *	                       1 round of pool_lock, none if the pool is empty
 *	        else or missed: search and cut     1 round of the free lock
 *	        insert into the node of the start  1 round of busy_lock
 *	free    find and unlink in that node       1 round of busy_lock
 *	        lazy, in the node that allocated   1 round of lazy_lock
 *
 * A range allocated for the full window remembers the node of the CPU that
 * asked, hit or miss: wherever it is freed, the purge returns it there.  Other
 * windows (Linux's modules) bypass the pools.
 *
 *   M1  holes, pooled ranges, busy areas, lazy areas and those with a purge
 *       share no page and fill the window (A1, A2);
 *   M2  lazy_pages is the pages of the lazy areas and of those with a purge
 *       (A4);
 *   M3  a busy area lies in the node of its start, a lazy area in the one it
 *       was allocated by, or else that of its start;
 *   M4  with one node all pools are empty.
 *
 * alloc takes effect at the insert, with its vm_struct attached; free at the
 * unlink.  A lookup by start looks into one node; an interior address or a miss
 * goes backwards through the nodes.  Walks over all nodes hold one lock at a
 * time: what changes meanwhile is met or not, what is there throughout is met
 * once, and addresses come sorted within a node only.
 *
 * Who may run with whom: everything with everything, but init, fini and check,
 * which run alone; one purge at a time.  Progress: a thread stopped inside a
 * lock stops who needs that node, or everyone if it was the free lock.
 *
 * Not modelled: the helpers that take a part of a purge on other CPUs.  One
 * thread purges all nodes, in their order.
 */
#include <errno.h>

#include "base/check.h"
#include "base/cpu.h"
#include "base/error.h"
#include "va/area_census.h"
#include "va/free_space.h"
#include "va/nodes.h"
#include "va/strategies.h"

static size_t nodes_bytes(const struct nodes *self)
{
	return self->count * sizeof(*self->nodes);
}

static void nodes_fini_first(struct nodes *self, const struct os *os,
			     unsigned count)
{
	while (count-- > 0)
		vmap_node_fini(&self->nodes[count]);
	os->munmap_anon(self->nodes, nodes_bytes(self));
}

static int nodes_init(struct va *va)
{
	struct nodes *const self = nodes_of(va);
	const struct va_config *const config = &va->config;

	if (config->nodes < 1 || config->nodes > NODES_MAX)
		return error_set(-EINVAL, "nodes is %u: choose 1 to %d",
				 config->nodes, NODES_MAX);
	self->count = config->nodes;
	self->lazy_pages_max = va_lazy_max_pages(config->cpus);
	self->nodes = config->os->mmap_anon(nodes_bytes(self));
	if (!self->nodes)
		return error_set(-ENOMEM,
				 "no memory for %u vmap nodes"
				 " (RLIMIT_AS, vm.max_map_count)",
				 self->count);
	for (unsigned i = 0; i < self->count; i++) {
		const int error = vmap_node_init(&self->nodes[i], config);

		if (error) {
			nodes_fini_first(self, config->os, i);
			return error;
		}
	}

	const int error =
		free_space_init(&self->space, config, FREE_ALIGN_UNLESS_EXACT);

	if (error)
		nodes_fini_first(self, config->os, self->count);
	return error;
}

static void nodes_fini(struct va *va)
{
	struct nodes *const self = nodes_of(va);

	nodes_fini_first(self, va->config.os, self->count);
	free_space_fini(&self->space);
}

/* Pools serve the full window only, and only if there are several nodes. */
static bool has_pools(const struct va *va, const struct nodes *self,
		      const struct va_request *request)
{
	return self->count > 1 && request->vstart == va->config.start &&
	       request->vend == va->config.end;
}

static int area_take_global(struct va *va, const struct va_request *request,
			    struct vmap_area **out)
{
	struct vmap_area *const area = area_take(va->config.os);

	if (!area)
		return error_set(-ENOMEM, "no memory for an area's descriptor"
					  " (RLIMIT_AS, vm.max_map_count)");

	const int error =
		free_space_take(&nodes_of(va)->space, request, &area->va_start);

	if (error) {
		area_give(area);
		return error;
	}
	area->va_end = area->va_start + request->size;
	*out = area;
	return 0;
}

static void busy_add(struct nodes *self, struct vmap_area *area)
{
	struct vmap_node *const node = node_of_address(self, area->va_start);
	struct lock_turn turn;

	(void)lock_enter(&node->busy_lock, &turn);
	area_tree_add(&node->busy, area);
	lock_leave(&node->busy_lock, &turn);
}

static int nodes_alloc(struct va *va, const struct va_request *request,
		       struct va_range *range)
{
	struct nodes *const self = nodes_of(va);
	struct vmap_area *area = NULL;
	uint32_t state = 0;

	if (has_pools(va, self, request)) {
		const struct vmap_node_id id = { cpu_current().value %
						 self->count };

		area = vmap_pool_take(&self->nodes[id.value], request);
		state = node_id_encode(id);
	}
	if (!area) {
		const int error = area_take_global(va, request, &area);

		if (error)
			return error;
	}
	assert(area->va_start >= request->vstart); /* A2 */
	assert(area->va_end <= request->vend);     /* A2 */
	assert((area->va_start & (request->align - 1)) == 0);
	area->state = state;
	area->merged = 1;
	area->vm = request->vm;
	*range = area_range(area);
	/* From here on it can be freed, and the descriptor be another's. */
	busy_add(self, area);
	return 0;
}

/*
 * busy_remove - unlink the area that begins at `start`; NULL: there is none.
 *
 * An area that begins here lies in the first node: M3.  Linux removes by any
 * address inside and goes on backwards through the nodes; here nothing could
 * be found there that may be removed.
 */
static struct vmap_area *busy_remove(struct nodes *self, uintptr_t start)
{
	struct vmap_node *const node = node_of_address(self, start);
	struct lock_turn turn;

	(void)lock_enter(&node->busy_lock, &turn);

	struct vmap_area *const area = area_tree_find(&node->busy, start);
	const bool hit = area && area->va_start == start;

	if (hit)
		area_tree_remove(&node->busy, area, NULL);
	lock_leave(&node->busy_lock, &turn);
	return hit ? area : NULL;
}

static int nodes_free(struct va *va, uintptr_t start, bool *purge_due)
{
	struct nodes *const self = nodes_of(va);
	const struct va_hooks *const hooks = &va->config.hooks;
	struct vmap_area *const area = busy_remove(self, start);

	if (!area)
		return -ENOENT;
	/* A range that stays mapped is lazy like any other. */
	const struct va_range range = area_range(area);

	if (hooks->unmap)
		(void)hooks->unmap(hooks->context, &range);

	const uint64_t pages = area_pages(area);
	/*
	 * relaxed: counted before it can be taken, and subtracted by who took
	 * it, so the sum never goes below zero; it guards no data.
	 */
	const uint64_t before = add_relaxed(&self->lazy_pages, pages);

	*purge_due = before + pages > self->lazy_pages_max;
	nodes_lazy_add(self, area);
	return 0;
}

/* Whether this node has a live area over `address`; if so, a copy. */
static bool node_find(struct vmap_node *node, uintptr_t address,
		      struct va_found *found)
{
	struct lock_turn turn;

	(void)lock_enter_shared(&node->busy_lock, &turn);

	const struct vmap_area *const area =
		area_tree_find(&node->busy, address);

	if (area)
		area_to_found(area, found, false);
	lock_leave_shared(&node->busy_lock, &turn);
	return area != NULL;
}

/*
 * nodes_find - from the node of the address backwards, for an area that covers
 * it begins at or below it.
 */
static bool nodes_find(struct va *va, uintptr_t address, struct va_found *found)
{
	struct nodes *const self = nodes_of(va);
	const unsigned first = index_of_address(self, address);
	unsigned i = first;

	do {
		if (node_find(&self->nodes[i], address, found))
			return true;
		i = (i + self->count - 1) % self->count;
	} while (i != first);
	return false;
}

/* The lowest start of an area of any node that ends above `address`. */
static bool lowest_start_find(struct nodes *self, uintptr_t address,
			      uintptr_t *lowest)
{
	bool hit = false;

	for (unsigned i = 0; i < self->count; i++) {
		struct vmap_node *const node = &self->nodes[i];
		struct lock_turn turn;

		(void)lock_enter_shared(&node->busy_lock, &turn);

		const struct vmap_area *const area =
			area_tree_find_next(&node->busy, address);

		if (area && (!hit || area->va_start < *lowest)) {
			*lowest = area->va_start;
			hit = true;
		}
		lock_leave_shared(&node->busy_lock, &turn);
	}
	return hit;
}

/*
 * nodes_find_next - looks into all nodes, remembers the lowest and looks again:
 * it may be gone, and then all begins anew.  Each round more is another
 * thread's free.
 */
static bool nodes_find_next(struct va *va, uintptr_t address,
			    struct va_found *found)
{
	struct nodes *const self = nodes_of(va);
	uintptr_t lowest = 0;

	while (lowest_start_find(self, address, &lowest)) {
		if (node_find(node_of_address(self, lowest), lowest, found))
			return true;
	}
	return false;
}

static void tree_visit(struct lock *lock, const struct area_tree *tree,
		       bool lazy, va_visit *visit, void *context)
{
	struct lock_turn turn;

	(void)lock_enter_shared(lock, &turn);
	list_for_each (link, &tree->list)
		area_visit(area_of_link(link), lazy, visit, context);
	lock_leave_shared(lock, &turn);
}

static void nodes_for_each(struct va *va, va_visit *visit, void *context)
{
	struct nodes *const self = nodes_of(va);

	for (unsigned i = 0; i < self->count; i++)
		tree_visit(&self->nodes[i].busy_lock, &self->nodes[i].busy,
			   false, visit, context);
	for (unsigned i = 0; i < self->count; i++)
		tree_visit(&self->nodes[i].lazy_lock, &self->nodes[i].lazy,
			   true, visit, context);
}

static void nodes_stats(struct va *va, struct va_stats *stats)
{
	struct nodes *const self = nodes_of(va);

	*stats = (struct va_stats){ 0 };
	for (unsigned i = 0; i < self->count; i++)
		vmap_node_stats(&self->nodes[i], stats);
	free_space_stats(&self->space, stats);
	/* relaxed: a figure for people. */
	stats->lazy_pages = load_relaxed(&self->lazy_pages);
}

static const char *const aliases[] = { "linux-6.12", NULL };

const struct va_ops va_nodes = {
	.name = "nodes",
	.variant = "6.12",
	.aliases = aliases,
	.summary = "Linux 6.9 on: nodes by address, pools of 256 sizes filled "
		   "by purges, one tree of holes behind",
	.retries = true,
	.state_bytes = sizeof(struct nodes),
	.init = nodes_init,
	.fini = nodes_fini,
	.alloc = nodes_alloc,
	.free = nodes_free,
	.find = nodes_find,
	.find_next = nodes_find_next,
	.for_each = nodes_for_each,
	.purge_take = nodes_purge_take,
	.purge_give = nodes_purge_give,
	.purge_keep = nodes_purge_keep,
	.check = nodes_check,
	.stats = nodes_stats,
};
