/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cell.h"
#include "common/cell_product.h"
#include "common/strategy_word.h"

enum { LIST_BYTES = 256 };

/* made - the cells of some lists. */
struct made {
	struct cell_lists lists;
	struct cell *cells;
	size_t count;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct made));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct made *made = *state;

	cell_lists_fini(&made->lists);
	free(made->cells);
	free(made);
	return 0;
}

static int lists_make(struct made *made)
{
	free(made->cells);
	made->cells = NULL;
	return cell_product(&made->lists, &made->cells, &made->count);
}

static void a_choice_behind_a_plus_is_of_its_row_alone(void **state)
{
	struct made *made = *state;

	assert_int_equal(
		cell_lists_set(&made->lists, "strategy",
			       "nodes,lockfree+cache=percpu+mapping=keep,"
			       "lockfree"),
		0);
	assert_int_equal(lists_make(made), 0);
	assert_int_equal(made->count, 3);
	assert_string_equal(made->cells[0].mapping, "lazy");
	assert_string_equal(made->cells[1].strategy, "lockfree");
	assert_string_equal(made->cells[1].mapping, "keep");
	assert_string_equal(made->cells[2].mapping, "lazy");
}

static void it_goes_before_what_a_list_says(void **state)
{
	struct made *made = *state;

	assert_int_equal(cell_lists_set(&made->lists, "strategy",
					"nodes+lock=fas+nodes=2,nodes"),
			 0);
	assert_int_equal(cell_lists_set(&made->lists, "lock", "qspin,ticket"),
			 0);
	assert_int_equal(cell_lists_set(&made->lists, "nodes", "3"), 0);
	assert_int_equal(lists_make(made), 0);
	assert_int_equal(made->count, 3);
	assert_string_equal(made->cells[0].lock, "fas");
	assert_int_equal(made->cells[0].nodes, 2);
	assert_string_equal(made->cells[1].lock, "qspin");
	assert_string_equal(made->cells[2].lock, "ticket");
	assert_int_equal(made->cells[2].nodes, 3);
}

static void what_is_no_choice_of_an_engine_is_refused_by_name(void **state)
{
	static const struct {
		const char *list;
		const char *told;
	} wrong[] = {
		{ "nodes,lockfree+keep", "'+keep': +AXIS=VALUE" },
		{ "lockfree+", "'+': +AXIS=VALUE" },
		{ "lockfree+mapping=kep", "did you mean keep?" },
		{ "lockfree+maping=keep", "did you mean mapping?" },
		{ "lockfree+foo=bar", "'+foo=': no such factor" },
		{ "lockfree+foo=bar", " lock, " },
		{ "lockfree+foo=bar", " mapping, " },
		{ "lockfree+pages=4", "--pages is of all rows" },
		{ "lockfree+pages=4", " mapping, " },
		{ "lockfree+threads=2", "--threads is of all rows" },
		{ "lockfre+mapping=keep", "did you mean lockfree?" },
		{ "lockfree+strategy=nodes", "before the plus" },
		{ "lockfree+mapping=keep+mapping=lazy", "stands there twice" },
	};
	struct made *made = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
			cell_lists_set(&made->lists, "strategy", wrong[i].list),
			-EINVAL);
		assert_non_null(strstr(cell_message(), wrong[i].told));
	}
}

static void a_refused_pair_refuses_the_plan(void **state)
{
	struct made *made = *state;

	assert_int_equal(cell_lists_set(&made->lists, "strategy",
					"nodes,list+mapping=keep"),
			 0);
	assert_int_equal(lists_make(made), -EINVAL);
	assert_non_null(strstr(cell_message(), "mapping keep"));
}

static void rows_are_those_that_exist_and_lockfree_has_two(void **state)
{
	struct made *made = *state;
	const struct cell *cells;
	size_t lockfree = 0;

	assert_int_equal(cell_lists_compare(&made->lists), 0);
	assert_int_equal(lists_make(made), 0);
	cells = made->cells;
	assert_string_equal(cells[0].strategy, "list");
	assert_string_equal(cells[0].mapping, "strict");
	for (size_t i = 0; i < made->count; i++)
		lockfree += strcmp(cells[i].strategy, "lockfree") == 0;
	assert_int_equal(lockfree, 2);
	assert_string_equal(cells[made->count - 1].mapping, "keep");
	assert_string_equal(cells[made->count - 2].mapping, "lazy");
}

static void a_given_mapping_or_cache_leaves_lockfree_one_row(void **state)
{
	static const char *const given[][2] = { { "mapping", "strict" },
						{ "cache", "none" } };
	char list[LIST_BYTES];

	(void)state;
	strategy_rows(false, list, sizeof(list));
	assert_null(strchr(list, '+'));
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		struct made made = { .count = 0 };

		assert_int_equal(
			cell_lists_set(&made.lists, given[i][0], given[i][1]),
			0);
		assert_int_equal(cell_lists_compare(&made.lists), 0);
		assert_int_equal(lists_make(&made), 0);
		assert_string_equal(made.cells[made.count - 1].strategy,
				    "lockfree");
		assert_string_not_equal(made.cells[made.count - 2].strategy,
					"lockfree");
		cell_lists_fini(&made.lists);
		free(made.cells);
	}
}

static void what_is_the_form_of_no_release_has_none(void **state)
{
	struct cell cell;

	(void)state;
	cell_default(&cell);
	assert_int_equal(cell_axis_set(&cell, "strategy", "nodes"), 0);
	assert_string_not_equal(cell_release(&cell), "-");
	memcpy(cell.variant, cell.strategy, sizeof(cell.variant));
	assert_string_equal(cell_release(&cell), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_choice_behind_a_plus_is_of_its_row_alone, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(it_goes_before_what_a_list_says,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_choice_of_an_engine_is_refused_by_name,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_pair_refuses_the_plan,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			rows_are_those_that_exist_and_lockfree_has_two, set_up,
			tear_down),
		cmocka_unit_test(
			a_given_mapping_or_cache_leaves_lockfree_one_row),
		cmocka_unit_test(what_is_the_form_of_no_release_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
