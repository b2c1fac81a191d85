/* SPDX-License-Identifier: MIT */
/*
 * test_memory_model.c - the litmus tests: what C11 allows can be seen, what it
 * forbids cannot.
 *
 * Each case ends by a claim.  Where the orders are strong enough, every
 * schedule keeps it; one step weaker, and a schedule is found that does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule/model_check.h"
#include "schedule/search.h"

static const char broken[] = "does not hold";

static _Atomic(unsigned) x;
static _Atomic(unsigned) y;
static unsigned plain;
static unsigned seen[4];

static const struct model_plan everything = {
	.preemptions = SEARCH_ALL,
	.ages = SEARCH_ALL,
};

static void begin(void)
{
	atomic_init(&x, 0);
	atomic_init(&y, 0);
	plain = 0;
	for (unsigned i = 0; i < 4; i++)
		seen[i] = 0;
}

static void expect(void (*run)(unsigned thread), void (*end)(void),
		   unsigned threads, const char *failure)
{
	const struct schedule_case subject = {
		.name = "litmus",
		.threads = threads,
		.begin = begin,
		.run = run,
		.end = end,
	};

	if (failure == NULL)
		model_check(&subject, &everything);
	else
		model_find(&subject, &everything, failure);
}

/* Message passing: data, then a flag. */
static void message_relaxed(unsigned thread)
{
	if (thread == 0) {
		store_relaxed(&x, 1);
		store_relaxed(&y, 1);
	} else {
		seen[0] = load_relaxed(&y);
		seen[1] = load_relaxed(&x);
	}
}

static void message_ordered(unsigned thread)
{
	if (thread == 0) {
		store_relaxed(&x, 1);
		store_release(&y, 1);
	} else {
		seen[0] = load_acquire(&y);
		seen[1] = load_relaxed(&x);
	}
}

static void message_fenced(unsigned thread)
{
	if (thread == 0) {
		store_relaxed(&x, 1);
		atomic_thread_fence(ORDER_RELEASE);
		store_relaxed(&y, 1);
	} else {
		seen[0] = load_relaxed(&y);
		atomic_thread_fence(ORDER_ACQUIRE);
		seen[1] = load_relaxed(&x);
	}
}

static void the_data_came_with_the_flag(void)
{
	schedule_require(seen[0] == 0 || seen[1] == 1);
}

static void a_flag_without_orders_brings_no_data(void **state)
{
	(void)state;
	expect(message_relaxed, the_data_came_with_the_flag, 2, broken);
}

static void release_and_acquire_bring_the_data(void **state)
{
	(void)state;
	expect(message_ordered, the_data_came_with_the_flag, 2, NULL);
}

static void fences_bring_the_data(void **state)
{
	(void)state;
	expect(message_fenced, the_data_came_with_the_flag, 2, NULL);
}

/* Store buffers: each says that it is there and looks for the other. */
static void buffer_weak(unsigned thread)
{
	if (thread == 0) {
		(void)swap_acq_rel(&x, 1);
		seen[0] = load_acquire(&y);
	} else {
		(void)swap_acq_rel(&y, 1);
		seen[1] = load_acquire(&x);
	}
}

static void buffer_seq_cst(unsigned thread)
{
	if (thread == 0) {
		(void)add_seq_cst(&x, 1);
		seen[0] = load_seq_cst(&y);
	} else {
		(void)add_seq_cst(&y, 1);
		seen[1] = load_seq_cst(&x);
	}
}

static void buffer_fenced(unsigned thread)
{
	if (thread == 0) {
		store_relaxed(&x, 1);
		atomic_thread_fence(ORDER_SEQ_CST);
		seen[0] = load_relaxed(&y);
	} else {
		store_relaxed(&y, 1);
		atomic_thread_fence(ORDER_SEQ_CST);
		seen[1] = load_relaxed(&x);
	}
}

static void one_saw_the_other(void)
{
	schedule_require(seen[0] == 1 || seen[1] == 1);
}

static void acquire_and_release_may_miss_each_other(void **state)
{
	(void)state;
	expect(buffer_weak, one_saw_the_other, 2, broken);
}

static void seq_cst_accesses_do_not_miss_each_other(void **state)
{
	(void)state;
	expect(buffer_seq_cst, one_saw_the_other, 2, NULL);
}

static void seq_cst_fences_do_not_miss_each_other(void **state)
{
	(void)state;
	expect(buffer_fenced, one_saw_the_other, 2, NULL);
}

/* Two writers of two words, two readers who look in either order. */
static void readers_weak(unsigned thread)
{
	if (thread == 0)
		store_release(&x, 1);
	else if (thread == 1)
		store_release(&y, 1);
	else if (thread == 2) {
		seen[0] = load_acquire(&x);
		seen[1] = load_acquire(&y);
	} else {
		seen[2] = load_acquire(&y);
		seen[3] = load_acquire(&x);
	}
}

static void readers_seq_cst(unsigned thread)
{
	if (thread == 0)
		(void)add_seq_cst(&x, 1);
	else if (thread == 1)
		(void)add_seq_cst(&y, 1);
	else if (thread == 2) {
		seen[0] = load_seq_cst(&x);
		seen[1] = load_seq_cst(&y);
	} else {
		seen[2] = load_seq_cst(&y);
		seen[3] = load_seq_cst(&x);
	}
}

static void the_readers_agree(void)
{
	schedule_require(seen[0] == 0 || seen[1] == 1 || seen[2] == 0 ||
			 seen[3] == 1);
}

static void readers_may_see_two_writes_in_either_order(void **state)
{
	(void)state;
	expect(readers_weak, the_readers_agree, 4, broken);
}

static void seq_cst_readers_see_one_order(void **state)
{
	(void)state;
	expect(readers_seq_cst, the_readers_agree, 4, NULL);
}

/* One word: what was seen once is not unseen. */
static void read_twice(unsigned thread)
{
	if (thread == 0) {
		store_relaxed(&x, 1);
		store_relaxed(&x, 2);
	} else {
		seen[0] = load_relaxed(&x);
		seen[1] = load_relaxed(&x);
	}
}

static void reads_went_forward(void)
{
	schedule_require(seen[0] <= seen[1]);
}

static void something_old_was_seen(void)
{
	schedule_require(seen[0] <= 1 || seen[1] != 2);
}

static void a_word_is_not_read_backwards(void **state)
{
	(void)state;
	expect(read_twice, reads_went_forward, 2, NULL);
	expect(read_twice, something_old_was_seen, 2, broken);
}

/* Two words, stored to in opposite orders. */
static void store_crosswise(unsigned thread)
{
	store_release(thread == 0 ? &x : &y, 1);
	store_release(thread == 0 ? &y : &x, 2);
}

static void change_crosswise(unsigned thread)
{
	(void)swap_relaxed(thread == 0 ? &x : &y, 1);
	(void)swap_relaxed(thread == 0 ? &y : &x, 2);
}

static void a_second_store_is_last(void)
{
	schedule_require(load_relaxed(&x) == 2 || load_relaxed(&y) == 2);
}

static void stores_that_nothing_orders_take_either_order(void **state)
{
	(void)state;
	expect(store_crosswise, a_second_store_is_last, 2, broken);
	expect(change_crosswise, a_second_store_is_last, 2, NULL);
}

/* One thread's stores to a word, beside another's. */
static void store_twice(unsigned thread)
{
	if (thread == 0) {
		store_relaxed(&x, 1);
		store_relaxed(&x, 2);
	} else {
		store_relaxed(&x, 3);
		seen[0] = load_relaxed(&x);
		seen[1] = load_relaxed(&x);
	}
}

static void stores_went_forward(void)
{
	schedule_require(load_relaxed(&x) != 1);
	schedule_require(seen[0] != 0);
	schedule_require(seen[0] != 2 || seen[1] != 1);
	schedule_require(seen[0] != 1 || seen[1] != 3);
}

static void a_word_is_not_stored_backwards(void **state)
{
	(void)state;
	expect(store_twice, stores_went_forward, 2, NULL);
}

/* A store beside an addition: before it or after it, but not under it. */
static void store_and_add(unsigned thread)
{
	if (thread == 0)
		store_relaxed(&x, 5);
	else
		(void)add_relaxed(&x, 2);
}

static void the_store_is_not_lost(void)
{
	schedule_require(load_relaxed(&x) >= 5);
}

static void nothing_comes_between_a_change_and_what_it_read(void **state)
{
	(void)state;
	expect(store_and_add, the_store_is_not_lost, 2, NULL);
}

/* What another thread adds to the flag does not cut it off from its data. */
static void add_to_the_flag(unsigned thread)
{
	if (thread == 0) {
		store_relaxed(&x, 1);
		store_release(&y, 1);
	} else if (thread == 1) {
		(void)add_relaxed(&y, 2);
	} else {
		seen[0] = load_acquire(&y);
		seen[1] = load_relaxed(&x);
	}
}

/* What it stores there does. */
static void store_over_the_flag(unsigned thread)
{
	if (thread == 1)
		store_relaxed(&y, load_relaxed(&y) | 2);
	else
		add_to_the_flag(thread);
}

static void a_set_flag_came_with_data(void)
{
	schedule_require((seen[0] & 1) == 0 || seen[1] == 1);
}

static void a_release_sequence_goes_through_additions(void **state)
{
	(void)state;
	expect(add_to_the_flag, a_set_flag_came_with_data, 3, NULL);
	expect(store_over_the_flag, a_set_flag_came_with_data, 3, broken);
}

/* Plain data behind a flag. */
static void write_plain(void)
{
	schedule_write(&plain);
	plain = 1;
}

static void plain_ordered(unsigned thread)
{
	if (thread == 0) {
		write_plain();
		store_release(&y, 1);
	} else if (load_acquire(&y) == 1) {
		schedule_read(&plain);
	}
}

static void plain_unordered(unsigned thread)
{
	if (thread == 0) {
		write_plain();
		store_relaxed(&y, 1);
	} else if (load_acquire(&y) == 1) {
		schedule_read(&plain);
	}
}

/* After the flag: what follows a release is not released. */
static void plain_too_late(unsigned thread)
{
	if (thread == 0) {
		store_release(&y, 1);
		write_plain();
	} else if (load_acquire(&y) == 1) {
		schedule_read(&plain);
	}
}

/* The reader comes first, and tells nobody. */
static void plain_read_first(unsigned thread)
{
	if (thread == 0) {
		schedule_read(&plain);
		store_relaxed(&y, 1);
	} else if (load_acquire(&y) == 1) {
		write_plain();
	}
}

static void plain_data_behind_a_release_is_no_race(void **state)
{
	(void)state;
	expect(plain_ordered, NULL, 2, NULL);
}

static void plain_data_without_one_is(void **state)
{
	(void)state;
	expect(plain_unordered, NULL, 2, "a plain read races");
	expect(plain_too_late, NULL, 2, "a plain read races");
	expect(plain_read_first, NULL, 2, "a plain write races");
}

/* A word that is also stored by its first byte, as a queued spinlock's is. */
static union {
	_Atomic(uint32_t) word;
	_Atomic(uint8_t) byte;
} both;

static void begin_both(void)
{
	begin();
	atomic_init(&both.word, 0x101);
}

static void store_byte_and_word(unsigned thread)
{
	if (thread == 0)
		store_release(&both.byte, 0);
	else if (thread == 1)
		store_relaxed(&both.word, 0x201);
	else
		seen[0] = load_relaxed(&both.word);
}

static void each_byte_is_one_that_was_stored(void)
{
	const uint32_t word = load_relaxed(&both.word);

	schedule_require((word | 1) == 0x201);
	schedule_require((seen[0] | 1) == 0x101 || (seen[0] | 1) == 0x201);
}

static void a_byte_of_a_word_is_stored_alone(void **state)
{
	static const struct schedule_case subject = {
		.name = "a word and its first byte",
		.threads = 3,
		.begin = begin_both,
		.run = store_byte_and_word,
		.end = each_byte_is_one_that_was_stored,
	};

	(void)state;
	model_check(&subject, &everything);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flag_without_orders_brings_no_data),
		cmocka_unit_test(release_and_acquire_bring_the_data),
		cmocka_unit_test(fences_bring_the_data),
		cmocka_unit_test(acquire_and_release_may_miss_each_other),
		cmocka_unit_test(seq_cst_accesses_do_not_miss_each_other),
		cmocka_unit_test(seq_cst_fences_do_not_miss_each_other),
		cmocka_unit_test(readers_may_see_two_writes_in_either_order),
		cmocka_unit_test(seq_cst_readers_see_one_order),
		cmocka_unit_test(a_word_is_not_read_backwards),
		cmocka_unit_test(stores_that_nothing_orders_take_either_order),
		cmocka_unit_test(a_word_is_not_stored_backwards),
		cmocka_unit_test(
			nothing_comes_between_a_change_and_what_it_read),
		cmocka_unit_test(a_release_sequence_goes_through_additions),
		cmocka_unit_test(plain_data_behind_a_release_is_no_race),
		cmocka_unit_test(plain_data_without_one_is),
		cmocka_unit_test(a_byte_of_a_word_is_stored_alone),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("memory_model", tests, NULL, NULL);
}
