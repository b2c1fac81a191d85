/* SPDX-License-Identifier: MIT */
/*
 * audited_world.h - a strategy with the cache in front, operation by operation,
 * and an auditor: while a thread is stopped, and when it has gone on, where is
 * every page of the window and every frame?
 *
 *	missing = all of them - holes - areas of those that are at work
 *
 *   W1  while one is stopped, no more is missing than it can hold: for each
 *       operation a figure of its own (`holds`);
 *   W2  when it has gone on, nothing is;
 *   W3  and before anything is purged then, live, lazy, cached and hole pages
 *       are all there are.
 *
 * The auditor is a bystander, too, the last one: it purges first, so that what
 * lies in caches and lists of others is a hole again.
 *
 * Stocks are as small as can be (CACHED_MAGAZINE), so that few areas reach each
 * way through the cache.
 */
#ifndef LFV_TESTS_AUDITED_WORLD_H
#define LFV_TESTS_AUDITED_WORLD_H

#include "progress/engine_world.h"

enum {
	AUDITED_OPERATIONS = 14,
	CACHED_MAGAZINE = 2,
	CACHED_MAGAZINE_LAZY = 4, /* a batch, half of it, is more than one */
	CACHED_LARGE_PAGES = 600, /* above all classes */
	CACHED_WIDE_PAGES = 15,   /* with the guard, a class */
	CACHED_AREAS = 12,        /* of a bystander: several stocks full */
	CACHED_STOCK = 128, /* what a stock holds if nobody says otherwise */
	/* a whole number of moves to the depot, of which each is 3/4 of one */
	CACHED_FREED = 3 * CACHED_STOCK,
	CACHED_HELD_MAX = CACHED_STOCK + CACHED_FREED,
	CACHED_BYSTANDERS = WORLD_BYSTANDERS + 1,
};

struct audit {
	uint64_t pages;  /* missing at most */
	uint64_t frames; /* of the full plane */
};

struct audited_world {
	struct world world; /* first: what its operations are called with */
	const struct audited_operation *operation;
	void *held[CACHED_HELD_MAX]; /* what came before, and stays meanwhile */
	unsigned held_count;
	uint64_t depot_pages_max;
	uint64_t pages;       /* of the window */
	uint64_t frames;      /* of the memory */
	uint64_t loose;       /* lazy or cached when the operation began */
	struct audit stopped; /* W1 */
	struct audit over;    /* W2 */
	unsigned unaccounted; /* how often W3 did not hold */
};

struct audited_operation {
	const char *name;
	enum stopped_thread thread;
	void (*prepare)(void *audited_world);
	void (*operate)(void *audited_world);
	void (*tidy)(void *audited_world);
	uint64_t holds; /* pages, at most, with stocks of CACHED_MAGAZINE */
};

extern const struct audited_operation audited_operations[AUDITED_OPERATIONS];

/*
 * What is counted alone, with stocks of CACHED_STOCK: an allocation from the
 * stock and its free; CACHED_FREED frees, of what another thread has allocated,
 * into a stock that is full; and a lookup.
 */
enum { CACHED_PAIR, CACHED_FREES, CACHED_LOOKUP, CACHED_COUNTED };
extern const struct audited_operation audited_counted[CACHED_COUNTED];

__attribute__((warn_unused_result)) bool
audited_world_init(struct audited_world *audited,
		   const struct world_options *options);
void audited_world_fini(struct audited_world *audited);

/* audited_world_audit - note what is missing now, as the auditor does. */
void audited_world_audit(void *audited_world);

/* audited_world_stopped - and nothing has been missing yet. */
struct stopped audited_world_stopped(struct audited_world *audited,
				     const struct audited_operation *operation);

#endif
