/* SPDX-License-Identifier: MIT */
/*
 * error.c - the calling thread's last message, in a buffer of its own.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_message[ERROR_BYTES];
static _Thread_local unsigned messages;

int error_set(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(last_message, sizeof(last_message), format, arguments);
	va_end(arguments);
	messages++;
	return error;
}

unsigned error_count(void)
{
	return messages;
}

const char *error_text(void)
{
	return last_message;
}
