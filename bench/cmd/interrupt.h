/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h - the signals that ask a run to end, taken as events.
 *
 * From begin to end SIGINT, SIGTERM and SIGHUP are held back and can be read
 * from a descriptor, together with SIGCHLD: the run ends where it has written
 * what it has.  A second such signal changes nothing; SIGKILL remains.
 *
 * One thread; a program that is started in between gets the old mask back.
 */
#ifndef LFV_BENCH_INTERRUPT_H
#define LFV_BENCH_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

struct interrupt {
	int fd;           /* becomes readable when a signal has come */
	int signal;       /* the one that asks for the end; 0: none came */
	sigset_t outside; /* the mask from before */
};

__attribute__((warn_unused_result)) int
interrupt_begin(struct interrupt *interrupt);
void interrupt_end(struct interrupt *interrupt);

/* interrupt_take - read what has come; true when the end was asked for. */
bool interrupt_take(struct interrupt *interrupt);

#endif
