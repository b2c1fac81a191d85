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
	WORLD_PURGES = 3,
	WORLD_LAZY_AREAS = 3, /* what a purge that is stopped finds */
};

/* stock - the areas of one who allocates or frees. */
struct stock {
	struct world *world;
	void *areas[WORLD_AREAS];
	unsigned count;
};

struct world {
	struct lfv *lfv;
	bool address_plane;
	void *live; /* what lookups look up */
	void *area; /* of the operation that is stopped */
	struct stock allocated;
	struct stock to_free;
	struct bystander bystanders[WORLD_BYSTANDERS];
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
};

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
