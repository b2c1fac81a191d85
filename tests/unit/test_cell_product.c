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
#include "common/workload_info.h"

/* product_of - how many cells the lists make; the cells are the caller's. */
static int product_of(const char *const *lists, struct cell **cells,
		      size_t *count)
{
	struct cell_lists given = { 0 };
	int error = 0;

	for (size_t i = 0; lists[i] && !error; i += 2)
		error = cell_lists_set(&given, lists[i], lists[i + 1]);
	if (!error)
		error = cell_product(&given, cells, count);
	cell_lists_fini(&given);
	return error;
}

static void lists_make_their_product(void **state)
{
	(void)state;
	const char *const lists[] = { "strategy", "list,rbtree",
				      "pages",    "4,1-64",
				      "pin",      "0,compact",
				      "workload", "random_size,replace",
				      NULL };
	struct cell *cells = NULL;
	size_t count = 0;

	assert_int_equal(product_of(lists, &cells, &count), 0);
	assert_int_equal(count, 16);
	assert_string_equal(cells[0].workload, "random_size");
	assert_string_equal(cells[0].pin, "0");
	assert_string_equal(cells[1].pin, "compact");
	assert_int_equal(cells[2].pages_max, 64);
	assert_string_equal(cells[4].strategy, "rbtree");
	free(cells);
}

static void numbers_of_a_pin_list_belong_together(void **state)
{
	(void)state;
	const char *const lists[] = { "pin", "compact,0,0-0,scatter", NULL };
	struct cell *cells = NULL;
	size_t count = 0;

	assert_int_equal(product_of(lists, &cells, &count), 0);
	assert_int_equal(count, 3);
	assert_string_equal(cells[1].pin, "0,0-0");
	free(cells);
}

static void all_leaves_out_what_is_broken_on_purpose(void **state)
{
	(void)state;
	const char *const lists[] = { "strategy", "all", "lock", "all", NULL };
	struct cell *cells = NULL;
	size_t count = 0;

	assert_int_equal(product_of(lists, &cells, &count), 0);
	assert_true(count > 4);
	for (size_t i = 0; i < count; i++) {
		assert_string_not_equal(cells[i].strategy, "busted");
		assert_string_not_equal(cells[i].lock, "busted");
	}
	free(cells);
}

static void unsuited_workloads_are_left_out_unless_nothing_is_left(void **state)
{
	(void)state;
	const char *const some[] = { "workload", "fix_size,remote_free", NULL };
	const char *const none[] = { "workload", "remote_free", NULL };
	struct cell *cells = NULL;
	size_t count = 0;

	assert_int_equal(product_of(some, &cells, &count), 0);
	assert_int_equal(count, 1);
	free(cells);
	assert_int_equal(product_of(none, &cells, &count), -EINVAL);
	assert_non_null(strstr(cell_message(), "remote_free"));
}

static void a_floor_row_stands_once_for_all_strategies(void **state)
{
	(void)state;
	const char *const lists[] = { "workload", "floor", "strategy",
				      "list,rbtree,nodes", NULL };
	struct cell *cells = NULL;
	size_t count = 0;

	assert_int_equal(product_of(lists, &cells, &count), 0);
	assert_int_equal(count, 1);
	free(cells);
}

static void bits_of_run_test_mask_are_workloads(void **state)
{
	(void)state;
	const char *const lists[] = { "run_test_mask", "7", NULL };
	const char *const wrong[] = { "run_test_mask", "128", NULL };
	struct cell *cells = NULL;
	size_t count = 0;

	assert_int_equal(product_of(lists, &cells, &count), 0);
	assert_int_equal(count, 3);
	assert_string_equal(cells[0].workload, "fix_size");
	assert_string_equal(cells[1].workload, "full_fit");
	assert_string_equal(cells[2].workload, "long_busy_list");
	free(cells);
	assert_int_equal(product_of(wrong, &cells, &count), -EINVAL);
}

static void contiguous_and_mapped_memory_are_compared_by_default(void **state)
{
	(void)state;
	const char *const lists[] = { "workload", "vs_kmalloc", NULL };
	struct cell *cells = NULL;
	size_t count = 0;

	assert_int_equal(product_of(lists, &cells, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(cells[0].api, "alloc_pages");
	assert_string_equal(cells[1].api, "vmalloc");
	free(cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_make_their_product),
		cmocka_unit_test(numbers_of_a_pin_list_belong_together),
		cmocka_unit_test(all_leaves_out_what_is_broken_on_purpose),
		cmocka_unit_test(
			unsuited_workloads_are_left_out_unless_nothing_is_left),
		cmocka_unit_test(a_floor_row_stands_once_for_all_strategies),
		cmocka_unit_test(bits_of_run_test_mask_are_workloads),
		cmocka_unit_test(
			contiguous_and_mapped_memory_are_compared_by_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
