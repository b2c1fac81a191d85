/* SPDX-License-Identifier: MIT */
/*
 * cell.h - one cell of a comparison: every factor that a sample is made of.
 *
 * The same flags name it on the command line of lfv-bench and lfv-gbench, the
 * same keys in a result file, and the same parts in a benchmark's name; all
 * three come from one table of axes, so that none can be forgotten.  Each axis
 * but the numbers takes a list; a plan is the product of the lists.
 *
 *	fix_size/api:get_vm_area/strategy:nodes/lock:qspin/.../threads:2
 */
#ifndef LFV_BENCH_CELL_H
#define LFV_BENCH_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CELL_WORD_BYTES = 40, CELL_NAME_BYTES = 640, CELL_PIN_BYTES = 128 };

typedef char cell_word[CELL_WORD_BYTES];

struct cell {
	cell_word workload;
	cell_word api;      /* get_vm_area | vmalloc */
	cell_word strategy; /* canonical name, aliases resolved */
	cell_word variant;  /* the release that it is the form of */
	cell_word lock;
	bool lock_yield;
	cell_word cache;
	cell_word frames;
	cell_word mapping;
	cell_word flush;
	cell_word worker;
	cell_word percpu;
	bool hardened;
	unsigned nodes;   /* 0: the default */
	unsigned cpus;    /* as lazy_max_pages() sees them; 0: the machine's */
	size_t pages_min; /* 0: the workload's own */
	size_t pages_max;
	size_t align;    /* bytes; 0: the workload's own */
	size_t live;     /* live areas a thread; 0: the workload's own */
	cell_word touch; /* none | page */
	unsigned threads;
	char pin[CELL_PIN_BYTES]; /* compact | scatter | none | 0,2,4-6 */
	uint64_t duration_ns;
	uint64_t loops;         /* ends when a thread did as many; 0: never */
	uint64_t cell_limit_ns; /* set-up longer than this is "too slow" */
	size_t window_bytes;    /* 0: the default, or what `live` needs */
	uint64_t seed;
	unsigned round;
	bool oversubscribe; /* more threads than CPUs are allowed */
};

/* cell_default - every factor at its default. */
void cell_default(struct cell *cell);

/*
 * cell_axis_set - set one factor from text; 0, or -EINVAL with a message that
 * names the flag, what was given, what was expected and, for a misspelt word,
 * the nearest one.  `axis` is the flag's name without dashes; Linux's
 * spellings (nr_pages, nr_threads, test_loop_count, ...) are accepted.
 */
int cell_axis_set(struct cell *cell, const char *axis, const char *text);

/*
 * cell_resolve - fill in what the cell leaves to its workload and its engine:
 * sizes, live areas, window, the strategy's own mapping, cache and frames. What
 * is set stays.
 * -EINVAL as cell_check().
 */
int cell_resolve(struct cell *cell);

/* cell_release - the one whose form the strategy is; "-": of none. */
const char *cell_release(const struct cell *cell);

/* cell_live_bytes - what the live sets of all threads come to, on average. */
size_t cell_live_bytes(const struct cell *cell);

/* cell_options - what lfv_create() is to be given; points into the cell. */
struct lfv_options;
void cell_options(const struct cell *cell, struct lfv_options *options);

/* cell_name - the benchmark's name; every factor that is not constant. */
void cell_name(const struct cell *cell, char name[CELL_NAME_BYTES]);

/*
 * cell_check - whether the cell can run at all: the engine's table of allowed
 * pairs, threads against CPUs.  -EINVAL with a message.
 */
int cell_check(const struct cell *cell);

/*
 * cell_arguments - the flags that make lfv-gbench run exactly this cell: at
 * most `limit` strings, each to be freed; says how many.
 */
size_t cell_arguments(const struct cell *cell, char **arguments, size_t limit);

/* cell_message - this thread's last message of the functions above. */
const char *cell_message(void);

#endif
