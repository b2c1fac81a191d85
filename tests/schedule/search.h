/* SPDX-License-Identifier: MIT */
/*
 * search.h - many schedules of one case, until one fails.
 *
 *   random   each choice by a die; the die's seed is the schedule
 *   pct      a random priority for each thread, the highest runs; at `bound`
 *            random steps the one that runs falls below all others (Burckhardt
 *            and others, "A Randomized Scheduler with Probabilistic Guarantees
 *            of Finding Bugs", 2010)
 *   dfs      every schedule with at most `bound` preemptions and `ages` loads
 *            of older values or late stores, in order, each once
 *
 * A failed schedule is named by its seed, and by where it differs from the one
 * in which nobody is preempted and every load sees the newest value:
 * "17:1,23:2" is answer 1 to the 17th choice and answer 2 to the 23rd.
 */
#ifndef TESTS_SCHEDULE_SEARCH_H
#define TESTS_SCHEDULE_SEARCH_H

#include "schedule/schedule.h"

enum search_kind { SEARCH_RANDOM, SEARCH_PCT, SEARCH_DFS };

enum { SEARCH_BOUND_MAX = 16, SEARCH_TEXT_BYTES = 16384 };

/* A bound that bounds nothing. */
#define SEARCH_ALL UINT32_MAX

struct search {
	enum search_kind kind;
	uint64_t schedules; /* at most; 0: dfs goes on to the end */
	uint64_t first_seed;
	unsigned bound; /* pct: at most SEARCH_BOUND_MAX */
	unsigned ages;  /* 0: sequentially consistent */
	/* As in struct chooser; stop_is_on or not. */
	bool stop_is_on;
	unsigned stop_thread;
	unsigned stop_step;
};

struct search_result {
	const char *failure; /* NULL: none was found */
	uint64_t schedules;
	bool is_exhausted; /* dfs has seen all */
	bool has_stopped;  /* in some schedule the thread came that far */
	uint64_t seed;     /* of the failed one */
	char text[SEARCH_TEXT_BYTES];
};

struct search_result search_run(const struct schedule_case *subject,
				const struct search *search);

/*
 * search_replay - the one schedule of that text, each step printed.
 *
 * The search says what may be chosen at all; "" is the undisturbed one.
 */
struct search_result search_replay(const struct schedule_case *subject,
				   const struct search *search,
				   const char *text);

const char *search_name(enum search_kind kind);

#endif
