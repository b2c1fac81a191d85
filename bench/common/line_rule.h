/* SPDX-License-Identifier: MIT */
/*
 * line_rule.h - when two round trips of a cache line are of two machines.
 *
 * A host may move virtual CPUs between cores, sockets and hardware threads.
 * The guest sees no steal for it, but a line then takes several times as long
 * from one CPU to the other, and what contends for lines with it.  Between two
 * such modes lies a factor of two to five; within one, some percent.
 */
#ifndef LFV_BENCH_LINE_RULE_H
#define LFV_BENCH_LINE_RULE_H

#include <stdbool.h>

static const double line_factor_most = 1.5;

/* line_is_apart - more than the factor, either way; 0 ns: not known, false. */
static inline bool line_is_apart(double one_ns, double other_ns)
{
	return one_ns > 0 && other_ns > 0 &&
	       (one_ns > other_ns * line_factor_most ||
		other_ns > one_ns * line_factor_most);
}

#endif
