/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "va/size_class.h"

/* Every size that has a class of its own, written out. */
static const size_t sizes[] = {
	1,  2,  3,   4,   5,   6,   7,   8,   9,   10,  11,  12,
	13, 14, 15,  16,  20,  24,  28,  32,  40,  48,  56,  64,
	80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512,
};

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static void each_class_has_the_size_of_the_table(void **state)
{
	(void)state;
	assert_int_equal(SIZES, CLASSES);
	for (unsigned size_class = 0; size_class < SIZES; size_class++)
		assert_int_equal(class_pages(size_class), sizes[size_class]);
}

static void each_request_gets_the_smallest_class_that_holds_it(void **state)
{
	unsigned smallest = 0;

	(void)state;
	for (size_t pages = 1; pages <= CLASS_PAGES_MAX; pages++) {
		while (sizes[smallest] < pages)
			smallest++;
		assert_int_equal(class_of(pages), smallest);
	}
}

static void a_class_is_a_quarter_more_at_most_and_up_to_16_nothing(void **state)
{
	(void)state;
	for (size_t pages = 1; pages <= CLASS_PAGES_MAX; pages++) {
		const size_t more = class_pages(class_of(pages)) - pages;

		assert_true(4 * more <= pages);
		assert_true(pages > 16 || more == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_class_has_the_size_of_the_table),
		cmocka_unit_test(
			each_request_gets_the_smallest_class_that_holds_it),
		cmocka_unit_test(
			a_class_is_a_quarter_more_at_most_and_up_to_16_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
