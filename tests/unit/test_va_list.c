/* SPDX-License-Identifier: MIT */
/*
 * test_va_list.c - generation 1 chooses the addresses of 2.4.0 and 2.6.24, and
 * works under its locks as they did.
 */
#include "unit/va_sequence.h"

static const struct sequence in_24 = { .ops = &va_list_24, .pages = 10 };
static const struct sequence in_2624 = { .ops = &va_list_2624, .pages = 10 };

static void a_hole_of_the_very_size_is_passed_by_in_2_4_0(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "an empty list gives the window's start"),
		ALLOC(3, 2, "areas are packed from below"),
		ALLOC(2, 5, "areas are packed from below"),
		FREE(2, "leaves a hole of 3 between areas"),
		ALLOC(3, 7,
		      "3 pages in a hole of 3 are refused; at the "
		      "window's end they fit exactly"),
		FREE(7, "free again at once"),
		ALLOC(2, 2, "2 pages in a hole of 3 fit"),
		ALLOC(1, 7, "1 page in a hole of 1 is refused"),
		FREE(0, "leaves a hole of 2 at the window's start"),
		ALLOC(2, 8, "and that is no different"),
		ALLOC(1, 0, "1 page in a hole of 2 fits"),
	};

	sequence_run(&in_24, steps, COUNT_OF(steps));
}

static void a_hole_of_the_very_size_is_used_in_2_6_24(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(2, 0, "an empty list gives the window's start"),
		ALLOC(3, 2, "areas are packed from below"),
		ALLOC(2, 5, "areas are packed from below"),
		FREE(2, "leaves a hole of 3 between areas"),
		ALLOC(3, 2, "3 pages in a hole of 3 fit"),
		FREE(0, "leaves a hole of 2 at the window's start"),
		ALLOC(3, 7, "too large for it; fits at the window's end"),
		ALLOC(2, 0, "2 pages in a hole of 2 fit"),
		ALLOC(1, NOWHERE, "the window is full"),
	};

	sequence_run(&in_2624, steps, COUNT_OF(steps));
}

static void the_windows_end_holds_and_a_free_helps_at_once(void **state)
{
	(void)state;
	static const struct step steps[] = {
		ALLOC(11, NOWHERE, "an empty list keeps to VMALLOC_END too"),
		ALLOC(10, 0, "the whole window"),
		ALLOC(1, NOWHERE, "full"),
		FREE(0, "empty"),
		ALLOC(5, 0, "lower half"),
		ALLOC(5, 5, "upper half, up to the window's end"),
		ALLOC(1, NOWHERE, "full"),
		FREE(0, "leaves a hole of 5 below the upper half"),
		ALLOC(5, NOWHERE, "2.4.0 refuses it, and there is no other"),
		ALLOC(4, 0, "less than all of it fits"),
	};

	sequence_run(&in_24, steps, COUNT_OF(steps));
}

static void an_aligned_request_moves_the_cursor_behind_each_area(void **state)
{
	(void)state;
	static const struct sequence small = { .ops = &va_list_2624,
					       .pages = 16 };
	static const struct step steps[] = {
		ALLOC(1, 0, "packed"),
		ALLOC_ALIGNED(2, 4, 4, "the end of [0,1), aligned, is 4"),
		ALLOC_ALIGNED(2, 4, 8, "the end of [4,6), aligned, is 8"),
		ALLOC(3, 1, "what alignment left is a hole: exactly 3"),
		ALLOC_ALIGNED(1, 2, 6, "first aligned place in [6,8)"),
		ALLOC_ALIGNED(4, 8, NOWHERE, "aligned, 10 is 16: the end"),
		ALLOC_ALIGNED(4, 4, 12, "aligned, 10 is 12: 4 fit"),
	};

	sequence_run(&small, steps, COUNT_OF(steps));
}

static void alignment_in_2_4_0_keeps_its_comparison(void **state)
{
	(void)state;
	static const struct sequence small = { .ops = &va_list_24,
					       .pages = 16 };
	static const struct step steps[] = {
		ALLOC(1, 0, "packed"),
		ALLOC_ALIGNED(2, 4, 4, "the end of [0,1), aligned, is 4"),
		ALLOC(3, 6, "the hole [1,4) is of the very size"),
		ALLOC(2, 1, "2 pages in a hole of 3 fit"),
	};

	sequence_run(&small, steps, COUNT_OF(steps));
}

static void a_sub_window_bounds_the_cursor_from_both_sides(void **state)
{
	(void)state;
	static const struct sequence small = { .ops = &va_list_2624,
					       .pages = 32 };
	static const struct step steps[] = {
		ALLOC_WITHIN(2, 8, 16, 8, "nothing below vstart"),
		ALLOC_WITHIN(2, 9, 16, 10, "an area that reaches over vstart"),
		ALLOC_WITHIN(2, 16, 20, 16, "areas below vstart are no matter"),
		ALLOC_WITHIN(3, 16, 20, NOWHERE, "18 + 3 is over vend"),
		ALLOC_WITHIN(2, 16, 20, 18, "18 + 2 is vend exactly"),
		ALLOC_WITHIN(1, 16, 20, NOWHERE, "that sub-window is full"),
		ALLOC_WITHIN(5, 0, 4, NOWHERE, "larger than the sub-window"),
		ALLOC(8, 0, "the lowest hole is of the very size"),
		ALLOC_WITHIN(4, 0, 16, 12, "between the sub-windows"),
	};

	sequence_run(&small, steps, COUNT_OF(steps));
}

static void sums_that_wrap_around_the_top_do_not_fit(void **state)
{
	(void)state;
	static const struct sequence top = {
		.ops = &va_list_2624,
		.base = (uintptr_t)0 - 16 * 4096,
		.pages = 15,
	};
	static const struct step steps[] = {
		ALLOC_FROM(1, 16, 1, NOWHERE, "vstart, aligned, wraps to 0"),
		ALLOC(8, 0, "packed"),
		ALLOC(8, NOWHERE, "8 + 8 wraps to address 0"),
		ALLOC(9, NOWHERE, "8 + 9 wraps past it"),
		ALLOC(4, 8, "packed"),
		ALLOC_ALIGNED(1, 16, NOWHERE, "12, aligned, wraps to 0"),
		ALLOC(3, 12, "up to the end"),
	};

	sequence_run(&top, steps, COUNT_OF(steps));
}

/* A lock for one thread, which knows how many of its kind are held. */
static unsigned locks_held;

static int held_init(struct lock *lock)
{
	(void)lock;
	return 0;
}

static void held_fini(struct lock *lock)
{
	(void)lock;
}

static bool held_enter(struct lock *lock, struct lock_turn *turn)
{
	(void)lock;
	(void)turn;
	locks_held++;
	return false;
}

static void held_leave(struct lock *lock, struct lock_turn *turn)
{
	(void)lock;
	(void)turn;
	locks_held--;
}

static const struct lock_ops lock_held = {
	.name = "held",
	.init = held_init,
	.fini = held_fini,
	.enter = held_enter,
	.leave = held_leave,
	.enter_shared = held_enter,
	.leave_shared = held_leave,
};

/* What the hooks met. */
struct witness {
	unsigned unmaps;
	unsigned maps;
	int unmap_error;
};

static int unmap_witness(void *context, const struct va_range *range)
{
	struct witness *const witness = context;

	assert_non_null(range);
	assert_int_equal(locks_held, 1);
	witness->unmaps++;
	return witness->unmap_error;
}

static int map_witness(void *context, const struct va_range *range,
		       const struct va_request *request, const void *source)
{
	struct witness *const witness = context;

	assert_non_null(range);
	assert_non_null(request);
	assert_ptr_equal(source, witness);
	assert_int_equal(locks_held, 1);
	witness->maps++;
	return -EIO;
}

static void witness_begin(struct witness *witness, struct va *va)
{
	struct va_config config = sequence_config(&in_24);

	config.lock = &lock_held;
	config.hooks = (struct va_hooks){
		.context = witness,
		.map = map_witness,
		.unmap = unmap_witness,
	};
	assert_int_equal(va_init(va, &va_list_24, &config), 0);
}

static void a_pair_enters_one_lock_twice_and_map_the_kernel_lock(void **state)
{
	(void)state;
	static const struct step step = ALLOC(2, 0, "");
	struct witness witness = { 0 };
	const struct va_request request = { .size = 2 * PAGE_SIZE };
	struct va_range range;
	struct va_stats stats;
	struct va va;
	bool purge_due = true;

	witness_begin(&witness, &va);
	assert_int_equal(step_alloc(&va, &step, &range), 0);
	va.ops->stats(&va, &stats);
	assert_int_equal(stats.locks_entered, 1);
	assert_int_equal(va.ops->map(&va, &range, &request, &witness), -EIO);
	assert_int_equal(witness.maps, 1);
	va.ops->stats(&va, &stats);
	assert_int_equal(stats.locks_entered, 2);
	assert_int_equal(va.ops->free(&va, range.start, &purge_due), 0);
	va.ops->stats(&va, &stats);
	assert_int_equal(stats.locks_entered, 3);
	assert_int_equal(witness.unmaps, 1);
	assert_false(purge_due);
	sequence_end(&va);
}

static void an_area_that_could_not_be_unmapped_blocks_its_range(void **state)
{
	(void)state;
	static const struct step low = ALLOC(2, 0, "");
	static const struct step behind = ALLOC(2, 2, "");
	struct witness witness = { .unmap_error = -ENOMEM };
	struct vmap_area *area = NULL;
	struct va_found found;
	struct va_stats stats;
	struct va va;
	bool purge_due = false;

	witness_begin(&witness, &va);
	assert_true(step_run(&va, &low));
	assert_int_equal(va.ops->free(&va, va.config.start, &purge_due), 0);
	assert_false(va.ops->find(&va, va.config.start, &found));
	assert_int_equal(va.ops->free(&va, va.config.start, &purge_due),
			 -ENOENT);
	assert_true(step_run(&va, &behind));
	va.ops->stats(&va, &stats);
	assert_int_equal(stats.lazy_pages, 2);
	assert_int_equal(stats.live_pages, 2);
	va.ops->check(&va);

	/* A purge that fails too keeps it, the next one gives it back. */
	area = va.ops->purge_take(&va, VA_PURGE_FULL);
	assert_non_null(area);
	assert_null(va.ops->purge_take(&va, VA_PURGE_FULL));
	va.ops->purge_keep(&va, area);
	witness.unmap_error = 0;
	assert_int_equal(
		va.ops->free(&va, sequence_address(&va, 2), &purge_due), 0);
	assert_true(purge_due);
	purge_all(&va);
	assert_true(step_run(&va, &low));
	va.ops->stats(&va, &stats);
	assert_int_equal(stats.lazy_pages, 0);
	sequence_end(&va);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hole_of_the_very_size_is_passed_by_in_2_4_0),
		cmocka_unit_test(a_hole_of_the_very_size_is_used_in_2_6_24),
		cmocka_unit_test(
			the_windows_end_holds_and_a_free_helps_at_once),
		cmocka_unit_test(
			an_aligned_request_moves_the_cursor_behind_each_area),
		cmocka_unit_test(alignment_in_2_4_0_keeps_its_comparison),
		cmocka_unit_test(
			a_sub_window_bounds_the_cursor_from_both_sides),
		cmocka_unit_test(sums_that_wrap_around_the_top_do_not_fit),
		cmocka_unit_test(
			a_pair_enters_one_lock_twice_and_map_the_kernel_lock),
		cmocka_unit_test(
			an_area_that_could_not_be_unmapped_blocks_its_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
