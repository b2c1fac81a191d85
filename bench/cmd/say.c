/* SPDX-License-Identifier: MIT */
#include "cmd/say.h"

#include <stdarg.h>
#include <stdio.h>

static void say_line(const char *prefix, const char *format, va_list arguments)
{
	fflush(stdout);
	fputs(prefix, stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_line("lfv-bench: ", format, arguments);
	va_end(arguments);
}

void say_plain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_line("", format, arguments);
	va_end(arguments);
}
