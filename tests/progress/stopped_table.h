/* SPDX-License-Identifier: MIT */
/*
 * stopped_table.h - who blocks whom, and where, as text for a reader.
 */
#ifndef LFV_TESTS_STOPPED_TABLE_H
#define LFV_TESTS_STOPPED_TABLE_H

#include "progress/engine_world.h"

/* stopped_row - what was seen of one strategy, by operation. */
struct stopped_row {
	const char *strategy;
	const char *lock;
	const char *frames; /* or NULL: the strategy's own */
	bool address_plane;
	unsigned left_out; /* bit i: operation i cannot be stepped */
	struct stopped_report reports[WORLD_OPERATIONS];
};

/* One line for an operation, as it is done. */
void stopped_line_print(const struct stopped_row *row, unsigned operation);

/*
 * Two tables in Markdown: who is blocked, by strategy and by the operation that
 * is stopped; and where it stands then.
 */
void stopped_tables_print(const struct stopped_row *rows, unsigned count);

#endif
