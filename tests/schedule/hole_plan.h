/* SPDX-License-Identifier: MIT */
/*
 * hole_plan.h - threads that take and give pages of one map of holes, each
 * working through a few orders; run_account.h says what must hold.
 */
#ifndef TESTS_SCHEDULE_HOLE_PLAN_H
#define TESTS_SCHEDULE_HOLE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

enum {
	WORD = 64, /* pages */
	PART = WORD / 4,
	CHUNK = 512,
	ORDERS = 3,
	THREADS_MAX = 3,
};

enum hole_deed {
	NOTHING,       /* and no more orders */
	TAKE_AND_GIVE, /* so many pages in the range */
	TAKE,          /* and keep them */
	TAKE_AND_LOOK, /* that a walk from page 0 finds them taken */
	GIVE,          /* the range, which was taken at the begin */
};

struct hole_order {
	enum hole_deed deed;
	size_t pages;
	size_t begin;
	size_t end;
};

struct hole_plan {
	size_t pages; /* of the window */
	/* The rooms promise nothing, as if a settle had stopped (holes.c). */
	bool is_hidden;
	struct hole_order taken[ORDERS];
	/* Asked for in vain before the threads begin: rooms are settled. */
	struct hole_order refused;
	struct hole_order orders[THREADS_MAX][ORDERS];
};

/* The parts of a struct schedule_case; the watch is account_watch(). */
void hole_plan_begin(const struct hole_plan *plan);
void hole_plan_run(unsigned thread);
void hole_plan_end(void);

#endif
