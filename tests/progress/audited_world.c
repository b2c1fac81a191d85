/* SPDX-License-Identifier: MIT */
/*
 * audited_world.c - ways through the cache, each laid out by what precedes it.
 *
 * Of a stock of CACHED_MAGAZINE, two frees make it full, and the third brings
 * half of it to the depot.  With mapping `lazy` nothing that is freed comes
 * into a stock: there an allocation leaves what else it has carved.
 */
#include "progress/audited_world.h"

#include <errno.h>
#include <pthread.h>

#include "base/check.h"
#include "base/page.h"
#include "core/engine.h"
#include "va/cached.h"

enum {
	/* What is on its way: a stock at most, and the area itself. */
	HOLDS_BATCH = (CACHED_MAGAZINE + 1) * WORLD_AREA_PAGES,
	/* And the guard. */
	HOLDS_LARGE = CACHED_LARGE_PAGES + 1,
	HOLDS_DECAY = 2 * CACHED_MAGAZINE * WORLD_AREA_PAGES,
	HOLDS_PURGE =
		WORLD_LAZY_AREAS * WORLD_AREA_PAGES + CACHED_WIDE_PAGES + 1,
};

static void *wide_make(struct world *world, size_t pages)
{
	const size_t size = pages_to_bytes(pages);
	void *const area = world->address_plane
				   ? lfv_get_vm_area(world->lfv, size, 0)
				   : lfv_vmalloc(world->lfv, size);

	require(area != NULL);
	return area;
}

static void hold(struct audited_world *audited, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		audited->held[audited->held_count++] =
			world_area_make(&audited->world);
}

static void let_go(struct audited_world *audited, unsigned count)
{
	while (count-- > 0)
		world_area_free(&audited->world,
				audited->held[--audited->held_count]);
}

static void alloc(void *context)
{
	struct audited_world *const audited = context;

	audited->world.area = world_area_make(&audited->world);
}

static void alloc_large(void *context)
{
	struct audited_world *const audited = context;

	audited->world.area = wide_make(&audited->world, CACHED_LARGE_PAGES);
}

static void free_it(void *context)
{
	struct audited_world *const audited = context;

	world_area_free(&audited->world, audited->world.area);
}

static void alloc_and_free(void *context)
{
	alloc(context);
	free_it(context);
}

/* What has to be asked for again with all stocks closed, and fails. */
static void alloc_fail(void *context)
{
	struct audited_world *const audited = context;
	const uintptr_t live = (uintptr_t)audited->world.live;
	const struct lfv_request request = {
		.size = PAGE_SIZE,
		.vstart = live,
		.vend = live + pages_to_bytes(WORLD_AREA_PAGES),
		.node = -1,
	};

	require(lfv_get_vm_area_range(audited->world.lfv, &request) == NULL);
	require(errno == ENOMEM);
}

static void decay(void *context)
{
	struct audited_world *const audited = context;

	require(purge_run(audited->world.lfv, VA_PURGE_IDLE) == 0);
}

/* One or more in this CPU's stock, none in the depot. */
static void fill_stock(void *context)
{
	world_purge(context);
	hold(context, CACHED_MAGAZINE_LAZY - 1);
	let_go(context, 1);
}

/* An empty stock, and a batch in the depot. */
static void fill_depot(void *context)
{
	world_purge(context);
	hold(context, CACHED_MAGAZINE + 2);
	let_go(context, CACHED_MAGAZINE + 1);
	hold(context, CACHED_MAGAZINE);
}

/* A full stock, and one more area, which is to be freed. */
static void fill_up(void *context)
{
	world_purge(context);
	alloc(context);
	hold(context, CACHED_MAGAZINE);
	let_go(context, CACHED_MAGAZINE);
}

static struct depot *depot_of(struct audited_world *audited)
{
	struct cached *const cached = audited->world.lfv->va.state;

	return &cached->cache.depot;
}

/* The same, and the depot takes no more: nobody works, so it may be told. */
static void fill_up_all(void *context)
{
	struct audited_world *const audited = context;

	fill_up(context);
	audited->depot_pages_max = depot_of(audited)->pages_max;
	depot_of(audited)->pages_max = 0;
}

static void depot_open(void *context)
{
	struct audited_world *const audited = context;

	depot_of(audited)->pages_max = audited->depot_pages_max;
}

static void purge_and_alloc(void *context)
{
	world_purge(context);
	alloc(context);
}

/* A hole that is larger than what is taken of it. */
static void split_hole(void *context)
{
	struct audited_world *const audited = context;

	world_purge(context);
	alloc_large(context);
	hold(audited, 1);
	free_it(context);
	world_purge(context);
}

static void purge_and_alloc_large(void *context)
{
	world_purge(context);
	alloc_large(context);
}

/* Something in each place that a purge empties. */
static void fill_all(void *context)
{
	struct audited_world *const audited = context;

	world_purge(context);
	audited->world.area = wide_make(&audited->world, CACHED_WIDE_PAGES);
	hold(audited, WORLD_LAZY_AREAS);
	let_go(audited, WORLD_LAZY_AREAS);
	free_it(context);
}

/* A stock that the last decay has seen as it is, and a depot. */
static void fill_and_decay(void *context)
{
	world_purge(context);
	decay(context);
	hold(context, 2 * CACHED_MAGAZINE);
	let_go(context, CACHED_MAGAZINE);
	decay(context);
	let_go(context, CACHED_MAGAZINE);
}

static void let_all_go(void *context)
{
	struct audited_world *const audited = context;

	let_go(audited, audited->held_count);
}

static void free_all(void *context)
{
	free_it(context);
	let_all_go(context);
}

const struct audited_operation audited_operations[AUDITED_OPERATIONS] = {
	{ "alloc, stock", STOPPED_CALLER, fill_stock, alloc, free_all,
	  HOLDS_BATCH },
	{ "alloc, depot", STOPPED_CALLER, fill_depot, alloc, free_all,
	  HOLDS_BATCH },
	{ "alloc, holes", STOPPED_CALLER, world_purge, alloc, free_all,
	  HOLDS_BATCH },
	{ "alloc, large", STOPPED_CALLER, split_hole, alloc_large, free_all,
	  HOLDS_LARGE },
	{ "alloc, fails", STOPPED_CALLER, fill_stock, alloc_fail, let_all_go,
	  HOLDS_BATCH },
	{ "free, stock", STOPPED_CALLER, purge_and_alloc, free_it, NULL,
	  HOLDS_BATCH },
	{ "free, depot", STOPPED_CALLER, fill_up, free_it, NULL, HOLDS_BATCH },
	{ "free, depot full", STOPPED_CALLER, fill_up_all, free_it, depot_open,
	  HOLDS_BATCH },
	{ "free, large", STOPPED_CALLER, purge_and_alloc_large, free_it, NULL,
	  HOLDS_LARGE },
	{ "lookup", STOPPED_CALLER, NULL, world_look_up, NULL, 0 },
	{ "purge", STOPPED_CALLER, fill_all, world_purge, NULL, HOLDS_PURGE },
	{ "decay", STOPPED_CALLER, fill_and_decay, decay, NULL, HOLDS_DECAY },
	{ "first alloc", STOPPED_FRESH, fill_stock, alloc, free_all,
	  HOLDS_BATCH },
	{ "thread exit", STOPPED_ENDING, world_purge, alloc_and_free, NULL,
	  HOLDS_BATCH },
};

static void *hold_all(void *context)
{
	hold(context, CACHED_HELD_MAX);
	return NULL;
}

/* A full stock, and as many live areas, which another thread has allocated. */
static void fill_and_hold(void *context)
{
	pthread_t other;

	world_purge(context);
	require(pthread_create(&other, NULL, hold_all, context) == 0);
	require(pthread_join(other, NULL) == 0);
	let_go(context, CACHED_STOCK);
}

const struct audited_operation audited_counted[CACHED_COUNTED] = {
	[CACHED_PAIR] = { "pair", STOPPED_CALLER, alloc_and_free,
			  alloc_and_free, NULL, 0 },
	[CACHED_FREES] = { "remote frees", STOPPED_CALLER, fill_and_hold,
			   let_all_go, NULL, 0 },
	[CACHED_LOOKUP] = { "lookup", STOPPED_CALLER, NULL, world_look_up, NULL,
			    0 },
};

/* figures - pages in holes, and free frames. */
static struct audit figures(struct world *world)
{
	struct lfv *const lfv = world->lfv;
	struct va_stats va = { 0 };
	struct frame_stats frames = { 0 };

	lfv->va.ops->stats(&lfv->va, &va);
	if (!world->address_plane)
		lfv->frames.ops->stats(&lfv->frames, &frames);
	return (struct audit){ va.hole_pages, frames.frames_free };
}

/* missing - what is neither free nor with somebody at work; after a purge. */
static struct audit missing(struct audited_world *audited)
{
	struct world *const world = &audited->world;
	const uint64_t areas = 1 + audited->held_count +
			       world->allocated.count + world->to_free.count;
	struct audit now;

	world_purge(world);
	now = figures(world);
	return (struct audit){
		.pages = audited->pages - now.pages - areas * WORLD_AREA_PAGES,
		.frames = world->address_plane
				  ? 0
				  : audited->frames - now.frames - areas,
	};
}

static struct lfv_stats stats_of(const struct audited_world *audited)
{
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };

	require(lfv_get_stats(audited->world.lfv, &stats) == 0);
	return stats;
}

/* unaccounted - what nothing of the figures tells of; W3. */
static uint64_t unaccounted(const struct audited_world *audited)
{
	const struct lfv_stats stats = stats_of(audited);

	return audited->pages - stats.live_pages - stats.lazy_pages -
	       stats.pool_pages - stats.hole_pages;
}

static void keep_more(struct audit *most, struct audit now)
{
	if (now.pages > most->pages)
		most->pages = now.pages;
	if (now.frames > most->frames)
		most->frames = now.frames;
}

void audited_world_audit(void *context)
{
	struct audited_world *const audited = context;

	keep_more(&audited->stopped, missing(audited));
}

static void prepare(void *context)
{
	struct audited_world *const audited = context;

	if (audited->operation->prepare != NULL)
		audited->operation->prepare(context);

	const struct lfv_stats stats = stats_of(audited);

	audited->loose = stats.lazy_pages + stats.pool_pages;
}

static void operate(void *context)
{
	struct audited_world *const audited = context;

	audited->operation->operate(context);
}

static void tidy(void *context)
{
	struct audited_world *const audited = context;

	if (audited->operation->tidy != NULL)
		audited->operation->tidy(context);
	if (unaccounted(audited) != 0)
		audited->unaccounted++;
	keep_more(&audited->over, missing(audited));
}

bool audited_world_init(struct audited_world *audited,
			const struct world_options *options)
{
	*audited = (struct audited_world){ .operation = NULL };
	if (!world_init(&audited->world, options))
		return false;

	struct lfv *const lfv = audited->world.lfv;

	audited->pages =
		(lfv_vmalloc_end(lfv) - lfv_vmalloc_start(lfv)) >> PAGE_SHIFT;
	if (!options->address_plane) {
		struct frame_stats frames = { 0 };

		lfv->frames.ops->stats(&lfv->frames, &frames);
		audited->frames = frames.frames;
	}
	struct bystander *const auditor =
		&audited->world.bystanders[WORLD_BYSTANDERS];

	*auditor = (struct bystander){ .operate = audited_world_audit,
				       .context = audited,
				       .operations = 1 };
	bystander_start(auditor);
	return true;
}

void audited_world_fini(struct audited_world *audited)
{
	bystander_stop(&audited->world.bystanders[WORLD_BYSTANDERS]);
	world_fini(&audited->world);
}

struct stopped audited_world_stopped(struct audited_world *audited,
				     const struct audited_operation *operation)
{
	const struct audit none = { 0 };

	audited->operation = operation;
	audited->stopped = none;
	audited->over = none;
	audited->unaccounted = 0;
	return (struct stopped){
		.prepare = prepare,
		.operate = operate,
		.tidy = tidy,
		.context = audited,
		.thread = operation->thread,
		.bystanders = audited->world.bystanders,
		.bystander_count = CACHED_BYSTANDERS,
	};
}
