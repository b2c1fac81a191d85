/* SPDX-License-Identifier: MIT */
/*
 * progress.h - how far a run is and when it will end, on one line of stderr.
 *
 * Nothing is shown where the user wants quiet, nor where stderr is no terminal
 * unless `in_lines` was set after progress_begin(): then a line for each sample
 * that begins later than 2 s.
 */
#ifndef LFV_BENCH_PROGRESS_H
#define LFV_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cell.h"

enum { PROGRESS_TIME_BYTES = 32 };

struct progress {
	bool shown;    /* on one line of a terminal, again and again */
	bool in_lines; /* elsewhere: a line each, once the run takes long */
	size_t total;  /* samples planned */
	uint64_t began_ns;
};

void progress_begin(struct progress *progress, size_t total, bool quiet);

/* progress_step - `done` samples are taken, and this cell comes next. */
void progress_step(const struct progress *progress, size_t done,
		   const struct cell *next);

/* progress_clear - make room for other messages. */
void progress_clear(const struct progress *progress);

/* progress_time - "42 s", "3 min 05 s", "2 h 10 min". */
void progress_time(uint64_t ns, char text[PROGRESS_TIME_BYTES]);

#endif
