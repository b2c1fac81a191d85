/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "backing/buddy.h"

enum { FRAMES = 5000, ORDER_FRAMES_MAX = 1 << FRAME_ORDER_MAX };

struct fixture {
	struct page pages[FRAMES];
	struct buddy buddy;
};

static bool is_taken(const struct fixture *fixture, uint32_t frame)
{
	const struct frame_word word = {
		load_relaxed(&fixture->pages[frame].word),
	};

	return frame_word_is(word, FRAME_TAKEN, 0);
}

static void fresh(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	buddy_init(&fixture->buddy, fixture->pages, FRAMES);
}

static void a_new_memory_is_free_in_the_largest_blocks(void **state)
{
	static struct fixture fixture;

	(void)state;
	fresh(&fixture);
	assert_int_equal(buddy_check(&fixture.buddy), FRAMES);
	/* 5000 = 4 * 1024 + 512 + 256 + 128 + 8 */
	assert_int_equal(fixture.buddy.blocks[10], 4);
	assert_int_equal(fixture.buddy.blocks[9], 1);
	assert_int_equal(fixture.buddy.blocks[8], 1);
	assert_int_equal(fixture.buddy.blocks[7], 1);
	assert_int_equal(fixture.buddy.blocks[3], 1);
	assert_int_equal(fixture.buddy.blocks[0], 0);
}

static void give_merges_with_all_buddies(void **state)
{
	static struct fixture fixture;
	uint32_t first;

	(void)state;
	fresh(&fixture);
	for (int i = 0; i < 2000; i++)
		assert_true(buddy_take_order(&fixture.buddy, 0, &first));
	assert_int_equal(buddy_check(&fixture.buddy), FRAMES - 2000);
	for (uint32_t frame = 0; frame < FRAMES; frame++)
		if (is_taken(&fixture, frame))
			buddy_give(&fixture.buddy,
				   (struct frame_run){ frame, 1 });
	assert_int_equal(buddy_check(&fixture.buddy), FRAMES);
	assert_int_equal(fixture.buddy.blocks[10], 4);
}

static void a_wanted_run_is_cut_out_of_its_blocks(void **state)
{
	static struct fixture fixture;
	struct frame_run run;

	(void)state;
	fresh(&fixture);
	/* Across two blocks of order 10. */
	assert_true(buddy_take_at(&fixture.buddy, 1000, 100, &run));
	assert_int_equal(run.first, 1000);
	assert_int_equal(run.count, 100);
	assert_int_equal(buddy_check(&fixture.buddy), FRAMES - 100);
	assert_false(buddy_take_at(&fixture.buddy, 1099, 5, &run));
	buddy_give(&fixture.buddy, run);
	assert_int_equal(fixture.buddy.blocks[10], 4);
}

static void a_wanted_run_ends_where_a_frame_is_taken(void **state)
{
	static struct fixture fixture;
	struct frame_run run;

	(void)state;
	fresh(&fixture);
	assert_true(buddy_take_at(&fixture.buddy, 20, 1, &run));
	assert_true(buddy_take_at(&fixture.buddy, 10, 100, &run));
	assert_int_equal(run.count, 10);
	assert_true(buddy_take_at(&fixture.buddy, FRAMES - 3, 100, &run));
	assert_int_equal(run.count, 3);
	(void)buddy_check(&fixture.buddy);
}

static void the_most_there_is_is_a_power_of_two(void **state)
{
	static struct fixture fixture;
	struct frame_run run;

	(void)state;
	fresh(&fixture);
	assert_true(buddy_take_most(&fixture.buddy, 100, &run));
	assert_int_equal(run.count, 64);
	assert_true(buddy_take_most(&fixture.buddy, FRAMES, &run));
	assert_int_equal(run.count, ORDER_FRAMES_MAX);
	assert_int_equal(run.first % ORDER_FRAMES_MAX, 0);
	(void)buddy_check(&fixture.buddy);
}

static void blocks_are_aligned_to_their_size(void **state)
{
	static struct fixture fixture;
	uint32_t first;

	(void)state;
	fresh(&fixture);
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
		assert_true(buddy_take_order(&fixture.buddy, order, &first));
		assert_int_equal(first & ((1U << order) - 1), 0);
	}
	(void)buddy_check(&fixture.buddy);
}

static void an_empty_memory_refuses(void **state)
{
	static struct fixture fixture;
	struct frame_run run;
	uint32_t first;

	(void)state;
	fresh(&fixture);
	while (buddy_take_most(&fixture.buddy, FRAMES, &run))
		assert_true(run.count > 0);
	assert_int_equal(buddy_check(&fixture.buddy), 0);
	assert_false(buddy_take_order(&fixture.buddy, 0, &first));
	assert_false(buddy_take_at(&fixture.buddy, 7, 1, &run));
	buddy_give(&fixture.buddy, (struct frame_run){ 0, FRAMES });
	assert_int_equal(buddy_check(&fixture.buddy), FRAMES);
	assert_int_equal(fixture.buddy.blocks[10], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_memory_is_free_in_the_largest_blocks),
		cmocka_unit_test(give_merges_with_all_buddies),
		cmocka_unit_test(a_wanted_run_is_cut_out_of_its_blocks),
		cmocka_unit_test(a_wanted_run_ends_where_a_frame_is_taken),
		cmocka_unit_test(the_most_there_is_is_a_power_of_two),
		cmocka_unit_test(blocks_are_aligned_to_their_size),
		cmocka_unit_test(an_empty_memory_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
