/* SPDX-License-Identifier: MIT */
/*
 * line_modes.h - which samples were taken on the same machine.
 *
 * A host that moves virtual CPUs turns one machine into several, each with its
 * own time for a cache line between the CPUs (common/line_rule.h).  A median
 * over them is a figure of none.  Samples with as many threads and the same
 * pin use the same CPUs, so they are compared with each other:
 *
 *   M1  the reference is the median of their times, the lower of two middles:
 *       a time that was seen, of the mode that lasted longest;
 *   M2  a sample whose time is apart from it is invalid, and says both;
 *   M3  what something else spoilt, and what knows no time, is not asked and
 *       not judged;
 *   M4  judging is done anew over all: when the median goes to another mode,
 *       what M2 made invalid and is not apart any more is valid again.
 *
 * Pure functions of the samples.
 */
#ifndef LFV_BENCH_LINE_MODES_H
#define LFV_BENCH_LINE_MODES_H

#include <stddef.h>

#include "cmd/sample.h"

/* line_mode - of the samples with as many threads and the same pin. */
struct line_mode {
	double reference_ns; /* M1; 0: no sample knows its time */
	double apart_ns;     /* the same, of those that are apart; 0: none */
	size_t known;
	size_t apart;
};

/* line_mode_of - of the samples that stand with this cell; 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int
line_mode_of(const struct cell *cell, const struct sample *samples,
	     size_t count, struct line_mode *mode);

/*
 * line_modes_judge - M2 and M4 for those that stand with this cell.
 *
 * 0 or -ENOMEM; is_changed[i] becomes true where sample i changed its outcome.
 */
__attribute__((warn_unused_result)) int
line_modes_judge(const struct cell *cell, struct sample *samples, size_t count,
		 bool *is_changed);

/* line_modes_same - whether these use the same CPUs. */
bool line_modes_same(const struct cell *one, const struct cell *other);

#endif
