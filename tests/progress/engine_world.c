/* SPDX-License-Identifier: MIT */
/*
 * engine_world.c - areas of one page, by the public functions alone.
 */
#include "progress/engine_world.h"

#include <sched.h>
#include <stdio.h>

#include "base/check.h"
#include "base/page.h"
#include "core/engine.h"

static uint64_t still_ns(void)
{
	return 1;
}

/* Whom the nap is for may have this CPU. */
static void still_sleep_ns(uint64_t ns)
{
	(void)ns;
	(void)sched_yield();
}

const struct os *world_os_still(void)
{
	static struct os still;

	still = os_linux;
	still.now_ns = still_ns;
	still.sleep_ns = still_sleep_ns;
	return &still;
}

void world_pin(void)
{
	cpu_set_t allowed;
	cpu_set_t one;
	size_t cpu = 0;

	require(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	require(sched_setaffinity(0, sizeof(one), &one) == 0);
}

void *world_area_make(struct world *world)
{
	void *const area = world->address_plane
				   ? lfv_get_vm_area(world->lfv, PAGE_SIZE, 0)
				   : lfv_vmalloc(world->lfv, PAGE_SIZE);

	require(area != NULL);
	return area;
}

void world_area_free(struct world *world, void *area)
{
	const int error = world->address_plane
				  ? lfv_free_vm_area(world->lfv, area)
				  : lfv_vfree(world->lfv, area);

	require(error == 0);
}

void world_look_up(void *context)
{
	struct world *const world = context;
	struct lfv_vm_info info;

	require(lfv_find_vm_area(world->lfv, world->live, &info) == 0);
	require(info.va_start == (uintptr_t)world->live);
}

void world_purge(void *context)
{
	struct world *const world = context;

	require(lfv_purge(world->lfv) == 0);
}

static void alloc(void *context)
{
	struct world *const world = context;

	world->area = world_area_make(world);
}

static void free_it(void *context)
{
	struct world *const world = context;

	world_area_free(world, world->area);
}

static void alloc_and_free(void *context)
{
	alloc(context);
	free_it(context);
}

static void free_and_purge(void *context)
{
	free_it(context);
	world_purge(context);
}

static void purge_and_alloc(void *context)
{
	world_purge(context);
	alloc(context);
}

static void make_lazy(void *context)
{
	struct world *const world = context;
	void *areas[WORLD_LAZY_AREAS];

	world_purge(context);
	for (unsigned i = 0; i < WORLD_LAZY_AREAS; i++)
		areas[i] = world_area_make(world);
	for (unsigned i = 0; i < WORLD_LAZY_AREAS; i++)
		world_area_free(world, areas[i]);
}

const struct world_operation world_operations[WORLD_OPERATIONS] = {
	{ "alloc", STOPPED_CALLER, world_purge, alloc, free_and_purge },
	{ "free", STOPPED_CALLER, purge_and_alloc, free_it, world_purge },
	{ "lookup", STOPPED_CALLER, world_purge, world_look_up, NULL },
	{ "purge", STOPPED_CALLER, make_lazy, world_purge, NULL },
	{ "first alloc", STOPPED_FRESH, world_purge, alloc, free_and_purge },
	{ "thread exit", STOPPED_ENDING, world_purge, alloc_and_free,
	  world_purge },
};

const char *const world_bystander_names[WORLD_BYSTANDERS] = { "lookup", "free",
							      "alloc",
							      "purge" };

static void stock_alloc(void *context)
{
	struct stock *const stock = context;

	stock->areas[stock->count++] = world_area_make(stock->world);
}

static void stock_free(void *context)
{
	struct stock *const stock = context;

	world_area_free(stock->world, stock->areas[--stock->count]);
}

/* What is freed is purged, so that stock_fill() finds the same holes. */
static void stock_empty(void *context)
{
	struct stock *const stock = context;

	while (stock->count > 0)
		stock_free(context);
	world_purge(stock->world);
}

static void stock_fill(void *context)
{
	struct stock *const stock = context;

	while (stock->count < stock->full)
		stock_alloc(context);
}

static void bystanders_start(struct world *world)
{
	const struct bystander all[WORLD_BYSTANDERS] = {
		{ .operate = world_look_up,
		  .context = world,
		  .operations = world->to_free.full },
		{ .operate = stock_free,
		  .restore = stock_fill,
		  .context = &world->to_free,
		  .operations = world->to_free.full },
		{ .operate = stock_alloc,
		  .restore = stock_empty,
		  .context = &world->allocated,
		  .operations = world->allocated.full },
		{ .operate = world_purge,
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
		.strategy = wanted->strategy,
		.lock = wanted->lock,
		.frames = wanted->frames,
		.mapping = wanted->mapping,
		.worker = wanted->worker != NULL ? wanted->worker : "none",
		.window_bytes = 128 * MIB,
		.memory_bytes = 64 * MIB,
		.cpus = wanted->cpus,
		.nodes = 2,
		.address_plane = wanted->address_plane,
		.magazine = wanted->magazine,
	};
	const struct stock stock = {
		.world = world,
		.full = wanted->areas > 0 ? wanted->areas : WORLD_AREAS,
	};

	*world = (struct world){
		.lfv = engine_create(&options, wanted->os != NULL ? wanted->os
								  : &os_linux),
		.address_plane = wanted->address_plane,
		.allocated = stock,
		.to_free = stock,
	};
	if (world->lfv == NULL) {
		(void)fprintf(stderr, "%s, %s: %s\n", wanted->strategy,
			      wanted->lock != NULL ? wanted->lock : "no lock",
			      lfv_last_error());
		return false;
	}
	world->live = world_area_make(world);
	if (!wanted->is_bare)
		stock_fill(&world->to_free);
	bystanders_start(world);
	return true;
}

void world_fini(struct world *world)
{
	for (unsigned i = 0; i < WORLD_BYSTANDERS; i++)
		bystander_stop(&world->bystanders[i]);
	world_purge(world);
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
