/* SPDX-License-Identifier: MIT */
/*
 * test_lock_ticket.c - arrival order, and numbers that wrap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <string.h>

#include "lock/lock_kinds.h"
#include "unit/lock_order.h"

static void threads_enter_in_order_of_arrival(void **state)
{
	(void)state;
	assert_true(lock_order_is_kept(&lock_ticket, 0));
}

static void the_order_is_kept_while_the_numbers_wrap(void **state)
{
	const unsigned before_wrap[] = { UINT_MAX - 2, UINT_MAX - 2 };
	uint64_t numbers;

	(void)state;
	memcpy(&numbers, before_wrap, sizeof(numbers));
	assert_true(lock_order_is_kept(&lock_ticket, numbers));
}

static void the_numbers_wrap(void **state)
{
	const unsigned last[] = { UINT_MAX, UINT_MAX };
	const unsigned second[] = { 1, 1 };
	struct lock lock;
	struct lock_turn turn;

	(void)state;
	assert_int_equal(lock_init(&lock, &lock_ticket, false), 0);
	memcpy(lock.state, last, sizeof(last)); /* next, serving */
	assert_false(lock_enter(&lock, &turn));
	lock_leave(&lock, &turn);
	assert_false(lock_enter(&lock, &turn));
	lock_leave(&lock, &turn);
	assert_memory_equal(lock.state, second, sizeof(second));
	lock_fini(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_enter_in_order_of_arrival),
		cmocka_unit_test(the_order_is_kept_while_the_numbers_wrap),
		cmocka_unit_test(the_numbers_wrap),
	};

	return cmocka_run_group_tests_name("lock_ticket", tests, NULL, NULL);
}
