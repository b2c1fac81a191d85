/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "cmd/plan.h"
#include "common/placement.h"

enum { CELLS_TRIED_MAX = 64 };

static struct cell cell_of(const char *workload, const char *strategy,
			   unsigned threads)
{
	struct cell cell;

	cell_default(&cell);
	assert_int_equal(cell_axis_set(&cell, "workload", workload), 0);
	assert_int_equal(cell_axis_set(&cell, "strategy", strategy), 0);
	cell.threads = threads;
	cell.oversubscribe = threads > 1;
	assert_int_equal(cell_resolve(&cell), 0);
	return cell;
}

static struct plan plan_of(const struct cell *cells, size_t count)
{
	struct plan plan;

	assert_int_equal(plan_init(&plan, cells, count), 0);
	plan.seed = 11;
	return plan;
}

static size_t floors_of(const struct plan *plan)
{
	size_t floors = 0;

	for (size_t i = 0; i < plan->cell_count; i++)
		floors += plan_is_floor(&plan->cells[i]);
	return floors;
}

static void each_number_of_threads_has_its_floor(void **state)
{
	const struct cell cells[] = {
		cell_of("fix_size", "nodes", 1),
		cell_of("fix_size", "rbtree", 1),
		cell_of("fix_size", "nodes", 2),
	};
	struct plan plan = plan_of(cells, 3);

	(void)state;
	assert_int_equal(plan.cell_count, 5);
	assert_int_equal(floors_of(&plan), 2);
	assert_int_equal(plan.cells[plan_floor_of(&plan, 0)].threads, 1);
	assert_int_equal(plan.cells[plan_floor_of(&plan, 2)].threads, 2);
	plan_fini(&plan);
}

static void a_floor_is_of_the_same_workload(void **state)
{
	const struct cell cells[] = { cell_of("replace", "nodes", 1) };
	struct plan plan = plan_of(cells, 1);

	(void)state;
	assert_string_equal(plan.cells[plan_floor_of(&plan, 0)].workload,
			    "floor_replace");
	plan_fini(&plan);
}

static void a_cell_asked_for_twice_is_one(void **state)
{
	const struct cell cells[] = {
		cell_of("fix_size", "nodes", 1),
		cell_of("fix_size", "nodes", 1),
	};
	struct plan plan = plan_of(cells, 2);

	(void)state;
	assert_int_equal(plan.cell_count, 2);
	plan_fini(&plan);
}

/* Only the strategy `nodes` has nodes. */
static void a_factor_that_does_not_act_makes_no_cell(void **state)
{
	struct cell cells[] = {
		cell_of("fix_size", "rbtree", 1),
		cell_of("fix_size", "rbtree", 1),
		cell_of("fix_size", "nodes", 1),
		cell_of("fix_size", "nodes", 1),
	};

	(void)state;
	cells[0].nodes = 2;
	cells[1].nodes = 64;
	cells[2].nodes = 2;
	cells[3].nodes = 64;

	struct plan plan = plan_of(cells, 4);

	assert_int_equal(plan.cell_count - floors_of(&plan), 3);
	plan_fini(&plan);
}

static struct plan mixed_plan(void)
{
	const struct cell cells[] = {
		cell_of("fix_size", "list", 1),
		cell_of("fix_size", "rbtree", 1),
		cell_of("fix_size", "nodes", 1),
		cell_of("replace", "list", 1),
		cell_of("replace", "rbtree", 1),
		cell_of("fix_size", "list", 2),
		cell_of("fix_size", "nodes", 2),
	};

	return plan_of(cells, sizeof(cells) / sizeof(cells[0]));
}

static void a_round_runs_each_cell_once(void **state)
{
	struct plan plan = mixed_plan();

	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		size_t order[CELLS_TRIED_MAX];
		uint64_t seen = 0;

		plan_order(&plan, round, order);
		for (size_t i = 0; i < plan.cell_count; i++)
			seen |= UINT64_C(1) << order[i];
		assert_int_equal(seen, (UINT64_C(1) << plan.cell_count) - 1);
	}
	plan_fini(&plan);
}

static void a_round_runs_a_group_in_one_go(void **state)
{
	struct plan plan = mixed_plan();
	size_t order[CELLS_TRIED_MAX];
	size_t changes = 0;

	(void)state;
	plan_order(&plan, 3, order);
	for (size_t i = 1; i < plan.cell_count; i++)
		changes +=
			plan.group_of[order[i]] != plan.group_of[order[i - 1]];
	assert_int_equal(changes, plan.group_count - 1);
	plan_fini(&plan);
}

/* The three strategies of fix_size by one thread are cells 0, 1 and 2. */
static void each_compared_cell_takes_each_place_equally_often(void **state)
{
	struct plan plan = mixed_plan();
	unsigned taken[3][3] = { { 0 } };

	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		size_t order[CELLS_TRIED_MAX];
		size_t place = 0;

		plan_order(&plan, round, order);
		for (size_t i = 0; i < plan.cell_count; i++) {
			if (order[i] < 3)
				taken[order[i]][place++]++;
		}
	}
	for (size_t cell = 0; cell < 3; cell++) {
		for (size_t place = 0; place < 3; place++)
			assert_int_equal(taken[cell][place], 2);
	}
	plan_fini(&plan);
}

static void the_seed_of_a_round_is_below_two_to_the_53(void **state)
{
	struct plan plan = mixed_plan();

	(void)state;
	for (unsigned round = 0; round < 1000; round++)
		assert_true(plan_seed(&plan, round) >> 53 == 0);
	assert_true(plan_seed(&plan, 0) != plan_seed(&plan, 1));
	plan_fini(&plan);
}

static void more_threads_than_cpus_are_refused(void **state)
{
	struct cell cell = cell_of("fix_size", "nodes", 1);
	struct plan plan;

	(void)state;
	cell.threads = placement_allowed_cpus() + 1;
	assert_int_equal(plan_init(&plan, &cell, 1), -EINVAL);
	cell.oversubscribe = true;
	assert_int_equal(plan_init(&plan, &cell, 1), 0);
	plan_fini(&plan);
}

static void a_pin_list_bounds_the_cpus(void **state)
{
	struct cell cell = cell_of("fix_size", "nodes", 1);

	(void)state;
	strcpy(cell.pin, "0");
	assert_int_equal(plan_usable_cpus(&cell), 1);
	strcpy(cell.pin, "compact");
	assert_int_equal(plan_usable_cpus(&cell), placement_allowed_cpus());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_of_threads_has_its_floor),
		cmocka_unit_test(a_floor_is_of_the_same_workload),
		cmocka_unit_test(a_cell_asked_for_twice_is_one),
		cmocka_unit_test(a_factor_that_does_not_act_makes_no_cell),
		cmocka_unit_test(a_round_runs_each_cell_once),
		cmocka_unit_test(a_round_runs_a_group_in_one_go),
		cmocka_unit_test(
			each_compared_cell_takes_each_place_equally_often),
		cmocka_unit_test(the_seed_of_a_round_is_below_two_to_the_53),
		cmocka_unit_test(more_threads_than_cpus_are_refused),
		cmocka_unit_test(a_pin_list_bounds_the_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
