/* SPDX-License-Identifier: MIT */
/*
 * say.h - messages to the person: one line each, on stderr.
 *
 * stdout belongs to results alone, so that it can be piped.
 */
#ifndef LFV_BENCH_SAY_H
#define LFV_BENCH_SAY_H

/* say - "lfv-bench: " and the message. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* say_plain - the message alone, where a prefix would be noise. */
__attribute__((format(printf, 1, 2))) void say_plain(const char *format, ...);

#endif
