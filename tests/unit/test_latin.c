/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cmd/latin.h"

enum { SIZE_MAX_TRIED = 9, SEEDS = 20 };

static void each_row_holds_each_once(void **state)
{
	(void)state;
	for (size_t size = 1; size <= SIZE_MAX_TRIED; size++) {
		for (size_t row = 0; row < 3 * size; row++) {
			size_t order[SIZE_MAX_TRIED];
			size_t seen = 0;

			latin_row(size, row, 7, order);
			for (size_t i = 0; i < size; i++)
				seen |= (size_t)1 << order[i];
			assert_int_equal(seen, ((size_t)1 << size) - 1);
		}
	}
}

static void each_place_of_a_block_holds_each_once(void **state)
{
	(void)state;
	for (size_t size = 1; size <= SIZE_MAX_TRIED; size++) {
		size_t seen[SIZE_MAX_TRIED] = { 0 };

		/* The second block: it is shuffled anew. */
		for (size_t row = size; row < 2 * size; row++) {
			size_t order[SIZE_MAX_TRIED];

			latin_row(size, row, 7, order);
			for (size_t i = 0; i < size; i++)
				seen[i] |= (size_t)1 << order[i];
		}
		for (size_t i = 0; i < size; i++)
			assert_int_equal(seen[i], ((size_t)1 << size) - 1);
	}
}

static void the_seed_decides_the_order(void **state)
{
	size_t first[8];
	size_t again[8];
	size_t others = 0;

	(void)state;
	latin_row(8, 3, 1, first);
	latin_row(8, 3, 1, again);
	assert_memory_equal(first, again, sizeof(first));
	for (uint64_t seed = 2; seed < 2 + SEEDS; seed++) {
		latin_row(8, 3, seed, again);
		others += memcmp(first, again, sizeof(first)) != 0;
	}
	assert_int_equal(others, SEEDS);
}

static void neighbours_change_between_blocks(void **state)
{
	size_t first[6];
	size_t later[6];
	size_t changed = 0;

	(void)state;
	for (size_t block = 1; block <= SEEDS; block++) {
		latin_row(6, 0, 1, first);
		latin_row(6, 6 * block, 1, later);
		changed += memcmp(first, later, sizeof(first)) != 0;
	}
	assert_true(changed > SEEDS / 2);
}

static void nothing_has_no_order(void **state)
{
	size_t untouched = 42;

	(void)state;
	latin_row(0, 0, 1, &untouched);
	assert_int_equal(untouched, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_holds_each_once),
		cmocka_unit_test(each_place_of_a_block_holds_each_once),
		cmocka_unit_test(the_seed_decides_the_order),
		cmocka_unit_test(neighbours_change_between_blocks),
		cmocka_unit_test(nothing_has_no_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
