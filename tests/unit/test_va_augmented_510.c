/* SPDX-License-Identifier: MIT */
/*
 * test_va_augmented_510.c - the addresses that Linux 5.10 would choose, and
 * what it does otherwise than 6.1.
 */
#include "page_oracle.h"

#include "va/augmented.h"
#include "va/strategies.h"

static void fits_are_those_of_the_augmented_tree(void **state)
{
	static const struct step steps[] = {
		ALLOC(1, 0),            /* LE */
		ALLOC_ALIGNED(4, 8, 8), /* NE: leaves [1,8) and [12,64) */
		ALLOC(7, 1),            /* FL */
		/* No hole has 52 + 4 - 1 byte, but the root is met and hosts.
		 */
		ALLOC_ALIGNED(52, 4, 12), /* FL */
		FREE(8),
		FREE(1),
		PURGE(2), /* merged by the holes only: [1,12) */
		ALLOC_WITHIN(4, 4, 5, 64, 8), /* RE: leaves [1,8) */
		ALLOC(7, 1),
		END,
	};

	(void)state;
	steps_check(&va_augmented_510, 64, steps);
}

static void page_alignment_passes_a_lower_hole_that_fits_exactly(void **state)
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
		 * 4 pages + 4095 bytes are looked for: [4,8) is not entered.
		 */
		ALLOC_ALIGNED(4, 1, 12),
		/* What is left of it hosts the next, met on the way back. */
		ALLOC_ALIGNED(4, 4, 16),
		/* Without alignment it is taken. */
		ALLOC(4, 4),
		END,
	};

	(void)state;
	steps_check(&va_augmented_510, 64, steps);
}

static void exact_window_is_refused(void **state)
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
		 * The same tree: the search passes [4,8) and meets [12,20),
		 * above vend: the failure of memory hot-plug that 5.16 mended.
		 */
		ALLOC_WITHIN(4, 4, 4, 8, NO_PAGE),
		END,
	};

	(void)state;
	steps_check(&va_augmented_510, 64, steps);
}

static void lazy_areas_are_not_merged_before_the_purge(void **state)
{
	static const struct step steps[] = {
		ALLOC(4, 0),  ALLOC(4, 4), ALLOC(4, 8), FREE(0),
		FREE(8),      FREE(4),     PURGE(3), /* three pieces */
		ALLOC(12, 0),                        /* one hole */
		END,
	};

	(void)state;
	steps_check(&va_augmented_510, 64, steps);
}

static void lazy_areas_are_taken_newest_first(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_augmented_510, 64, 1);
	assert_int_equal(world_alloc(&world, 4), 0);
	assert_int_equal(world_alloc(&world, 4), 4);
	world_free(&world, 0);
	world_free(&world, 4);

	struct vmap_area *const chain =
		va_augmented_510.purge_take(&world.va, VA_PURGE_DECAY);

	assert_int_equal(page_of(chain->va_start), 4);
	assert_int_equal(page_of(chain->purge_next->va_start), 0);
	va_augmented_510.purge_give(&world.va, chain, VA_PURGE_DECAY);
	world_end(&world);
}

static void one_pair_costs_five_rounds_of_locks(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, &va_augmented_510, 64, 1);

	const uint64_t before = world_stats(&world).locks_entered;

	/* Free lock, busy insert, busy attach. */
	assert_int_equal(world_alloc(&world, 2), 0);
	assert_int_equal(world_stats(&world).locks_entered - before, 3);
	/* Busy find, busy unlink; the lazy list takes none. */
	world_free(&world, 0);
	assert_int_equal(world_stats(&world).locks_entered - before, 5);
	world_end(&world);
}

/* A kind of lock that only notes whether someone is inside. */
static bool noted_inside;

static bool noted_enter(struct lock *lock, struct lock_turn *turn)
{
	(void)lock;
	(void)turn;
	assert_false(noted_inside);
	noted_inside = true;
	return false;
}

static void noted_leave(struct lock *lock, struct lock_turn *turn)
{
	(void)lock;
	(void)turn;
	assert_true(noted_inside);
	noted_inside = false;
}

static const struct lock_ops noted = {
	.enter = noted_enter,
	.leave = noted_leave,
	.enter_shared = noted_enter,
	.leave_shared = noted_leave,
};

static void inside_visit(void *context, const struct va_found *found)
{
	if (found->lazy) {
		assert_true(noted_inside);
		++*(unsigned *)context;
	}
}

static void walk_of_the_lazy_list_excludes_its_taking(void **state)
{
	struct world world;
	struct lock *lazy_lock;
	unsigned seen = 0;

	(void)state;
	world_begin(&world, &va_augmented_510, 64, 1);
	lazy_lock = &augmented_of(&world.va)->lazy_lock;

	const struct lock_ops *const ops = lazy_lock->ops;
	const uint64_t before = load_relaxed(&lazy_lock->entered);

	lazy_lock->ops = &noted;
	assert_int_equal(world_alloc(&world, 4), 0);
	world_free(&world, 0);
	va_augmented_510.for_each(&world.va, inside_visit, &seen);
	assert_int_equal(seen, 1);
	(void)world_purge(&world, VA_PURGE_DECAY);
	assert_int_equal(load_relaxed(&lazy_lock->entered) - before, 1);
	assert_false(noted_inside);
	lazy_lock->ops = ops;
	world_end(&world);
}

static void request_fits_when_repeated_after_a_purge(void **state)
{
	static const struct step steps[] = {
		ALLOC(32, 0),       ALLOC(32, 32), FREE(32),     FREE(0),
		ALLOC(33, NO_PAGE), PURGE_FULL(2), ALLOC(33, 0), END,
	};

	(void)state;
	steps_check(&va_augmented_510, 64, steps);
}

static void random_steps_agree_with_a_page_map(void **state)
{
	(void)state;
	oracle_run(&va_augmented_510, 1, 6000, 0x9e3779b97f4a7c15);
	oracle_run(&va_augmented_510, 2, 6000, 0xd1b54a32d192ed03);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_are_those_of_the_augmented_tree),
		cmocka_unit_test(
			page_alignment_passes_a_lower_hole_that_fits_exactly),
		cmocka_unit_test(exact_window_is_refused),
		cmocka_unit_test(lazy_areas_are_not_merged_before_the_purge),
		cmocka_unit_test(lazy_areas_are_taken_newest_first),
		cmocka_unit_test(one_pair_costs_five_rounds_of_locks),
		cmocka_unit_test(walk_of_the_lazy_list_excludes_its_taking),
		cmocka_unit_test(request_fits_when_repeated_after_a_purge),
		cmocka_unit_test(random_steps_agree_with_a_page_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
