/* SPDX-License-Identifier: MIT */
/*
 * replay_spread.h - how far a set of areas lies apart.
 *
 *	|####|..|##|........|#|
 *	<------- span -------->    free: all dots, gap: the longest run of them
 */
#ifndef LFV_BENCH_REPLAY_SPREAD_H
#define LFV_BENCH_REPLAY_SPREAD_H

#include <stddef.h>
#include <stdint.h>

#include "cmd/replay_claims.h"

struct replay_spread {
	uint64_t span_pages; /* highest end - lowest start */
	uint64_t free_pages; /* of the span */
	uint64_t gap_pages;  /* the largest free run of the span */
};

/* replay_spread_of - of `count` runs, which are sorted in place. */
struct replay_spread replay_spread_of(struct replay_run *runs, size_t count);

#endif
