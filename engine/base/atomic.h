/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - atomic operations whose names say their memory order.
 *
 * Nothing else in the engine touches an _Atomic object: the order of every
 * access can be read where it is made, and a test build can put its own
 * operations here (a scheduler, a checker) without changing the callers.
 *
 * A caller explains each order in a comment: "relaxed: why that is enough",
 * or "acquire [edge]: why" and "release [edge]: why", where the edge names the
 * two ends that belong together.  scripts/edges.py proves that both exist.
 *
 * cas_*() are strong, take the address of the expected value, update it on
 * failure, and load with relaxed order when they fail.
 */
#ifndef LFV_BASE_ATOMIC_H
#define LFV_BASE_ATOMIC_H

#include <stdatomic.h>

#define ORDER_RELAXED memory_order_relaxed
#define ORDER_ACQUIRE memory_order_acquire
#define ORDER_RELEASE memory_order_release
#define ORDER_ACQ_REL memory_order_acq_rel
#define ORDER_SEQ_CST memory_order_seq_cst

#define load_relaxed(p) atomic_load_explicit((p), ORDER_RELAXED)
#define load_acquire(p) atomic_load_explicit((p), ORDER_ACQUIRE)
#define load_seq_cst(p) atomic_load_explicit((p), ORDER_SEQ_CST)

#define store_relaxed(p, v) atomic_store_explicit((p), (v), ORDER_RELAXED)
#define store_release(p, v) atomic_store_explicit((p), (v), ORDER_RELEASE)

#define add_relaxed(p, v) atomic_fetch_add_explicit((p), (v), ORDER_RELAXED)
#define add_release(p, v) atomic_fetch_add_explicit((p), (v), ORDER_RELEASE)
#define add_acq_rel(p, v) atomic_fetch_add_explicit((p), (v), ORDER_ACQ_REL)
#define add_seq_cst(p, v) atomic_fetch_add_explicit((p), (v), ORDER_SEQ_CST)
#define sub_relaxed(p, v) atomic_fetch_sub_explicit((p), (v), ORDER_RELAXED)
#define sub_release(p, v) atomic_fetch_sub_explicit((p), (v), ORDER_RELEASE)
#define sub_seq_cst(p, v) atomic_fetch_sub_explicit((p), (v), ORDER_SEQ_CST)

#define or_release(p, v) atomic_fetch_or_explicit((p), (v), ORDER_RELEASE)

#define or_relaxed(p, v)  atomic_fetch_or_explicit((p), (v), ORDER_RELAXED)
#define or_seq_cst(p, v)  atomic_fetch_or_explicit((p), (v), ORDER_SEQ_CST)
#define and_seq_cst(p, v) atomic_fetch_and_explicit((p), (v), ORDER_SEQ_CST)

#define swap_relaxed(p, v) atomic_exchange_explicit((p), (v), ORDER_RELAXED)
#define swap_acquire(p, v) atomic_exchange_explicit((p), (v), ORDER_ACQUIRE)
#define swap_release(p, v) atomic_exchange_explicit((p), (v), ORDER_RELEASE)
#define swap_acq_rel(p, v) atomic_exchange_explicit((p), (v), ORDER_ACQ_REL)

#define cas_relaxed(p, old, v)                                   \
	atomic_compare_exchange_strong_explicit((p), (old), (v), \
						ORDER_RELAXED, ORDER_RELAXED)
#define cas_acquire(p, old, v)                                   \
	atomic_compare_exchange_strong_explicit((p), (old), (v), \
						ORDER_ACQUIRE, ORDER_RELAXED)
#define cas_release(p, old, v)                                   \
	atomic_compare_exchange_strong_explicit((p), (old), (v), \
						ORDER_RELEASE, ORDER_RELAXED)
#define cas_acq_rel(p, old, v)                                   \
	atomic_compare_exchange_strong_explicit((p), (old), (v), \
						ORDER_ACQ_REL, ORDER_RELAXED)
#define cas_seq_cst(p, old, v)                                   \
	atomic_compare_exchange_strong_explicit((p), (old), (v), \
						ORDER_SEQ_CST, ORDER_RELAXED)

/* A cache line, and the pair of lines that x86 prefetches together. */
enum { CACHE_LINE_BYTES = 64, FALSE_SHARING_BYTES = 128 };

#if defined(__x86_64__) || defined(__i386__)
#define CPU_RELAX "pause"
#elif defined(__aarch64__)
#define CPU_RELAX "yield"
#else
#define CPU_RELAX ""
#endif

/* cpu_relax - what a spinning thread does between two looks. */
static inline void cpu_relax(void)
{
	__asm__ volatile(CPU_RELAX ::: "memory");
}

#endif
