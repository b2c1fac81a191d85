/* SPDX-License-Identifier: MIT */
/*
 * trace_head.c - the part of a line that all events share.
 */
#include "trace/trace_head.h"

#include <string.h>

#include "trace/trace_text.h"

#define NS_PER_SECOND   UINT64_C(1000000000)
#define FRACTION_DIGITS 9 /* nanoseconds */

#define EXPECTED_SHAPE "expected 'task-pid [cpu] seconds.fraction: event:'"

/* fraction_take - digits behind the point, in ns; false for none or > 9. */
static bool fraction_take(const char **at, uint64_t *ns)
{
	const char *c = *at;
	uint64_t sum = 0;
	int digits = 0;

	for (; text_is_digit(*c) && digits < FRACTION_DIGITS; c++, digits++)
		sum = sum * 10 + (uint64_t)(*c - '0');
	if (digits == 0 || text_is_digit(*c))
		return false;
	for (; digits < FRACTION_DIGITS; digits++)
		sum *= 10;
	*at = c;
	*ns = sum;
	return true;
}

/* time_take - `seconds.fraction:` as nanoseconds. */
static bool time_take(const char **at, const char **problem, uint64_t *time_ns)
{
	const char *c = *at;
	uint64_t seconds = 0;
	uint64_t fraction = 0;

	const enum text_outcome outcome =
		text_take_number(&c, TEXT_DECIMAL, &seconds);
	if (outcome == TEXT_TOO_LARGE) {
		*problem = "time does not fit in 64 bits";
		return false;
	}
	if (outcome != TEXT_TAKEN)
		return false;
	if (*c == ':') {
		*problem = "time has no fraction, expected seconds.fraction: "
			   "record with trace_clock set to mono";
		return false;
	}
	if (*c++ != '.' || !fraction_take(&c, &fraction) || *c++ != ':')
		return false;
	if (__builtin_mul_overflow(seconds, NS_PER_SECOND, &seconds) ||
	    __builtin_add_overflow(seconds, fraction, time_ns)) {
		*problem = "time does not fit in 64 bits";
		return false;
	}
	*at = c;
	return true;
}

static bool cpu_take(const char **at, const char **problem, uint16_t *cpu)
{
	const char *c = *at;
	uint64_t number = 0;

	if (*c++ != '[')
		return false;
	if (text_take_number(&c, TEXT_DECIMAL, &number) != TEXT_TAKEN ||
	    *c++ != ']')
		return false;
	if (number >= TRACE_CPUS_MAX) {
		*problem = "CPU number is too large, expected less than 8192";
		return false;
	}
	*at = c;
	*cpu = (uint16_t)number;
	return true;
}

/* name_take - the name, `name:` or `system:name:` or `name` alone. */
static bool name_take(const char **at, struct trace_head *head)
{
	const char *name = *at;
	const char *end = name;

	while (*end && !text_is_blank(*end))
		end++;
	const char *fields = end;

	if (end > name && end[-1] == ':')
		end--;
	const char *colon = memchr(name, ':', (size_t)(end - name));

	head->format = TRACE_FORMAT_TRACEFS;
	if (colon) {
		head->format = TRACE_FORMAT_PERF_SCRIPT;
		name = colon + 1;
	}
	if (name == end)
		return false;
	head->event = name;
	head->event_length = (size_t)(end - name);
	(void)text_skip_blanks(&fields);
	head->fields = fields;
	*at = fields;
	return true;
}

/* tail_take - all from `[cpu]` on; flags may stand before the time. */
static bool tail_take(const char *at, const char **problem,
		      struct trace_head *head)
{
	if (!cpu_take(&at, problem, &head->cpu))
		return false;
	if (!text_skip_blanks(&at))
		return false;
	if (!time_take(&at, problem, &head->time_ns)) {
		while (*at && !text_is_blank(*at))
			at++;
		(void)text_skip_blanks(&at);
		if (!time_take(&at, problem, &head->time_ns))
			return false;
	}
	if (!text_skip_blanks(&at))
		return false;
	return name_take(&at, head);
}

/* owner_trim - step back over blanks and the `(tgid)` column. */
static const char *owner_trim(const char *begin, const char *end)
{
	while (end > begin && text_is_blank(end[-1]))
		end--;
	if (end == begin || end[-1] != ')')
		return end;
	const char *open = memrchr(begin, '(', (size_t)(end - begin));
	if (!open || open == begin || !text_is_blank(open[-1]))
		return end;
	while (open > begin && text_is_blank(open[-1]))
		open--;
	return open;
}

/*
 * owner_pid - the thread id at the end of `comm-pid`, `comm pid` or
 * `comm pid/tid`.
 *
 * The -1 of a task that perf does not know is read as 1: ids are compared only.
 */
static bool owner_pid(const char *begin, const char *end, int32_t *pid)
{
	const char *digits = owner_trim(begin, end);
	const char *stop = digits;
	uint64_t number = 0;

	while (digits > begin && text_is_digit(digits[-1]))
		digits--;
	if (digits == stop || digits == begin || !strchr("- \t/", digits[-1]))
		return false;
	if (text_take_number(&digits, TEXT_DECIMAL, &number) != TEXT_TAKEN ||
	    number > INT32_MAX)
		return false;
	*pid = (int32_t)number;
	return true;
}

bool head_find(const char *line, const char **problem, struct trace_head *head)
{
	const char *open = line;

	*problem = EXPECTED_SHAPE;
	for (; (open = strchr(open, '[')); open++) {
		struct trace_head found = { 0 };

		if (open == line || !text_is_blank(open[-1]))
			continue;
		if (!tail_take(open, problem, &found))
			continue;
		if (!owner_pid(line, open, &found.pid)) {
			*problem = "no process id before [cpu]";
			continue;
		}
		*head = found;
		return true;
	}
	return false;
}

bool head_is_event(const struct trace_head *head, const char *name)
{
	return strlen(name) == head->event_length &&
	       !memcmp(head->event, name, head->event_length);
}
