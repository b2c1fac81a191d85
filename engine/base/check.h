/* SPDX-License-Identifier: MIT */
/*
 * check.h - what must hold, in three tiers.
 *
 *   assert()       cheap; in every build without NDEBUG
 *   assert_slow()  walks a structure; only with LFV_ASSERT_SLOW
 *   require()      stays in release builds: a broken invariant means that
 *                  memory may already have two owners, so the process ends
 *
 * A failed system call, an exhausted resource and a caller's mistake are not
 * invariants: they are errors and are returned (base/error.h).
 */
#ifndef LFV_BASE_CHECK_H
#define LFV_BASE_CHECK_H

#include <assert.h>
#include <stdbool.h>

/* check_failed - print `file:line: text` with write(2) and abort. */
_Noreturn void check_failed(const char *file, int line, const char *text);

#define require(condition) \
	((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

/* require_invariant - as require(), naming the invariant, as in "A3". */
#define require_invariant(condition, name)              \
	((condition) ? (void)0                          \
		     : check_failed(__FILE__, __LINE__, \
				    "invariant " name ": " #condition))

#ifdef LFV_ASSERT_SLOW
#define assert_slow(condition) assert(condition)
#else
#define assert_slow(condition) ((void)0)
#endif

#endif
