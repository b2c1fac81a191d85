/* SPDX-License-Identifier: MIT */
/*
 * replay_tally.h - what was wrong with an engine's answers, counted and told.
 *
 * Each thread has its own; they are added up at the end.  The message is that
 * of the earliest step: what follows a wrong answer often follows from it.
 */
#ifndef LFV_BENCH_REPLAY_TALLY_H
#define LFV_BENCH_REPLAY_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

enum { REPLAY_WHY_BYTES = 400 };

enum replay_fault {
	REPLAY_FAILED,    /* an error where the recorded kernel had none */
	REPLAY_OVERLAP,   /* a page with two owners */
	REPLAY_MISPLACED, /* outside its window, or not aligned */
	REPLAY_UNKNOWN,   /* live areas that the engine has not, or has alone */
	REPLAY_FAULTS,
};

struct replay_tally {
	uint64_t faults[REPLAY_FAULTS];
	size_t why_step;
	char why[REPLAY_WHY_BYTES]; /* "" while nothing is wrong */
};

/* replay_tally_add - one more fault, at this step of the program. */
__attribute__((format(printf, 4, 5))) void
replay_tally_add(struct replay_tally *tally, enum replay_fault fault,
		 size_t step, const char *format, ...);

void replay_tally_merge(struct replay_tally *tally,
			const struct replay_tally *other);

bool replay_tally_is_clean(const struct replay_tally *tally);

/* replay_step_text - "step 12 (alloc of 5 pages, slot 3, at 0.123 ms)". */
enum { REPLAY_STEP_BYTES = 112 };
void replay_step_text(const struct trace_program *program, size_t step,
		      char text[REPLAY_STEP_BYTES]);

#endif
