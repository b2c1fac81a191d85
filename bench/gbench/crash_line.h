/* SPDX-License-Identifier: MIT */
/*
 * crash_line.h - when the process dies of a signal, it says in which cell.
 *
 * A broken lock corrupts an index and the engine crashes or aborts: that is a
 * finding, and the finding has a name.
 */
#ifndef LFV_BENCH_CRASH_LINE_H
#define LFV_BENCH_CRASH_LINE_H

/* crash_line_install - for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT. */
void crash_line_install(void);

/* crash_line_set - what is being run, in words; NULL: nothing. */
void crash_line_set(const char *what);

#endif
