/* SPDX-License-Identifier: MIT */
/*
 * lock_mcs.c - the queue lock of Mellor-Crummey and Scott (1991), of
 * Concurrency Kit's operations.
 *
 *	tail --> node --> NULL        the one inside heads the queue
 *	          ^ its turn
 *
 * Each waiter spins on `locked` of the node in its own turn, a line that only
 * its predecessor writes once.  Enters in order of arrival.
 *
 *   M1  tail is NULL iff nobody is inside or on the way in;
 *   M2  a node whose `locked` is 0 is inside; there is at most one.
 *
 * ck_spinlock_mcs_lock() and _unlock() cannot yield and do not say whether they
 * waited: these are the same steps over ck_pr_*(), on ck's own types.
 *
 * Progress: blocking; a preempted waiter stops all behind it, and leave waits
 * for an arrival that has swapped itself in but not yet linked itself.
 */
#include <assert.h>
#include <ck_pr.h>
#include <ck_spinlock.h>

#include "base/tsan.h"
#include "lock/lock_kinds.h"

LOCK_STATE_FITS(ck_spinlock_mcs_t);
LOCK_TURN_FITS(ck_spinlock_mcs_context_t);

static ck_spinlock_mcs_t *mcs_tail(struct lock *lock)
{
	return (ck_spinlock_mcs_t *)(void *)lock->state;
}

static ck_spinlock_mcs_context_t *mcs_node(struct lock_turn *turn)
{
	return (ck_spinlock_mcs_context_t *)(void *)turn->bytes;
}

static int mcs_init(struct lock *lock)
{
	ck_spinlock_mcs_init(mcs_tail(lock));
	return 0;
}

static void mcs_fini(struct lock *lock)
{
	assert(!ck_spinlock_mcs_locked(mcs_tail(lock))); /* M1 */
	(void)lock;
}

static bool mcs_enter(struct lock *lock, struct lock_turn *turn)
{
	ck_spinlock_mcs_t *const tail = mcs_tail(lock);
	ck_spinlock_mcs_context_t *const node = mcs_node(turn);

	ck_pr_store_uint(&node->locked, true);
	ck_pr_store_ptr(&node->next, NULL);
	/* The node is whole before a successor can find it. */
	ck_pr_fence_store_atomic();

	ck_spinlock_mcs_context_t *const before = ck_pr_fas_ptr(tail, node);
	if (before != NULL) {
		unsigned spins = 0;

		ck_pr_store_ptr(&before->next, node);
		while (ck_pr_load_uint(&node->locked))
			lock_spin(lock, &spins);
	}
	/* acquire [lock-handover]: see what the last holder wrote. */
	ck_pr_fence_lock();
	tsan_acquire(tail);
	return before != NULL;
}

/* mcs_next - the node behind ours; waits until it has linked itself. */
static ck_spinlock_mcs_context_t *mcs_next(struct lock *lock,
					   ck_spinlock_mcs_context_t *node)
{
	ck_spinlock_mcs_context_t *next = ck_pr_load_ptr(&node->next);

	for (unsigned spins = 0; next == NULL;) {
		lock_spin(lock, &spins);
		next = ck_pr_load_ptr(&node->next);
	}
	return next;
}

static void mcs_leave(struct lock *lock, struct lock_turn *turn)
{
	ck_spinlock_mcs_t *const tail = mcs_tail(lock);
	ck_spinlock_mcs_context_t *const node = mcs_node(turn);

	/* release [lock-handover]: let the next in the queue see it all. */
	tsan_release(tail);
	ck_pr_fence_unlock();

	if (ck_pr_load_ptr(&node->next) == NULL &&
	    ck_pr_cas_ptr(tail, node, NULL))
		return;                                         /* M1 */
	ck_pr_store_uint(&mcs_next(lock, node)->locked, false); /* M2 */
}

const struct lock_ops lock_mcs = {
	.name = "mcs",
	.summary = "MCS queue lock: first come, first served, a line for each",
	.fair = true,
	.yields = true,
	.init = mcs_init,
	.fini = mcs_fini,
	.enter = mcs_enter,
	.leave = mcs_leave,
	.enter_shared = mcs_enter,
	.leave_shared = mcs_leave,
};
