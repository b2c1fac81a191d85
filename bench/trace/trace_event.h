/* SPDX-License-Identifier: MIT */
/*
 * trace_event.h - the fields of the vmalloc tracepoints.
 *
 * Each tracepoint is a row of one table: its name, its fields in the order in
 * which the kernel prints them, and the checks that its values must pass.
 */
#ifndef LFV_TRACE_EVENT_H
#define LFV_TRACE_EVENT_H

#include "trace/trace_head.h"
#include "trace/trace_why.h"

/* Where a line is, for messages. */
struct trace_place {
	const char *name;
	uint64_t line;
};

/*
 * event_take - the event of a line whose head was found.
 *
 * 1 and the event, 0 for an event of another tracepoint, or -EINVAL.
 */
__attribute__((warn_unused_result)) int
event_take(const struct trace_head *head, struct trace_place place,
	   struct trace_why *why, struct trace_event *event);

/* event_take_lost - true for a line that says that events are missing. */
__attribute__((warn_unused_result)) bool
event_take_lost(const char *line, struct trace_event *event);

#endif
