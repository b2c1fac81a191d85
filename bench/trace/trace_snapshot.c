/* SPDX-License-Identifier: MIT */
/*
 * trace_snapshot.c - /proc/vmallocinfo, the areas that were live before.
 *
 *	0xffffc90000000000-0xffffc90000005000   20480 caller+0x1/0x2 vmap ...
 *
 * The size counts the guard page.  Who may not see addresses gets zeros (1 and
 * 2 of kernel.kptr_restrict), or hashes (0): numbers whose distance is not the
 * size.  A hash is told by the whole
 * file, one damaged line is damage.
 */
#include "trace/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/trace_grow.h"
#include "trace/trace_lines.h"
#include "trace/trace_text.h"
#include "trace/trace_why.h"

#define LAZY_MARK "unpurged vm_area"
#define REMEDY                                                \
	"read it as root with sysctl kernel.kptr_restrict=1 " \
	"(0 hashes addresses), or boot with no_hash_pointers"

enum line_kind {
	LINE_LIVE,
	LINE_LAZY,
	LINE_ZERO,   /* the kernel shows no address */
	LINE_HASHED, /* the kernel shows numbers that are none */
	LINE_BAD,
};

struct snapshot_reader {
	struct trace_lines lines;
	struct trace_snapshot snapshot;
	uint64_t line_count;
	uint64_t zero_count;
	uint64_t hashed_count;
	uint64_t first_hashed; /* line number */
};

/* address_take - 0x and digits, or what early boot prints in their place. */
static bool address_take(const char **at, uint64_t *address, bool *hidden)
{
	if (text_take_word(at, "0x(____ptrval____)") ||
	    text_take_word(at, "(____ptrval____)")) {
		*hidden = true;
		*address = 0;
		return true;
	}
	return text_take_number(at, TEXT_HEX, address) == TEXT_TAKEN;
}

static enum line_kind line_kind_of(const char *line, struct trace_range *range)
{
	const char *at = line;
	uint64_t start = 0;
	uint64_t end = 0;
	uint64_t size = 0;
	bool hidden = false;

	if (!address_take(&at, &start, &hidden) || !text_take_word(&at, "-") ||
	    !address_take(&at, &end, &hidden) || !text_skip_blanks(&at) ||
	    text_take_number(&at, TEXT_DECIMAL, &size) != TEXT_TAKEN ||
	    (*at && !text_is_blank(*at)))
		return LINE_BAD;
	if (hidden)
		return LINE_HASHED;
	if (!start && !end)
		return LINE_ZERO;
	if (start % TRACE_PAGE_BYTES || end % TRACE_PAGE_BYTES ||
	    end <= start || end - start != size)
		return LINE_HASHED;
	*range = (struct trace_range){ .start = start, .end = end };
	return strstr(at, LAZY_MARK) ? LINE_LAZY : LINE_LIVE;
}

static int range_push(struct snapshot_reader *reader, struct trace_why *why,
		      const struct trace_range *range)
{
	struct trace_snapshot *snapshot = &reader->snapshot;
	struct trace_range *ranges =
		grow_room(snapshot->ranges, &snapshot->range_room,
			  snapshot->range_count, sizeof(*ranges));

	if (!ranges)
		return why_set(why, -ENOMEM, "%s: out of memory",
			       reader->lines.name);
	snapshot->ranges = ranges;
	ranges[snapshot->range_count++] = *range;
	return 0;
}

static int snapshot_take(struct snapshot_reader *reader, struct trace_why *why,
			 const struct trace_line *line)
{
	struct trace_range range = { 0 };
	const char *at = line->text;

	(void)text_skip_blanks(&at);
	if (!*at)
		return 0;
	reader->line_count++;
	switch (line_kind_of(at, &range)) {
	case LINE_LIVE:
		return range_push(reader, why, &range);
	case LINE_LAZY:
		reader->snapshot.lazy_areas++;
		return 0;
	case LINE_ZERO:
		reader->zero_count++;
		return 0;
	case LINE_HASHED:
		reader->hashed_count++;
		if (!reader->first_hashed)
			reader->first_hashed = line->number;
		return 0;
	case LINE_BAD:
		break;
	}
	if (line->cut && reader->line_count > 1) {
		reader->line_count--;
		reader->snapshot.cut_lines++;
		return 0;
	}
	return why_set(why, -EINVAL,
		       "%s:%llu: '%s': expected a line of /proc/vmallocinfo, "
		       "'0xstart-0xend size caller'",
		       reader->lines.name, (unsigned long long)line->number,
		       why_excerpt(line->text).text);
}

/* hidden_refuse - name what the kernel did to the addresses. */
static int hidden_refuse(const struct snapshot_reader *reader,
			 struct trace_why *why)
{
	const char *name = reader->lines.name;

	if (!reader->line_count)
		return why_set(why, -ENODATA,
			       "%s: is empty, expected lines of "
			       "/proc/vmallocinfo",
			       name);
	if (reader->zero_count == reader->line_count)
		return why_set(why, -EACCES,
			       "%s: all addresses are zero, kernel pointers "
			       "are restricted: " REMEDY,
			       name);
	if (reader->hashed_count == reader->line_count)
		return why_set(
			why, -EACCES,
			"%s: addresses are hashed, they are not page "
			"aligned or not as far apart as the size says: " REMEDY,
			name);
	if (reader->hashed_count)
		return why_set(why, -EINVAL,
			       "%s:%llu: addresses do not fit together, "
			       "expected page-aligned start < end and "
			       "end - start = size",
			       name, (unsigned long long)reader->first_hashed);
	if (reader->zero_count)
		return why_set(why, -EINVAL,
			       "%s: %llu of %llu areas have the address zero",
			       name, (unsigned long long)reader->zero_count,
			       (unsigned long long)reader->line_count);
	return 0;
}

static int range_compare(const void *left, const void *right)
{
	const struct trace_range *a = left;
	const struct trace_range *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

static int snapshot_take_all(struct snapshot_reader *reader,
			     struct trace_why *why)
{
	struct trace_line line = { 0 };
	int taken = 0;

	while ((taken = lines_take(&reader->lines, why, &line)) > 0) {
		const int error = snapshot_take(reader, why, &line);

		if (error)
			return error;
	}
	return taken < 0 ? taken : hidden_refuse(reader, why);
}

int trace_snapshot_read_fd(int fd, const char *name, struct trace_why *why,
			   struct trace_snapshot *snapshot)
{
	struct snapshot_reader reader = { 0 };
	int error = lines_init(fd, name, why, &reader.lines);

	if (error)
		return error;
	error = snapshot_take_all(&reader, why);
	lines_fini(&reader.lines);
	if (error) {
		trace_snapshot_fini(&reader.snapshot);
		return error;
	}
	/* Newer kernels print the areas node by node. */
	if (reader.snapshot.range_count)
		qsort(reader.snapshot.ranges, reader.snapshot.range_count,
		      sizeof(*reader.snapshot.ranges), range_compare);
	*snapshot = reader.snapshot;
	return 0;
}

int trace_snapshot_read(const char *path, struct trace_why *why,
			struct trace_snapshot *snapshot)
{
	const int fd = lines_open(path, why);

	if (fd < 0)
		return fd;
	const char *name = strcmp(path, "-") ? path : "<standard input>";
	const int error = trace_snapshot_read_fd(fd, name, why, snapshot);

	lines_close(fd);
	return error;
}

void trace_snapshot_fini(struct trace_snapshot *snapshot)
{
	free(snapshot->ranges);
	*snapshot = (struct trace_snapshot){ 0 };
}
