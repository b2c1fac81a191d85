/* SPDX-License-Identifier: MIT */
/*
 * frame_bitmap.c - the frames that are free in a bitmap, without a lock.
 *
 * The frame that is wanted is taken from its own word with one
 * compare-and-swap, up to 64 frames at once; if it is taken, the frames that
 * this CPU's search meets first (frame_rows.h).
 *
 * There are no per-CPU lists in front, and drain() has nothing to do.  A list
 * saves a lock, and here is none to be saved: to take from it and to give to it
 * is a locked instruction each, as it is on the row.  But a list would hide the
 * frame of a page from whoever maps that page next on another CPU, and its area
 * could not share the kernel mapping of its neighbours, which costs more than
 * all of this; it would keep blocks in pieces, and -ENOMEM would have to empty
 * the lists of all CPUs first.  What lists are good for, that CPUs do not write
 * to one line, comes of each CPU searching in rows of its own.
 *
 * The word of a frame says whether a lent block begins there, and no more:
 *
 *   F1  at rest the word of a frame is block(n), and the frame is the first of
 *       2^n taken frames; or it is free, which tells nothing of the frame.
 *
 * So a run costs one instruction for 64 frames, and writes to none of them.
 *
 * Progress: as frame_rows.h says: give is wait-free, take lock-free.  What a
 * take_order() of more than 64 frames holds while it claims a block, which it
 * may not get, is taken in the eyes of others.
 */
#include "backing/frame_kinds.h"
#include "backing/frame_rows.h"
#include "base/check.h"
#include "base/error.h"

static struct frame_rows *rows_of(const struct frames *frames)
{
	return frames->state;
}

static int frame_bitmap_init(struct frames *frames)
{
	const int error = rows_init(rows_of(frames), &frames->config);

	return error == 0 ? 0
			  : error_set(error, "no address space for the bitmap "
					     "of frames (RLIMIT_AS, "
					     "vm.max_map_count)");
}

static void frame_bitmap_fini(struct frames *frames)
{
	rows_fini(rows_of(frames));
}

static int frame_bitmap_take(struct frames *frames, uint32_t wanted,
			     uint32_t count, struct frame_run *run)
{
	struct frame_rows *const rows = rows_of(frames);

	if (rows_take_at(rows, wanted, count, run) ||
	    rows_take_most(rows, count, run))
		return 0;
	return frames_refuse_take(frames);
}

/* mark_taken - the first frame of a block that was taken is ready to be lent.
 */
static void mark_taken(struct page *head)
{
	/* relaxed: the frame is this thread's; [frame-reuse] came before. */
	struct frame_word word = { load_relaxed(&head->word) };
	const bool was_free = free_to_taken(&word);

	require_invariant(was_free, "F1");
	/* relaxed: as above. */
	store_relaxed(&head->word, word.bits);
}

static int frame_bitmap_take_order(struct frames *frames, unsigned order,
				   uint32_t *first)
{
	uint32_t block;

	if (order > FRAME_ORDER_MAX ||
	    !rows_take_order(rows_of(frames), order, &block))
		return frames_refuse_order(order);
	mark_taken(&frames->pages[block]);
	frames_begin_lend(frames, block, order);
	*first = block;
	return 0;
}

/* mark_free - what is given is lent no more, and its words say so. */
static void mark_free(struct page *head)
{
	/* relaxed: the giver owns the frame, or P1 fails at its row. */
	struct frame_word word = { load_relaxed(&head->word) };

	require_invariant(frame_word_state(word) != FRAME_BLOCK, "P3");
	if (taken_to_free(&word)) {
		/* relaxed: [frame-reuse] tells the next owner. */
		store_relaxed(&head->word, word.bits);
	}
}

static void frame_bitmap_give(struct frames *frames, struct frame_run run)
{
	mark_free(&frames->pages[run.first]);
	rows_give(rows_of(frames), run);
}

static void frame_bitmap_drain(struct frames *frames)
{
	(void)frames;
}

static bool frame_bitmap_is_taken(const struct frames *frames, uint32_t frame)
{
	return !rows_is_free(rows_of(frames), frame);
}

/* block_check - all frames of a lent block are taken, and none begins another.
 */
static void block_check(const struct frames *frames, uint32_t first,
			unsigned order)
{
	const uint32_t count = (uint32_t)1 << order;

	require_invariant((first & (count - 1)) == 0, "F1");
	require_invariant(first + count <= frames->config.nr_frames, "F1");
	for (uint32_t i = 0; i < count; i++) {
		/* relaxed: checks run alone. */
		const struct frame_word word = {
			load_relaxed(&frames->pages[first + i].word),
		};

		require_invariant(frame_bitmap_is_taken(frames, first + i),
				  "F1");
		require_invariant(i == 0 || frame_word_is(word, FRAME_FREE, 0),
				  "F1");
	}
}

static void frame_bitmap_check(struct frames *frames)
{
	rows_check(rows_of(frames));
	for (uint32_t frame = 0; frame < frames->config.nr_frames; frame++) {
		/* relaxed: checks run alone. */
		const struct frame_word word = {
			load_relaxed(&frames->pages[frame].word),
		};

		if (frame_word_state(word) == FRAME_BLOCK)
			block_check(frames, frame, frame_word_order(word));
		else
			require_invariant(frame_word_is(word, FRAME_FREE, 0),
					  "F1");
	}
	frames_check_lent(frames);
}

static void frame_bitmap_stats(struct frames *frames, struct frame_stats *stats)
{
	*stats = (struct frame_stats){
		.frames = frames->config.nr_frames,
		.frames_free = rows_free_frames(rows_of(frames)),
	};
}

const struct frame_ops frame_bitmap = {
	.name = "bitmap",
	.summary = "lock-free: one compare-and-swap takes up to 64 frames",
	.state_bytes = sizeof(struct frame_rows),
	.init = frame_bitmap_init,
	.fini = frame_bitmap_fini,
	.take = frame_bitmap_take,
	.give = frame_bitmap_give,
	.take_order = frame_bitmap_take_order,
	.drain = frame_bitmap_drain,
	.is_taken = frame_bitmap_is_taken,
	.check = frame_bitmap_check,
	.stats = frame_bitmap_stats,
};
