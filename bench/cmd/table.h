/* SPDX-License-Identifier: MIT */
/*
 * table.h - what a run found, for people: one table for each group of cells.
 *
 * A row is a cell, a column what varies in this group or a median of the valid
 * samples.  What is the same in all rows stands above.  Speed never stands
 * without its price.  Groups with more threads than CPUs come last and say
 * what they are: they measure preemption, not scaling.
 */
#ifndef LFV_BENCH_TABLE_H
#define LFV_BENCH_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "cmd/plan.h"
#include "cmd/sample.h"

struct table_input {
	const struct plan *plan;
	const struct sample *samples;
	size_t sample_count;
};

/* table_print - all tables; 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int
table_print(const struct table_input *input, FILE *stream);

#endif
