/* SPDX-License-Identifier: MIT */
/*
 * va_cached.c - the table of a strategy with the cache in front; see cached.h.
 */
#include <errno.h>

#include "base/check.h"
#include "lfv/lfv.h"
#include "va/cached.h"
#include "va/cached_fit.h"
#include "va/cached_seen.h"

/* What the caches may hold, where pages have memory. */
#define CACHED_STOCK_BYTES MIB
#define CACHED_DEPOT_BYTES (64 * MIB)
/* And of addresses alone, of which there are plenty. */
#define CACHED_DEPOT_RANGES GIB

static struct cached *cached_of(const struct va *va)
{
	return va->state;
}

static uint64_t page_of(const struct va *va, uintptr_t address)
{
	return (address - va->config.start) >> PAGE_SHIFT;
}

/* free_inner - an idle area of a strategy that takes them one by one. */
static bool free_inner(struct cached *self, uint64_t first)
{
	struct va *const inner = &self->inner;
	bool purge_due = false;
	struct page_head head;

	/* Two frees that raced, and one copy was used: nothing to give. */
	if (!page_map_end(self->map, first, &head))
		return false;
	require(inner->ops->free(inner, page_map_address(self->map, first),
				 &purge_due) == 0);
	return purge_due;
}

/* release - idle areas are the strategy's again; true: a purge is due. */
static bool release(struct va *va, const uint64_t *firsts, unsigned count,
		    bool unmapped)
{
	struct cached *const self = cached_of(va);
	bool purge_due = false;

	if (self->back)
		return count > 0 && self->back->release(&self->inner, firsts,
							count, unmapped);
	for (unsigned i = 0; i < count; i++)
		purge_due |= free_inner(self, firsts[i]);
	return purge_due;
}

/* release_idle - what the cache gives up; K2. */
static bool release_idle(struct va *va, const uint64_t *firsts, unsigned count)
{
	return release(va, firsts, count, !cached_of(va)->keeps);
}

/* carve_one - an area of a class from a strategy that gives one at a time. */
static bool carve_one(struct va *va, size_t pages, uint64_t *first)
{
	struct va *const inner = &cached_of(va)->inner;
	const struct va_request request = {
		.size = pages_to_bytes(pages),
		.align = 1,
		.vstart = va->config.start,
		.vend = va->config.end,
		.node = -1,
	};
	struct va_range range;

	if (inner->ops->alloc(inner, &request, &range) != 0)
		return false;
	*first = page_of(va, range.start);
	return true;
}

static unsigned carve(struct va *va, size_t pages, unsigned count,
		      uint64_t *firsts)
{
	struct cached *const self = cached_of(va);
	struct va *const inner = &self->inner;
	unsigned carved = 0;

	if (inner->ops->alloc_many)
		carved = inner->ops->alloc_many(inner, pages, count, firsts);
	else
		while (carved < count && carve_one(va, pages, &firsts[carved]))
			carved++;
	for (unsigned i = 0; i < carved && !self->back; i++)
		page_map_begin(self->map, firsts[i], pages);
	return carved;
}

/*
 * stock_up - carve a batch, keep the lowest, leave the rest to this CPU; with
 * `keep` one alone, which comes into the cache when it has frames (K2).
 */
static bool stock_up(struct va *va, unsigned size_class, uint64_t *first)
{
	struct cached *const self = cached_of(va);
	uint64_t values[STOCK_CAPACITY];
	const unsigned batch =
		self->keeps ? 1 : hole_cache_batch(&self->cache, size_class);
	const unsigned count =
		carve(va, class_pages(size_class), batch, values);

	if (count == 0)
		return false;
	*first = values[0];
	/* The stock gives the last first: the lowest address is to be next. */
	for (unsigned low = 1, high = count - 1; low < high; low++, high--) {
		const uint64_t value = values[low];

		values[low] = values[high];
		values[high] = value;
	}

	const unsigned kept =
		hole_cache_put(&self->cache, size_class, values + 1, count - 1);

	(void)release_idle(va, values + 1 + kept, count - 1 - kept);
	return true;
}

/* take_cached - from this CPU, or the depot. */
static bool take_cached(struct va *va, unsigned size_class, uint64_t *first)
{
	struct hole_cache *const cache = &cached_of(va)->cache;
	struct hole_spill spill;

	if (hole_cache_take(cache, size_class, first))
		return true;
	if (!hole_cache_refill(cache, size_class, first, &spill))
		return false;
	(void)release_idle(va, spill.values, spill.count);
	return true;
}

/*
 * is_whole_class - K2: false for what two frees that raced have left here
 * twice, once the other copy is used.  Before anything is done to its pages.
 */
static bool is_whole_class(const struct cached *self, unsigned size_class,
			   uint64_t first)
{
	return page_head_is_idle_of(page_map_head(self->map, first),
				    class_pages(size_class));
}

/* take - from the cache or the strategy; whether it has frames. */
static bool take(struct va *va, size_t pages, uint64_t *first, bool *mapped)
{
	struct cached *const self = cached_of(va);
	const unsigned size_class = class_of(pages);

	*mapped = self->keeps;
	while (take_cached(va, size_class, first))
		if (is_whole_class(self, size_class, *first))
			return true;
	*mapped = false;
	return stock_up(va, size_class, first);
}

/* put - an idle area into the cache, or back to the strategy; true: purge. */
static bool put(struct va *va, uint64_t first, uint64_t pages)
{
	struct cached *const self = cached_of(va);
	struct hole_spill spill;

	if (cached_give(self, first, pages))
		return false;
	if (pages > CLASS_PAGES_MAX || class_pages(class_of(pages)) != pages)
		return release_idle(va, &first, 1);
	hole_cache_spill(&self->cache, class_of(pages), first, &spill);
	return release_idle(va, spill.values, spill.count);
}

/*
 * take_suiting - what was freed last on this CPU, if it has the very size and
 * lies well; else it is put back.  So an aligned area serves its like again.
 */
static bool take_suiting(struct va *va, const struct va_request *request,
			 uint64_t *first, bool *mapped)
{
	struct cached *const self = cached_of(va);
	const size_t pages = request->size >> PAGE_SHIFT;
	const unsigned size_class = class_of(pages);

	/* What waits for a purge is a hole then: no area comes round again. */
	if (!va->config.reuse_at_once || class_pages(size_class) != pages ||
	    !take_cached(va, size_class, first) ||
	    !is_whole_class(self, size_class, *first))
		return false;

	if (!lies_well(request, page_map_address(self->map, *first))) {
		(void)put(va, *first, pages);
		return false;
	}
	*mapped = self->keeps;
	return true;
}

static int inner_alloc(struct va *va, const struct va_request *request,
		       struct va_range *range)
{
	struct cached *const self = cached_of(va);
	struct va *const inner = &self->inner;
	const int error = inner->ops->alloc(inner, request, range);

	if (!error && !self->back)
		page_map_begin(self->map, page_of(va, range->start),
			       request->size >> PAGE_SHIFT);
	return error;
}

static int cached_alloc(struct va *va, const struct va_request *request,
			struct va_range *range)
{
	struct cached *const self = cached_of(va);
	const size_t pages = request->size >> PAGE_SHIFT;
	uint64_t first;

	/* Where the class does not fit, the very size still may. */
	if (!has_class(va, request) ||
	    !(fits_anywhere(va, request)
		      ? take(va, pages, &first, &range->mapped)
		      : take_suiting(va, request, &first, &range->mapped)))
		return inner_alloc(va, request, range);
	range->start = page_map_address(self->map, first);
	range->end = range->start + pages_to_bytes(self->fits[pages].pages);
	return 0;
}

static bool cached_publish(struct va *va, const struct va_range *range,
			   const struct va_request *request)
{
	return page_map_publish(cached_of(va)->map, page_of(va, range->start),
				(range->end - range->start) >> PAGE_SHIFT,
				&request->vm);
}

static bool cached_has_begun(struct va *va, uintptr_t start)
{
	return page_map_has_begun(cached_of(va)->map, page_of(va, start));
}

/* What could not be mapped may have left something behind: to the purge. */
static void cached_withdraw(struct va *va, const struct va_range *range)
{
	(void)release(va, &(uint64_t){ page_of(va, range->start) }, 1, false);
}

/* is_cacheable - the freed area may be used again without a purge; K2. */
static bool is_cacheable(const struct va *va, uint64_t first)
{
	return va->config.reuse_at_once &&
	       cached_is_whole(cached_of(va), first);
}

bool cached_settle(struct va *va, uint64_t first, uint64_t pages, bool stuck)
{
	if (!stuck && is_cacheable(va, first))
		return put(va, first, pages);
	return release(va, &first, 1, false);
}

static int unmap(struct va *va, const struct va_range *range)
{
	const struct va_hooks *const hooks = &va->config.hooks;

	return hooks->unmap(hooks->context, range);
}

static int cached_free(struct va *va, uintptr_t start, bool *purge_due)
{
	struct cached *const self = cached_of(va);
	const uint64_t first = page_of(va, start);
	struct page_head head;

	if (!cached_retract(self, first, &head))
		return -ENOENT;

	const uint64_t pages = page_head_pages(head);
	const struct va_range range = { .start = start,
					.end = start + pages_to_bytes(pages) };
	const bool stuck = self->unmaps && unmap(va, &range) != 0;

	*purge_due = cached_settle(va, first, pages, stuck);
	return 0;
}

static void drain_sink(void *context, const uint64_t *values, unsigned count)
{
	(void)release_idle(context, values, count);
}

/* shrink - what the cache gives up; the kind of purge for what is behind. */
static enum va_purge shrink(struct va *va, enum va_purge how)
{
	struct hole_cache *const cache = &cached_of(va)->cache;

	if (how == VA_PURGE_FULL)
		hole_cache_drain(cache, drain_sink, va);
	if (how == VA_PURGE_IDLE)
		hole_cache_decay(cache, drain_sink, va);
	return how == VA_PURGE_FULL ? VA_PURGE_FULL : VA_PURGE_DECAY;
}

static struct vmap_area *cached_purge_take(struct va *va, enum va_purge how)
{
	struct va *const inner = &cached_of(va)->inner;

	return inner->ops->purge_take(inner, shrink(va, how));
}

static void cached_purge_give(struct va *va, struct vmap_area *chain,
			      enum va_purge how)
{
	struct va *const inner = &cached_of(va)->inner;

	inner->ops->purge_give(inner, chain, how);
}

static void cached_purge_keep(struct va *va, struct vmap_area *chain)
{
	struct va *const inner = &cached_of(va)->inner;

	inner->ops->purge_keep(inner, chain);
}

static int cached_purge(struct va *va, enum va_purge how,
			const struct va_unmapper *unmapper)
{
	struct va *const inner = &cached_of(va)->inner;

	return inner->ops->purge(inner, shrink(va, how), unmapper);
}

static uint64_t cached_returned(struct va *va)
{
	struct cached *const self = cached_of(va);
	struct va *const inner = &self->inner;

	return hole_cache_moved(&self->cache) +
	       (inner->ops->returned ? inner->ops->returned(inner) : 0);
}

static bool cached_close(struct va *va)
{
	return hole_cache_close(&cached_of(va)->cache);
}

static void cached_open(struct va *va)
{
	hole_cache_open(&cached_of(va)->cache);
}

static void cached_check(struct va *va)
{
	struct va *const inner = &cached_of(va)->inner;

	inner->ops->check(inner);
}

static int cached_map(struct va *va, const struct va_range *range,
		      const struct va_request *request, const void *source)
{
	struct va *const inner = &cached_of(va)->inner;

	return inner->ops->map(inner, range, request, source);
}

static void cached_fini(struct va *va)
{
	struct cached *const self = cached_of(va);

	hole_cache_fini(&self->cache);
	if (!self->back)
		page_map_fini(&self->own_map);
	va_fini(&self->inner);
}

/* ops_make - the strategy's table, ours in the places of what we do. */
static struct va_ops ops_make(const struct va_ops *inner)
{
	struct va_ops ops = *inner;

	ops.back = NULL;
	ops.deterministic = false;
	ops.retries = true; /* the cache is to be drained first */
	ops.vfree_finds = false;
	ops.strict_reuse = false;
	ops.fini = cached_fini;
	ops.alloc = cached_alloc;
	ops.alloc_many = NULL;
	ops.publish = cached_publish;
	ops.has_begun = cached_has_begun;
	ops.withdraw = cached_withdraw;
	ops.map = inner->map ? cached_map : NULL;
	ops.free = cached_free;
	ops.find = cached_find;
	ops.find_next = cached_find_next;
	ops.for_each = cached_for_each;
	ops.purge_take = inner->purge ? NULL : cached_purge_take;
	ops.purge_give = inner->purge ? NULL : cached_purge_give;
	ops.purge_keep = inner->purge ? NULL : cached_purge_keep;
	ops.purge = inner->purge ? cached_purge : NULL;
	ops.returned = cached_returned;
	ops.close = cached_close;
	ops.open = cached_open;
	ops.check = cached_check;
	ops.stats = cached_stats;
	return ops;
}

static int map_make(struct va *va)
{
	struct cached *const self = cached_of(va);
	const struct va_range window = { .start = va->config.start,
					 .end = va->config.end };

	if (self->back) {
		self->map = self->back->map(&self->inner);
		return 0;
	}
	self->map = &self->own_map;
	return page_map_init(self->map, va->config.os, &window, false);
}

static int cache_make(struct va *va)
{
	struct cached *const self = cached_of(va);
	const bool has_memory = !va->config.address_plane;
	const struct hole_cache_config config = {
		.os = va->config.os,
		.cpus = va->config.cpu_map,
		.percpu = va->config.percpu,
		.capacity = va->config.magazine,
		.stock_bytes_max = has_memory ? CACHED_STOCK_BYTES : 0,
		.depot_pages_max = bytes_to_pages(
			has_memory ? CACHED_DEPOT_BYTES : CACHED_DEPOT_RANGES),
	};

	return hole_cache_init(&self->cache, &config);
}

int cached_init(struct va *va, const struct va_ops *ops)
{
	struct cached *const self = cached_of(va);
	struct va_config config = va->config;
	int error;

	config.cached = false;
	/* What is freed is unmapped before it lies in the cache, or by a purge;
	 * only who has no purge unmaps what the cache gives up. */
	if (!ops->strict_reuse)
		config.hooks.unmap = NULL;
	self->whole_flags = LFV_VM_ALLOC;
	self->keeps = va->config.keeps && !va->config.address_plane;
	self->unmaps = va->config.hooks.unmap && !self->keeps;
	/* Where a free does more than fill a stock, the exchange is cheap. */
	self->hardened = va->config.hardened || self->unmaps ||
			 !va->config.reuse_at_once;
	for (size_t pages = 1; pages <= CLASS_PAGES_MAX; pages++)
		self->fits[pages] = (struct class_fit){
			.stock = &self->cache.stocks[class_of(pages)],
			.pages = class_pages(class_of(pages)),
		};
	self->ops = ops_make(ops);
	self->back = ops->back;
	va->ops = &self->ops;
	error = va_init(&self->inner, ops, &config);
	if (error)
		return error;
	error = map_make(va);
	if (!error) {
		error = cache_make(va);
		self->is_plain =
			!self->hardened && self->cache.stocks[0].has_sections;
		if (!error)
			return 0;
		if (!self->back)
			page_map_fini(&self->own_map);
	}
	va_fini(&self->inner);
	return error;
}

size_t cached_state_bytes(void)
{
	return sizeof(struct cached);
}
