/* SPDX-License-Identifier: MIT */
/* test_frame_word.c - every change of the word, from every word there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backing/frame_word.h"

enum { WORDS = 7 };

/* Each state; those with an order, with two of them. */
static const struct {
	enum frame_state state;
	unsigned order;
} words[WORDS] = {
	{ FRAME_FREE, 0 },   { FRAME_HEAD, 0 },  { FRAME_HEAD, 10 },
	{ FRAME_CACHED, 0 }, { FRAME_TAKEN, 0 }, { FRAME_BLOCK, 0 },
	{ FRAME_BLOCK, 10 },
};

enum { FREE, HEAD_0, HEAD_10, CACHED, TAKEN, BLOCK_0, BLOCK_10 };

static struct frame_word word_at(int index)
{
	return frame_word_of(words[index].state, words[index].order);
}

/* change - one of frame_word.h, with the order 10 where it asks for one. */
struct change {
	bool (*apply)(struct frame_word *word);
	unsigned from; /* bit i: words[i] is changed */
	int to;
};

static bool apply_free_to_head(struct frame_word *word)
{
	return free_to_head(word, 10);
}

static bool apply_head_to_free(struct frame_word *word)
{
	return head_to_free(word, 10);
}

static bool apply_taken_to_block(struct frame_word *word)
{
	return taken_to_block(word, 10);
}

static bool apply_block_to_taken(struct frame_word *word)
{
	return block_to_taken(word, 10);
}

static void changes_only(struct change change)
{
	for (int i = 0; i < WORDS; i++) {
		const bool is_from = (change.from >> i & 1) != 0;
		struct frame_word word = word_at(i);

		assert_int_equal(change.apply(&word), is_from);
		assert_int_equal(word.bits,
				 word_at(is_from ? change.to : i).bits);
	}
}

static void a_word_tells_its_state_and_order(void **state)
{
	(void)state;
	for (int i = 0; i < WORDS; i++) {
		const struct frame_word word = word_at(i);

		assert_int_equal(frame_word_state(word), words[i].state);
		assert_int_equal(frame_word_order(word), words[i].order);
	}
}

static void no_two_words_are_one(void **state)
{
	(void)state;
	for (int i = 0; i < WORDS; i++)
		for (int j = 0; j < WORDS; j++)
			assert_int_equal(frame_word_is(word_at(i),
						       words[j].state,
						       words[j].order),
					 i == j);
}

static void a_frame_is_free_in_a_list_or_taken(void **state)
{
	(void)state;
	for (int i = 0; i < WORDS; i++) {
		assert_int_equal(frame_word_is_free(word_at(i)), i <= HEAD_10);
		assert_int_equal(frame_word_is_taken(word_at(i)), i >= TAKEN);
	}
}

static void new_memory_is_free(void **state)
{
	const struct frame_word zero = { 0 };

	(void)state;
	assert_true(frame_word_is(zero, FRAME_FREE, 0));
}

static void free_blocks_come_and_go_by_their_order(void **state)
{
	(void)state;
	changes_only((struct change){ apply_free_to_head, 1 << FREE, HEAD_10 });
	changes_only((struct change){ apply_head_to_free, 1 << HEAD_10, FREE });
}

static void only_a_free_frame_that_begins_no_block_is_taken(void **state)
{
	(void)state;
	changes_only((struct change){ free_to_taken, 1 << FREE, TAKEN });
}

static void whatever_is_taken_can_be_given(void **state)
{
	const unsigned taken = 1 << TAKEN | 1 << BLOCK_0 | 1 << BLOCK_10;

	(void)state;
	changes_only((struct change){ taken_to_free, taken, FREE });
	changes_only((struct change){ taken_to_cached, taken, CACHED });
}

static void what_left_a_list_is_taken(void **state)
{
	(void)state;
	changes_only((struct change){ cached_to_taken, 1 << CACHED, TAKEN });
}

static void a_lent_block_ends_with_the_order_it_began_with(void **state)
{
	(void)state;
	changes_only(
		(struct change){ apply_taken_to_block, 1 << TAKEN, BLOCK_10 });
	changes_only(
		(struct change){ apply_block_to_taken, 1 << BLOCK_10, TAKEN });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_tells_its_state_and_order),
		cmocka_unit_test(no_two_words_are_one),
		cmocka_unit_test(a_frame_is_free_in_a_list_or_taken),
		cmocka_unit_test(new_memory_is_free),
		cmocka_unit_test(free_blocks_come_and_go_by_their_order),
		cmocka_unit_test(
			only_a_free_frame_that_begins_no_block_is_taken),
		cmocka_unit_test(whatever_is_taken_can_be_given),
		cmocka_unit_test(what_left_a_list_is_taken),
		cmocka_unit_test(
			a_lent_block_ends_with_the_order_it_began_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
