/* SPDX-License-Identifier: MIT */
/*
 * test_lock.c - the kinds by name, and what every lock counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include "base/check.h"
#include "lock/lock.h"

static void a_kind_is_found_by_its_name(void **state)
{
	(void)state;
	for (const struct lock_ops *const *kind = lock_kinds(); *kind != NULL;
	     kind++)
		assert_ptr_equal(lock_find((*kind)->name), *kind);
}

static void an_unknown_name_finds_no_kind(void **state)
{
	(void)state;
	assert_null(lock_find("no-such-kind"));
	assert_null(lock_find(""));
}

static void exactly_one_kind_is_busted(void **state)
{
	unsigned busted = 0;

	(void)state;
	for (const struct lock_ops *const *kind = lock_kinds(); *kind != NULL;
	     kind++)
		busted += (*kind)->busted;
	assert_int_equal(busted, 1);
	assert_false(lock_kinds()[0]->busted);
}

static void fair_kinds_can_yield(void **state)
{
	unsigned stubborn = 0;

	(void)state;
	for (const struct lock_ops *const *kind = lock_kinds(); *kind != NULL;
	     kind++)
		stubborn += (*kind)->fair && !(*kind)->yields;
	assert_int_equal(stubborn, 0);
}

static void exclusive_entries_are_counted_and_shared_are_not(void **state)
{
	struct lock lock;
	struct lock_turn turn;

	(void)state;
	assert_int_equal(lock_init(&lock, lock_kinds()[0], false), 0);
	lock_enter(&lock, &turn);
	lock_leave(&lock, &turn);
	lock_enter_shared(&lock, &turn);
	lock_leave_shared(&lock, &turn);
	assert_int_equal(atomic_load(&lock.entered), 1);
	assert_int_equal(atomic_load(&lock.waited), 0);
	lock_fini(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kind_is_found_by_its_name),
		cmocka_unit_test(an_unknown_name_finds_no_kind),
		cmocka_unit_test(exactly_one_kind_is_busted),
		cmocka_unit_test(fair_kinds_can_yield),
		cmocka_unit_test(
			exclusive_entries_are_counted_and_shared_are_not),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
