/* SPDX-License-Identifier: MIT */
/*
 * va_stats.h - holes of strategies that know them only as gaps.
 */
#ifndef LFV_VA_VA_STATS_H
#define LFV_VA_VA_STATS_H

#include "va/va.h"

/* stats_add_gap - count the hole [start, end), which may be empty. */
static inline void stats_add_gap(struct va_stats *stats, uintptr_t start,
				 uintptr_t end)
{
	const uint64_t pages = end > start ? (end - start) >> PAGE_SHIFT : 0;

	if (pages == 0)
		return;
	stats->holes++;
	stats->hole_pages += pages;
	if (pages > stats->hole_pages_max)
		stats->hole_pages_max = pages;
}

#endif
