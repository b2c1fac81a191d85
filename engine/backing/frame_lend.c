/* SPDX-License-Identifier: MIT */
/*
 * frame_lend.c - blocks that users of frames hold, and who maps them.
 *
 * A block of take_order() is lent from then on until frames_give_order().  Any
 * thread may map its frames meanwhile, and a caller's mistake, or his bad luck,
 * is to free a block that another thread is about to map.  Each side announces
 * itself first and looks for the other then:
 *
 *	frames_try_map()                frames_give_order()
 *
 *	mapcount++             (M1)     word: block -> taken     (G1)
 *	is its block lent?     (M2)     is a mapcount not zero?  (G2)
 *	  no: mapcount--                  yes: word: taken -> block
 *
 * The four are seq_cst, so there is one order of them.  If M2 still finds the
 * block lent, it came before G1; so M1 came before G2, which sees the mapping.
 * If G2 finds none, it came before M1; so G1 came before M2, which is refused.
 * Both may be refused, but both cannot succeed [frame-lent].
 *
 * A mapcount may thus rise for a moment on a frame that is not lent, free ones
 * included; P3 is about mappings that were granted.
 *
 * Progress: wait-free, but for the allocator's give().
 */
#include <errno.h>
#include <inttypes.h>

#include "backing/frame.h"
#include "base/check.h"
#include "base/error.h"

/* mapped_check - -EBUSY when a frame of the block is, or seems, mapped. */
static int mapped_check(const struct frames *frames, uint32_t first,
			unsigned order)
{
	for (uint32_t i = 0; i < (uint32_t)1 << order; i++) {
		const struct page *const page = &frames->pages[first + i];

		/*
		 * seq_cst [frame-lent]: G2.
		 * seq_cst [frame-unmapped]: where no mapping is left, all of
		 * them were unmapped before.
		 */
		if (load_seq_cst(&page->mapcount) != 0)
			return error_set(-EBUSY,
					 "frame %" PRIu32 " is still mapped: "
					 "unmap it before it is freed",
					 first + i);
	}
	return 0;
}

void frames_begin_lend(struct frames *frames, uint32_t first, unsigned order)
{
	struct page *const head = &frames->pages[first];
	/* relaxed: the block is this thread's alone. */
	struct frame_word word = { load_relaxed(&head->word) };
	const bool was_taken = taken_to_block(&word, order);

	require_invariant(was_taken, "P1");
	/* release [frame-lent]: whoever frees it comes after. */
	store_release(&head->word, word.bits);
}

/* request_check - that there can be such a block. */
static int request_check(const struct frames *frames, uint32_t first,
			 unsigned order)
{
	if (frames->ops->fixed)
		return error_set(-EOPNOTSUPP,
				 "frames '%s' belong to addresses: they cannot "
				 "be freed by themselves",
				 frames->ops->name);
	if (first >= frames->config.nr_frames || order > FRAME_ORDER_MAX)
		return error_set(-EINVAL,
				 "frame %" PRIu32 ", order %u: no such block",
				 first, order);
	return 0;
}

/*
 * frames_give_order - looks at the mapcounts twice: the first look lets a free
 * that comes too early change nothing, not even for a moment.
 *
 * Takes effect at the compare-and-swap.
 */
int frames_give_order(struct frames *frames, uint32_t first, unsigned order)
{
	int error = request_check(frames, first, order);

	if (error != 0)
		return error;

	struct page *const head = &frames->pages[first];
	/* relaxed: a guess, which the compare-and-swap puts right. */
	struct frame_word old = { load_relaxed(&head->word) };
	struct frame_word new = old;

	if (!block_to_taken(&new, order))
		return error_set(-EINVAL,
				 "frame %" PRIu32 " does not begin a block of "
				 "order %u: freed twice, or never allocated",
				 first, order);
	error = mapped_check(frames, first, order);
	if (error != 0)
		return error;
	/* seq_cst [frame-lent]: G1, before the second look. */
	if (!cas_seq_cst(&head->word, &old.bits, new.bits))
		return error_set(-EINVAL, "frame %" PRIu32 " is freed twice",
				 first);
	error = mapped_check(frames, first, order);
	if (error != 0) {
		frames_begin_lend(frames, first, order);
		return error;
	}
	frames->ops->give(frames,
			  (struct frame_run){ first, (uint32_t)1 << order });
	return 0;
}

bool frames_is_lent(const struct frames *frames, uint32_t frame)
{
	if (frames->ops->fixed || frame >= frames->config.nr_frames)
		return false;
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
		const uint32_t first = frame & ~(((uint32_t)1 << order) - 1);
		/* seq_cst [frame-lent]: M2, after the mapcount was raised. */
		const struct frame_word word = {
			load_seq_cst(&frames->pages[first].word),
		};

		if (frame_word_is(word, FRAME_BLOCK, order))
			return true;
	}
	return false;
}

bool frames_try_map(struct frames *frames, uint32_t frame)
{
	assert(!frames->ops->fixed);
	assert(frame < frames->config.nr_frames);
	/* seq_cst [frame-lent]: M1, before the look at the block. */
	add_seq_cst(&frames->pages[frame].mapcount, 1);
	if (frames_is_lent(frames, frame))
		return true;
	frames_unmap(frames, frame);
	return false;
}

void frames_unmap(struct frames *frames, uint32_t frame)
{
	/* release [frame-unmapped]: the mapping has gone before its count. */
	const uint32_t before = sub_release(&frames->pages[frame].mapcount, 1);

	require_invariant(before > 0, "P3");
}

void frames_check_lent(const struct frames *frames)
{
	for (uint32_t frame = 0; frame < frames->config.nr_frames; frame++) {
		/* relaxed: checks run alone. */
		const uint32_t mapcount =
			load_relaxed(&frames->pages[frame].mapcount);

		require_invariant(
			mapcount == 0 || frames_is_lent(frames, frame), "P3");
	}
}
