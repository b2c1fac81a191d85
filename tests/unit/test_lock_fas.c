/* SPDX-License-Identifier: MIT */
/*
 * test_lock_fas.c - one word: taken while somebody is inside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ck_spinlock.h>

#include "lock/lock_kinds.h"

static void the_word_is_taken_exactly_while_inside(void **state)
{
	struct lock lock;
	struct lock_turn turn;
	ck_spinlock_fas_t *const word = (ck_spinlock_fas_t *)(void *)lock.state;

	(void)state;
	assert_int_equal(lock_init(&lock, &lock_fas, false), 0);
	assert_false(ck_spinlock_fas_locked(word));
	lock_enter(&lock, &turn);
	assert_true(ck_spinlock_fas_locked(word));
	lock_leave(&lock, &turn);
	assert_false(ck_spinlock_fas_locked(word));
	lock_fini(&lock);
}

static void it_does_not_claim_to_be_fair(void **state)
{
	(void)state;
	assert_false(lock_fas.fair);
	assert_true(lock_fas.yields);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_word_is_taken_exactly_while_inside),
		cmocka_unit_test(it_does_not_claim_to_be_fair),
	};

	return cmocka_run_group_tests_name("lock_fas", tests, NULL, NULL);
}
