/* SPDX-License-Identifier: MIT */
/*
 * test_lock_mcs.c - arrival order, and a queue that ends empty.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lock/lock_kinds.h"
#include "unit/lock_order.h"

static void threads_enter_in_order_of_arrival(void **state)
{
	(void)state;
	assert_true(lock_order_is_kept(&lock_mcs, 0));
}

static void the_tail_is_the_turn_of_whoever_is_inside(void **state)
{
	struct lock lock;
	struct lock_turn turn;
	void *tail;

	(void)state;
	assert_int_equal(lock_init(&lock, &lock_mcs, false), 0);
	lock_enter(&lock, &turn);
	memcpy(&tail, lock.state, sizeof(tail));
	assert_ptr_equal(tail, turn.bytes);
	lock_leave(&lock, &turn);
	memcpy(&tail, lock.state, sizeof(tail));
	assert_null(tail);
	lock_fini(&lock);
}

static void a_turn_is_not_looked_at_after_leave(void **state)
{
	struct lock lock;
	struct lock_turn turn;

	(void)state;
	assert_int_equal(lock_init(&lock, &lock_mcs, false), 0);
	lock_enter(&lock, &turn);
	lock_leave(&lock, &turn);
	memset(&turn, 0xff, sizeof(turn));
	assert_false(lock_enter(&lock, &turn));
	lock_leave(&lock, &turn);
	lock_fini(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_enter_in_order_of_arrival),
		cmocka_unit_test(the_tail_is_the_turn_of_whoever_is_inside),
		cmocka_unit_test(a_turn_is_not_looked_at_after_leave),
	};

	return cmocka_run_group_tests_name("lock_mcs", tests, NULL, NULL);
}
