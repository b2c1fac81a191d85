/* SPDX-License-Identifier: MIT */
/*
 * scheduled_atomic.h - base/atomic.h, with a scheduling point in each
 * operation.
 *
 * Included before all else (-include) where a source of the engine is compiled
 * for a deterministic schedule.  It gives the operations of <stdatomic.h> other
 * bodies and reads base/atomic.h, whose names are made of them: whatever name
 * is added there is scheduled from its first day, and keeps its order.  What
 * C17 has and is not here does not compile, instead of going past the
 * scheduler.
 *
 * Objects of up to 8 bytes: integers, pointers and bool.
 */
#ifndef TESTS_SCHEDULE_SCHEDULED_ATOMIC_H
#define TESTS_SCHEDULE_SCHEDULED_ATOMIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "schedule/operation.h"

#define SCHEDULED_TEXT(x) #x
#define SCHEDULED_LINE(x) SCHEDULED_TEXT(x)

#define SCHEDULED(kind_, p, order_)                             \
	(&(const struct operation){                             \
		.kind = OPERATION_##kind_,                      \
		.order = (order_),                              \
		.bytes = sizeof(*(p)),                          \
		.address = (void *)(uintptr_t)(p),              \
		.where = __FILE__ ":" SCHEDULED_LINE(__LINE__), \
		.function = __func__,                           \
	})
/* The type of a value of *p: a comma's right side is no lvalue. */
#define SCHEDULED_TYPE(p) __typeof__((void)0, *(p))
/* A statement's value may go unused, a cast's may not. */
#define SCHEDULED_CHANGE(kind, p, v, order)                        \
	__extension__({                                            \
		(SCHEDULED_TYPE(p)) scheduled_change(              \
			SCHEDULED(kind, p, order), (uint64_t)(v)); \
	})
#define SCHEDULED_FENCE(order_)                                 \
	scheduled_fence(&(const struct operation){              \
		.kind = OPERATION_FENCE,                        \
		.order = (order_),                              \
		.where = __FILE__ ":" SCHEDULED_LINE(__LINE__), \
		.function = __func__,                           \
	})

#undef atomic_init
#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_and_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_xor_explicit
#undef atomic_thread_fence

#define atomic_init(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define atomic_load_explicit(p, order) \
	((SCHEDULED_TYPE(p))scheduled_load(SCHEDULED(LOAD, p, order)))
#define atomic_store_explicit(p, v, order) \
	scheduled_store(SCHEDULED(STORE, p, order), (uint64_t)(v))
#define atomic_exchange_explicit(p, v, order) \
	SCHEDULED_CHANGE(SWAP, p, v, order)
#define atomic_fetch_add_explicit(p, v, order) \
	SCHEDULED_CHANGE(ADD, p, v, order)
#define atomic_fetch_sub_explicit(p, v, order) \
	SCHEDULED_CHANGE(SUB, p, v, order)
#define atomic_fetch_and_explicit(p, v, order) \
	SCHEDULED_CHANGE(AND, p, v, order)
#define atomic_fetch_or_explicit(p, v, order) SCHEDULED_CHANGE(OR, p, v, order)
#define atomic_fetch_xor_explicit(p, v, order) \
	SCHEDULED_CHANGE(XOR, p, v, order)
/* Strong, and a load with relaxed order when it fails, as base/atomic.h says.
 */
#define atomic_compare_exchange_strong_explicit(p, old, v, order, otherwise) \
	scheduled_cas(SCHEDULED(CAS, p, order), (old), (uint64_t)(v))
#define atomic_thread_fence(order) SCHEDULED_FENCE(order)

/* Not used by base/atomic.h: what would, must be added above. */
#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_fetch_and
#undef atomic_fetch_or
#undef atomic_fetch_xor
#undef atomic_flag_test_and_set
#undef atomic_flag_test_and_set_explicit
#undef atomic_flag_clear
#undef atomic_flag_clear_explicit
#undef atomic_signal_fence

#include "base/atomic.h"
#include "base/yield.h"

/* Both wait for another thread, which is all that a schedule knows of time. */
#define cpu_relax() scheduled_pause()
#define yield_cpu() scheduled_pause()

#endif
