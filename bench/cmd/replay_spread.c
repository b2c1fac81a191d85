/* SPDX-License-Identifier: MIT */
#include "cmd/replay_spread.h"

#include <stdlib.h>

static int run_compare(const void *left, const void *right)
{
	const uint64_t a = ((const struct replay_run *)left)->first_page;
	const uint64_t b = ((const struct replay_run *)right)->first_page;

	return (a > b) - (a < b);
}

struct replay_spread replay_spread_of(struct replay_run *runs, size_t count)
{
	struct replay_spread spread = { 0 };

	if (count == 0)
		return spread;
	qsort(runs, count, sizeof(*runs), run_compare);

	const uint64_t start = runs[0].first_page;
	uint64_t end = start;

	for (size_t i = 0; i < count; i++) {
		const uint64_t run_end = runs[i].first_page + runs[i].pages;

		if (runs[i].first_page > end) {
			const uint64_t gap = runs[i].first_page - end;

			spread.free_pages += gap;
			if (gap > spread.gap_pages)
				spread.gap_pages = gap;
		}
		if (run_end > end)
			end = run_end;
	}
	spread.span_pages = end - start;
	return spread;
}
