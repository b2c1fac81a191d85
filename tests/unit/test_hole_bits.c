/* SPDX-License-Identifier: MIT */
/* test_hole_bits.c - each sum against one that goes bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "va/hole_bits.h"

enum { WORDS = 400, PAGES_MAX = 70 };

/* Words of every density: few, half and many bits. */
static uint64_t word_random(unsigned i)
{
	static uint64_t state = 0x9e3779b97f4a7c15;
	uint64_t word = 0;

	for (unsigned draws = 0; draws < 4; draws++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		if (draws == 0 || i % 5 == 0)
			word = state;
		else if (i % 5 == draws)
			word &= state >> 3;
		else
			word |= state >> 5;
	}
	return word;
}

static uint64_t word_at(unsigned i)
{
	if (i < 65)
		return i == 64 ? 0 : UINT64_MAX << i;
	if (i < 130)
		return i == 129 ? UINT64_MAX : ~(UINT64_MAX << (i - 65));
	if (i < 194)
		return (uint64_t)1 << (i - 130);
	if (i < 258)
		return ~((uint64_t)1 << (i - 194));
	return word_random(i);
}

static bool bit_is_taken(uint64_t word, unsigned bit)
{
	return (word >> bit & 1) != 0;
}

static void the_next_taken_bit_is_the_lowest(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WORDS; i++)
		for (unsigned from = 0; from < 64; from++) {
			const uint64_t word = word_at(i);
			unsigned bit = from;

			while (bit < 64 && !bit_is_taken(word, bit))
				bit++;
			assert_int_equal(bits_next_taken(word, from), bit);
		}
}

static void free_bits_before_end_at_a_taken_one(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WORDS; i++)
		for (unsigned bit = 1; bit <= 64; bit++) {
			const uint64_t word = word_at(i);
			unsigned free = 0;

			while (free < bit &&
			       !bit_is_taken(word, bit - 1 - free))
				free++;
			assert_int_equal(bits_free_before(word, bit), free);
		}
}

static unsigned next_begin_plainly(uint64_t word, unsigned bit, size_t pages)
{
	for (; bit < 64; bit++) {
		unsigned end = bit;

		while (end < 64 && !bit_is_taken(word, end))
			end++;
		if (end > bit && (end == 64 || end - bit >= pages))
			return bit;
	}
	return 64;
}

static void a_run_begins_where_it_fits_or_may_go_on(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WORDS; i++) {
		const uint64_t word = word_at(i);

		for (unsigned bit = 0; bit < 64; bit++)
			for (size_t pages = 1; pages <= PAGES_MAX; pages++)
				assert_int_equal(
					bits_next_begin(word, bit, pages),
					next_begin_plainly(word, bit, pages));
	}
}

static void parts_are_the_run_and_nothing_else(void **state)
{
	(void)state;
	for (size_t first = 0; first < 130; first++)
		for (size_t end = first + 1; end < first + 200; end++) {
			uint64_t words[6] = { 0 };

			for (size_t page = first; page < end;) {
				const struct hole_part part =
					hole_part_at(page, end);

				assert_int_equal(words[part.word], 0);
				assert_true(part.end > page);
				words[part.word] = part.mask;
				page = part.end;
			}
			for (size_t page = 0; page < 6 * 64; page++)
				assert_int_equal(
					bit_is_taken(words[page / 64],
						     (unsigned)page % 64),
					page >= first && page < end);
		}
}

static void alignment_is_that_of_the_absolute_page(void **state)
{
	(void)state;
	for (size_t base = 0; base < 40; base++)
		for (size_t page = 0; page < 40; page++)
			for (size_t align = 1; align <= 32; align *= 2) {
				size_t expected = page;

				while ((base + expected) % align != 0)
					expected++;
				assert_int_equal(hole_align(base, page, align),
						 expected);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_taken_bit_is_the_lowest),
		cmocka_unit_test(free_bits_before_end_at_a_taken_one),
		cmocka_unit_test(a_run_begins_where_it_fits_or_may_go_on),
		cmocka_unit_test(parts_are_the_run_and_nothing_else),
		cmocka_unit_test(alignment_is_that_of_the_absolute_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
