/* SPDX-License-Identifier: MIT */
/*
 * model_check.h - what each case is put through, as cmocka assertions.
 *
 * A failed schedule is printed step by step, with a text that shows it again:
 *
 *	LFV_SCHEDULE='a spin lock: 17:1,23:2' build/dev/tests/test_scheduler
 *
 * The text is the name of the case and the answers that are not 0 (search.h).
 * Before them may stand:
 *
 *	sc          no load sees an older value
 *	stop 1 5    thread 1 is stopped at its step 5
 *
 * and instead of them `random 12` or `pct 12`: a seed.  LFV_TEST_LONG=1 tries
 * more seeds.
 *
 * Adding a source: one file of cases, schedule_x.c, and one line in
 * CMakeLists.txt.  A case owns what it checks (run_account.h does that for
 * bits), its plans are small, and its mistakes stand in mutants.txt.  Claims
 * about instants ("refuses only if") hold where loads see the newest value;
 * where they may not, only what orders promise.
 */
#ifndef TESTS_SCHEDULE_MODEL_CHECK_H
#define TESTS_SCHEDULE_MODEL_CHECK_H

#include "schedule/schedule.h"

/* model_plan - how far the searches of a case go. */
struct model_plan {
	unsigned preemptions; /* dfs, to the end; SEARCH_ALL: no bound */
	unsigned ages;        /* dfs: loads of older values */
	unsigned seeds;       /* random, and as many by priorities */
	/* In these schedules each thread is stopped at each of its steps. */
	unsigned stop_preemptions;
};

/* model_check - no schedule of the plan fails. */
void model_check(const struct schedule_case *subject,
		 const struct model_plan *plan);

/*
 * model_check_stopped - nor does one in which a thread is stopped for ever: the
 * others end.  This is what lock-free means.
 */
void model_check_stopped(const struct schedule_case *subject,
			 const struct model_plan *plan);

/* model_find - some schedule fails, and says so in these words. */
void model_find(const struct schedule_case *subject,
		const struct model_plan *plan, const char *failure);

/* needless_order - a site that may be weaker here, and why it is not. */
struct needless_order {
	const char *function;
	const char *operation; /* as "cas_acq_rel" */
	unsigned which;        /* of these in the function, from 1 */
	const char *weaker;    /* as "acquire" */
	const char *why;
};

struct model_orders {
	const struct schedule_case *const *cases; /* NULL-terminated */
	struct model_plan plan;
	const char *source; /* sites of files whose name begins so */
	const struct needless_order *needless; /* up to a NULL function */
};

/*
 * model_check_orders - each order is needed: with any one of them weaker by one
 * step, a schedule of some case fails.
 */
void model_check_orders(const struct model_orders *orders);

/* model_arguments - the first, if there is one, names the tests to run. */
void model_arguments(int count, char **arguments);

#endif
