/* SPDX-License-Identifier: MIT */
/*
 * check.c - the last words of a process whose invariants broke.
 *
 * Nothing here allocates or takes a lock: the state that failed may be the
 * allocator's, and the thread that failed may hold anything.
 */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 512 };

_Noreturn void check_failed(const char *file, int line, const char *text)
{
	char message[MESSAGE_BYTES];
	const int length =
		snprintf(message, sizeof(message),
			 "lfv: %s:%d: does not hold: %s\n", file, line, text);

	if (length > 0) {
		const size_t bytes = (size_t)length < sizeof(message)
					     ? (size_t)length
					     : sizeof(message) - 1;
		const ssize_t written = write(STDERR_FILENO, message, bytes);

		(void)written; /* there is nobody left to tell */
	}
	abort();
}
