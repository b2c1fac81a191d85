/* SPDX-License-Identifier: MIT */
#include "gbench/crash_line.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WHAT_BYTES = 1024 };

static const struct {
	int number;
	const char *name;
} deaths[] = {
	{ SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },   { SIGILL, "SIGILL" },
	{ SIGFPE, "SIGFPE" },   { SIGABRT, "SIGABRT" },
};

enum { DEATHS = sizeof(deaths) / sizeof(deaths[0]) };

static char doing[WHAT_BYTES];
static struct sigaction before[DEATHS];

/* Only what POSIX lets a handler call. */
static void put(const char *text)
{
	const ssize_t written = write(STDERR_FILENO, text, strlen(text));

	(void)written;
}

/* Whoever had the signal before gets it now, when the instruction repeats. */
static void died(int number)
{
	for (size_t i = 0; i < DEATHS; i++) {
		if (deaths[i].number != number)
			continue;
		put("lfv-gbench: ");
		put(deaths[i].name);
		put(doing[0] ? " while running " : "");
		put(doing);
		put("\n");
		(void)sigaction(number, &before[i], NULL);
	}
	if (number == SIGABRT)
		(void)raise(number);
}

void crash_line_install(void)
{
	for (size_t i = 0; i < DEATHS; i++) {
		struct sigaction action = { .sa_handler = died };

		(void)sigaction(deaths[i].number, &action, &before[i]);
	}
}

void crash_line_set(const char *what)
{
	(void)snprintf(doing, sizeof(doing), "%s", what ? what : "");
}
