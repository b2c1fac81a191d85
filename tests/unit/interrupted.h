/* SPDX-License-Identifier: MIT */
/*
 * interrupted.h - somebody else comes between two steps of one, for certain.
 *
 * A test includes this first, and then the source that is to be interrupted:
 * there each plain load of an atomic is followed by a chance for another
 * thread's whole operation, other(), which takes place once, after the nth of
 * a call, counted from 1.  What a compare-and-swap is for is seen so, and what
 * a second look is for, without a second thread.
 */
#ifndef TESTS_UNIT_INTERRUPTED_H
#define TESTS_UNIT_INTERRUPTED_H

#include "base/atomic.h"

static unsigned loads_left; /* until the other comes; 0: he does not */
static void (*other)(void);

static inline void interrupt(void)
{
	if (loads_left > 0 && --loads_left == 0)
		other();
}

#define interrupted(p, order)                                              \
	__extension__({                                                    \
		const __auto_type loaded = atomic_load_explicit(p, order); \
		interrupt();                                               \
		loaded;                                                    \
	})

#undef load_relaxed
#undef load_acquire
#define load_relaxed(p) interrupted(p, ORDER_RELAXED)
#define load_acquire(p) interrupted(p, ORDER_ACQUIRE)

#endif
