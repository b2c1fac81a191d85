/* SPDX-License-Identifier: MIT */
/*
 * test_lock_pthread.c - the locks inside are libc's, held while inside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include "lock/lock_kinds.h"

static void the_mutex_is_held_exactly_while_inside(void **state)
{
	struct lock lock;
	struct lock_turn turn;
	pthread_mutex_t *const mutex = (pthread_mutex_t *)(void *)lock.state;

	(void)state;
	assert_int_equal(lock_init(&lock, &lock_pthread_mutex, false), 0);
	lock_enter(&lock, &turn);
	assert_int_equal(pthread_mutex_trylock(mutex), EBUSY);
	lock_leave(&lock, &turn);
	assert_int_equal(pthread_mutex_trylock(mutex), 0);
	assert_int_equal(pthread_mutex_unlock(mutex), 0);
	lock_fini(&lock);
}

static void the_spinlock_is_held_exactly_while_inside(void **state)
{
	struct lock lock;
	struct lock_turn turn;
	pthread_spinlock_t *const spin =
		(pthread_spinlock_t *)(void *)lock.state;

	(void)state;
	assert_int_equal(lock_init(&lock, &lock_pthread_spin, false), 0);
	lock_enter(&lock, &turn);
	assert_int_equal(pthread_spin_trylock(spin), EBUSY);
	lock_leave(&lock, &turn);
	assert_int_equal(pthread_spin_trylock(spin), 0);
	assert_int_equal(pthread_spin_unlock(spin), 0);
	lock_fini(&lock);
}

static void readers_share_the_rwlock_and_keep_writers_out(void **state)
{
	struct lock lock;
	struct lock_turn turns[2];
	pthread_rwlock_t *const rwlock = (pthread_rwlock_t *)(void *)lock.state;

	(void)state;
	assert_int_equal(lock_init(&lock, &lock_pthread_rwlock, false), 0);
	assert_false(lock_enter_shared(&lock, &turns[0]));
	assert_false(lock_enter_shared(&lock, &turns[1]));
	assert_int_equal(pthread_rwlock_trywrlock(rwlock), EBUSY);
	lock_leave_shared(&lock, &turns[0]);
	lock_leave_shared(&lock, &turns[1]);
	assert_false(lock_enter(&lock, &turns[0]));
	assert_int_equal(pthread_rwlock_tryrdlock(rwlock), EBUSY);
	lock_leave(&lock, &turns[0]);
	lock_fini(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mutex_is_held_exactly_while_inside),
		cmocka_unit_test(the_spinlock_is_held_exactly_while_inside),
		cmocka_unit_test(readers_share_the_rwlock_and_keep_writers_out),
	};

	return cmocka_run_group_tests_name("lock_pthread", tests, NULL, NULL);
}
