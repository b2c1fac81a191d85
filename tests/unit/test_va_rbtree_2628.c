/* SPDX-License-Identifier: MIT */
/*
 * test_va_rbtree_2628.c - generation 2 chooses the addresses of 2.6.28: spare
 * pages, and no hole of the very size.
 */
#include "unit/va_sequence.h"

static const struct sequence in_2628 = { .ops = &va_rbtree_2628, .pages = 64 };

static const uintptr_t top_base = (uintptr_t)0 - 16 * 4096;

static void it_leaves_a_spare_page_and_refuses_exact_fits(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "an empty tree gives vstart"),
		ALLOC(2, 3, "a spare page behind [0,2)"),
		ALLOC(2, 6, "a spare page behind [3,5)"),
		FREE(3, "lazy"),
		ALLOC(2, 9, "a lazy area still takes its addresses"),
		PURGE("hole [2,6)"),
		ALLOC(3, 12, "behind the spare page 3 are left: refused"),
		ALLOC(2, 3, "2 in 3 fit"),
		FREE(0, "lazy"),
		PURGE("hole [0,3)"),
		ALLOC(3, 16, "3 in 3 are refused at the window's start too"),
		ALLOC(1, 0, "1 in 3 fits: each search begins at the bottom"),
		ALLOC(1, 20, "[0,1) ends at 1, and 2 + 1 touches [3,5)"),
	};

	sequence_run(&in_2628, steps, COUNT_OF(steps));
}

static void it_keeps_to_alignment_and_sub_windows(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(1, 0, "packed"),
		ALLOC_ALIGNED(2, 4, 4, "behind the spare page, aligned"),
		ALLOC_WITHIN(2, 6, 11, 7, "[4,6) ends at vstart: spare page"),
		ALLOC_WITHIN(2, 10, 12, 10, "[7,9) leaves one by itself"),
		ALLOC_WITHIN(1, 10, 12, NOWHERE, "13 + 1 is over vend"),
		ALLOC_WITHIN(1, 10, 14, 13, "13 + 1 is vend exactly"),
	};

	sequence_run(&in_2628, steps, COUNT_OF(steps));
}

static void it_runs_full_and_wraps_nowhere(void **state)
{
	(void)state;
	static const struct sequence top = { .ops = &va_rbtree_2628,
					     .base = top_base,
					     .pages = 15 };
	static const struct step steps[] = {
		ALLOC(16, NOWHERE, "wraps"),
		ALLOC_FROM(1, 16, 1, NOWHERE, "vstart, aligned, wraps to 0"),
		ALLOC(7, 0, "packed"),
		ALLOC(8, NOWHERE, "8 + 8 wraps to address 0"),
		ALLOC_ALIGNED(1, 16, NOWHERE, "8, aligned, wraps to 0"),
		ALLOC(7, 8, "up to the window's end"),
		ALLOC(1, NOWHERE, "16 wraps"),
		FREE(0, "lazy"),
		ALLOC(1, NOWHERE, "lazy areas block"),
		PURGE("the caller purges and asks again"),
		ALLOC(7, 0, "7 + 0 is below 8"),
	};

	sequence_run(&top, steps, COUNT_OF(steps));
}

static void a_pair_enters_two_locks_four_times(void **state)
{
	(void)state;
	static const struct step step = ALLOC(2, 0, "");
	const struct sequence sequence = { .ops = &va_rbtree_2628, .pages = 8 };
	struct va_stats stats;
	bool purge_due = true;
	struct va va;

	sequence_begin(&sequence, &va);
	assert_true(step_run(&va, &step));
	va.ops->stats(&va, &stats);
	assert_int_equal(stats.locks_entered, 2);
	assert_int_equal(va.ops->free(&va, va.config.start, &purge_due), 0);
	va.ops->stats(&va, &stats);
	assert_int_equal(stats.locks_entered, 4);
	assert_false(purge_due);
	sequence_end(&va);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_leaves_a_spare_page_and_refuses_exact_fits),
		cmocka_unit_test(it_keeps_to_alignment_and_sub_windows),
		cmocka_unit_test(it_runs_full_and_wraps_nowhere),
		cmocka_unit_test(a_pair_enters_two_locks_four_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
