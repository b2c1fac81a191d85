/* SPDX-License-Identifier: MIT */
/*
 * stats.h - the middle of some figures, and how far they lie around it.
 *
 * Quantiles lie between the two nearest figures (Hyndman and Fan's type 7, as
 * R and NumPy have it).  Nothing is assumed of how the figures are spread.
 */
#ifndef LFV_BENCH_STATS_H
#define LFV_BENCH_STATS_H

#include <stddef.h>

struct stats {
	size_t count;
	double median;
	double half_iqr; /* half of what the middle half of them spans */
};

/* stats_of - of `count` figures, which are sorted in place; zeros for none. */
struct stats stats_of(double *figures, size_t count);

/* stats_median_low - the lower of two middles: one of the figures, which are
 * sorted in place; 0 for none. */
double stats_median_low(double *figures, size_t count);

/* stats_spread_percent - half_iqr in percent of the median; 0 for median 0. */
double stats_spread_percent(const struct stats *stats);

#endif
