/* SPDX-License-Identifier: MIT */
/*
 * frame_rows_world.h - rows of frames, and who has which frame.
 *
 * Taken frames are noted in `taken` by the test; teardown checks the rows, and
 * that they agree frame by frame.
 */
#ifndef LFV_TESTS_FRAME_ROWS_WORLD_H
#define LFV_TESTS_FRAME_ROWS_WORLD_H

#include <stdbool.h>
#include <string.h>

#include "backing/frame_rows.h"
#include "fault/fault_os.h"

enum {
	ROWS = 80,
	FRAMES = ROWS * 64 + 7, /* a row at the end that is not whole */
};

static struct frame_rows rows;
static bool taken[FRAMES];

static inline int world_setup(void **state)
{
	const struct frame_config config = {
		.os = &fault_os,
		.nr_frames = FRAMES,
		.cpus = 1, /* the thread may move */
	};

	(void)state;
	memset(taken, 0, sizeof(taken));
	return rows_init(&rows, &config);
}

/* frames_agree - the rows say of each frame what the test does. */
static inline bool frames_agree(void)
{
	for (uint32_t frame = 0; frame < FRAMES; frame++)
		if (rows_is_free(&rows, frame) == taken[frame])
			return false;
	return true;
}

static inline int world_teardown(void **state)
{
	const bool agree = frames_agree();

	(void)state;
	rows_check(&rows);
	rows_fini(&rows);
	return agree ? 0 : -1;
}

static inline void note(uint32_t first, uint32_t count, bool is_taken)
{
	for (uint32_t i = 0; i < count; i++)
		taken[first + i] = is_taken;
}

/* occupy - take exactly these frames, which are free. */
static inline bool occupy(uint32_t first, uint32_t count)
{
	struct frame_run run;

	note(first, count, true);
	return rows_take_at(&rows, first, count, &run) && run.first == first &&
	       run.count == count;
}

static inline void vacate(uint32_t first, uint32_t count)
{
	note(first, count, false);
	rows_give(&rows, (struct frame_run){ first, count });
}

static inline bool is_marked(uint32_t row)
{
	/* relaxed: the test has one thread. */
	return (load_relaxed(&rows.marks[row / 64]) >> row % 64 & 1) != 0;
}

#endif
