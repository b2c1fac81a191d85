/* SPDX-License-Identifier: MIT */
/*
 * child.h - one program, run to its end, with what it wrote.
 *
 *   H1  it never outlives child_run(): past its deadline, or when the person
 *       interrupts, its whole process group is killed; it dies with us, too;
 *   H2  it has its own process group, so that ^C on the terminal reaches us
 *       alone and we decide;
 *   H3  its input is /dev/null; signals are as they were before the run.
 */
#ifndef LFV_BENCH_CHILD_H
#define LFV_BENCH_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/interrupt.h"

enum { CHILD_TAIL_BYTES = 4096 };

struct child_end {
	int exit_code;   /* -1: it did not exit by itself */
	int signal;      /* 0: it exited */
	bool overran;    /* killed at its deadline */
	bool broken_off; /* killed because the run was interrupted */
	char *output;    /* all of its stdout, NUL-terminated; free() it */
	char tail[CHILD_TAIL_BYTES]; /* the end of its stderr */
};

/*
 * child_run - run argv[0] with argv, for at most limit_ns.
 *
 * -errno when it could not be started.  What it wrote is there however it
 * ended.
 */
__attribute__((warn_unused_result)) int child_run(char *const *argv,
						  uint64_t limit_ns,
						  struct interrupt *interrupt,
						  struct child_end *end);

#endif
