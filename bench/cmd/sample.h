/* SPDX-License-Identifier: MIT */
/*
 * sample.h - one figure: what one process of lfv-gbench measured of one cell.
 *
 * However the process ends, there is a sample of it:
 *
 *   measured  it counts;
 *   invalid   the machine got in its way: the threads did not overlap, were
 *             moved, preempted or throttled, or the machine was for a while
 *             another one (line_modes.h).  Kept, but in no median;
 *   too slow  its set-up passed --cell-limit: no figure, not a failure;
 *   failed    a wrong answer, a crash, a hang: the run fails.
 */
#ifndef LFV_BENCH_SAMPLE_H
#define LFV_BENCH_SAMPLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/interrupt.h"
#include "common/cell.h"

enum { SAMPLE_WHY_BYTES = 512, SAMPLE_WORDS_MAX = 64 };

enum sample_outcome {
	SAMPLE_MEASURED,
	SAMPLE_INVALID,
	SAMPLE_TOO_SLOW,
	SAMPLE_FAILED,
};

struct sample {
	struct cell cell;
	size_t cell_index; /* in the plan */
	enum sample_outcome outcome;
	char why[SAMPLE_WHY_BYTES]; /* "" when measured */
	bool is_off_mode;           /* invalid for this alone: line_modes.h */
	const char *op;             /* what is counted as one operation */
	uint64_t ops;
	double seconds;
	unsigned cores; /* whose time an operation costs */
	json_t *price;  /* objects of numbers, never NULL */
	json_t *latency;
	json_t *counters;
};

/*
 * sample_take - run lfv-gbench for this cell.
 *
 * 0 with a sample, whatever its outcome.  -EINTR when the run was interrupted
 * meanwhile; -errno when nothing could be started.
 */
__attribute__((warn_unused_result)) int sample_take(const char *gbench,
						    const struct cell *cell,
						    struct interrupt *interrupt,
						    struct sample *sample);
void sample_fini(struct sample *sample);

/* sample_read - the outcome and figures in what lfv-gbench wrote. */
void sample_read(struct sample *sample, const char *output);

/* sample_limit_ns - a sample that runs longer than this hangs. */
uint64_t sample_limit_ns(const struct cell *cell);

/*
 * sample_command - the words of the command that takes this sample, each to be
 * freed, NULL-terminated; 0 words when out of memory.
 */
size_t sample_command(const char *gbench, const struct cell *cell,
		      char *words[SAMPLE_WORDS_MAX]);
void sample_command_free(char *words[SAMPLE_WORDS_MAX]);

/* Million operations a second; 0 where nothing was measured. */
double sample_mops(const struct sample *sample);

/*
 * Core-nanoseconds an operation: what it costs the CPUs together; constant
 * under perfect scaling.
 */
double sample_ns_per_op(const struct sample *sample);

const char *sample_outcome_name(enum sample_outcome outcome);

#endif
