/* SPDX-License-Identifier: MIT */
/*
 * engine_world.c - areas of one page, by the public functions alone.
 */
#include "progress/engine_world.h"

#include <stdio.h>

#include "base/check.h"
#include "base/page.h"

static void *area_make(struct world *world)
{
	void *const area = world->address_plane
				   ? lfv_get_vm_area(world->lfv, PAGE_SIZE, 0)
				   : lfv_vmalloc(world->lfv, PAGE_SIZE);

	require(area != NULL);
	return area;
}

static void area_free(struct world *world, void *area)
{
	const int error = world->address_plane
				  ? lfv_free_vm_area(world->lfv, area)
				  : lfv_vfree(world->lfv, area);

	require(error == 0);
}

static void look_up(void *context)
{
	struct world *const world = context;
	struct lfv_vm_info info;

	require(lfv_find_vm_area(world->lfv, world->live, &info) == 0);
	require(info.va_start == (uintptr_t)world->live);
}

static void purge(void *context)
{
	struct world *const world = context;

	require(lfv_purge(world->lfv) == 0);
}

static void alloc(void *context)
{
	struct world *const world = context;

	world->area = area_make(world);
}

static void free_it(void *context)
{
	struct world *const world = context;

	area_free(world, world->area);
}

static void alloc_and_free(void *context)
{
	alloc(context);
	free_it(context);
}

static void free_and_purge(void *context)
{
	free_it(context);
	purge(context);
}

static void purge_and_alloc(void *context)
{
	purge(context);
	alloc(context);
}

static void make_lazy(void *context)
{
	struct world *const world = context;
	void *areas[WORLD_LAZY_AREAS];

	purge(context);
	for (unsigned i = 0; i < WORLD_LAZY_AREAS; i++)
		areas[i] = area_make(world);
	for (unsigned i = 0; i < WORLD_LAZY_AREAS; i++)
		area_free(world, areas[i]);
}

const struct world_operation world_operations[WORLD_OPERATIONS] = {
	{ "alloc", STOPPED_CALLER, purge, alloc, free_and_purge },
	{ "free", STOPPED_CALLER, purge_and_alloc, free_it, purge },
	{ "lookup", STOPPED_CALLER, purge, look_up, NULL },
	{ "purge", STOPPED_CALLER, make_lazy, purge, NULL },
	{ "first alloc", STOPPED_FRESH, purge, alloc, free_and_purge },
	{ "thread exit", STOPPED_ENDING, purge, alloc_and_free, purge },
};

const char *const world_bystander_names[WORLD_BYSTANDERS] = { "lookup", "free",
							      "alloc",
							      "purge" };

static void stock_alloc(void *context)
{
	struct stock *const stock = context;

	stock->areas[stock->count++] = area_make(stock->world);
}

static void stock_free(void *context)
{
	struct stock *const stock = context;

	area_free(stock->world, stock->areas[--stock->count]);
}

/* What is freed is purged, so that stock_fill() finds the same holes. */
static void stock_empty(void *context)
{
	struct stock *const stock = context;

	while (stock->count > 0)
		stock_free(context);
	purge(stock->world);
}

static void stock_fill(void *context)
{
	struct stock *const stock = context;

	while (stock->count < WORLD_AREAS)
		stock_alloc(context);
}

static void bystanders_start(struct world *world)
{
	const struct bystander all[WORLD_BYSTANDERS] = {
		{ .operate = look_up,
		  .context = world,
		  .operations = WORLD_AREAS },
		{ .operate = stock_free,
		  .restore = stock_fill,
		  .context = &world->to_free,
		  .operations = WORLD_AREAS },
		{ .operate = stock_alloc,
		  .restore = stock_empty,
		  .context = &world->allocated,
		  .operations = WORLD_AREAS },
		{ .operate = purge,
		  .context = world,
		  .operations = WORLD_PURGES },
	};

	for (unsigned i = 0; i < WORLD_BYSTANDERS; i++) {
		world->bystanders[i] = all[i];
		bystander_start(&world->bystanders[i]);
	}
}

bool world_init(struct world *world, const struct world_options *wanted)
{
	const struct lfv_options options = {
		.struct_bytes = sizeof(options),
		/* The least, so that stocks run empty and over. */
		.magazine = wanted->is_bare ? 0 : 2,
		.strategy = wanted->strategy,
		.lock = wanted->lock,
		.worker = "none",
		.window_bytes = 128 * MIB,
		.memory_bytes = 64 * MIB,
		/* As many as the machine's at least: each has its own stocks.
		 */
		.cpus = 16,
		.nodes = 2,
		.address_plane = wanted->address_plane,
	};

	*world = (struct world){
		.lfv = lfv_create(&options),
		.address_plane = wanted->address_plane,
		.allocated.world = world,
		.to_free.world = world,
	};
	if (world->lfv == NULL) {
		(void)fprintf(stderr, "%s, %s: %s\n", wanted->strategy,
			      wanted->lock, lfv_last_error());
		return false;
	}
	world->live = area_make(world);
	if (!wanted->is_bare)
		stock_fill(&world->to_free);
	bystanders_start(world);
	return true;
}

void world_fini(struct world *world)
{
	for (unsigned i = 0; i < WORLD_BYSTANDERS; i++)
		bystander_stop(&world->bystanders[i]);
	purge(world);
	lfv_check(world->lfv);
	lfv_destroy(world->lfv);
}

void world_warm_up(void)
{
	const struct world_options options = {
		.strategy = "list",
		.lock = "pthread-mutex",
		.address_plane = true,
	};
	static struct world world;

	require(world_init(&world, &options));
	world_fini(&world);
}

struct stopped world_stopped(struct world *world,
			     const struct world_operation *operation)
{
	return (struct stopped){
		.prepare = operation->prepare,
		.operate = operation->operate,
		.tidy = operation->tidy,
		.context = world,
		.thread = operation->thread,
		.bystanders = world->bystanders,
		.bystander_count = WORLD_BYSTANDERS,
	};
}
