/* SPDX-License-Identifier: MIT */
/*
 * lock.h - what keeps the writers of one index apart.
 *
 * Each way to do so is one constant table; a strategy calls through it and
 * never asks which one it has.
 *
 * Contract, from enter() to leave():
 *
 *   K1  nobody else is inside the same lock, save that enter_shared() lets in
 *       others who entered shared, where the kind has a shared form; kinds
 *       without one enter exclusively;
 *   K2  whoever enters next sees all that was written inside [lock-handover];
 *   K3  the turn that enter() was given is the one that leave() is given, and
 *       stays where it is, on the caller's stack, in between;
 *   K4  a thread may hold up to LOCK_NESTING different locks at a time, and
 *       gives them back in any order.
 *
 * enter() says whether it had to wait: that is what contention is counted by.
 *
 * First come, first served kinds lose two to three orders of magnitude of
 * speed when a thread is preempted in the queue: everybody behind it spins for
 * a time slice.  The kernel disables preemption; a library cannot.  Such kinds
 * yield the CPU every LOCK_YIELD_SPINS spins when the lock was made with
 * `yield`, and may only be used with at most as many threads as CPUs if not.
 *
 * Who may run with whom: enter and leave by any thread; init and fini alone.
 */
#ifndef LFV_LOCK_LOCK_H
#define LFV_LOCK_LOCK_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

enum {
	LOCK_NESTING = 4,
	LOCK_YIELD_SPINS = 64,
	LOCK_STATE_BYTES = 112,
	LOCK_TURN_BYTES = 64,
};

struct lock;

/*
 * lock_turn - one thread's place in one lock, on its stack.
 *
 * The kind decides what lies in it: a queue node, a ticket, nothing.
 */
struct lock_turn {
	alignas(CACHE_LINE_BYTES) unsigned char bytes[LOCK_TURN_BYTES];
};

struct lock_ops {
	const char *name;    /* as in --lock=NAME and in every result */
	const char *summary; /* one line, for `lfv-bench list` */
	bool fair;           /* enters in order of arrival */
	bool yields;         /* obeys the yield option */
	bool shared;         /* has a shared form of its own */
	bool busted;         /* breaks K1: every check must see it */
	int (*init)(struct lock *lock);
	void (*fini)(struct lock *lock);
	bool (*enter)(struct lock *lock, struct lock_turn *turn);
	void (*leave)(struct lock *lock, struct lock_turn *turn);
	bool (*enter_shared)(struct lock *lock, struct lock_turn *turn);
	void (*leave_shared)(struct lock *lock, struct lock_turn *turn);
};

/*
 * lock - one lock of some kind, alone on its cache lines.
 *
 * entered and waited are written by whoever is inside exclusively, so that
 * counting costs no atomic read-modify-write.  They share the line of the
 * state: the holder owns that line already.  Shared entries are not counted.
 */
struct lock {
	/* constant after init */
	const struct lock_ops *ops;
	bool yield;
	/* written by whoever is inside */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) entered;
	_Atomic(uint64_t) waited;
	/* the kind's own */
	alignas(16) unsigned char state[LOCK_STATE_BYTES];
};

/* lock_init - 0 or -errno of the kind's own set-up. */
__attribute__((warn_unused_result)) int
lock_init(struct lock *lock, const struct lock_ops *ops, bool yield);
void lock_fini(struct lock *lock);

/* lock_find - the kind of that name, or NULL. */
const struct lock_ops *lock_find(const char *name);

/* lock_kinds - all kinds, NULL-terminated, the default first. */
const struct lock_ops *const *lock_kinds(void);

static inline bool lock_enter(struct lock *lock, struct lock_turn *turn)
{
	const bool waited = lock->ops->enter(lock, turn);

	/* relaxed: only the one inside writes; readers want a sum, no order. */
	store_relaxed(&lock->entered, load_relaxed(&lock->entered) + 1);
	if (waited) {
		/* relaxed: as above. */
		store_relaxed(&lock->waited, load_relaxed(&lock->waited) + 1);
	}
	return waited;
}

static inline void lock_leave(struct lock *lock, struct lock_turn *turn)
{
	lock->ops->leave(lock, turn);
}

static inline bool lock_enter_shared(struct lock *lock, struct lock_turn *turn)
{
	return lock->ops->enter_shared(lock, turn);
}

static inline void lock_leave_shared(struct lock *lock, struct lock_turn *turn)
{
	lock->ops->leave_shared(lock, turn);
}

#endif
