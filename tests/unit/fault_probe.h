/* SPDX-License-Identifier: MIT */
/*
 * fault_probe.h - whether a touch of one byte faults, asked in this process.
 */
#ifndef LFV_TESTS_FAULT_PROBE_H
#define LFV_TESTS_FAULT_PROBE_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static sigjmp_buf probe_return;

static inline void probe_caught(int signal)
{
	siglongjmp(probe_return, signal);
}

/* faults - true if reading `byte` raises SIGSEGV or SIGBUS. */
static inline bool faults(const void *byte)
{
	struct sigaction segv;
	struct sigaction bus;
	const struct sigaction probe = { .sa_handler = probe_caught };
	volatile bool caught = true;

	(void)sigaction(SIGSEGV, &probe, &segv);
	(void)sigaction(SIGBUS, &probe, &bus);
	if (sigsetjmp(probe_return, 1) == 0) {
		(void)*(const volatile unsigned char *)byte;
		caught = false;
	}
	(void)sigaction(SIGSEGV, &segv, NULL);
	(void)sigaction(SIGBUS, &bus, NULL);
	return caught;
}

#endif
