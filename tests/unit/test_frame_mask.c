/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backing/frame_mask.h"

enum { ROUNDS = 2000 };

/* Words that are dense, sparse, and full of runs. */
static uint64_t next_word(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;

	const uint64_t random = *seed ^ *seed >> 29;

	switch (random >> 60 & 3) {
	case 0:
		return random << (random & 63);
	case 1:
		return random & random >> 7 & random << 11;
	case 2:
		return random | random >> 3 | random << 5 | random >> 17;
	default:
		return ~(random & random >> 7 & random << 11 & random << 23);
	}
}

static bool is_free(uint64_t free, unsigned frame)
{
	return frame < MASK_FRAMES && (free >> frame & 1) != 0;
}

static unsigned run_oracle(uint64_t free, unsigned bit)
{
	unsigned count = 0;

	while (is_free(free, bit + count))
		count++;
	return count;
}

static unsigned block_oracle(uint64_t free, unsigned order)
{
	const unsigned frames = 1U << order;

	for (unsigned first = 0; first < MASK_FRAMES; first += frames)
		if (run_oracle(free, first) >= frames)
			return first;
	return MASK_FRAMES;
}

static void a_mask_is_its_frames_and_no_others(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < MASK_FRAMES; bit++) {
		for (unsigned count = 1; bit + count <= MASK_FRAMES; count++) {
			const uint64_t mask = mask_of(bit, count);

			assert_int_equal(mask_count(mask), count);
			assert_int_equal(mask_first(mask), bit);
			assert_int_equal(run_oracle(mask, bit), count);
		}
	}
}

static void check_runs(uint64_t free)
{
	for (unsigned bit = 0; bit < MASK_FRAMES; bit++)
		assert_int_equal(mask_run(free, bit), run_oracle(free, bit));
}

static void a_run_ends_at_the_first_frame_that_is_taken(void **state)
{
	uint64_t seed = 1;

	(void)state;
	check_runs(0);
	check_runs(MASK_ALL);
	for (int round = 0; round < ROUNDS; round++)
		check_runs(next_word(&seed));
}

static void check_blocks(uint64_t free)
{
	for (unsigned order = 0; order <= MASK_ORDER; order++)
		assert_int_equal(mask_block(free, order),
				 block_oracle(free, order));
}

static void a_block_is_the_lowest_at_a_multiple_of_its_size(void **state)
{
	uint64_t seed = 2;

	(void)state;
	check_blocks(0);
	check_blocks(MASK_ALL);
	for (unsigned bit = 0; bit < MASK_FRAMES; bit++) {
		check_blocks(MASK_ALL << bit);
		check_blocks(MASK_ALL >> bit);
	}
	for (int round = 0; round < ROUNDS; round++)
		check_blocks(next_word(&seed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mask_is_its_frames_and_no_others),
		cmocka_unit_test(a_run_ends_at_the_first_frame_that_is_taken),
		cmocka_unit_test(
			a_block_is_the_lowest_at_a_multiple_of_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
