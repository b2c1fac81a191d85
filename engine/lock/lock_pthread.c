/* SPDX-License-Identifier: MIT */
/*
 * lock_pthread.c - the three locks of libc: what a user-space program would
 * take, to compare with what the kernel takes.
 *
 *   pthread-mutex   sleeps in a futex; unfair: a running thread overtakes the
 *                   one that is being woken
 *   pthread-spin    test-and-set, unfair, never yields
 *   pthread-rwlock  readers prefer each other; the only kind with a shared
 *                   form, as Linux 2.4's vmlist_lock had
 *
 * Each tries first, which costs what the lock itself would, and so knows
 * whether it waited.  A failed try is followed by the waiting form: enter
 * always gets in.
 *
 * Progress: blocking.  Order: [lock-handover] is libc's to keep.
 */
#include <assert.h>
#include <pthread.h>

#include "base/check.h"
#include "lock/lock_kinds.h"

LOCK_STATE_FITS(pthread_mutex_t);
LOCK_STATE_FITS(pthread_spinlock_t);
LOCK_STATE_FITS(pthread_rwlock_t);

/*
 * check_done - what cannot fail on a lock that is used as the contract says.
 *
 * pthread_rwlock_rdlock() may, with more than 2^29 readers inside.
 */
static void check_done(int error)
{
	require(error == 0);
}

static pthread_mutex_t *mutex_of(struct lock *lock)
{
	return (pthread_mutex_t *)(void *)lock->state;
}

static int mutex_init(struct lock *lock)
{
	return -pthread_mutex_init(mutex_of(lock), NULL);
}

static void mutex_fini(struct lock *lock)
{
	check_done(pthread_mutex_destroy(mutex_of(lock)));
}

static bool mutex_enter(struct lock *lock, struct lock_turn *turn)
{
	(void)turn;
	if (pthread_mutex_trylock(mutex_of(lock)) == 0)
		return false;
	check_done(pthread_mutex_lock(mutex_of(lock)));
	return true;
}

static void mutex_leave(struct lock *lock, struct lock_turn *turn)
{
	(void)turn;
	check_done(pthread_mutex_unlock(mutex_of(lock)));
}

static pthread_spinlock_t *spin_of(struct lock *lock)
{
	return (pthread_spinlock_t *)(void *)lock->state;
}

static int spin_init(struct lock *lock)
{
	return -pthread_spin_init(spin_of(lock), PTHREAD_PROCESS_PRIVATE);
}

static void spin_fini(struct lock *lock)
{
	check_done(pthread_spin_destroy(spin_of(lock)));
}

static bool spin_enter(struct lock *lock, struct lock_turn *turn)
{
	(void)turn;
	if (pthread_spin_trylock(spin_of(lock)) == 0)
		return false;
	check_done(pthread_spin_lock(spin_of(lock)));
	return true;
}

static void spin_leave(struct lock *lock, struct lock_turn *turn)
{
	(void)turn;
	check_done(pthread_spin_unlock(spin_of(lock)));
}

static pthread_rwlock_t *rwlock_of(struct lock *lock)
{
	return (pthread_rwlock_t *)(void *)lock->state;
}

static int rwlock_init(struct lock *lock)
{
	return -pthread_rwlock_init(rwlock_of(lock), NULL);
}

static void rwlock_fini(struct lock *lock)
{
	check_done(pthread_rwlock_destroy(rwlock_of(lock)));
}

static bool rwlock_enter(struct lock *lock, struct lock_turn *turn)
{
	(void)turn;
	if (pthread_rwlock_trywrlock(rwlock_of(lock)) == 0)
		return false;
	check_done(pthread_rwlock_wrlock(rwlock_of(lock)));
	return true;
}

static bool rwlock_enter_shared(struct lock *lock, struct lock_turn *turn)
{
	(void)turn;
	if (pthread_rwlock_tryrdlock(rwlock_of(lock)) == 0)
		return false;
	check_done(pthread_rwlock_rdlock(rwlock_of(lock)));
	return true;
}

static void rwlock_leave(struct lock *lock, struct lock_turn *turn)
{
	(void)turn;
	check_done(pthread_rwlock_unlock(rwlock_of(lock)));
}

const struct lock_ops lock_pthread_mutex = {
	.name = "pthread-mutex",
	.summary = "libc's mutex: sleeps, unfair",
	.init = mutex_init,
	.fini = mutex_fini,
	.enter = mutex_enter,
	.leave = mutex_leave,
	.enter_shared = mutex_enter,
	.leave_shared = mutex_leave,
};

const struct lock_ops lock_pthread_spin = {
	.name = "pthread-spin",
	.summary = "libc's spinlock: test-and-set, unfair, never yields",
	.init = spin_init,
	.fini = spin_fini,
	.enter = spin_enter,
	.leave = spin_leave,
	.enter_shared = spin_enter,
	.leave_shared = spin_leave,
};

const struct lock_ops lock_pthread_rwlock = {
	.name = "pthread-rwlock",
	.summary = "libc's rwlock: lookups share it, as in Linux 2.4",
	.shared = true,
	.init = rwlock_init,
	.fini = rwlock_fini,
	.enter = rwlock_enter,
	.leave = rwlock_leave,
	.enter_shared = rwlock_enter_shared,
	.leave_shared = rwlock_leave,
};
