/* SPDX-License-Identifier: MIT */
/*
 * plan.h - which cells are measured, how often, and in which order.
 *
 * The cells are what the user asked for, each once: a factor that does not act
 * is put at its default, and what is the same cell then is one.  The floor of
 * each workload is added, for each number of threads and each placement.
 *
 *   P1  a round runs each cell once;
 *   P2  cells that stand in one table are a group: the same workload, api
 *       (save where apis are what is compared), threads and placement.  A
 *       round runs a group in one go, so that what is compared lies near in
 *       time;
 *   P3  the groups of a round, and the cells of a group, come in the order of
 *       a row of a Latin square (latin.h): over a block of rounds each takes
 *       each place equally often;
 *   P4  all cells of a round have the same seed: they are asked the same.
 *
 * One thread; the cells are constant once made.
 */
#ifndef LFV_BENCH_PLAN_H
#define LFV_BENCH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cell.h"

enum { PLAN_CELLS_MAX = 4096 };

struct plan {
	struct cell *cells;
	size_t *group_of; /* cell: the group it is in */
	size_t cell_count;
	size_t group_count;
	unsigned rounds;
	uint64_t seed;
};

/*
 * plan_init - a plan of these cells and their floors; rounds and seed are the
 * caller's to set.  -EINVAL after saying why: too many cells, or more threads
 * than CPUs where that was not allowed.
 */
__attribute__((warn_unused_result)) int
plan_init(struct plan *plan, const struct cell *cells, size_t count);
void plan_fini(struct plan *plan);

/* plan_order - the cells of a round in the order they run; room for all. */
void plan_order(const struct plan *plan, unsigned round, size_t *order);

/* plan_seed - the seed of a round's cells, small enough for any JSON reader. */
uint64_t plan_seed(const struct plan *plan, unsigned round);

/* plan_ns - how long all rounds will take, as far as can be said before. */
uint64_t plan_ns(const struct plan *plan);

/* plan_is_floor - whether the cell is the harness's own cost. */
bool plan_is_floor(const struct cell *cell);

/*
 * plan_acts - whether this factor makes a difference in this cell: a floor has
 * no engine, the address plane neither frames nor anything to flush, and only
 * `nodes` has nodes.
 */
bool plan_acts(const struct cell *cell, const char *axis);

/* plan_compares_apis - whether the workload sets its apis side by side. */
bool plan_compares_apis(const struct cell *cell);

/* plan_floor_of - the floor cell beside this one; cell_count: none. */
size_t plan_floor_of(const struct plan *plan, size_t index);

/*
 * plan_usable_cpus - the CPUs that the cell's threads can run on: those that
 * the process may use, or those of its pin list if these are fewer.
 */
unsigned plan_usable_cpus(const struct cell *cell);

#endif
