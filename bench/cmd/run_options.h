/* SPDX-License-Identifier: MIT */
/*
 * run_options.h - the flags of `lfv-bench run`, and the plan that they ask for.
 *
 * Each axis of a cell is a flag (common/cell_axis.h) that takes a list.
 */
#ifndef LFV_BENCH_RUN_OPTIONS_H
#define LFV_BENCH_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/plan.h"
#include "common/cell_product.h"

struct run_options {
	struct cell_lists lists;
	unsigned rounds; /* 0: as many as fit in RUN_BUDGET, at most 5 */
	uint64_t seed;
	const char *output; /* NULL: no file */
	bool dry_run;
	bool quiet;
	bool json;
};

/*
 * run_options_read - 0; 1 after printing the help; -EINVAL after saying what
 * is wrong.  Only 0 leaves something for fini.
 */
__attribute__((warn_unused_result)) int
run_options_read(struct run_options *options, int argc, char **argv);
void run_options_fini(struct run_options *options);

/* run_options_plan - -EINVAL after saying why there is no such plan. */
__attribute__((warn_unused_result)) int
run_options_plan(struct run_options *options, struct plan *plan);

#endif
