/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/stats.h"

#define EPSILON 1e-12f

static void median_of_an_odd_count_is_the_middle(void **state)
{
	double figures[] = { 9, 1, 5 };
	const struct stats stats = stats_of(figures, 3);

	(void)state;
	assert_int_equal(stats.count, 3);
	assert_float_equal((float)stats.median, 5.0f, EPSILON);
}

static void median_of_an_even_count_lies_between(void **state)
{
	double figures[] = { 4, 1, 2, 3 };
	const struct stats stats = stats_of(figures, 4);

	(void)state;
	assert_float_equal((float)stats.median, 2.5f, EPSILON);
}

/* Quartiles of 1..5 are 2 and 4: half of what lies between is 1. */
static void spread_is_half_of_the_middle_half(void **state)
{
	double figures[] = { 5, 4, 3, 2, 1 };
	const struct stats stats = stats_of(figures, 5);

	(void)state;
	assert_float_equal((float)stats.half_iqr, 1.0f, EPSILON);
	assert_float_equal((float)stats_spread_percent(&stats), 100.0f / 3,
			   1e-4f);
}

/* Type 7: the quartiles of 1..4 are 1.75 and 3.25. */
static void quartiles_lie_between_figures(void **state)
{
	double figures[] = { 1, 2, 3, 4 };
	const struct stats stats = stats_of(figures, 4);

	(void)state;
	assert_float_equal((float)stats.half_iqr, 0.75f, EPSILON);
}

static void one_outlier_moves_the_median_little(void **state)
{
	double figures[] = { 10, 10, 10, 10, 1e9 };
	const struct stats stats = stats_of(figures, 5);

	(void)state;
	assert_float_equal((float)stats.median, 10.0f, EPSILON);
	assert_float_equal((float)stats.half_iqr, 0.0f, EPSILON);
}

static void one_figure_has_no_spread(void **state)
{
	double figures[] = { 7 };
	const struct stats stats = stats_of(figures, 1);

	(void)state;
	assert_float_equal((float)stats.median, 7.0f, EPSILON);
	assert_float_equal((float)stats.half_iqr, 0.0f, EPSILON);
}

static void nothing_is_zero(void **state)
{
	const struct stats stats = stats_of(NULL, 0);

	(void)state;
	assert_int_equal(stats.count, 0);
	assert_float_equal((float)stats_spread_percent(&stats), 0.0f, EPSILON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(median_of_an_odd_count_is_the_middle),
		cmocka_unit_test(median_of_an_even_count_lies_between),
		cmocka_unit_test(spread_is_half_of_the_middle_half),
		cmocka_unit_test(quartiles_lie_between_figures),
		cmocka_unit_test(one_outlier_moves_the_median_little),
		cmocka_unit_test(one_figure_has_no_spread),
		cmocka_unit_test(nothing_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
