/* SPDX-License-Identifier: MIT */
#include "common/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char text[MESSAGE_BYTES];

int message_set(int error, const char *format, ...)
{
	/* The arguments may point into the text that they are to replace. */
	char made[MESSAGE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(made, sizeof(made), format, arguments);
	va_end(arguments);
	memcpy(text, made, sizeof(text));
	return error;
}

const char *message_text(void)
{
	return text;
}
