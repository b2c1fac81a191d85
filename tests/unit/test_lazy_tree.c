/* SPDX-License-Identifier: MIT */
/*
 * test_lazy_tree.c - what both forms of generation 2 have from lazy_tree.h:
 * freed areas are not found, wait in the tree, and are counted.
 */
#include "unit/va_sequence.h"

static const struct va_ops *const both_forms[] = { &va_rbtree_2628,
						   &va_rbtree };

static void a_purge_is_due_when_the_lazy_pages_pass_the_limit(void **state)
{
	(void)state;
	/* One CPU: 32 MiB, 8192 pages. */
	static const struct step large = ALLOC(8192, 0, "");
	static const struct step small = ALLOC_WITHIN(1, 9000, 0, 9000, "");

	for (size_t i = 0; i < COUNT_OF(both_forms); i++) {
		const struct sequence sequence = { .ops = both_forms[i],
						   .pages = 10000 };
		struct va_stats stats;
		bool purge_due = true;
		struct va va;

		sequence_begin(&sequence, &va);
		assert_true(step_run(&va, &large));
		assert_true(step_run(&va, &small));
		assert_int_equal(va.ops->free(&va, va.config.start, &purge_due),
				 0);
		assert_false(purge_due);
		assert_int_equal(va.ops->free(&va, sequence_address(&va, 9000),
					      &purge_due),
				 0);
		assert_true(purge_due);
		va.ops->stats(&va, &stats);
		assert_int_equal(stats.lazy_pages, 8193);
		purge_all(&va);
		va.ops->stats(&va, &stats);
		assert_int_equal(stats.lazy_pages, 0);
		sequence_end(&va);
	}
}

/* What a walk met, in its order. */
struct walk {
	unsigned count;
	struct va_found found[8];
};

static void walk_visit(void *context, const struct va_found *found)
{
	struct walk *const walk = context;

	assert_true(walk->count < COUNT_OF(walk->found));
	walk->found[walk->count++] = *found;
}

static void a_lazy_area_is_walked_last_and_not_found(void **state)
{
	(void)state;
	static const struct step first = ALLOC(2, 0, "");
	static const struct step second = ALLOC_WITHIN(2, 8, 16, 8, "");

	for (size_t i = 0; i < COUNT_OF(both_forms); i++) {
		const struct sequence sequence = { .ops = both_forms[i],
						   .pages = 16 };
		struct walk walk = { 0 };
		struct va_found found;
		bool purge_due;
		struct va va;

		sequence_begin(&sequence, &va);
		const uintptr_t start = va.config.start;

		assert_true(step_run(&va, &first));
		assert_true(step_run(&va, &second));
		assert_int_equal(
			va.ops->free(&va, start + PAGE_SIZE, &purge_due),
			-ENOENT);
		assert_int_equal(va.ops->free(&va, start, &purge_due), 0);
		assert_int_equal(va.ops->free(&va, start, &purge_due), -ENOENT);
		assert_false(va.ops->find(&va, start, &found));
		assert_true(va.ops->find_next(&va, start, &found));
		assert_int_equal(found.start, sequence_address(&va, 8));
		va.ops->for_each(&va, walk_visit, &walk);
		assert_int_equal(walk.count, 2);
		assert_false(walk.found[0].lazy);
		assert_int_equal(walk.found[0].start, found.start);
		assert_true(walk.found[1].lazy);
		assert_int_equal(walk.found[1].start, start);
		assert_int_equal(walk.found[1].merged, 1);
		sequence_end(&va);
	}
}

static void what_a_purge_keeps_is_taken_by_the_next(void **state)
{
	(void)state;
	static const struct step first = ALLOC(2, 0, "");
	static const struct step blocked = ALLOC_WITHIN(2, 0, 2, NOWHERE, "");

	for (size_t i = 0; i < COUNT_OF(both_forms); i++) {
		const struct sequence sequence = { .ops = both_forms[i],
						   .pages = 16 };
		bool purge_due;
		struct va va;

		sequence_begin(&sequence, &va);
		assert_true(step_run(&va, &first));
		assert_int_equal(va.ops->free(&va, va.config.start, &purge_due),
				 0);

		struct vmap_area *const chain =
			va.ops->purge_take(&va, VA_PURGE_FULL);

		assert_non_null(chain);
		assert_null(chain->purge_next);
		assert_null(va.ops->purge_take(&va, VA_PURGE_FULL));
		assert_true(step_run(&va, &blocked));
		va.ops->purge_keep(&va, chain);
		va.ops->check(&va);
		assert_true(step_run(&va, &blocked));
		purge_all(&va);
		assert_true(step_run(&va, &first));
		sequence_end(&va);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_purge_is_due_when_the_lazy_pages_pass_the_limit),
		cmocka_unit_test(a_lazy_area_is_walked_last_and_not_found),
		cmocka_unit_test(what_a_purge_keeps_is_taken_by_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
