/* SPDX-License-Identifier: MIT */
/*
 * cell_axis.h - the table of axes: how each factor is named, read and written.
 *
 * Flags, keys of a result and parts of a name all come from here.
 */
#ifndef LFV_BENCH_CELL_AXIS_H
#define LFV_BENCH_CELL_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cell.h"

enum cell_axis_kind {
	CELL_AXIS_WORKLOAD,
	CELL_AXIS_CHOICE, /* of the engine: lfv_choice_at() */
	CELL_AXIS_WORD,   /* one of `words` */
	CELL_AXIS_SWITCH, /* on, off */
	CELL_AXIS_COUNT,  /* unsigned */
	CELL_AXIS_THREADS,
	CELL_AXIS_NUMBER, /* size_t */
	CELL_AXIS_U64,
	CELL_AXIS_BYTES,
	CELL_AXIS_TIME,
	CELL_AXIS_PAGES, /* N or A-B */
	CELL_AXIS_PIN,
};

enum { CELL_AXIS_TEXT_BYTES = 128 };

struct cell_axis {
	const char *name;    /* the flag without dashes */
	const char *aliases; /* space-separated, Linux's spellings among them */
	const char *value;   /* what its value looks like */
	const char *summary; /* one line */
	const char *words;   /* CELL_AXIS_WORD: space-separated */
	enum cell_axis_kind kind;
	int choice;    /* CELL_AXIS_CHOICE: enum lfv_axis */
	size_t offset; /* of the field in struct cell */
	size_t least;  /* numbers: the smallest allowed */
	size_t most;   /* numbers: the largest allowed; 0: no limit */
	bool named;    /* is part of a cell's name */
	bool power_of_two;
};

/* cell_axis_at - the index-th axis, or NULL past the last. */
const struct cell_axis *cell_axis_at(size_t index);

/* cell_axis_find - by name or alias, `_` and `-` alike, or NULL. */
const struct cell_axis *cell_axis_find(const char *name);

/* cell_axis_text - the factor as cell_axis_set() reads it; "" for defaults. */
void cell_axis_text(const struct cell *cell, const struct cell_axis *axis,
		    char text[CELL_AXIS_TEXT_BYTES]);

#endif
