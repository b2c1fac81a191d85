/* SPDX-License-Identifier: MIT */
/*
 * reentry.h - a thread interrupted in one operation, which begins another one
 * on the same engine before it goes on with the first: as a signal handler, or
 * in the kernel an interrupt, that allocates and looks up.
 *
 *	prepare
 *	outer operation, instruction by instruction; at each point:
 *	   :   a child made here, with all that this process has
 *	   :      the inner operation, in the handler, to its end
 *	   :      the outer one, to its end
 *	   :      answers and figures are checked, all is given back
 *	   :   the parent looks on until the child has ended, or is stuck
 *	outer operation, to its end
 *
 * The child is a copy by a raw fork, of which the engine is not told, so that
 * each instruction is stepped over once and not once for each point behind it.
 * On the address plane the engine has no memory that two processes share.
 *
 *   R1  each answer, of both, is right: a live area is found, whole; an area
 *       just made overlaps no other one; one that is being freed is found whole
 *       or not at all;
 *   R2  when both have ended, live areas, lazy pages and holes are what they
 *       were.
 *
 * To stop behind each write (STEP_WRITES) is not enough here: the outer
 * operation goes on with what it had read before the inner one changed it.
 *
 * Who cannot do that waits for a lock that the same thread holds below.  A
 * child of one thread that sleeps has nobody to wake it, and one that spins has
 * used BYSTANDER_SPIN_NS of CPU time in the inner operation, or on all that is
 * behind it (Y1 of progress/bystander.h).  It is ended then, and the outer
 * operation goes on without further points.
 *
 * Who may run with whom: one at a time, in a process of one thread, and of
 * liburcu's, which no child has: what `rcu` defers there stays deferred.
 */
#ifndef LFV_TESTS_REENTRY_H
#define LFV_TESTS_REENTRY_H

#include "lfv/lfv.h"
#include "progress/bystander.h"
#include "progress/stopped.h"

enum reentry_inner {
	REENTRY_LOOKUP,
	REENTRY_PAIR, /* an allocation and its free */
	REENTRY_PURGE,
	REENTRY_ALL, /* lookups, a pair, an area kept, another one freed */
	REENTRY_INNERS,
};

enum {
	REENTRY_OUTERS = 6,
	REENTRY_MAGAZINE = 2, /* stocks are full, and empty, at once */
	REENTRY_AREAS = 3 * REENTRY_MAGAZINE,
};

extern const char *const reentry_outer_names[REENTRY_OUTERS];
extern const char *const reentry_inner_names[REENTRY_INNERS];

struct reentry_report {
	struct step_report outer; /* of the whole outer operation */
	struct step_report stuck; /* of one that was interrupted for good */
	uint64_t children;
	enum verdict verdict;
	char function[STOPPED_NAME_BYTES]; /* where it stood, unless passed */
};

struct reentry_shared;

struct reentry {
	struct lfv *lfv;
	void *live; /* found at all times */
	void *area; /* the outer operation's */
	bool is_freed;
	void *kept;  /* the handler's, until both have ended */
	void *spare; /* for the handler to free */
	uint64_t hole_pages;
	enum reentry_inner inner;
	uint64_t children_max;         /* the caller's; 0: one a point */
	uint64_t stride;               /* of so many points, one has a child */
	struct reentry_shared *shared; /* with the children */
	struct reentry_report *report;
	bool is_child;
};

/* reentry_options - on the address plane, with small stocks, no thread. */
struct lfv_options reentry_options(const char *strategy, const char *lock);

void reentry_init(struct reentry *reentry, const struct lfv_options *options);
void reentry_fini(struct reentry *reentry);

/*
 * reentry_run - interrupt the outer operation at each of its points, or at as
 * many as may be, evenly spread.
 */
void reentry_run(struct reentry *reentry, unsigned outer,
		 enum reentry_inner inner, enum step_points points,
		 struct reentry_report *report);

#endif
