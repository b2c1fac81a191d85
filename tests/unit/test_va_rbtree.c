/* SPDX-License-Identifier: MIT */
/*
 * test_va_rbtree.c - generation 2 chooses the addresses of 4.19: the hole cache
 * and what drops it.
 */
#include "unit/va_sequence.h"

static const struct sequence in_419 = { .ops = &va_rbtree, .pages = 64 };

static void a_freed_range_is_not_used_before_the_purge(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "an empty tree gives vstart"),
		ALLOC(3, 2, "behind the cache"),
		ALLOC(2, 5, "behind the cache"),
		FREE(2, "lazy: stays in the tree"),
		ALLOC(3, 7, "a lazy area still takes its addresses"),
		PURGE("erases [2,5); the cache moves before it, to [0,2)"),
		ALLOC(3, 2, "3 pages in a hole of 3 fit in 4.19"),
		ALLOC(1, 10, "from the cache, which is [2,5) now"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void a_smaller_request_than_a_passed_hole_drops_the_cache(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "packed"),
		ALLOC(2, 2, "packed"),
		ALLOC(2, 4, "packed"),
		ALLOC(2, 6, "packed"),
		FREE(2, "lazy"),
		PURGE("hole [2,4); the cache is [0,2)"),
		ALLOC(3, 8, "passes the hole: cached_hole_size is 2"),
		ALLOC(3, 11, "not smaller than 2: from the cache"),
		ALLOC(2, 14,
		      "2 is not smaller than 2 either: the hole that "
		      "would fit exactly is not looked for"),
		ALLOC(1, 2, "1 is smaller than 2: from the bottom"),
		ALLOC(1, 3, "from the cache [2,3), which passed no hole"),
		ALLOC(2, 16, "from the cache over all that is packed"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void a_dropped_cache_forgets_the_holes_it_passed(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "packed"),
		ALLOC(2, 2, "packed"),
		ALLOC(2, 4, "packed"),
		ALLOC(5, 6, "packed"),
		ALLOC(2, 11, "packed"),
		FREE(2, "lazy"),
		FREE(6, "lazy"),
		PURGE("holes [2,4) and [6,11)"),
		ALLOC(6, 13, "passes both: cached_hole_size is 5"),
		ALLOC(4, 6, "smaller than 5: from the bottom, past [2,4)"),
		ALLOC(2, 19, "cached_hole_size is 2 now: from the cache"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void a_cache_left_behind_forgets_the_holes_it_passed(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "packed"),
		ALLOC(2, 2, "packed"),
		ALLOC(2, 4, "packed"),
		ALLOC_WITHIN(1, 30, 64, 30, "packed"),
		ALLOC_WITHIN(1, 30, 64, 31, "packed"),
		ALLOC_WITHIN(1, 30, 64, 32, "packed"),
		FREE(2, "lazy"),
		FREE(31, "lazy"),
		PURGE("holes [2,4) and [31,32)"),
		ALLOC(3, 6, "passes [2,4): cached_hole_size is 2"),
		ALLOC_WITHIN(2, 30, 64, 33,
			     "9 is below vstart: forgets it, "
			     "and passes [31,32)"),
		ALLOC_WITHIN(1, 30, 64, 35,
			     "cached_hole_size is 1: 1 is not "
			     "smaller, from the cache"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void an_area_erased_above_the_cache_leaves_it(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "packed"),
		ALLOC(2, 2, "packed"),
		ALLOC(2, 4, "packed"),
		ALLOC(2, 6, "packed"),
		FREE(2, "lazy"),
		PURGE("the cache is [0,2)"),
		FREE(6, "lazy"),
		PURGE("above the cache, which stays"),
		ALLOC(2, 2, "from [0,2), not from [4,6)"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void a_lower_vstart_drops_the_cache(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC_WITHIN(2, 10, 64, 10, "nothing below vstart"),
		ALLOC(2, 0, "0 is below cached_vstart: from the bottom"),
		ALLOC(2, 2, "the same vstart: from the cache"),
		ALLOC(7, 12, "4 + 7 meets [10,12): behind it"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void a_cache_below_vstart_is_dropped(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "the cache is [0,2)"),
		ALLOC_WITHIN(2, 8, 64, 8, "2, its end, is below vstart"),
		ALLOC_WITHIN(2, 8, 64, 10, "from the cache [8,10)"),
		ALLOC_WITHIN(2, 9, 64, 12, "a higher vstart keeps it"),
		ALLOC_WITHIN(2, 13, 64, 14, "12 + 2 is not below 13"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void a_smaller_alignment_drops_the_cache(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC_ALIGNED(1, 8, 0, "aligned start"),
		ALLOC_ALIGNED(1, 8, 8,
			      "1, aligned, is 8; that is no hole "
			      "that cached_hole_size counts"),
		ALLOC(1, 1, "less aligned than 8: from the bottom"),
		ALLOC(1, 2, "from the cache"),
		ALLOC_ALIGNED(1, 4, 4, "more aligned: from the cache, 3 is 4"),
		ALLOC_ALIGNED(1, 4, 12, "5 is 8, taken; 9 is 12"),
		ALLOC(1, 3, "less aligned than 4: from the bottom"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void an_erased_area_moves_the_cache_to_the_one_before(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "packed"),
		ALLOC(2, 2, "packed"),
		ALLOC(2, 4, "packed"),
		ALLOC(2, 6, "packed; the cache"),
		FREE(4, "lazy"),
		FREE(2, "lazy"),
		PURGE("the cache is [0,2), before the lower of them"),
		ALLOC(1, 2, "from there"),
		FREE(6, "lazy, above the cache"),
		PURGE("the cache [2,3) stays"),
		ALLOC(9, 3, "all that is free behind it"),
		FREE(0, "lazy"),
		PURGE("there is no area before: no cache"),
		ALLOC(1, 0, "from the bottom"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void an_area_erased_below_vstart_drops_the_cache(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "below what follows"),
		ALLOC_WITHIN(2, 8, 64, 8, "packed"),
		ALLOC_WITHIN(2, 8, 64, 10, "packed"),
		ALLOC_WITHIN(2, 8, 64, 12, "packed"),
		FREE(8, "lazy"),
		PURGE("the cache is [0,2)"),
		ALLOC_WITHIN(3, 8, 64, 14, "passes the hole [8,10)"),
		ALLOC_WITHIN(2, 8, 64, 17, "the hole is hidden by the cache"),
		FREE(0, "lazy, ends below cached_vstart"),
		PURGE("no cache"),
		ALLOC_WITHIN(2, 8, 64, 8, "the hole is seen again"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static void a_full_window_has_room_after_a_free_and_a_purge(void **state)
{
	(void)state;
	static const struct sequence small = { .ops = &va_rbtree, .pages = 8 };
	static const struct step steps[] = {
		ALLOC(9, NOWHERE, "larger than the window"),
		ALLOC(4, 0, "lower half"),
		ALLOC(4, 4, "upper half"),
		ALLOC(1, NOWHERE, "full"),
		FREE(0, "lazy"),
		ALLOC(1, NOWHERE, "lazy areas block: the caller purges"),
		PURGE("and asks again"),
		ALLOC(1, 0, "room"),
		ALLOC(3, 1, "exactly up to the upper half"),
		ALLOC(1, NOWHERE, "full"),
	};

	sequence_run(&small, steps, COUNT_OF(steps));
}

static void a_sub_window_ends_at_vend(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC_WITHIN(3, 8, 12, 8, "fits"),
		ALLOC_WITHIN(2, 8, 12, NOWHERE, "11 + 2 is over vend"),
		ALLOC_WITHIN(1, 8, 12, 11, "11 + 1 is vend exactly"),
		ALLOC_WITHIN(1, 8, 12, NOWHERE, "full"),
		ALLOC(8, 0, "a hole of the very size below"),
	};

	sequence_run(&in_419, steps, COUNT_OF(steps));
}

static const uintptr_t top_base = (uintptr_t)0 - 16 * 4096;

static void sums_that_wrap_around_the_top_do_not_fit(void **state)
{
	(void)state;
	static const struct sequence top = { .ops = &va_rbtree,
					     .base = top_base,
					     .pages = 15 };
	static const struct step steps[] = {
		ALLOC_FROM(1, 16, 1, NOWHERE, "vstart, aligned, wraps to 0"),
		ALLOC(8, 0, "packed"),
		ALLOC(8, NOWHERE, "8 + 8 wraps to address 0"),
		ALLOC(4, 8, "packed"),
		ALLOC_ALIGNED(1, 16, NOWHERE, "12, aligned, wraps to 0"),
		ALLOC(3, 12, "up to the end"),
	};

	sequence_run(&top, steps, COUNT_OF(steps));
}

static void a_pair_enters_its_lock_four_times(void **state)
{
	(void)state;
	static const struct step step = ALLOC(2, 0, "");
	const struct sequence sequence = { .ops = &va_rbtree, .pages = 8 };
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
		cmocka_unit_test(a_freed_range_is_not_used_before_the_purge),
		cmocka_unit_test(
			a_smaller_request_than_a_passed_hole_drops_the_cache),
		cmocka_unit_test(a_dropped_cache_forgets_the_holes_it_passed),
		cmocka_unit_test(
			a_cache_left_behind_forgets_the_holes_it_passed),
		cmocka_unit_test(an_area_erased_above_the_cache_leaves_it),
		cmocka_unit_test(a_lower_vstart_drops_the_cache),
		cmocka_unit_test(a_cache_below_vstart_is_dropped),
		cmocka_unit_test(a_smaller_alignment_drops_the_cache),
		cmocka_unit_test(
			an_erased_area_moves_the_cache_to_the_one_before),
		cmocka_unit_test(an_area_erased_below_vstart_drops_the_cache),
		cmocka_unit_test(
			a_full_window_has_room_after_a_free_and_a_purge),
		cmocka_unit_test(a_sub_window_ends_at_vend),
		cmocka_unit_test(sums_that_wrap_around_the_top_do_not_fit),
		cmocka_unit_test(a_pair_enters_its_lock_four_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
