/* SPDX-License-Identifier: MIT */
/*
 * error.h - the calling thread's last message.
 *
 * Every error that reaches a caller says what was wrong, what was expected and
 * what to do, in a fixed buffer of the thread: no allocation, no lock.
 */
#ifndef LFV_BASE_ERROR_H
#define LFV_BASE_ERROR_H

enum { ERROR_BYTES = 256 };

/*
 * error_set - record a printf-style message and return `error`, unchanged.
 *
 * Meant for `return error_set(-EINVAL, "size is 0: ...");`.  Longer messages
 * are cut.
 */
__attribute__((format(printf, 2, 3))) int error_set(int error,
						    const char *format, ...);

/*
 * error_count - how many messages this thread has recorded: whether a callee
 * that failed has said why.
 */
unsigned error_count(void);

/* error_text - the message, or "" if this thread has met no error yet. */
const char *error_text(void);

#endif
