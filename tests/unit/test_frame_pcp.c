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

#include "backing/frame_kinds.h"
#include "backing/frame_pcp.h"
#include "fault/fault_os.h"

enum { FRAMES = 256 };

struct fixture {
	struct page pages[FRAMES];
	struct frames frames;
	struct frame_pcp pcp;
};

static struct fixture fixture;

static bool is_taken(uint32_t frame)
{
	const struct frame_word word = {
		load_relaxed(&fixture.pages[frame].word),
	};

	return frame_word_is(word, FRAME_TAKEN, 0);
}

/* All frames are taken; one CPU, so that the thread may move. */
static int setup(void **state)
{
	(void)state;
	memset(&fixture, 0, sizeof(fixture));
	for (int i = 0; i < FRAMES; i++)
		store_relaxed(&fixture.pages[i].word,
			      frame_word_of(FRAME_TAKEN, 0).bits);
	fixture.frames.pages = fixture.pages;
	fixture.frames.config.os = &fault_os;
	fixture.frames.config.cpus = 1;
	return pcp_init(&fixture.pcp, &fixture.frames);
}

static int teardown(void **state)
{
	(void)state;
	pcp_check(&fixture.pcp, FRAMES);
	pcp_fini(&fixture.pcp);
	return 0;
}

static void the_newest_frame_is_taken_first(void **state)
{
	uint32_t frame;

	(void)state;
	assert_true(pcp_push(&fixture.pcp, 5));
	assert_true(pcp_push(&fixture.pcp, 9));
	assert_int_equal(pcp_frames_cached(&fixture.pcp), 2);
	assert_true(pcp_take(&fixture.pcp, &frame));
	assert_int_equal(frame, 9);
	assert_true(pcp_take(&fixture.pcp, &frame));
	assert_int_equal(frame, 5);
	assert_false(pcp_take(&fixture.pcp, &frame));
	assert_int_equal(frame, 5);
}

static void a_full_list_refuses_and_the_frame_stays_taken(void **state)
{
	(void)state;
	for (uint32_t frame = 0; frame < PCP_FRAMES; frame++)
		assert_true(pcp_push(&fixture.pcp, frame));
	assert_false(pcp_push(&fixture.pcp, 200));
	assert_true(is_taken(200));
	assert_int_equal(pcp_frames_cached(&fixture.pcp), PCP_FRAMES);
}

static void a_drain_takes_all(void **state)
{
	uint32_t frames[PCP_FRAMES];

	(void)state;
	for (uint32_t frame = 10; frame < 13; frame++)
		assert_true(pcp_push(&fixture.pcp, frame));
	assert_int_equal(pcp_drain(&fixture.pcp, 0, frames), 3);
	assert_int_equal(frames[0] + frames[1] + frames[2], 33);
	assert_int_equal(pcp_frames_cached(&fixture.pcp), 0);
	assert_true(is_taken(11));
}

static void no_address_space_is_an_error(void **state)
{
	struct frame_pcp *const pcp = &fixture.pcp;

	(void)state;
	pcp_fini(pcp);
	for (uint64_t nth = 1; nth <= 2; nth++) {
		fault_arm(FAULT_MMAP_ANON, nth, FAULT_ONCE, 0);
		assert_int_equal(pcp_init(pcp, &fixture.frames), -ENOMEM);
		fault_disarm();
	}
	assert_int_equal(pcp_init(pcp, &fixture.frames), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_frame_is_taken_first,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_full_list_refuses_and_the_frame_stays_taken, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_drain_takes_all, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_address_space_is_an_error,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
