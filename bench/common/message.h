/* SPDX-License-Identifier: MIT */
/*
 * message.h - what went wrong, in words, for whoever asked for it.
 *
 * One text a thread; the next message takes its place.  A text that is too
 * long is cut.
 */
#ifndef LFV_BENCH_MESSAGE_H
#define LFV_BENCH_MESSAGE_H

enum { MESSAGE_BYTES = 512 };

/* message_set - this thread's message; returns `error` for `return`. */
__attribute__((format(printf, 2, 3))) int message_set(int error,
						      const char *format, ...);

/* message_text - this thread's last message; "" if there was none. */
const char *message_text(void);

#endif
