/* SPDX-License-Identifier: MIT */
/*
 * lock_fas.c - Concurrency Kit's fetch-and-store spinlock.
 *
 *	free --swap 1--> held --store 0--> free
 *
 * One word, one exchange to enter, one store to leave.  A waiter only reads
 * until it sees the word free (test and test-and-set).  Unfair: the CPU that
 * has the cache line wins, which makes it the fastest of the spinlocks under
 * contention and lets the others starve.
 *
 * The loop is ours, of ck_spinlock_fas_trylock() and _locked(), because
 * ck_spinlock_fas_lock() neither yields nor says whether it waited.
 *
 * Progress: blocking.
 */
#include <assert.h>
#include <ck_spinlock.h>

#include "base/tsan.h"
#include "lock/lock_kinds.h"

LOCK_STATE_FITS(ck_spinlock_fas_t);

static ck_spinlock_fas_t *fas_of(struct lock *lock)
{
	return (ck_spinlock_fas_t *)(void *)lock->state;
}

static int fas_init(struct lock *lock)
{
	ck_spinlock_fas_init(fas_of(lock));
	return 0;
}

static void fas_fini(struct lock *lock)
{
	assert(!ck_spinlock_fas_locked(fas_of(lock)));
	(void)lock;
}

static bool fas_enter(struct lock *lock, struct lock_turn *turn)
{
	ck_spinlock_fas_t *const fas = fas_of(lock);
	unsigned spins = 0;

	(void)turn;
	while (!ck_spinlock_fas_trylock(fas)) {
		do {
			lock_spin(lock, &spins);
		} while (ck_spinlock_fas_locked(fas));
	}
	/* acquire [lock-handover]: the fence behind trylock's exchange. */
	tsan_acquire(fas);
	return spins > 0;
}

static void fas_leave(struct lock *lock, struct lock_turn *turn)
{
	(void)turn;
	/* release [lock-handover]: the fence before unlock's store. */
	tsan_release(fas_of(lock));
	ck_spinlock_fas_unlock(fas_of(lock));
}

const struct lock_ops lock_fas = {
	.name = "fas",
	.summary = "Concurrency Kit's fetch-and-store spinlock: unfair",
	.yields = true,
	.init = fas_init,
	.fini = fas_fini,
	.enter = fas_enter,
	.leave = fas_leave,
	.enter_shared = fas_enter,
	.leave_shared = fas_leave,
};
