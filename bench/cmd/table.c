/* SPDX-License-Identifier: MIT */
#include "cmd/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/grid.h"
#include "cmd/line_modes.h"
#include "cmd/summary.h"
#include "common/cell_axis.h"
#include "common/workload_info.h"

enum { AXES_MAX = 32 };

static const char SPOILT_NOTE[] = "(in parentheses: the machine spoilt every "
				  "sample; not to be compared)\n";

/* One group being printed. */
struct table {
	const struct table_input *input;
	const size_t *members; /* cells, the floor last */
	size_t member_count;
	const struct cell_axis *varied[AXES_MAX];
	size_t varied_count;
	bool has_spoilt; /* some rows are of invalid samples */
	struct grid grid;
};

static const struct cell *member_at(const struct table *table, size_t member)
{
	return &table->input->plan->cells[table->members[member]];
}

/* What makes the group is in its title, and what is no factor nowhere. */
static bool is_factor(const struct table *table, const struct cell_axis *axis)
{
	if (strcmp(axis->name, "api") == 0)
		return plan_compares_apis(member_at(table, 0));
	return axis->named && !word_in_list("workload threads pin", axis->name);
}

/* The strategy has a column even where there is one only. */
static bool is_name(const struct cell_axis *axis)
{
	return strcmp(axis->name, "strategy") == 0;
}

static bool is_varied(const struct table *table, const struct cell_axis *axis)
{
	char first[CELL_AXIS_TEXT_BYTES];
	char other[CELL_AXIS_TEXT_BYTES];

	cell_axis_text(member_at(table, 0), axis, first);
	for (size_t i = 1; i < table->member_count; i++) {
		if (plan_is_floor(member_at(table, i)))
			continue;
		cell_axis_text(member_at(table, i), axis, other);
		if (strcmp(first, other) != 0)
			return true;
	}
	return false;
}

static void constants_print(const struct table *table, FILE *stream)
{
	const struct cell *cell = member_at(table, 0);
	const struct cell_axis *axis;
	const char *comma = "held constant: ";

	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		char text[CELL_AXIS_TEXT_BYTES];

		cell_axis_text(cell, axis, text);
		if (!is_factor(table, axis) || !*text ||
		    is_varied(table, axis) || is_name(axis) ||
		    !plan_acts(cell, axis->name))
			continue;
		fprintf(stream, "%s%s %s", comma, axis->name, text);
		comma = ", ";
	}
	fprintf(stream, "%spin %s\n", comma, cell->pin);
}

/* What the figures of contended lines belong to. */
static int line_print(const struct table *table, FILE *stream)
{
	const struct table_input *input = table->input;
	struct line_mode mode;
	const int err = line_mode_of(member_at(table, 0), input->samples,
				     input->sample_count, &mode);

	if (!err && mode.known > 0)
		fprintf(stream,
			"cache line between CPUs, there and back: "
			"median %.0f ns\n",
			mode.reference_ns);
	return err;
}

static bool is_oversubscribed(const struct cell *cell)
{
	return cell->threads > plan_usable_cpus(cell);
}

static void title_print(const struct table *table, FILE *stream)
{
	const struct cell *cell = member_at(table, 0);
	const unsigned cpus = plan_usable_cpus(cell);
	const bool by_api = !plan_compares_apis(cell);

	fprintf(stream, "\n%s%s%s%s, %u thread%s",
		is_oversubscribed(cell) ? "preemption, not scaling: " : "",
		cell->workload, by_api ? " by " : "", by_api ? cell->api : "",
		cell->threads, cell->threads == 1 ? "" : "s");
	if (is_oversubscribed(cell))
		fprintf(stream, " on %u CPU%s", cpus, cpus == 1 ? "" : "s");
	putc('\n', stream);
}

static int varied_find(struct table *table)
{
	const struct cell_axis *axis;

	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		if (!is_factor(table, axis) ||
		    (!is_varied(table, axis) && !is_name(axis)) ||
		    table->varied_count == AXES_MAX)
			continue;
		table->varied[table->varied_count++] = axis;
		if (grid_column(&table->grid, axis->name, false) != 0)
			return -ENOMEM;
		if (is_name(axis) &&
		    grid_column(&table->grid, "as in", false) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* The columns of figures, in the order of enum summary_figure's use below. */
static int figure_columns(struct table *table)
{
	static const char *const headings[] = {
		"Mops/s",      "core-ns/op", "spread, %",     "retained, pages",
		"span, pages", "mappings",   "valid samples",
	};

	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
		if (grid_column(&table->grid, headings[i], true) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* Three digits that mean something, and no exponent. */
static void figure_text(double value, bool spoilt, char text[GRID_TEXT_BYTES])
{
	const int decimals = value < 10 ? 3 : value < 100 ? 2 : 1;

	snprintf(text, GRID_TEXT_BYTES, "%s%.*f%s", spoilt ? "(" : "", decimals,
		 value, spoilt ? ")" : "");
}

static void count_text(const struct stats *stats, char text[GRID_TEXT_BYTES])
{
	if (stats->count == 0)
		snprintf(text, GRID_TEXT_BYTES, "-");
	else
		snprintf(text, GRID_TEXT_BYTES, "%.0f", stats->median);
}

static void figures_fill(const struct summary *summary, struct grid_row *row,
			 size_t column)
{
	const struct stats *mops = &summary->figures[SUMMARY_MOPS];
	const struct stats *ns = &summary->figures[SUMMARY_NS_PER_OP];
	char(*texts)[GRID_TEXT_BYTES] = &row->texts[column];

	if (mops->count > 0) {
		figure_text(mops->median, summary->is_spoilt, texts[0]);
		figure_text(ns->median, summary->is_spoilt, texts[1]);
	} else {
		snprintf(texts[0], GRID_TEXT_BYTES, "%s",
			 summary->taken ? sample_outcome_name(summary->worst)
					: "not run");
		snprintf(texts[1], GRID_TEXT_BYTES, "-");
	}
	if (summary->valid > 1)
		snprintf(texts[2], GRID_TEXT_BYTES, "%.1f",
			 stats_spread_percent(mops));
	else
		snprintf(texts[2], GRID_TEXT_BYTES, "-");
	count_text(&summary->figures[SUMMARY_PAGES_RETAINED], texts[3]);
	count_text(&summary->figures[SUMMARY_ADDRESS_SPAN], texts[4]);
	count_text(&summary->figures[SUMMARY_MAPPINGS], texts[5]);
	snprintf(texts[6], GRID_TEXT_BYTES, "%zu/%zu", summary->valid,
		 summary->taken);
}

/*
 * A refusal is quick: its speed must not pass for that of an answer.  Less than
 * half a percent is the end of `exhaust`, and is not told.
 */
static void refusals_fill(const struct stats *refused, struct grid_row *row,
			  size_t column)
{
	const double percent = refused->count > 0 ? 100 * refused->median : 0;
	char(*texts)[GRID_TEXT_BYTES] = &row->texts[column];
	char speed[GRID_TEXT_BYTES];

	if (percent < 0.5)
		return;
	if (percent > 99.5) {
		snprintf(texts[0], GRID_TEXT_BYTES, "all refused");
		snprintf(texts[1], GRID_TEXT_BYTES, "-");
		return;
	}
	memcpy(speed, texts[0], sizeof(speed));
	snprintf(texts[0], GRID_TEXT_BYTES, "%.20s, %.0f %% refused", speed,
		 percent);
}

/* Fills the columns of factors; says how many there are. */
static size_t factors_fill(const struct table *table, const struct cell *cell,
			   struct grid_row *row)
{
	size_t column = 0;

	for (size_t i = 0; i < table->varied_count; i++) {
		char text[CELL_AXIS_TEXT_BYTES];
		const struct cell_axis *axis = table->varied[i];

		cell_axis_text(cell, axis, text);
		if (plan_is_floor(cell))
			snprintf(text, sizeof(text), "%s",
				 is_name(axis) ? cell->workload : "");
		else if (!plan_acts(cell, axis->name))
			snprintf(text, sizeof(text), "-");
		snprintf(row->texts[column++], GRID_TEXT_BYTES, "%.47s", text);
		if (is_name(axis))
			snprintf(row->texts[column++], GRID_TEXT_BYTES, "%s",
				 plan_is_floor(cell) ? "" : cell_release(cell));
	}
	return column;
}

static int row_add(struct table *table, size_t member)
{
	const struct table_input *input = table->input;
	struct summary summary;
	struct grid_row *row = grid_row(&table->grid);

	if (!row || summary_of(table->members[member], input->samples,
			       input->sample_count, &summary) != 0)
		return -ENOMEM;

	const size_t column =
		factors_fill(table, member_at(table, member), row);

	figures_fill(&summary, row, column);
	table->has_spoilt |= summary.is_spoilt;

	refusals_fill(&summary.figures[SUMMARY_REFUSED], row, column);
	return 0;
}

static int group_print(const struct table_input *input, const size_t *members,
		       size_t count, FILE *stream)
{
	struct table table = {
		.input = input,
		.members = members,
		.member_count = count,
	};
	int err = varied_find(&table);

	if (!err)
		err = figure_columns(&table);
	for (size_t i = 0; i < count && !err; i++)
		err = row_add(&table, i);
	if (!err) {
		title_print(&table, stream);
		constants_print(&table, stream);
		err = line_print(&table, stream);
		grid_print(&table.grid, stream);
		if (table.has_spoilt)
			fputs(SPOILT_NOTE, stream);
	}
	grid_fini(&table.grid);
	return err;
}

/* The group's cells and their floor; 0 for a group of floors. */
static size_t members_find(const struct plan *plan, size_t group,
			   size_t *members)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->cell_count; i++) {
		if (plan->group_of[i] == group &&
		    !plan_is_floor(&plan->cells[i]))
			members[count++] = i;
	}
	if (count == 0)
		return 0;

	const size_t floor = plan_floor_of(plan, members[0]);

	if (floor < plan->cell_count)
		members[count++] = floor;
	return count;
}

int table_print(const struct table_input *input, FILE *stream)
{
	const struct plan *plan = input->plan;
	size_t *members = calloc(plan->cell_count + 1, sizeof(*members));
	int err = members ? 0 : -ENOMEM;

	for (int over = 0; over <= 1; over++) {
		for (size_t g = 0; g < plan->group_count && !err; g++) {
			const size_t count = members_find(plan, g, members);

			if (count == 0 ||
			    is_oversubscribed(&plan->cells[members[0]]) != over)
				continue;
			err = group_print(input, members, count, stream);
		}
	}
	free(members);
	return err;
}
