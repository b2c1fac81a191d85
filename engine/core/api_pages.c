/* SPDX-License-Identifier: MIT */
/*
 * api_pages.c - frames for the caller's own use, as Linux's alloc_pages().
 *
 * The first frame of such a block remembers its order until it is freed, so
 * that a free of anything else, or of the same block twice, is refused; the
 * change back to 0 is a CAS, so of two frees that race one is refused too.
 */
#include <errno.h>

#include "base/error.h"
#include "core/engine.h"

static int pages_check(const struct lfv *lfv, unsigned order)
{
	const int error = engine_enter(lfv);

	if (error != 0)
		return error;
	if (lfv->choices.address_plane)
		return error_set(-EOPNOTSUPP,
				 "an engine of the address plane has no "
				 "frames: create it without address_plane");
	if (lfv->choices.frames->fixed)
		return error_set(-EOPNOTSUPP,
				 "frames %s belong to addresses, none can be "
				 "had alone: create the engine with buddy",
				 lfv->choices.frames->name);
	if (order > LFV_MAX_ORDER)
		return error_set(-EINVAL, "order %u: from 0 to %d", order,
				 LFV_MAX_ORDER);
	return 0;
}

int lfv_alloc_pages(struct lfv *lfv, unsigned order, struct lfv_page *first)
{
	uint32_t frame = 0;
	int error = pages_check(lfv, order);

	if (error != 0)
		return error;
	error = lfv->frames.ops->take_order(&lfv->frames, order, &frame);
	/* Lazy areas hold frames. */
	if (error == -ENOMEM && purge_run(lfv, VA_PURGE_FULL) == 0) {
		lfv->frames.ops->drain(&lfv->frames);
		error = lfv->frames.ops->take_order(&lfv->frames, order,
						    &frame);
	}
	if (error != 0)
		return error_set(error,
				 "no %u contiguous frames are free: free some, "
				 "or create the engine with memory_bytes above "
				 "%zu",
				 1u << order, lfv->choices.memory_bytes);
	/* relaxed: the block is this thread's until it returns. */
	store_relaxed(&lfv->frames.pages[frame].user, (uint8_t)(order + 1));
	first->frame = frame;
	return 0;
}

/* is_mapped - whether lfv_vmap() shows any frame of the block somewhere. */
static bool is_mapped(const struct lfv *lfv, struct frame_run run)
{
	for (uint32_t i = 0; i < run.count; i++) {
		/* relaxed: a map that races with this free is misuse. */
		if (load_relaxed(&lfv->frames.pages[run.first + i].mapcount) >
		    0)
			return true;
	}
	return false;
}

int lfv_free_pages(struct lfv *lfv, struct lfv_page first, unsigned order)
{
	const struct frame_run run = {
		.first = first.frame,
		.count = order <= LFV_MAX_ORDER ? 1u << order : 0,
	};
	int error = pages_check(lfv, order);

	if (error != 0)
		return error;
	if (first.frame >= lfv->frames.config.nr_frames)
		return error_set(-EINVAL, "wild free of frame %u: there are %u",
				 first.frame, lfv->frames.config.nr_frames);

	uint8_t expected = (uint8_t)(order + 1);
	_Atomic(uint8_t) *user = &lfv->frames.pages[first.frame].user;

	/* relaxed: named before it is tried; the CAS below decides. */
	if (load_relaxed(user) == expected && is_mapped(lfv, run))
		return error_set(-EBUSY,
				 "frames from %u, order %u, are still mapped: "
				 "lfv_vunmap() first",
				 first.frame, order);
	/* relaxed: the allocator orders the frames' contents. */
	if (!cas_relaxed(user, &expected, 0))
		return error_set(
			-EINVAL,
			expected == 0
				? "free of frame %u, order %u: no such block "
				  "is "
				  "allocated (double or wild free)"
				: "free of frame %u with order %u: it was "
				  "allocated with another order",
			first.frame, order);
	lfv->frames.ops->give(&lfv->frames, run);
	return 0;
}

void *lfv_page_address(struct lfv *lfv, struct lfv_page page)
{
	void *base = NULL;
	int error = pages_check(lfv, 0);

	if (error == 0 && page.frame >= lfv->frames.config.nr_frames)
		error = error_set(-EINVAL, "frame %u: there are %u", page.frame,
				  lfv->frames.config.nr_frames);
	if (error == 0)
		error = frames_linear(&lfv->frames, &base);
	if (error != 0) {
		errno = -error;
		return NULL;
	}
	return (unsigned char *)base + pages_to_bytes(page.frame);
}
