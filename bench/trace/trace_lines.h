/* SPDX-License-Identifier: MIT */
/*
 * trace_lines.h - the lines of a text, plain or compressed by gzip.
 *
 *   L1  a line holds no NUL and no end of line, and ends with a NUL;
 *   L2  only the last line can be cut (it has no end of line);
 *   L3  a line stays valid until the next lines_take().
 *
 * Memory is constant: LINES_BYTES_MAX for the longest line, plus one read.
 */
#ifndef LFV_TRACE_LINES_H
#define LFV_TRACE_LINES_H

#include "trace/trace.h"

/* An event of the kernel fits in a page of 64 KiB. */
#define LINES_BYTES_MAX    65536u
#define LINES_BUFFER_BYTES (2 * LINES_BYTES_MAX)

struct trace_line {
	char *text;
	uint64_t number; /* from 1 */
	bool cut;
};

struct trace_lines {
	void *file; /* gzFile */
	char *buffer;
	size_t begin; /* what is read and not yet taken */
	size_t end;
	bool at_end;
	uint64_t taken;
	const char *name;
};

/* lines_init - begin to read `fd`, which stays the caller's. */
__attribute__((warn_unused_result)) int lines_init(int fd, const char *name,
						   struct trace_why *why,
						   struct trace_lines *lines);

/* lines_take - 1 and the next line, 0 at the end, or -errno. */
__attribute__((warn_unused_result)) int lines_take(struct trace_lines *lines,
						   struct trace_why *why,
						   struct trace_line *line);

void lines_fini(struct trace_lines *lines);

/*
 * lines_open - a descriptor for `path`, 0 for "-"; or -errno.
 *
 * lines_close() gives it back and leaves the standard input alone.
 */
__attribute__((warn_unused_result)) int lines_open(const char *path,
						   struct trace_why *why);

void lines_close(int fd);

#endif
