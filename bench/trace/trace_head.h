/* SPDX-License-Identifier: MIT */
/*
 * trace_head.h - what stands before the fields in a line of a recording.
 *
 *	tracefs, trace-cmd  comm-17 (17) [001] d..2.  12.345678: event: fields
 *	perf script         comm 17/18 [001] 12.345678: system:event: fields
 *
 * The command's name is the user's text and may hold anything, brackets and
 * digits included.  So the head is found from its middle: the first `[cpu]`
 * that is followed by a time and an event.
 */
#ifndef LFV_TRACE_HEAD_H
#define LFV_TRACE_HEAD_H

#include "trace/trace.h"

struct trace_head {
	uint64_t time_ns;
	int32_t pid;
	uint16_t cpu;
	enum trace_format format; /* tracefs stands for trace-cmd too */
	const char *event;        /* not terminated */
	size_t event_length;
	const char *fields; /* behind the event's name, blanks skipped */
};

/*
 * head_find - true when `line` has a head.
 *
 * When it has not, *problem says what came nearest.
 */
__attribute__((warn_unused_result)) bool
head_find(const char *line, const char **problem, struct trace_head *head);

/* head_is_event - whether the head's event has this name. */
bool head_is_event(const struct trace_head *head, const char *name);

#endif
