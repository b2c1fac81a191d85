/* SPDX-License-Identifier: MIT */
/*
 * trace_why.h - the line that tells the user why a recording was refused.
 */
#ifndef LFV_TRACE_WHY_H
#define LFV_TRACE_WHY_H

#include "trace/trace.h"

/* why_set - write the message and hand `error` through, for `return`. */
__attribute__((format(printf, 3, 4))) int
why_set(struct trace_why *why, int error, const char *format, ...);

/* Text of the user's file, made fit for one line of a terminal. */
#define WHY_EXCERPT_BYTES 48u

struct why_excerpt {
	char text[WHY_EXCERPT_BYTES];
};

/* why_excerpt - the beginning of `text`, control characters as '?'. */
struct why_excerpt why_excerpt(const char *text);

#endif
