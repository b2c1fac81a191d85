/* SPDX-License-Identifier: MIT */
/*
 * trace_why.c - messages about recordings.
 */
#include "trace/trace_why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int why_set(struct trace_why *why, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return error;
}

struct why_excerpt why_excerpt(const char *text)
{
	struct why_excerpt excerpt = { .text = "" };
	const size_t room = sizeof(excerpt.text) - sizeof("...");
	const size_t length = strnlen(text, room + 1);
	const size_t kept = length > room ? room : length;

	for (size_t i = 0; i < kept; i++) {
		const unsigned char c = (unsigned char)text[i];

		excerpt.text[i] = (char)(c >= ' ' && c < 0x7f ? c : '?');
	}
	if (length > room)
		memcpy(excerpt.text + kept, "...", sizeof("..."));
	return excerpt;
}
