/* SPDX-License-Identifier: MIT */
#include "cmd/replay_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/grid.h"
#include "cmd/plan.h"
#include "cmd/stats.h"
#include "common/cell_axis.h"

static const double PAGES_PER_MIB = 256;
static const double NS_PER_US = 1000;
static const double PERCENT = 100;

/* The samples of one cell that have figures. */
struct row {
	const struct sample *const *samples;
	size_t count;
	double *figures; /* room for each sample */
};

/* One recording being printed. */
struct report {
	const struct replay_session *session;
	const struct replay_track *track;
	struct grid grid;
	const struct sample **samples;
	double *figures;
};

enum unit { UNIT_COUNT, UNIT_MIB, UNIT_US, UNIT_PERCENT, UNIT_RATIO };

/* A column: a counter, or what it is of another. */
struct column {
	const char *heading;
	const char *counter;
	const char *of;       /* UNIT_PERCENT, UNIT_RATIO */
	const char *recorded; /* the same of the recorded kernel, or NULL */
	const char *recorded_of;
	enum unit unit;
	bool parallel_only;
};

static const struct column room_columns[] = {
	{ .heading = "failed", .counter = "failed" },
	{ .heading = "overlaps", .counter = "overlaps" },
	{ .heading = "preloads moved", .counter = "preloads_moved" },
	{ .heading = "same place, %",
	  .counter = "same_places",
	  .of = "allocs",
	  .unit = UNIT_PERCENT },
	{ .heading = "span max, MiB",
	  .counter = "span_pages_max",
	  .recorded = "recorded_span_pages_max",
	  .unit = UNIT_MIB },
	{ .heading = "span end, MiB",
	  .counter = "span_pages_end",
	  .recorded = "recorded_span_pages_end",
	  .unit = UNIT_MIB },
	{ .heading = "highest, MiB",
	  .counter = "top_page_max",
	  .recorded = "recorded_top_page_max",
	  .unit = UNIT_MIB },
	{ .heading = "largest hole, %",
	  .counter = "span_gap_pages_end",
	  .of = "span_free_pages_end",
	  .recorded = "recorded_span_gap_pages_end",
	  .recorded_of = "recorded_span_free_pages_end",
	  .unit = UNIT_PERCENT },
	{ .heading = "retained max, MiB",
	  .counter = "retained_pages_max",
	  .unit = UNIT_MIB },
	{ .heading = "retained end, MiB",
	  .counter = "retained_pages_end",
	  .unit = UNIT_MIB },
};

static const struct column cost_columns[] = {
	{ .heading = "purges", .counter = "purges" },
	{ .heading = "system calls", .counter = "system_calls" },
	{ .heading = "locks/op",
	  .counter = "locks_entered",
	  .of = "steps",
	  .unit = UNIT_RATIO },
	{ .heading = "worst op, us", .counter = "worst_ns", .unit = UNIT_US },
	{ .heading = "at step", .counter = "worst_step" },
	{ .heading = "replays", .counter = "replays" },
	{ .heading = "waits", .counter = "waits", .parallel_only = true },
	{ .heading = "waited, us",
	  .counter = "wait_ns",
	  .unit = UNIT_US,
	  .parallel_only = true },
};

enum {
	ROOM_COLUMNS = sizeof(room_columns) / sizeof(room_columns[0]),
	COST_COLUMNS = sizeof(cost_columns) / sizeof(cost_columns[0]),
};

/* What nobody waits for on one thread stands last. */
static size_t cost_columns_shown(const struct report *report)
{
	size_t count = COST_COLUMNS;

	while (!report->session->options->parallel &&
	       cost_columns[count - 1].parallel_only)
		count--;
	return count;
}

static bool counter_find(const struct sample *sample, const char *name,
			 double *value)
{
	const json_t *counter = json_object_get(sample->counters, name);

	if (!json_is_number(counter))
		return false;
	*value = json_number_value(counter);
	return true;
}

/* The figure in its unit; false when this sample does not know it. */
static bool figure_find(const struct sample *sample, const char *name,
			const char *of, enum unit unit, double *figure)
{
	double value = 0;
	double whole = 0;

	if (!counter_find(sample, name, &value))
		return false;
	if (of && (!counter_find(sample, of, &whole) || whole == 0))
		return false;
	switch (unit) {
	case UNIT_COUNT:
		break;
	case UNIT_MIB:
		value /= PAGES_PER_MIB;
		break;
	case UNIT_US:
		value /= NS_PER_US;
		break;
	case UNIT_PERCENT:
		value = PERCENT * value / whole;
		break;
	case UNIT_RATIO:
		value /= whole;
		break;
	}
	*figure = value;
	return true;
}

static void figure_write(char text[GRID_TEXT_BYTES], enum unit unit,
			 double figure)
{
	static const int decimals[] = {
		[UNIT_COUNT] = 0,   [UNIT_MIB] = 1,   [UNIT_US] = 1,
		[UNIT_PERCENT] = 1, [UNIT_RATIO] = 2,
	};

	snprintf(text, GRID_TEXT_BYTES, "%.*f", decimals[unit], figure);
}

static void column_fill(const struct row *row, const struct column *column,
			char text[GRID_TEXT_BYTES])
{
	size_t count = 0;

	for (size_t i = 0; i < row->count; i++)
		count += figure_find(row->samples[i], column->counter,
				     column->of, column->unit,
				     &row->figures[count]);
	if (count == 0)
		snprintf(text, GRID_TEXT_BYTES, "-");
	else
		figure_write(text, column->unit,
			     stats_of(row->figures, count).median);
}

/* The recording was too short for a figure of speed: n/a. */
static void speed_fill(const struct row *row, char text[GRID_TEXT_BYTES])
{
	size_t count = 0;

	for (size_t i = 0; i < row->count; i++) {
		if (row->samples[i]->ops > 0 && row->samples[i]->seconds > 0)
			row->figures[count++] =
				sample_ns_per_op(row->samples[i]);
	}
	if (count == 0)
		snprintf(text, GRID_TEXT_BYTES, "n/a");
	else
		snprintf(text, GRID_TEXT_BYTES, "%.1f",
			 stats_of(row->figures, count).median);
}

static const struct cell *cell_at(const struct report *report, size_t i)
{
	return &report->session->plan.cells[report->track->first_cell + i];
}

static bool is_varied(const struct report *report, const struct cell_axis *axis)
{
	char first[CELL_AXIS_TEXT_BYTES];
	char other[CELL_AXIS_TEXT_BYTES];

	cell_axis_text(cell_at(report, 0), axis, first);
	for (size_t i = 1; i < report->track->cell_count; i++) {
		cell_axis_text(cell_at(report, i), axis, other);
		if (strcmp(first, other) != 0)
			return true;
	}
	return false;
}

/* A column of its own; the name of the strategy always has one. */
static bool is_column(const struct report *report, const struct cell_axis *axis)
{
	return strcmp(axis->name, "strategy") == 0 ||
	       (axis->named && is_varied(report, axis));
}

static int name_columns(struct report *report)
{
	const struct cell_axis *axis;
	int err = 0;

	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL && !err; i++) {
		if (!is_column(report, axis))
			continue;
		err = grid_column(&report->grid, axis->name, false);
		if (!err && strcmp(axis->name, "strategy") == 0)
			err = grid_column(&report->grid, "as in", false);
	}
	return err;
}

/* Fills the columns of names; says how many there are. */
static size_t names_fill(const struct report *report, const struct cell *cell,
			 struct grid_row *row)
{
	const struct cell_axis *axis;
	size_t at = 0;

	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		char text[CELL_AXIS_TEXT_BYTES];

		if (!is_column(report, axis))
			continue;
		cell_axis_text(cell, axis, text);
		snprintf(row->texts[at++], GRID_TEXT_BYTES, "%.47s",
			 plan_acts(cell, axis->name) ? text : "-");
		if (strcmp(axis->name, "strategy") == 0)
			snprintf(row->texts[at++], GRID_TEXT_BYTES, "%s",
				 cell_release(cell));
	}
	return at;
}

static struct row row_of(const struct report *report, size_t cell)
{
	const struct replay_session *session = report->session;
	size_t count = 0;

	for (size_t i = 0; i < session->sample_count; i++) {
		if (session->samples[i].cell_index ==
		    report->track->first_cell + cell)
			report->samples[count++] = &session->samples[i];
	}
	return (struct row){ report->samples, count, report->figures };
}

static void outcome_fill(const struct row *row, char text[GRID_TEXT_BYTES])
{
	const char *outcome = row->count ? "right" : "not run";

	for (size_t i = 0; i < row->count; i++) {
		if (row->samples[i]->outcome != SAMPLE_MEASURED)
			outcome = sample_outcome_name(row->samples[i]->outcome);
	}
	snprintf(text, GRID_TEXT_BYTES, "%s", outcome);
}

/* The last row: what the kernel that was recorded did. */
static int recorded_add(struct report *report, size_t names)
{
	struct row row = { .count = 0 };

	for (size_t i = 0; i < report->track->cell_count && !row.count; i++)
		row = row_of(report, i);
	if (!row.count || json_object_size(row.samples[0]->counters) == 0)
		return 0;

	struct grid_row *texts = grid_row(&report->grid);

	if (!texts)
		return -ENOMEM;
	snprintf(texts->texts[0], GRID_TEXT_BYTES, "(recorded)");
	for (size_t i = 0; i < ROOM_COLUMNS; i++) {
		const struct column *column = &room_columns[i];
		char *text = texts->texts[names + 1 + i];
		double figure = 0;

		if (column->recorded &&
		    figure_find(row.samples[0], column->recorded,
				column->recorded_of, column->unit, &figure))
			figure_write(text, column->unit, figure);
	}
	return 0;
}

static int room_print(struct report *report, FILE *stream)
{
	size_t names = 0;
	int err = name_columns(report);

	if (!err)
		err = grid_column(&report->grid, "answers", false);
	for (size_t i = 0; i < ROOM_COLUMNS && !err; i++)
		err = grid_column(&report->grid, room_columns[i].heading, true);
	for (size_t i = 0; i < report->track->cell_count && !err; i++) {
		struct grid_row *texts = grid_row(&report->grid);
		const struct row row = row_of(report, i);

		if (!texts)
			return -ENOMEM;
		names = names_fill(report, cell_at(report, i), texts);
		outcome_fill(&row, texts->texts[names]);
		for (size_t j = 0; j < ROOM_COLUMNS; j++)
			column_fill(&row, &room_columns[j],
				    texts->texts[names + 1 + j]);
	}
	if (!err)
		err = recorded_add(report, names);
	if (!err)
		grid_print(&report->grid, stream);
	return err;
}

static int cost_print(struct report *report, FILE *stream)
{
	const size_t shown = cost_columns_shown(report);
	int err = name_columns(report);

	if (!err)
		err = grid_column(&report->grid, "ns/op", true);
	for (size_t i = 0; i < shown && !err; i++)
		err = grid_column(&report->grid, cost_columns[i].heading, true);
	for (size_t i = 0; i < report->track->cell_count && !err; i++) {
		struct grid_row *texts = grid_row(&report->grid);
		const struct row row = row_of(report, i);

		if (!texts)
			return -ENOMEM;

		const size_t names =
			names_fill(report, cell_at(report, i), texts);

		speed_fill(&row, texts->texts[names]);
		for (size_t j = 0; j < shown; j++)
			column_fill(&row, &cost_columns[j],
				    texts->texts[names + 1 + j]);
	}
	if (!err)
		grid_print(&report->grid, stream);
	return err;
}

static void title_print(const struct report *report, FILE *stream)
{
	const struct cell *cell = cell_at(report, 0);
	const unsigned cpus = plan_usable_cpus(cell);
	const struct cell_axis *axis;
	const char *comma = "";

	fprintf(stream, "\n%s%s, ",
		cell->threads > cpus ? "preemption, not scaling: " : "",
		report->track->input.name);
	if (report->session->options->parallel)
		fprintf(stream, "%u recorded CPUs on as many threads, %u CPU%s",
			cell->threads, cpus, cpus == 1 ? "" : "s");
	else
		fprintf(stream, "in recorded order on one thread");
	fprintf(stream, "\nheld constant: ");
	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		char text[CELL_AXIS_TEXT_BYTES];

		cell_axis_text(cell, axis, text);
		if (!axis->named || !*text || is_column(report, axis) ||
		    axis->kind == CELL_AXIS_WORKLOAD ||
		    axis->kind == CELL_AXIS_THREADS ||
		    strcmp(axis->name, "touch") == 0)
			continue;
		fprintf(stream, "%s%s %s", comma, axis->name, text);
		comma = ", ";
	}
	fputc('\n', stream);
}

static int track_print(const struct replay_session *session,
		       const struct replay_track *track, FILE *stream)
{
	const size_t room = session->sample_count + 1;
	struct report report = {
		.session = session,
		.track = track,
		.samples = calloc(room, sizeof(*report.samples)),
		.figures = calloc(room, sizeof(*report.figures)),
	};
	int err = report.samples && report.figures ? 0 : -ENOMEM;

	if (!err) {
		title_print(&report, stream);
		err = room_print(&report, stream);
		grid_fini(&report.grid);
	}
	if (!err) {
		fputc('\n', stream);
		err = cost_print(&report, stream);
		grid_fini(&report.grid);
	}
	free(report.samples);
	free(report.figures);
	return err;
}

int replay_report_print(const struct replay_session *session, FILE *stream)
{
	int err = 0;

	for (size_t i = 0; i < session->track_count && !err; i++)
		err = track_print(session, &session->tracks[i], stream);
	return err;
}
