/* SPDX-License-Identifier: MIT */
/*
 * engine_world.h - an engine, the operations on it that a thread is stopped
 * in, and the bystanders that use it meanwhile.
 *
 * Between two runs of an operation what was allocated is freed, everything is
 * purged, and what was freed is allocated again: the engine holds as many areas
 * as before, though not always at the same addresses.
 */
#ifndef LFV_TESTS_ENGINE_WORLD_H
#define LFV_TESTS_ENGINE_WORLD_H

#include "base/os.h"
#include "lfv/lfv.h"
#include "progress/stopped.h"

enum {
	WORLD_BYSTANDERS = 4,
	WORLD_OPERATIONS = 6,
	/*
	 * More than two magazines of base/slab.h hold, so that each bystander
	 * meets the depot behind them.
	 */
	WORLD_AREAS = 160,
	WORLD_AREAS_FEW = 32, /* of what has no slabs, but small stocks */
	WORLD_PURGES = 3,
	WORLD_LAZY_AREAS = 3, /* what a purge that is stopped finds */
	WORLD_AREA_PAGES = 2, /* with the guard */
};

/* stock - the areas of one who allocates or frees. */
struct stock {
	struct world *world;
	void *areas[WORLD_AREAS];
	unsigned count;
	unsigned full; /* how many a bystander makes or frees */
};

struct world {
	struct lfv *lfv;
	bool address_plane;
	void *live; /* what lookups look up */
	void *area; /* of the operation that is stopped */
	struct stock allocated;
	struct stock to_free;
	/* room for one of the caller's behind them */
	struct bystander bystanders[WORLD_BYSTANDERS + 1];
};

/* In the order of a world's bystanders: the least that they change first. */
extern const char *const world_bystander_names[WORLD_BYSTANDERS];

/* An operation to be stopped, or counted. */
struct world_operation {
	const char *name;
	enum stopped_thread thread;
	void (*prepare)(void *world);
	void (*operate)(void *world);
	void (*tidy)(void *world);
};

extern const struct world_operation world_operations[WORLD_OPERATIONS];

struct world_options {
	const char *strategy;
	const char *lock;
	bool address_plane;
	bool is_bare; /* one live area, and nobody to judge: for counts */
	/* zero and NULL: as lfv_create() has it */
	const char *mapping;
	const char *frames;
	const char *worker; /* but that is "none" */
	unsigned magazine;
	/* the machine's if zero; of fewer than it has, two share a stock */
	unsigned cpus;
	/* zero and NULL: WORLD_AREAS, os_linux */
	unsigned areas;
	const struct os *os;
};

/*
 * world_os_still - the kernel with a clock that stands: nothing decays by
 * itself, no purge takes longer than all before it, and a nap, as for a purge
 * of another's that may be over soon, is none.
 */
const struct os *world_os_still(void);

/* world_pin - this thread, and those it makes, on one CPU: one stock. */
void world_pin(void);

/* What operations are made of: an area of one page; a lookup; a purge. */
void *world_area_make(struct world *world);
void world_area_free(struct world *world, void *area);
void world_look_up(void *world);
void world_purge(void *world);

/* world_init - false when the engine cannot be made; says why. */
__attribute__((warn_unused_result)) bool
world_init(struct world *world, const struct world_options *options);
void world_fini(struct world *world);

/*
 * world_warm_up - use an engine once, before stopped_init(): then its key for
 * the end of threads comes before that of the stepping's end.
 */
void world_warm_up(void);

struct stopped world_stopped(struct world *world,
			     const struct world_operation *operation);

#endif
