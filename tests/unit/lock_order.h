/* SPDX-License-Identifier: MIT */
/*
 * lock_order.h - do threads get in as they came?  For the kinds that say so.
 *
 * A thread has arrived when the lock's state shows it: the first eight bytes of
 * the state of every fair kind change with each arrival.
 */
#ifndef LFV_TESTS_LOCK_ORDER_H
#define LFV_TESTS_LOCK_ORDER_H

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/check.h"
#include "lock/lock.h"

enum { LOCK_ORDER_THREADS = 6 };

struct lock_order {
	struct lock lock;
	unsigned entered; /* guarded by lock */
	unsigned order[LOCK_ORDER_THREADS];
};

struct lock_order_arrival {
	struct lock_order *order;
	unsigned number;
};

static inline uint64_t lock_order_state(struct lock_order *order)
{
	/* relaxed: only a change is waited for. */
	return load_relaxed((_Atomic(uint64_t) *)(void *)order->lock.state);
}

static void *lock_order_arrive(void *argument)
{
	const struct lock_order_arrival *const arrival = argument;
	struct lock_order *const order = arrival->order;
	struct lock_turn turn;

	lock_enter(&order->lock, &turn);
	order->order[order->entered++] = arrival->number;
	lock_leave(&order->lock, &turn);
	return NULL;
}

/*
 * lock_order_is_kept - let threads arrive one by one, then all in.
 *
 * The lock's state begins with `state`, 0 where nothing else is said.
 */
static bool lock_order_is_kept(const struct lock_ops *kind, uint64_t state)
{
	static struct lock_order order;
	struct lock_order_arrival arrivals[LOCK_ORDER_THREADS];
	pthread_t threads[LOCK_ORDER_THREADS];
	struct lock_turn turn;
	bool kept = true;

	order.entered = 0;
	require(lock_init(&order.lock, kind, true) == 0);
	memcpy(order.lock.state, &state, sizeof(state));
	lock_enter(&order.lock, &turn);
	for (unsigned i = 0; i < LOCK_ORDER_THREADS; i++) {
		const uint64_t before = lock_order_state(&order);

		arrivals[i] = (struct lock_order_arrival){ &order, i };
		require(pthread_create(&threads[i], NULL, lock_order_arrive,
				       &arrivals[i]) == 0);
		while (lock_order_state(&order) == before)
			sched_yield();
	}
	lock_leave(&order.lock, &turn);
	for (unsigned i = 0; i < LOCK_ORDER_THREADS; i++)
		require(pthread_join(threads[i], NULL) == 0);
	for (unsigned i = 0; i < LOCK_ORDER_THREADS; i++)
		kept = kept && order.order[i] == i;
	lock_fini(&order.lock);
	return kept;
}

#endif
