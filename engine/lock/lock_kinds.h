/* SPDX-License-Identifier: MIT */
/*
 * lock_kinds.h - what the files of the lock kinds share.
 */
#ifndef LFV_LOCK_LOCK_KINDS_H
#define LFV_LOCK_LOCK_KINDS_H

#include "base/yield.h"
#include "lock/lock.h"

extern const struct lock_ops lock_pthread_mutex;
extern const struct lock_ops lock_pthread_spin;
extern const struct lock_ops lock_pthread_rwlock;
extern const struct lock_ops lock_ticket;
extern const struct lock_ops lock_mcs;
extern const struct lock_ops lock_fas;
extern const struct lock_ops lock_qspin;
extern const struct lock_ops lock_busted;

/* As struct lock says. */
enum { LOCK_STATE_ALIGN = 16 };

/* LOCK_STATE_FITS - a kind's state lies in struct lock, where it belongs. */
#define LOCK_STATE_FITS(type)                                    \
	static_assert(sizeof(type) <= LOCK_STATE_BYTES &&        \
			      alignof(type) <= LOCK_STATE_ALIGN, \
		      #type " does not fit into a lock")

/* LOCK_TURN_FITS - so does a kind's waiting state in struct lock_turn. */
#define LOCK_TURN_FITS(type)                                     \
	static_assert(sizeof(type) <= LOCK_TURN_BYTES &&         \
			      alignof(type) <= CACHE_LINE_BYTES, \
		      #type " does not fit into a turn")

/* lock_spin - one look at the lock was in vain: wait a little. */
static inline void lock_spin(const struct lock *lock, unsigned *spins)
{
	cpu_relax();
	*spins += 1;
	if (lock->yield && *spins % LOCK_YIELD_SPINS == 0)
		yield_cpu();
}

#endif
