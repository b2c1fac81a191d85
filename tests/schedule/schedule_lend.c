/* SPDX-License-Identifier: MIT */
/*
 * schedule_lend.c - P3 of backing/frame.h: a mapped frame is not given back,
 * under every schedule of those who free a block and those who map its frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "backing/frame.h"
#include "base/check.h"
#include "schedule/model_check.h"

enum {
	ORDER = 1,
	FRAMES = 1 << ORDER,
	MAPPED = 1, /* not the block's first frame */
};

static struct frames frames;
static struct page pages[FRAMES];
static unsigned granted; /* mappings, now */
static unsigned given;
static unsigned char contents;

/* allocator_give - the block is anyone's from now on. */
static void allocator_give(struct frames *memory, struct frame_run run)
{
	(void)memory;
	schedule_require(run.first == 0 && run.count == FRAMES);
	schedule_require(granted == 0);
	schedule_require(given == 0);
	given++;
	/* [frame-unmapped]: what was done through mappings is done. */
	schedule_write(&contents);
}

static const struct frame_ops allocator = { .give = allocator_give };

static void begin_taken(void)
{
	frames = (struct frames){
		.ops = &allocator,
		.config = { .nr_frames = FRAMES },
		.pages = pages,
	};
	for (unsigned i = 0; i < FRAMES; i++) {
		atomic_init(&pages[i].mapcount, 0);
		atomic_init(&pages[i].word, frame_word_of(FRAME_TAKEN, 0).bits);
	}
	granted = 0;
	given = 0;
}

static void begin_lent(void)
{
	begin_taken();
	frames_begin_lend(&frames, 0, ORDER);
}

static void map_and_unmap(void)
{
	if (!frames_try_map(&frames, MAPPED))
		return;
	schedule_require(given == 0);
	granted++;
	schedule_write(&contents);
	granted--;
	frames_unmap(&frames, MAPPED);
}

static void free_block(void)
{
	const int error = frames_give_order(&frames, 0, ORDER);

	schedule_require(error == 0 || error == -EBUSY || error == -EINVAL);
}

/* Given once and taken, or still lent, and no mapping is left. */
static void all_is_as_it_should_be(void)
{
	const struct frame_word word = { load_relaxed(&pages[0].word) };

	schedule_require(frame_word_is(word, FRAME_BLOCK, ORDER) ==
			 (given == 0));
	schedule_require(given == 1 || frame_word_is(word, FRAME_BLOCK, ORDER));
	schedule_require(load_relaxed(&pages[MAPPED].mapcount) == 0);
}

static void free_or_map(unsigned thread)
{
	if (thread == 0)
		free_block();
	else
		map_and_unmap();
}

static const struct schedule_case freed_while_mapped = {
	.name = "a block is freed while another maps a frame of it",
	.threads = 2,
	.begin = begin_lent,
	.run = free_or_map,
	.end = all_is_as_it_should_be,
};

static void free_free_map(unsigned thread)
{
	if (thread < 2)
		free_block();
	else
		map_and_unmap();
}

static const struct schedule_case freed_twice = {
	.name = "two free one block, a third maps a frame of it",
	.threads = 3,
	.begin = begin_lent,
	.run = free_free_map,
	.end = all_is_as_it_should_be,
};

static void lend_or_free(unsigned thread)
{
	if (thread == 0) {
		schedule_write(&contents);
		frames_begin_lend(&frames, 0, ORDER);
	} else {
		free_block();
	}
}

static const struct schedule_case freed_by_another = {
	.name = "a block is freed by another than the one it was lent to",
	.threads = 2,
	.begin = begin_taken,
	.run = lend_or_free,
	.end = all_is_as_it_should_be,
};

static void no_frame_is_given_back_under_a_mapping(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 4,
		.ages = 2,
		.seeds = 5000,
	};

	(void)state;
	model_check(&freed_while_mapped, &plan);
	model_check(&freed_by_another, &plan);
}

static void of_two_who_free_one_block_one_does(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 2,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&freed_twice, &plan);
}

static void nobody_waits_for_a_stopped_thread(void **state)
{
	static const struct model_plan plan = { .stop_preemptions = 1 };

	(void)state;
	model_check_stopped(&freed_twice, &plan);
}

static void each_order_is_needed(void **state)
{
	static const struct schedule_case *const cases[] = {
		&freed_while_mapped,
		&freed_by_another,
		NULL,
	};
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .preemptions = 2, .ages = 2 },
		.source = "frame_lend.c",
	};

	(void)state;
	model_check_orders(&orders);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_frame_is_given_back_under_a_mapping),
		cmocka_unit_test(of_two_who_free_one_block_one_does),
		cmocka_unit_test(nobody_waits_for_a_stopped_thread),
		cmocka_unit_test(each_order_is_needed),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_lend", tests, NULL, NULL);
}
