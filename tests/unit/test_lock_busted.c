/* SPDX-License-Identifier: MIT */
/*
 * test_lock_busted.c - it lets everybody in, and says so in its table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lock/lock_kinds.h"

static void two_are_inside_at_once(void **state)
{
	struct lock lock;
	struct lock_turn turns[2];

	(void)state;
	assert_int_equal(lock_init(&lock, &lock_busted, false), 0);
	assert_false(lock_enter(&lock, &turns[0]));
	assert_false(lock_enter(&lock, &turns[1]));
	lock_leave(&lock, &turns[1]);
	lock_leave(&lock, &turns[0]);
	lock_fini(&lock);
}

static void its_table_says_that_it_is_busted(void **state)
{
	(void)state;
	assert_true(lock_busted.busted);
	assert_false(lock_busted.fair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_are_inside_at_once),
		cmocka_unit_test(its_table_says_that_it_is_busted),
	};

	return cmocka_run_group_tests_name("lock_busted", tests, NULL, NULL);
}
