/* SPDX-License-Identifier: MIT */
#include "cmd/grid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct grid_row *grid_row(struct grid *grid)
{
	struct grid_row *rows =
		reallocarray(grid->rows, grid->row_count + 1, sizeof(*rows));

	if (!rows)
		return NULL;
	grid->rows = rows;

	struct grid_row *row = &rows[grid->row_count++];

	memset(row, 0, sizeof(*row));
	return row;
}

int grid_column(struct grid *grid, const char *heading, bool figures)
{
	if (grid->column_count == GRID_COLUMNS_MAX)
		return -E2BIG;
	if (grid->row_count == 0 && !grid_row(grid))
		return -ENOMEM;
	snprintf(grid->rows[0].texts[grid->column_count], GRID_TEXT_BYTES, "%s",
		 heading);
	grid->figures[grid->column_count++] = figures;
	return 0;
}

/* Letters, not bytes: what goes on a letter is no letter in UTF-8. */
static size_t letters_of(const char *text)
{
	size_t letters = 0;

	for (; *text; text++)
		letters += ((unsigned char)*text & 0xc0) != 0x80;
	return letters;
}

static size_t column_width(const struct grid *grid, size_t column)
{
	size_t width = 0;

	for (size_t i = 0; i < grid->row_count; i++) {
		const size_t letters = letters_of(grid->rows[i].texts[column]);

		if (letters > width)
			width = letters;
	}
	return width;
}

static void row_print(const struct grid *grid, const struct grid_row *row,
		      const size_t *widths, FILE *stream)
{
	for (size_t i = 0; i < grid->column_count; i++) {
		const char *text = row->texts[i];
		const int fill = (int)(widths[i] - letters_of(text));
		const bool last = i + 1 == grid->column_count;

		if (grid->figures[i])
			fprintf(stream, "%*s%s", fill, "", text);
		else
			fprintf(stream, "%s%*s", text, last ? 0 : fill, "");
		fputs(last ? "\n" : "  ", stream);
	}
}

void grid_print(const struct grid *grid, FILE *stream)
{
	size_t widths[GRID_COLUMNS_MAX];

	for (size_t i = 0; i < grid->column_count; i++)
		widths[i] = column_width(grid, i);
	for (size_t i = 0; i < grid->row_count; i++)
		row_print(grid, &grid->rows[i], widths, stream);
}

void grid_fini(struct grid *grid)
{
	free(grid->rows);
	*grid = (struct grid){ 0 };
}
