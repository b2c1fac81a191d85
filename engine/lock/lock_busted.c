/* SPDX-License-Identifier: MIT */
/*
 * lock_busted.c - no lock at all, so that the checks can be checked.
 *
 * Breaks K1 and K2, keeps the rest.  What must catch it: the contract suite's
 * mutual exclusion, every ThreadSanitizer run, and the answers of the bench.
 */
#include "lock/lock_kinds.h"

static int busted_init(struct lock *lock)
{
	(void)lock;
	return 0;
}

static void busted_fini(struct lock *lock)
{
	(void)lock;
}

static bool busted_enter(struct lock *lock, struct lock_turn *turn)
{
	(void)lock;
	(void)turn;
	return false;
}

static void busted_leave(struct lock *lock, struct lock_turn *turn)
{
	(void)lock;
	(void)turn;
}

const struct lock_ops lock_busted = {
	.name = "busted",
	.summary = "no lock at all: shows that the checks see it",
	.busted = true,
	.init = busted_init,
	.fini = busted_fini,
	.enter = busted_enter,
	.leave = busted_leave,
	.enter_shared = busted_enter,
	.leave_shared = busted_leave,
};
