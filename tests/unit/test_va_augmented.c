/* SPDX-License-Identifier: MIT */
/*
 * test_va_augmented.c - the addresses that Linux 6.1 would choose, worked out
 * by hand from the rules; each table says which.
 */
#include "page_oracle.h"

#include "va/strategies.h"

static void lowest_hole_is_taken_from_its_left_edge(void **state)
{
	static const struct step steps[] = {
		ALLOC(2, 0),                 /* LE of the window */
		ALLOC(3, 2),                 /* LE */
		ALLOC(59, 5),                /* FL: the window is full */
		ALLOC(1, NO_PAGE), FREE(2),  /* lazy: not to be had yet */
		ALLOC(1, NO_PAGE), PURGE(1), /* a hole of 3 at 2 */
		ALLOC(1, 2),                 /* LE of it */
		ALLOC(2, 3),                 /* FL: exactly the rest */
		ALLOC(1, NO_PAGE), END,
	};

	(void)state;
	steps_check(&va_augmented, 64, steps);
}

static void alignment_makes_middle_and_right_fits(void **state)
{
	static const struct step steps[] = {
		ALLOC(1, 0),
		ALLOC_ALIGNED(4, 8, 8),    /* NE: leaves [1,8) and [12,64) */
		ALLOC(7, 1),               /* FL of the left rest */
		ALLOC_ALIGNED(16, 16, 16), /* NE: leaves [12,16) */
		ALLOC(5, 32),              /* too long for [12,16) */
		ALLOC(4, 12),              /* FL */
		ALLOC_ALIGNED(27, 1, 37),  /* FL: up to the end */
		FREE(8),
		FREE(12),
		PURGE(1),                      /* [8,16): one piece */
		ALLOC_WITHIN(4, 4, 9, 64, 12), /* RE: leaves [8,12) */
		ALLOC(4, 8),
		END,
	};

	(void)state;
	steps_check(&va_augmented, 64, steps);
}

static void aligned_request_passes_a_lower_hole_that_fits_exactly(void **state)
{
	static const struct step steps[] = {
		ALLOC(4, 0),
		ALLOC(4, 4),
		ALLOC(4, 8),
		ALLOC(8, 12),
		ALLOC(4, 20),
		ALLOC(8, 24),
		ALLOC(4, 32),
		FREE(12),
		PURGE(1),
		FREE(24),
		PURGE(1),
		FREE(4),
		PURGE(1),
		/*
		 * The tree: [12,20) above all below the window, which has [4,8)
		 * for its right child, and above [36,...), which has [24,32).
		 * 8 is looked for: 4 + 4 - 1 byte.  On the left only what lies
		 * below the window is as large; its right child has 4 and is
		 * not entered; on the way back [12,20) hosts it.
		 */
		ALLOC_ALIGNED(4, 4, 12),
		/* The window is exactly the size: 4 is looked for (5.18). */
		ALLOC_WITHIN(4, 4, 4, 8, 4),
		END,
	};

	(void)state;
	steps_check(&va_augmented, 64, steps);
}

static void page_alignment_takes_a_hole_that_fits_exactly(void **state)
{
	static const struct step steps[] = {
		ALLOC(4, 0),
		ALLOC(4, 4),
		ALLOC(8, 8),
		FREE(4),
		PURGE(1),
		/* A page or less needs no longer search (5.18). */
		ALLOC_ALIGNED(4, 1, 4),
		END,
	};

	(void)state;
	steps_check(&va_augmented, 64, steps);
}

static void lazy_neighbours_are_one_piece_of_the_purge(void **state)
{
	static const struct step steps[] = {
		ALLOC(4, 0),  ALLOC(4, 4),  ALLOC(4, 8),
		ALLOC(4, 12), ALLOC(4, 16), FREE(0), /* alone */
		FREE(8),                             /* alone */
		FREE(12), /* joins 8 as its previous */
		PURGE(2), /* [0,4) [8,16) */
		ALLOC(8, 8),  ALLOC(4, 0),  FREE(8),
		FREE(0),      FREE(4), /* joins the next at 8 and the previous
					  at 0 */
		PURGE(1),              /* [0,16) */
		ALLOC(16, 0),          /* a hole of 16: merged across */
		END,
	};

	(void)state;
	steps_check(&va_augmented, 64, steps);
}

static void sub_windows_bound_the_search_on_both_sides(void **state)
{
	static const struct step steps[] = {
		ALLOC_WITHIN(4, 0, 32, 48, 32), /* NE at vstart */
		ALLOC_WITHIN(8, 0, 32, 48, 36),
		ALLOC_WITHIN(8, 0, 32, 48, NO_PAGE), /* [44,52) passes vend */
		ALLOC_WITHIN(4, 0, 32, 48, 44),      /* up to vend */
		ALLOC_WITHIN(1, 0, 32, 48, NO_PAGE),
		ALLOC_WITHIN(8, 0, 28, 64, 48), /* [28,32) is too short */
		ALLOC(1, 0),                    /* the full window is lowest */
		END,
	};

	(void)state;
	steps_check(&va_augmented, 64, steps);
}

static void request_fits_when_repeated_after_a_purge(void **state)
{
	static const struct step steps[] = {
		ALLOC(32, 0),  ALLOC(32, 32),      FREE(32),
		FREE(0),       ALLOC(33, NO_PAGE), /* all is lazy */
		PURGE_FULL(1), /* the overflow's purge: [0,64) */
		ALLOC(33, 0),  /* the retry */
		END,
	};

	(void)state;
	steps_check(&va_augmented, 64, steps);
}

static void one_pair_costs_six_rounds_of_locks(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_augmented, 64, 1);

	const uint64_t before = world_stats(&world).locks_entered;

	/* Free lock, busy insert, busy attach. */
	assert_int_equal(world_alloc(&world, 2), 0);
	assert_int_equal(world_stats(&world).locks_entered - before, 3);
	/* Busy find, busy unlink, lazy. */
	world_free(&world, 0);
	assert_int_equal(world_stats(&world).locks_entered - before, 6);
	world_end(&world);
}

static void purge_is_due_above_lazy_max_and_not_at_it(void **state)
{
	/* fls(1) * 32 MiB: 8192 pages. */
	struct world world;

	(void)state;
	world_begin(&world, &va_augmented, 3 * 8192, 1);
	assert_int_equal(world_alloc(&world, 8191), 0);
	assert_int_equal(world_alloc(&world, 1), 8191);
	assert_int_equal(world_alloc(&world, 1), 8192);
	world_free(&world, 0);
	assert_false(world.purge_due);
	world_free(&world, 8191);
	assert_false(world.purge_due); /* 8192 */
	world_free(&world, 8192);
	assert_true(world.purge_due); /* 8193 */
	assert_int_equal(world_purge(&world, VA_PURGE_DECAY), 1);
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	world_end(&world);
}

static void visit_merged(void *context, const struct va_found *found)
{
	if (found->lazy)
		*(uint32_t *)context += found->merged;
}

static void merged_lazy_areas_say_how_many_they_were(void **state)
{
	struct world world;
	uint32_t merged = 0;

	(void)state;
	world_begin(&world, &va_augmented, 64, 1);
	for (long page = 0; page < 20; page += 4)
		assert_int_equal(world_alloc(&world, 4), page);
	world_free(&world, 0);
	world_free(&world, 8);
	world_free(&world, 4); /* joins both */
	world_free(&world, 16);
	va_augmented.for_each(&world.va, visit_merged, &merged);
	assert_int_equal(merged, 4);
	world_end(&world);
}

static void kept_pieces_are_lazy_again_and_merge(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_augmented, 64, 1);
	assert_int_equal(world_alloc(&world, 4), 0);
	assert_int_equal(world_alloc(&world, 4), 4);
	world_free(&world, 0);

	struct vmap_area *const chain =
		va_augmented.purge_take(&world.va, VA_PURGE_DECAY);

	world_free(&world, 4);
	va_augmented.purge_keep(&world.va, chain);
	assert_int_equal(world_stats(&world).lazy_pages, 8);
	assert_int_equal(world_purge(&world, VA_PURGE_DECAY), 1);
	world_end(&world);
}

static void random_steps_agree_with_a_page_map(void **state)
{
	(void)state;
	oracle_run(&va_augmented, 1, 6000, 0x9e3779b97f4a7c15);
	oracle_run(&va_augmented, 2, 6000, 0xd1b54a32d192ed03);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lowest_hole_is_taken_from_its_left_edge),
		cmocka_unit_test(alignment_makes_middle_and_right_fits),
		cmocka_unit_test(
			aligned_request_passes_a_lower_hole_that_fits_exactly),
		cmocka_unit_test(page_alignment_takes_a_hole_that_fits_exactly),
		cmocka_unit_test(lazy_neighbours_are_one_piece_of_the_purge),
		cmocka_unit_test(sub_windows_bound_the_search_on_both_sides),
		cmocka_unit_test(request_fits_when_repeated_after_a_purge),
		cmocka_unit_test(one_pair_costs_six_rounds_of_locks),
		cmocka_unit_test(purge_is_due_above_lazy_max_and_not_at_it),
		cmocka_unit_test(merged_lazy_areas_say_how_many_they_were),
		cmocka_unit_test(kept_pieces_are_lazy_again_and_merge),
		cmocka_unit_test(random_steps_agree_with_a_page_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
