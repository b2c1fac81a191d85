/* SPDX-License-Identifier: MIT */
/*
 * grid.h - rows and columns of short texts, printed under each other.
 *
 * Texts stand left, figures right, as each column says.
 */
#ifndef LFV_BENCH_GRID_H
#define LFV_BENCH_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { GRID_COLUMNS_MAX = 40, GRID_TEXT_BYTES = 48 };

struct grid_row {
	char texts[GRID_COLUMNS_MAX][GRID_TEXT_BYTES];
};

struct grid {
	size_t column_count;
	bool figures[GRID_COLUMNS_MAX]; /* column: stands right */
	struct grid_row *rows;          /* the first one is the header */
	size_t row_count;
};

/* grid_column - one more column under this heading; before any row. */
__attribute__((warn_unused_result)) int
grid_column(struct grid *grid, const char *heading, bool figures);

/* grid_row - one more row of empty texts; NULL when out of memory. */
struct grid_row *grid_row(struct grid *grid);

void grid_print(const struct grid *grid, FILE *stream);
void grid_fini(struct grid *grid);

#endif
