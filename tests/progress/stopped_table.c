/* SPDX-License-Identifier: MIT */
/*
 * stopped_table.c - printing alone.
 */
#include "progress/stopped_table.h"

#include <stdio.h>

enum { ALL_BLOCKED = (1 << WORLD_BYSTANDERS) - 1 };

static void blocked_print(unsigned blocked)
{
	const char *between = "";

	if (blocked == 0) {
		(void)printf("nobody");
		return;
	}
	if (blocked == ALL_BLOCKED) {
		(void)printf("all");
		return;
	}
	for (unsigned i = 0; i < WORLD_BYSTANDERS; i++) {
		if ((blocked & 1U << i) == 0)
			continue;
		(void)printf("%s%s", between, world_bystander_names[i]);
		between = ", ";
	}
}

static unsigned blocked_anywhere(const struct stopped_report *report)
{
	unsigned blocked = 0;

	for (unsigned i = 0; i < report->place_count; i++)
		blocked |= report->places[i].blocked;
	return blocked;
}

static void places_print(const struct stopped_report *report, const char *mark)
{
	for (unsigned i = 0; i < report->place_count; i++) {
		const struct stopped_place *const place = &report->places[i];

		(void)printf("%s%s%s%s %lu (", i > 0 ? "; " : "", mark,
			     place->function, mark, (unsigned long)place->step);
		blocked_print(place->blocked);
		(void)printf(")");
	}
}

void stopped_line_print(const struct stopped_row *row, unsigned operation)
{
	const struct stopped_report *const report = &row->reports[operation];

	(void)printf("%s, %s, %s plane: %s: %lu instructions, %lu stops, ",
		     row->strategy, row->lock,
		     row->address_plane ? "address" : "full",
		     world_operations[operation].name,
		     (unsigned long)report->whole.instructions,
		     (unsigned long)report->suspensions);
	blocked_print(blocked_anywhere(report));
	(void)printf(" blocked%s", report->place_count > 0 ? ": " : "");
	places_print(report, "");
	(void)printf("\n");
	(void)fflush(stdout);
}

static void whom_cell_print(const struct stopped_row *row, unsigned operation)
{
	if ((row->left_out & 1U << operation) != 0)
		(void)printf("–");
	else
		blocked_print(blocked_anywhere(&row->reports[operation]));
}

static void whom_print(const struct stopped_row *rows, unsigned count)
{
	(void)printf("| stopped in |");
	for (unsigned i = 0; i < WORLD_OPERATIONS; i++)
		(void)printf(" %s |", world_operations[i].name);
	(void)printf("\n| :--- |");
	for (unsigned i = 0; i < WORLD_OPERATIONS; i++)
		(void)printf(" :--- |");
	for (unsigned row = 0; row < count; row++) {
		(void)printf("\n| `%s` |", rows[row].strategy);
		for (unsigned i = 0; i < WORLD_OPERATIONS; i++) {
			(void)printf(" ");
			whom_cell_print(&rows[row], i);
			(void)printf(" |");
		}
	}
	(void)printf("\n");
}

static void where_print(const struct stopped_row *row, unsigned operation)
{
	const struct stopped_report *const report = &row->reports[operation];

	(void)printf("| `%s` | %s | %lu | %lu | %lu | ", row->strategy,
		     world_operations[operation].name,
		     (unsigned long)report->whole.instructions,
		     (unsigned long)report->suspensions,
		     (unsigned long)report->blocked);
	places_print(report, "`");
	(void)printf("%s |\n", report->place_count == 0 ? "–" : "");
}

void stopped_tables_print(const struct stopped_row *rows, unsigned count)
{
	whom_print(rows, count);
	(void)printf(
		"\n<details><summary>Where it stands then: the function, "
		"and the instructions before the first such stop"
		"</summary>\n\n"
		"| strategy | stopped in | instructions | stops | of these "
		"block | where it stands (who is blocked) |\n"
		"| :--- | :--- | ---: | ---: | ---: | :--- |\n");
	for (unsigned row = 0; row < count; row++) {
		for (unsigned i = 0; i < WORLD_OPERATIONS; i++) {
			if ((rows[row].left_out & 1U << i) == 0)
				where_print(&rows[row], i);
		}
	}
	(void)printf(
		"\n</details>\n\n"
		"<sub>Each at work meanwhile: one thread that does %d "
		"lookups, one %d frees, one %d allocations (%d where nobody "
		"is to be blocked), one %d purges. "
		"%s plane, lock %s.</sub>\n",
		WORLD_AREAS, WORLD_AREAS, WORLD_AREAS, WORLD_AREAS_FEW,
		WORLD_PURGES, rows[0].address_plane ? "Address" : "Full",
		rows[0].lock);
}
