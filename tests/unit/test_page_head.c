/* SPDX-License-Identifier: MIT */
/*
 * test_page_head.c - the state word by itself: every change from every state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/page.h"
#include "va/page_head.h"

enum { GENERATION_MAX = (1 << PAGE_GENERATION_BITS) - 1 };

static struct page_head head_of(enum page_state state, uint64_t generation,
				uint64_t pages)
{
	return (struct page_head){ pages << PAGE_LENGTH_SHIFT |
				   generation << PAGE_STATE_BITS | state };
}

static uint64_t generation_of(struct page_head head)
{
	return (head.bits & PAGE_GENERATION_MASK) >> PAGE_STATE_BITS;
}

static bool seven_pages(struct page_head *head)
{
	return none_to_idle(head, 7);
}

/* live_again - of the length that it has. */
static bool live_again(struct page_head *head)
{
	return idle_to_live(head, page_head_pages(*head));
}

static const struct change {
	bool (*make)(struct page_head *head);
	enum page_state from;
	enum page_state to;
	long pages; /* afterwards; -1: as before */
	bool ages;  /* a new generation */
} changes[] = {
	{ seven_pages, PAGE_NONE, PAGE_IDLE, 7, false },
	{ idle_to_none, PAGE_IDLE, PAGE_NONE, 0, false },
	{ live_again, PAGE_IDLE, PAGE_LIVE, -1, true },
	{ live_to_idle, PAGE_LIVE, PAGE_IDLE, -1, false },
	{ idle_to_lazy, PAGE_IDLE, PAGE_LAZY, -1, false },
	{ lazy_to_none, PAGE_LAZY, PAGE_NONE, 0, false },
};

enum { CHANGES = sizeof(changes) / sizeof(changes[0]) };

static void change_check(const struct change *change, struct page_head before)
{
	struct page_head head = before;
	const uint64_t generation = generation_of(before);
	const uint64_t next = generation == GENERATION_MAX ? 0 : generation + 1;

	if (page_head_state(before) != change->from) {
		assert_false(change->make(&head));
		assert_int_equal(head.bits, before.bits);
		return;
	}
	assert_true(change->make(&head));
	assert_int_equal(page_head_state(head), change->to);
	assert_int_equal(generation_of(head), change->ages ? next : generation);
	assert_int_equal(page_head_pages(head),
			 change->pages >= 0 ? (uint64_t)change->pages
					    : page_head_pages(before));
}

static void each_change_is_made_from_its_state_and_no_other(void **state)
{
	static const uint64_t generations[] = { 0, 1, GENERATION_MAX - 1,
						GENERATION_MAX };
	static const uint64_t lengths[] = { 1, 5, UINT32_MAX,
					    (uint64_t)1 << 32 };

	(void)state;
	for (size_t i = 0; i < CHANGES * 4 * 4 * 4; i++) {
		const enum page_state from = (enum page_state)(i % 4);
		const uint64_t pages =
			from == PAGE_NONE ? 0 : lengths[i / 4 % 4];

		change_check(&changes[i / 64],
			     head_of(from, generations[i / 16 % 4], pages));
	}
}

static void an_area_may_be_as_long_as_the_largest_window(void **state)
{
	const uint64_t all = 16 * TIB >> PAGE_SHIFT;
	struct page_head head = { 0 };

	(void)state;
	assert_true(none_to_idle(&head, all));
	assert_true(idle_to_live(&head, all));
	assert_int_equal(page_head_pages(head), all);
	assert_true(page_head_is(head, PAGE_LIVE));
	assert_true(page_head_covers(head, 0, all - 1));
	assert_false(page_head_covers(head, 0, all));
}

static void an_area_of_another_length_is_not_made_live(void **state)
{
	struct page_head head = { 0 };

	(void)state;
	assert_true(none_to_idle(&head, 8));

	const struct page_head idle = head;

	assert_false(idle_to_live(&head, 7));
	assert_false(idle_to_live(&head, 9));
	assert_false(idle_to_live(&head, 0));
	assert_int_equal(head.bits, idle.bits);
	assert_true(idle_to_live(&head, 8));
}

static void a_head_covers_its_pages_and_no_others(void **state)
{
	const struct page_head head = head_of(PAGE_LIVE, 9, 3);

	(void)state;
	assert_false(page_head_covers(head, 10, 9));
	assert_true(page_head_covers(head, 10, 10));
	assert_true(page_head_covers(head, 10, 12));
	assert_false(page_head_covers(head, 10, 13));
	assert_false(page_head_covers((struct page_head){ 0 }, 10, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_change_is_made_from_its_state_and_no_other),
		cmocka_unit_test(an_area_may_be_as_long_as_the_largest_window),
		cmocka_unit_test(an_area_of_another_length_is_not_made_live),
		cmocka_unit_test(a_head_covers_its_pages_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
