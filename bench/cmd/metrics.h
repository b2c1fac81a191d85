/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - what is measured: the fields of a sample that hold figures.
 */
#ifndef LFV_BENCH_METRICS_H
#define LFV_BENCH_METRICS_H

#include <stddef.h>

struct metric {
	const char *name; /* of the field in a sample */
	const char *unit;
	const char *summary; /* one line */
};

/* metric_at - the index-th metric, or NULL past the last. */
const struct metric *metric_at(size_t index);

#endif
