/* SPDX-License-Identifier: MIT */
/*
 * jolt_points.h - the engine with points at which a thread can be stopped:
 * before each atomic operation, before a lock is entered and after it is left.
 *
 * The whole engine is compiled a second time with this header in front of each
 * file (lfv_jolted); nothing of it is changed.  An operation that is not listed
 * here has no point, nor has what another library does for a lock.
 */
#ifndef LFV_TESTS_JOLT_POINTS_H
#define LFV_TESTS_JOLT_POINTS_H

#include "base/atomic.h"
#include "lock/lock.h"

/* jolt_point - stop here, if it is due: crew_jolt(). */
void jolt_point(void);

#define JOLTED(operation, ...) \
	(jolt_point(), atomic_##operation##_explicit(__VA_ARGS__))

#undef load_relaxed
#undef load_acquire
#undef load_seq_cst
#define load_relaxed(p) JOLTED(load, (p), ORDER_RELAXED)
#define load_acquire(p) JOLTED(load, (p), ORDER_ACQUIRE)
#define load_seq_cst(p) JOLTED(load, (p), ORDER_SEQ_CST)

#undef store_relaxed
#undef store_release
#define store_relaxed(p, v) JOLTED(store, (p), (v), ORDER_RELAXED)
#define store_release(p, v) JOLTED(store, (p), (v), ORDER_RELEASE)

#undef add_relaxed
#undef add_release
#undef add_acq_rel
#undef add_seq_cst
#undef sub_relaxed
#undef sub_release
#undef sub_seq_cst
#define add_relaxed(p, v) JOLTED(fetch_add, (p), (v), ORDER_RELAXED)
#define add_release(p, v) JOLTED(fetch_add, (p), (v), ORDER_RELEASE)
#define add_acq_rel(p, v) JOLTED(fetch_add, (p), (v), ORDER_ACQ_REL)
#define add_seq_cst(p, v) JOLTED(fetch_add, (p), (v), ORDER_SEQ_CST)
#define sub_relaxed(p, v) JOLTED(fetch_sub, (p), (v), ORDER_RELAXED)
#define sub_release(p, v) JOLTED(fetch_sub, (p), (v), ORDER_RELEASE)
#define sub_seq_cst(p, v) JOLTED(fetch_sub, (p), (v), ORDER_SEQ_CST)

#undef or_relaxed
#undef or_release
#undef or_seq_cst
#undef and_seq_cst
#define or_relaxed(p, v)  JOLTED(fetch_or, (p), (v), ORDER_RELAXED)
#define or_release(p, v)  JOLTED(fetch_or, (p), (v), ORDER_RELEASE)
#define or_seq_cst(p, v)  JOLTED(fetch_or, (p), (v), ORDER_SEQ_CST)
#define and_seq_cst(p, v) JOLTED(fetch_and, (p), (v), ORDER_SEQ_CST)

#undef swap_relaxed
#undef swap_acquire
#undef swap_release
#undef swap_acq_rel
#define swap_relaxed(p, v) JOLTED(exchange, (p), (v), ORDER_RELAXED)
#define swap_acquire(p, v) JOLTED(exchange, (p), (v), ORDER_ACQUIRE)
#define swap_release(p, v) JOLTED(exchange, (p), (v), ORDER_RELEASE)
#define swap_acq_rel(p, v) JOLTED(exchange, (p), (v), ORDER_ACQ_REL)

#define JOLTED_CAS(p, old, v, order) \
	JOLTED(compare_exchange_strong, (p), (old), (v), order, ORDER_RELAXED)

#undef cas_relaxed
#undef cas_acquire
#undef cas_release
#undef cas_acq_rel
#undef cas_seq_cst
#define cas_relaxed(p, old, v) JOLTED_CAS(p, old, v, ORDER_RELAXED)
#define cas_acquire(p, old, v) JOLTED_CAS(p, old, v, ORDER_ACQUIRE)
#define cas_release(p, old, v) JOLTED_CAS(p, old, v, ORDER_RELEASE)
#define cas_acq_rel(p, old, v) JOLTED_CAS(p, old, v, ORDER_ACQ_REL)
#define cas_seq_cst(p, old, v) JOLTED_CAS(p, old, v, ORDER_SEQ_CST)

/* The functions of these names stand in lock.h. */
#define lock_enter(lock, turn) (jolt_point(), lock_enter(lock, turn))
#define lock_enter_shared(lock, turn) \
	(jolt_point(), lock_enter_shared(lock, turn))
#define lock_leave(lock, turn) (lock_leave(lock, turn), jolt_point())
#define lock_leave_shared(lock, turn) \
	(lock_leave_shared(lock, turn), jolt_point())

#endif
