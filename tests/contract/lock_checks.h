/* SPDX-License-Identifier: MIT */
/*
 * lock_checks.h - checks of lock/lock.h's contract that any kind can be put to.
 *
 * A check is a function that looks for a breach and says what it saw, or NULL.
 */
#ifndef LFV_TESTS_LOCK_CHECKS_H
#define LFV_TESTS_LOCK_CHECKS_H

#include <stdbool.h>

struct lock_ops;

struct lock_check {
	const char *name;
	const char *(*look)(const struct lock_ops *kind);
	bool catches_busted; /* and is known to, every time */
};

enum { LOCK_CHECKS = 9 };

extern const struct lock_check lock_checks[LOCK_CHECKS];

#endif
