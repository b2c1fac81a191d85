/* SPDX-License-Identifier: MIT */
/*
 * trace_read.c - from a text to an array of events in order of time.
 *
 * Lines are told apart in this order: an event, a mark of lost events, a line
 * that the recorder wrote for people (notes below), anything else is refused.
 */
#include "trace/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/trace_event.h"
#include "trace/trace_grow.h"
#include "trace/trace_lines.h"
#include "trace/trace_text.h"

/* Lines that are no events; the first of them may tell the format. */
struct read_note {
	const char *begins;
	enum trace_format format;
};

static const struct read_note read_notes[] = {
	{ "# tracer:", TRACE_FORMAT_TRACEFS },
	{ "# ========", TRACE_FORMAT_PERF_SCRIPT },
	{ "#", TRACE_FORMAT_UNKNOWN },
	{ "cpus=", TRACE_FORMAT_TRACE_CMD },
	{ "version = ", TRACE_FORMAT_TRACE_CMD },
	{ "CPU ", TRACE_FORMAT_UNKNOWN }, /* CPU 3 is empty */
	{ "=> ", TRACE_FORMAT_UNKNOWN },  /* stack of tracefs, trace-cmd */
};

struct reader {
	struct trace_lines lines;
	struct trace trace;
	uint64_t time_last_ns;
};

const char *trace_format_name(enum trace_format format)
{
	static const char *const names[] = {
		[TRACE_FORMAT_UNKNOWN] = "unknown",
		[TRACE_FORMAT_TRACEFS] = "tracefs",
		[TRACE_FORMAT_PERF_SCRIPT] = "perf script",
		[TRACE_FORMAT_TRACE_CMD] = "trace-cmd report",
	};

	return names[format];
}

/* A frame of a stack in perf script: an address that stands alone. */
static bool is_stack_frame(const char *line)
{
	const char *at = line;
	size_t digits = 0;

	if (!text_skip_blanks(&at))
		return false;
	for (; strchr("0123456789abcdef", *at) && *at; at++)
		digits++;
	return digits >= 4 && text_is_blank(*at);
}

/* note_find - true for a line to be passed over. */
static bool note_find(const char *line, enum trace_format *format)
{
	const size_t count = sizeof(read_notes) / sizeof(read_notes[0]);
	const char *at = line;

	*format = TRACE_FORMAT_UNKNOWN;
	(void)text_skip_blanks(&at);
	if (!*at)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(at, read_notes[i].begins,
			    strlen(read_notes[i].begins)) != 0)
			continue;
		*format = read_notes[i].format;
		return true;
	}
	return is_stack_frame(line);
}

static void format_set(struct trace *trace, enum trace_format format)
{
	if (trace->format == TRACE_FORMAT_UNKNOWN)
		trace->format = format;
}

static int event_push(struct reader *reader, struct trace_why *why,
		      const struct trace_event *event)
{
	struct trace *trace = &reader->trace;
	struct trace_event *events =
		grow_room(trace->events, &trace->event_room, trace->event_count,
			  sizeof(*events));

	if (!events)
		return why_set(why, -ENOMEM,
			       "%s:%llu: out of memory after %zu events",
			       reader->lines.name,
			       (unsigned long long)reader->lines.taken,
			       trace->event_count);
	trace->events = events;
	events[trace->event_count++] = *event;
	if (event->time_ns < reader->time_last_ns)
		trace->out_of_order++;
	else
		reader->time_last_ns = event->time_ns;
	return 0;
}

/* line_take_event - 1 when the line had an event, 0 when it has no head. */
static int line_take_event(struct reader *reader, struct trace_why *why,
			   const struct trace_line *line, const char **problem)
{
	const struct trace_place place = {
		.name = reader->lines.name,
		.line = line->number,
	};
	struct trace_head head = { 0 };
	struct trace_event event = { 0 };

	if (!head_find(line->text, problem, &head))
		return 0;
	const int taken = event_take(&head, place, why, &event);
	if (taken < 0)
		return taken;
	format_set(&reader->trace, head.format);
	if (!taken) {
		reader->trace.other_events++;
		return 1;
	}
	const int error = event_push(reader, why, &event);
	return error ? error : 1;
}

static int line_take(struct reader *reader, struct trace_why *why,
		     const struct trace_line *line)
{
	const char *problem = NULL;
	struct trace_event lost = { 0 };

	if (event_take_lost(line->text, &lost)) {
		/* The mark has no time; it belongs where it stands. */
		lost.time_ns = reader->time_last_ns;
		return event_push(reader, why, &lost);
	}
	const int taken = line_take_event(reader, why, line, &problem);
	if (taken)
		return taken < 0 ? taken : 0;

	enum trace_format format = TRACE_FORMAT_UNKNOWN;
	if (note_find(line->text, &format)) {
		format_set(&reader->trace, format);
		return 0;
	}
	return why_set(why, -EINVAL, "%s:%llu: '%s': %s", reader->lines.name,
		       (unsigned long long)line->number,
		       why_excerpt(line->text).text, problem);
}

static int lines_take_all(struct reader *reader, struct trace_why *why)
{
	struct trace_line line = { 0 };

	for (;;) {
		const int taken = lines_take(&reader->lines, why, &line);

		if (taken <= 0)
			return taken;
		reader->trace.lines++;
		const int error = line_take(reader, why, &line);
		if (!error)
			continue;
		/* A recorder that was stopped leaves half a line. */
		if (error == -EINVAL && line.cut && line.number > 1) {
			reader->trace.cut_lines++;
			continue;
		}
		return error;
	}
}

static int event_compare(const void *left, const void *right)
{
	const struct trace_event *const *a = left;
	const struct trace_event *const *b = right;

	if ((*a)->time_ns != (*b)->time_ns)
		return (*a)->time_ns < (*b)->time_ns ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

/* events_sort - by time; events of one time keep their order. */
static int events_sort(struct trace *trace)
{
	const size_t count = trace->event_count;
	const struct trace_event **order =
		reallocarray(NULL, count, sizeof(*order));
	struct trace_event *sorted = reallocarray(NULL, count, sizeof(*sorted));

	if (!order || !sorted) {
		free(order);
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		order[i] = &trace->events[i];
	qsort(order, count, sizeof(*order), event_compare);
	for (size_t i = 0; i < count; i++)
		sorted[i] = *order[i];
	free(order);
	free(trace->events);
	trace->events = sorted;
	trace->event_room = count;
	return 0;
}

static int trace_finish(struct reader *reader, struct trace_why *why)
{
	struct trace *trace = &reader->trace;
	const char *name = reader->lines.name;

	if (!trace->lines)
		return why_set(why, -ENODATA,
			       "%s: is empty, expected vmalloc events", name);
	if (!trace->event_count)
		return why_set(why, -ENODATA,
			       "%s: no vmalloc event in %llu lines (%llu other "
			       "events), expected alloc_vmap_area and "
			       "free_vmap_area_noflush: record with "
			       "-e 'vmalloc:*'",
			       name, (unsigned long long)trace->lines,
			       (unsigned long long)trace->other_events);
	if (trace->out_of_order && events_sort(trace))
		return why_set(why, -ENOMEM,
			       "%s: out of memory for sorting %zu events", name,
			       trace->event_count);
	return 0;
}

int trace_read_fd(int fd, const char *name, struct trace_why *why,
		  struct trace *trace)
{
	struct reader reader = { 0 };
	int error = lines_init(fd, name, why, &reader.lines);

	if (error)
		return error;
	error = lines_take_all(&reader, why);
	if (!error)
		error = trace_finish(&reader, why);
	lines_fini(&reader.lines);
	if (error) {
		trace_fini(&reader.trace);
		return error;
	}
	*trace = reader.trace;
	return 0;
}

int trace_read(const char *path, struct trace_why *why, struct trace *trace)
{
	const int fd = lines_open(path, why);

	if (fd < 0)
		return fd;
	const char *name = strcmp(path, "-") ? path : "<standard input>";
	const int error = trace_read_fd(fd, name, why, trace);

	lines_close(fd);
	return error;
}

void trace_fini(struct trace *trace)
{
	free(trace->events);
	*trace = (struct trace){ 0 };
}
