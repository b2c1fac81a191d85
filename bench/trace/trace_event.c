/* SPDX-License-Identifier: MIT */
/*
 * trace_event.c - from the text of one event to its values.
 *
 * The tracepoints as Linux prints them since 6.2.  `va_start` of an allocation
 * is decimal behind a colon and a space, that of a free is hexadecimal.
 */
#include "trace/trace_event.h"

#include <errno.h>
#include <string.h>

#include "trace/trace_text.h"

#define EVENT_FIELDS_MAX 6
/* The kernel's MAX_ERRNO: values above -4096 are errors, not addresses. */
#define EVENT_ERRNO_MAX 4095

struct event_field {
	const char *key; /* with what stands between name and value */
	enum text_base base;
};

struct event_kind {
	const char *name;
	size_t field_count;
	struct event_field fields[EVENT_FIELDS_MAX];
	/* NULL when all is well, else what is wrong and what was expected. */
	const char *(*accept)(const uint64_t *values,
			      struct trace_event *event);
};

enum alloc_field {
	ALLOC_VA_START,
	ALLOC_SIZE,
	ALLOC_ALIGN,
	ALLOC_VSTART,
	ALLOC_VEND,
	ALLOC_FAILED,
	ALLOC_FIELDS,
};

enum free_field { FREE_VA_START, FREE_NR_LAZY, FREE_NR_LAZY_MAX, FREE_FIELDS };

enum purge_field { PURGE_START, PURGE_END, PURGE_NUM_PURGED, PURGE_FIELDS };

static bool is_page_multiple(uint64_t bytes)
{
	return bytes % TRACE_PAGE_BYTES == 0;
}

static const char *alloc_check(const uint64_t *values)
{
	const uint64_t align = values[ALLOC_ALIGN];

	if (!values[ALLOC_SIZE] || !is_page_multiple(values[ALLOC_SIZE]))
		return "size is not a multiple of the page, expected n * 4096";
	if (!align || (align & (align - 1)))
		return "align is not a power of two, expected 1, 2, 4, ...";
	if (values[ALLOC_VSTART] >= values[ALLOC_VEND])
		return "window is empty, expected vstart < vend";
	if (values[ALLOC_FAILED] > 1)
		return "failed is neither 0 nor 1";
	return NULL;
}

/*
 * alloc_error - the errno of a failed attempt.
 *
 * Newer kernels print it in place of the address; older ones print vend, which
 * only ever meant that no hole was found.
 */
static int32_t alloc_error(uint64_t value)
{
	const uint64_t error = UINT64_C(0) - value;

	return error && error <= EVENT_ERRNO_MAX ? (int32_t)error : ENOMEM;
}

static const char *alloc_accept(const uint64_t *values,
				struct trace_event *event)
{
	const char *problem = alloc_check(values);
	const uint64_t va_start = values[ALLOC_VA_START];
	const uint64_t size = values[ALLOC_SIZE];
	uint64_t va_end = 0;

	if (problem)
		return problem;
	event->size = size;
	event->align = values[ALLOC_ALIGN];
	event->vstart = values[ALLOC_VSTART];
	event->vend = values[ALLOC_VEND];
	if (values[ALLOC_FAILED]) {
		event->op = TRACE_ALLOC_FAILED;
		event->error = alloc_error(va_start);
		return NULL;
	}
	if (!is_page_multiple(va_start))
		return "va_start is not a page's address, expected n * 4096";
	if (__builtin_add_overflow(va_start, size, &va_end) ||
	    va_start < event->vstart || va_end > event->vend)
		return "area is outside of its window, expected vstart <= "
		       "va_start and va_start + size <= vend";
	event->op = TRACE_ALLOC;
	event->va_start = va_start;
	return NULL;
}

static const char *free_accept(const uint64_t *values,
			       struct trace_event *event)
{
	if (!is_page_multiple(values[FREE_VA_START]))
		return "va_start is not a page's address, expected 0x...000";
	event->op = TRACE_FREE;
	event->va_start = values[FREE_VA_START];
	return NULL;
}

/* A purge that finds nothing prints the empty range ULONG_MAX to 0. */
static const char *purge_accept(const uint64_t *values,
				struct trace_event *event)
{
	event->op = TRACE_PURGE;
	event->vstart = values[PURGE_START];
	event->vend = values[PURGE_END];
	event->size = values[PURGE_NUM_PURGED];
	return NULL;
}

static const struct event_kind event_kinds[] = {
	{
		.name = "alloc_vmap_area",
		.field_count = ALLOC_FIELDS,
		.fields = {
			[ALLOC_VA_START] = { "va_start: ", TEXT_DECIMAL },
			[ALLOC_SIZE] = { "size=", TEXT_DECIMAL },
			[ALLOC_ALIGN] = { "align=", TEXT_DECIMAL },
			[ALLOC_VSTART] = { "vstart=", TEXT_HEX },
			[ALLOC_VEND] = { "vend=", TEXT_HEX },
			[ALLOC_FAILED] = { "failed=", TEXT_DECIMAL },
		},
		.accept = alloc_accept,
	},
	{
		.name = "free_vmap_area_noflush",
		.field_count = FREE_FIELDS,
		.fields = {
			[FREE_VA_START] = { "va_start=", TEXT_HEX },
			[FREE_NR_LAZY] = { "nr_lazy=", TEXT_DECIMAL },
			[FREE_NR_LAZY_MAX] = { "nr_lazy_max=", TEXT_DECIMAL },
		},
		.accept = free_accept,
	},
	{
		.name = "purge_vmap_area_lazy",
		.field_count = PURGE_FIELDS,
		.fields = {
			[PURGE_START] = { "start=", TEXT_HEX },
			[PURGE_END] = { "end=", TEXT_HEX },
			[PURGE_NUM_PURGED] = { "num_purged=", TEXT_DECIMAL },
		},
		.accept = purge_accept,
	},
};

static const struct event_kind *kind_find(const struct trace_head *head)
{
	const size_t count = sizeof(event_kinds) / sizeof(event_kinds[0]);

	for (size_t i = 0; i < count; i++) {
		if (head_is_event(head, event_kinds[i].name))
			return &event_kinds[i];
	}
	return NULL;
}

/* fields_take - the values of a row, one after the other, and no more. */
static int fields_take(const struct event_kind *kind, const char *at,
		       struct trace_place place, struct trace_why *why,
		       uint64_t *values)
{
	const unsigned long long line = place.line;

	for (size_t i = 0; i < kind->field_count; i++) {
		const struct event_field *field = &kind->fields[i];
		const char *base =
			field->base == TEXT_HEX ? "hexadecimal" : "decimal";

		if (i && !text_skip_blanks(&at) && *at)
			return why_set(why, -EINVAL,
				       "%s:%llu: %s: found '%s', expected a "
				       "blank and '%s'",
				       place.name, line, kind->name,
				       why_excerpt(at).text, field->key);
		if (!text_take_word(&at, field->key))
			return why_set(why, -EINVAL,
				       "%s:%llu: %s: found '%s', expected "
				       "'%s' and a %s number",
				       place.name, line, kind->name,
				       why_excerpt(at).text, field->key, base);
		const enum text_outcome outcome =
			text_take_number(&at, field->base, &values[i]);
		if (outcome != TEXT_TAKEN)
			return why_set(why, -EINVAL,
				       "%s:%llu: %s: number after '%s' %s: "
				       "found '%s', expected a %s number",
				       place.name, line, kind->name, field->key,
				       text_outcome_says(outcome),
				       why_excerpt(at).text, base);
	}
	(void)text_skip_blanks(&at);
	if (*at)
		return why_set(why, -EINVAL,
			       "%s:%llu: %s: found '%s', expected the end of "
			       "the line",
			       place.name, line, kind->name,
			       why_excerpt(at).text);
	return 0;
}

int event_take(const struct trace_head *head, struct trace_place place,
	       struct trace_why *why, struct trace_event *event)
{
	const struct event_kind *kind = kind_find(head);
	uint64_t values[EVENT_FIELDS_MAX] = { 0 };

	if (!kind)
		return 0;
	const int error = fields_take(kind, head->fields, place, why, values);
	if (error)
		return error;

	struct trace_event taken = {
		.time_ns = head->time_ns,
		.pid = head->pid,
		.cpu = head->cpu,
	};
	const char *problem = kind->accept(values, &taken);
	if (problem)
		return why_set(why, -EINVAL, "%s:%llu: %s: %s", place.name,
			       (unsigned long long)place.line, kind->name,
			       problem);
	*event = taken;
	return 1;
}

/* lost_take_perf - `... [cpu] time: PERF_RECORD_LOST lost n`. */
static bool lost_take_perf(const char *line, uint64_t *cpu, uint64_t *count)
{
	static const char record[] = "PERF_RECORD_LOST";
	struct trace_head head = { 0 };
	const char *problem = NULL;

	if (!strstr(line, record) || !head_find(line, &problem, &head))
		return false;
	if (head.event_length < strlen(record) ||
	    memcmp(head.event, record, strlen(record)) != 0)
		return false;
	const char *at = head.fields;

	if (!text_take_word(&at, "lost ") ||
	    text_take_number(&at, TEXT_DECIMAL, count) != TEXT_TAKEN)
		*count = 0;
	*cpu = head.cpu;
	return true;
}

/*
 * lost_take_ring - `CPU:1 [LOST 12 EVENTS]` of tracefs, without the number
 * when the kernel has none; `CPU:1 [12 EVENTS DROPPED]` of trace-cmd.
 */
static bool lost_take_ring(const char *line, uint64_t *cpu, uint64_t *count)
{
	const char *at = line;

	(void)text_skip_blanks(&at);
	if (!text_take_word(&at, "CPU:") ||
	    text_take_number(&at, TEXT_DECIMAL, cpu) != TEXT_TAKEN ||
	    *cpu >= TRACE_CPUS_MAX)
		return false;
	(void)text_skip_blanks(&at);
	if (!text_take_word(&at, "["))
		return false;
	const bool lost = text_take_word(&at, "LOST ");

	*count = 0;
	if (text_take_number(&at, TEXT_DECIMAL, count) == TEXT_TAKEN)
		(void)text_skip_blanks(&at);
	else if (!lost)
		return false;
	return text_take_word(&at, lost ? "EVENTS]" : "EVENTS DROPPED]");
}

bool event_take_lost(const char *line, struct trace_event *event)
{
	uint64_t cpu = 0;
	uint64_t count = 0;

	if (!lost_take_ring(line, &cpu, &count) &&
	    !lost_take_perf(line, &cpu, &count))
		return false;
	*event = (struct trace_event){
		.size = count,
		.cpu = (uint16_t)cpu,
		.op = TRACE_LOST,
	};
	return true;
}
