/* SPDX-License-Identifier: MIT */
/*
 * summary.h - all samples of one cell in a few figures.
 *
 * Medians are over the valid samples alone.  Where there is none, they are over
 * those that the machine spoilt, and say so.
 */
#ifndef LFV_BENCH_SUMMARY_H
#define LFV_BENCH_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/sample.h"
#include "cmd/stats.h"

enum summary_figure {
	SUMMARY_MOPS,
	SUMMARY_NS_PER_OP,
	SUMMARY_PAGES_RETAINED,
	SUMMARY_ADDRESS_SPAN,
	SUMMARY_MAPPINGS,
	SUMMARY_REFUSED, /* share of the requests that had no answer */
	SUMMARY_FIGURES,
};

struct summary {
	size_t taken;
	size_t valid;
	enum sample_outcome worst; /* what the last bad sample was */
	const char *why;           /* its reason, or "" */
	bool is_spoilt;            /* the figures are of invalid samples */
	struct stats figures[SUMMARY_FIGURES]; /* count 0: not known */
};

/* summary_of - of the samples of this cell; 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int summary_of(size_t cell_index,
						   const struct sample *samples,
						   size_t count,
						   struct summary *summary);

#endif
