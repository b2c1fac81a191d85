/* SPDX-License-Identifier: MIT */
/*
 * test_lock_qspin.c - arrival order, and the transitions of the word one by
 * one, without threads; lock_suite.c has the threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lock/lock_kinds.h"
#include "lock/lock_qspin_word.h"
#include "unit/lock_order.h"

static struct lock_turn first_turn;
static struct lock_turn second_turn;

static const struct qspin_word nobody = { 0 };
static const struct qspin_word held = { QSPIN_LOCKED };
static const struct qspin_word held_pending = { QSPIN_LOCKED | QSPIN_PENDING };
static const struct qspin_word pending = { QSPIN_PENDING };

/* with_tail - a word with somebody queued. */
static struct qspin_word with_tail(struct qspin_word word,
				   const struct lock_turn *turn)
{
	qspin_set_tail(&word, turn);
	return word;
}

static void nobody_there_lets_in(void **state)
{
	struct qspin_word word = nobody;

	(void)state;
	assert_true(qspin_try_enter(&word));
	assert_int_equal(word.bits, held.bits);
}

static void anybody_there_keeps_out(void **state)
{
	struct qspin_word words[] = { held, pending,
				      with_tail(nobody, &first_turn) };

	(void)state;
	assert_false(qspin_try_enter(&words[0]));
	assert_false(qspin_try_enter(&words[1]));
	assert_false(qspin_try_enter(&words[2]));
	assert_int_equal(words[0].bits, held.bits);
}

static void the_first_waiter_becomes_pending(void **state)
{
	struct qspin_word word = held;

	(void)state;
	assert_true(qspin_set_pending(&word));
	assert_int_equal(word.bits, held_pending.bits);
}

static void a_free_word_may_become_pending_too(void **state)
{
	struct qspin_word word = nobody;

	(void)state;
	assert_true(qspin_set_pending(&word));
	assert_int_equal(word.bits, pending.bits);
}

static void nobody_becomes_pending_beside_another(void **state)
{
	struct qspin_word word = held_pending;

	(void)state;
	assert_false(qspin_set_pending(&word));
	assert_int_equal(word.bits, held_pending.bits);
}

static void nobody_becomes_pending_past_the_queue(void **state)
{
	struct qspin_word word = with_tail(held, &first_turn);

	(void)state;
	assert_false(qspin_set_pending(&word));
	assert_false(qspin_is_pending(word));
}

static void pending_gets_in_when_the_holder_leaves(void **state)
{
	struct qspin_word word = held_pending;

	(void)state;
	assert_false(qspin_take_pending(&word));
	assert_true(qspin_clear_locked(&word));
	assert_true(qspin_take_pending(&word));
	assert_int_equal(word.bits, held.bits);
}

static void pending_getting_in_leaves_the_queue_alone(void **state)
{
	struct qspin_word word = with_tail(pending, &first_turn);

	(void)state;
	assert_true(qspin_take_pending(&word));
	assert_ptr_equal(qspin_tail(word), &first_turn);
	assert_true(qspin_is_locked(word));
}

static void the_tail_is_the_turn_that_was_put_there(void **state)
{
	struct qspin_word word = held_pending;

	(void)state;
	assert_null(qspin_tail(word));
	qspin_set_tail(&word, &first_turn);
	assert_ptr_equal(qspin_tail(word), &first_turn);
	qspin_set_tail(&word, &second_turn);
	assert_ptr_equal(qspin_tail(word), &second_turn);
	assert_int_equal(word.bits & QSPIN_BUSY_MASK, held_pending.bits);
}

static void the_highest_address_fits_the_tail(void **state)
{
	const uintptr_t top = ((uintptr_t)1 << 54) - LOCK_TURN_BYTES;
	struct qspin_word word = held;

	(void)state;
	qspin_set_tail(&word, (struct lock_turn *)top);
	assert_int_equal((uintptr_t)qspin_tail(word), top);
	assert_true(qspin_is_locked(word));
}

static void the_last_in_the_queue_takes_the_word_whole(void **state)
{
	struct qspin_word word = with_tail(nobody, &first_turn);

	(void)state;
	assert_true(qspin_take_last(&word, &first_turn));
	assert_int_equal(word.bits, held.bits);
}

static void a_head_with_others_behind_keeps_the_tail(void **state)
{
	struct qspin_word word = with_tail(nobody, &second_turn);

	(void)state;
	assert_false(qspin_take_last(&word, &first_turn));
	assert_true(qspin_take_head(&word));
	assert_ptr_equal(qspin_tail(word), &second_turn);
	assert_true(qspin_is_locked(word));
}

static void the_head_waits_for_holder_and_pending(void **state)
{
	struct qspin_word after_held = with_tail(held, &first_turn);
	struct qspin_word after_pending = with_tail(pending, &first_turn);

	(void)state;
	assert_false(qspin_take_last(&after_held, &first_turn));
	assert_false(qspin_take_head(&after_held));
	assert_false(qspin_take_last(&after_pending, &first_turn));
	assert_false(qspin_take_head(&after_pending));
}

static void leave_needs_somebody_inside(void **state)
{
	struct qspin_word word = pending;

	(void)state;
	assert_false(qspin_clear_locked(&word));
	assert_int_equal(word.bits, pending.bits);
}

/* What the lock does by storing the word's first byte, or its first two. */
static void store_low_bytes(struct qspin_word *word, uint64_t value,
			    size_t bytes)
{
	memcpy(word, &value, bytes);
}

static void storing_a_byte_is_leave(void **state)
{
	struct qspin_word pure = with_tail(held_pending, &first_turn);
	struct qspin_word stored = pure;

	(void)state;
	assert_true(qspin_clear_locked(&pure));
	store_low_bytes(&stored, 0, 1);
	assert_int_equal(stored.bits, pure.bits);
}

static void storing_a_byte_is_the_heads_entry(void **state)
{
	struct qspin_word pure = with_tail(nobody, &second_turn);
	struct qspin_word stored = pure;

	(void)state;
	assert_true(qspin_take_head(&pure));
	store_low_bytes(&stored, QSPIN_LOCKED, 1);
	assert_int_equal(stored.bits, pure.bits);
}

static void storing_two_bytes_is_pendings_entry(void **state)
{
	struct qspin_word pure = with_tail(pending, &first_turn);
	struct qspin_word stored = pure;

	(void)state;
	assert_true(qspin_take_pending(&pure));
	store_low_bytes(&stored, QSPIN_LOCKED, 2);
	assert_int_equal(stored.bits, pure.bits);
}

static void threads_enter_in_order_of_arrival(void **state)
{
	(void)state;
	assert_true(lock_order_is_kept(&lock_qspin, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_enter_in_order_of_arrival),
		cmocka_unit_test(nobody_there_lets_in),
		cmocka_unit_test(anybody_there_keeps_out),
		cmocka_unit_test(the_first_waiter_becomes_pending),
		cmocka_unit_test(a_free_word_may_become_pending_too),
		cmocka_unit_test(nobody_becomes_pending_beside_another),
		cmocka_unit_test(nobody_becomes_pending_past_the_queue),
		cmocka_unit_test(pending_gets_in_when_the_holder_leaves),
		cmocka_unit_test(pending_getting_in_leaves_the_queue_alone),
		cmocka_unit_test(the_tail_is_the_turn_that_was_put_there),
		cmocka_unit_test(the_highest_address_fits_the_tail),
		cmocka_unit_test(the_last_in_the_queue_takes_the_word_whole),
		cmocka_unit_test(a_head_with_others_behind_keeps_the_tail),
		cmocka_unit_test(the_head_waits_for_holder_and_pending),
		cmocka_unit_test(leave_needs_somebody_inside),
		cmocka_unit_test(storing_a_byte_is_leave),
		cmocka_unit_test(storing_a_byte_is_the_heads_entry),
		cmocka_unit_test(storing_two_bytes_is_pendings_entry),
	};

	return cmocka_run_group_tests_name("lock_qspin", tests, NULL, NULL);
}
