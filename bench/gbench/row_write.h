/* SPDX-License-Identifier: MIT */
/*
 * row_write.h - an outcome as one row of Google Benchmark, in the names of
 * common/row.h.
 */
#ifndef LFV_BENCH_ROW_WRITE_H
#define LFV_BENCH_ROW_WRITE_H

#include "gbench/cell_run.h"
#include "harness/harness.h"

void row_write(struct gbench_state *state, const struct cell_outcome *outcome);

#endif
