/* SPDX-License-Identifier: MIT */
/*
 * trace_lines.c - reading lines through zlib.
 *
 * zlib passes plain text through, so there is one way for both.  A file that
 * ends within a compressed stream is an error: zlib cannot tell how much is
 * missing.
 */
#include "trace/trace_lines.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "trace/trace_why.h"

/* Recordings that are not text yet, and what makes them so. */
struct lines_magic {
	const char *bytes;
	size_t length;
	const char *what;
	const char *remedy;
};

static const struct lines_magic lines_magics[] = {
	{ "PERFILE2", 8, "a perf.data file", "perf script -i FILE" },
	{ "\x17\x08\x44tracing", 10, "a trace.dat file",
	  "trace-cmd report FILE" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed by zstd", "zstdcat FILE" },
	{ "\xfd\x37zXZ", 5, "compressed by xz", "xzcat FILE" },
	{ "BZh", 3, "compressed by bzip2", "bzcat FILE" },
};

static int lines_refuse_magic(const struct trace_lines *lines,
			      struct trace_why *why)
{
	const size_t count = sizeof(lines_magics) / sizeof(lines_magics[0]);

	for (size_t i = 0; i < count; i++) {
		const struct lines_magic *magic = &lines_magics[i];

		if (lines->end >= magic->length &&
		    !memcmp(lines->buffer, magic->bytes, magic->length))
			return why_set(why, -EINVAL,
				       "%s: is %s, expected text or gzip: "
				       "pipe '%s' into '-'",
				       lines->name, magic->what, magic->remedy);
	}
	return 0;
}

static int lines_read_failed(const struct trace_lines *lines,
			     struct trace_why *why, int zlib_error)
{
	const int error = errno;

	if (zlib_error == Z_BUF_ERROR)
		return why_set(why, -EINVAL,
			       "%s: compressed data ends too early after line "
			       "%llu: the file is cut off; 'zcat FILE' into "
			       "'-' reads what is left",
			       lines->name, (unsigned long long)lines->taken);
	if (zlib_error == Z_DATA_ERROR)
		return why_set(why, -EINVAL,
			       "%s: compressed data is damaged after line %llu",
			       lines->name, (unsigned long long)lines->taken);
	if (zlib_error == Z_MEM_ERROR)
		return why_set(why, -ENOMEM, "%s: out of memory", lines->name);
	return why_set(why, error ? -error : -EIO, "%s: cannot read: %s",
		       lines->name, strerror(error ? error : EIO));
}

/* lines_fill - move what is left to the front and read behind it. */
static int lines_fill(struct trace_lines *lines, struct trace_why *why)
{
	const size_t left = lines->end - lines->begin;

	memmove(lines->buffer, lines->buffer + lines->begin, left);
	lines->begin = 0;
	lines->end = left;
	assert(left <= LINES_BYTES_MAX);

	const unsigned room = (unsigned)(LINES_BUFFER_BYTES - left);
	errno = 0;
	const int got = gzread(lines->file, lines->buffer + left, room);
	int zlib_error = Z_OK;

	(void)gzerror(lines->file, &zlib_error);
	if (got < 0 || (got == 0 && zlib_error < 0))
		return lines_read_failed(lines, why, zlib_error);
	lines->end += (size_t)got;
	lines->at_end = got == 0;
	return 0;
}

int lines_init(int fd, const char *name, struct trace_why *why,
	       struct trace_lines *lines)
{
	struct trace_lines fresh = { .name = name };
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0) {
		const int error = errno;

		return why_set(why, -error, "%s: cannot open: %s", name,
			       strerror(error));
	}
	fresh.file = gzdopen(copy, "rb");
	if (!fresh.file) {
		(void)close(copy);
		return why_set(why, -ENOMEM, "%s: out of memory", name);
	}
	/* One byte more: the last line needs a place for its NUL. */
	fresh.buffer = malloc(LINES_BUFFER_BYTES + 1);
	int error = 0;
	if (!fresh.buffer)
		error = why_set(why, -ENOMEM, "%s: out of memory", name);
	if (!error)
		error = lines_fill(&fresh, why);
	if (!error)
		error = lines_refuse_magic(&fresh, why);
	if (error) {
		lines_fini(&fresh);
		return error;
	}
	*lines = fresh;
	return 0;
}

/* lines_cut_out - make buffer[begin, stop) a line.  L1. */
static int lines_cut_out(struct trace_lines *lines, size_t stop,
			 struct trace_why *why, struct trace_line *line)
{
	char *text = lines->buffer + lines->begin;
	size_t length = stop - lines->begin;
	const uint64_t number = lines->taken + 1;

	if (memchr(text, '\0', length))
		return why_set(why, -EINVAL,
			       "%s:%llu: binary data, expected text of "
			       "tracefs, perf script or trace-cmd report",
			       lines->name, (unsigned long long)number);
	if (length > LINES_BYTES_MAX)
		return why_set(why, -EINVAL,
			       "%s:%llu: line is too long, expected at most "
			       "%u bytes",
			       lines->name, (unsigned long long)number,
			       LINES_BYTES_MAX);
	const bool cut = stop == lines->end;

	if (length && text[length - 1] == '\r')
		length--;
	text[length] = '\0';
	lines->begin = cut ? stop : stop + 1;
	lines->taken = number;
	*line = (struct trace_line){ .text = text,
				     .number = number,
				     .cut = cut };
	return 1;
}

int lines_take(struct trace_lines *lines, struct trace_why *why,
	       struct trace_line *line)
{
	for (;;) {
		const char *text = lines->buffer + lines->begin;
		const size_t left = lines->end - lines->begin;
		const char *newline = left ? memchr(text, '\n', left) : NULL;

		if (newline)
			return lines_cut_out(lines,
					     (size_t)(newline - lines->buffer),
					     why, line);
		if (left > LINES_BYTES_MAX || (lines->at_end && left))
			return lines_cut_out(lines, lines->end, why, line);
		if (lines->at_end)
			return 0;
		const int error = lines_fill(lines, why);
		if (error)
			return error;
	}
}

void lines_fini(struct trace_lines *lines)
{
	(void)gzclose(lines->file);
	free(lines->buffer);
	*lines = (struct trace_lines){ 0 };
}

int lines_open(const char *path, struct trace_why *why)
{
	if (!strcmp(path, "-"))
		return STDIN_FILENO;

	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	const int error = errno;

	return why_set(why, -error, "%s: cannot open: %s", path,
		       strerror(error));
}

void lines_close(int fd)
{
	if (fd != STDIN_FILENO)
		(void)close(fd);
}
