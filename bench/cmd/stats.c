/* SPDX-License-Identifier: MIT */
#include "cmd/stats.h"

#include <math.h>
#include <stdlib.h>

static const double QUARTER = 0.25;
static const double HALF = 0.5;
static const double PERCENT = 100;

static int figures_compare(const void *a, const void *b)
{
	const double left = *(const double *)a;
	const double right = *(const double *)b;

	return (left > right) - (left < right);
}

static double quantile(const double *sorted, size_t count, double part)
{
	const double place = (double)(count - 1) * part;
	const size_t below = (size_t)place;
	const size_t above = below + 1 < count ? below + 1 : below;
	const double share = place - floor(place);

	return sorted[below] + (sorted[above] - sorted[below]) * share;
}

struct stats stats_of(double *figures, size_t count)
{
	if (count == 0)
		return (struct stats){ 0 };
	qsort(figures, count, sizeof(*figures), figures_compare);
	return (struct stats){
		.count = count,
		.median = quantile(figures, count, HALF),
		.half_iqr = (quantile(figures, count, 1 - QUARTER) -
			     quantile(figures, count, QUARTER)) *
			    HALF,
	};
}

double stats_median_low(double *figures, size_t count)
{
	if (count == 0)
		return 0;
	qsort(figures, count, sizeof(*figures), figures_compare);
	return figures[(count - 1) / 2];
}

double stats_spread_percent(const struct stats *stats)
{
	return stats->median > 0 ? stats->half_iqr / stats->median * PERCENT
				 : 0;
}
