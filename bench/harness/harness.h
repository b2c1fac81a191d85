/* SPDX-License-Identifier: MIT */
/*
 * harness.h - Google Benchmark, for C.
 *
 * A case is a function that measures once, with threads and a clock of its
 * own, and hands over one finished number.  The library repeats, filters,
 * prints and writes JSON; it is never asked to time or to thread anything, as
 * what it says then differs from version to version.
 *
 * Names of counters are flat in the JSON: give all of them one prefix.
 * Values that are no number are left out.
 */
#ifndef LFV_BENCH_HARNESS_H
#define LFV_BENCH_HARNESS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gbench_state;

typedef void gbench_case(struct gbench_state *state, void *data);

/* gbench_init - the library's own flags; argc and argv without them. */
void gbench_init(int *argc, char **argv);

/* gbench_context - a fact about the run, for its head. */
void gbench_context(const char *key, const char *value);

/* gbench_add - a case; `data` must stay. */
void gbench_add(const char *name, gbench_case *run, void *data);

struct gbench_outcome {
	size_t ran;    /* cases; 0: the filter matched none */
	size_t failed; /* gbench_error() */
};

void gbench_run(struct gbench_outcome *outcome);

/* In a case: the measured time of one operation; items_per_second follows. */
void gbench_time(struct gbench_state *state, double seconds_per_op);
void gbench_counter(struct gbench_state *state, const char *name, double value);
void gbench_label(struct gbench_state *state, const char *text);

/* gbench_error - this case has no result.  gbench_skip: nor is that wrong. */
void gbench_error(struct gbench_state *state, const char *text);
void gbench_skip(struct gbench_state *state, const char *text);

#ifdef __cplusplus
}
#endif

#endif
