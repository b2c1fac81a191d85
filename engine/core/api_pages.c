/* SPDX-License-Identifier: MIT */
/*
 * api_pages.c - frames for the caller's own use, as Linux's alloc_pages().
 *
 * The frames remember which blocks were handed out, so that a free of anything
 * else, or of the same block twice, is refused and named.
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
	struct purge_seen seen;
	uint32_t frame = 0;
	int error = pages_check(lfv, order);

	if (error != 0)
		return error;
	seen = purge_look(lfv);
	error = lfv->frames.ops->take_order(&lfv->frames, order, &frame);
	/* Lazy areas hold frames, and so do the CPUs' lists. */
	for (int i = 0; i < PURGE_TRIES_MAX && error == -ENOMEM; i++) {
		const bool gives = purge_gives(lfv, &seen);

		lfv->frames.ops->drain(&lfv->frames);
		error = lfv->frames.ops->take_order(&lfv->frames, order,
						    &frame);
		if (!gives)
			break;
	}
	if (error != 0)
		return error_set(error,
				 "no %u contiguous frames are free: free some, "
				 "or create the engine with memory_bytes above "
				 "%zu",
				 1u << order, lfv->choices.memory_bytes);
	first->frame = frame;
	return 0;
}

int lfv_free_pages(struct lfv *lfv, struct lfv_page first, unsigned order)
{
	struct purge_seen seen;
	int error = pages_check(lfv, order);

	if (error != 0)
		return error;
	seen = purge_look(lfv);
	error = frames_give_order(&lfv->frames, first.frame, order);
	/* What lfv_vunmap() unmapped may wait for a purge, or be in one. */
	for (int i = 0; i < PURGE_TRIES_MAX && error == -EBUSY; i++) {
		const bool gives = purge_gives(lfv, &seen);

		error = frames_give_order(&lfv->frames, first.frame, order);
		if (!gives)
			break;
	}
	return error;
}

void *lfv_page_address(struct lfv *lfv, struct lfv_page page)
{
	void *base = NULL;
	int error = pages_check(lfv, 0);

	if (error == 0 && page.frame >= lfv->frames.config.nr_frames)
		error = error_set(-EINVAL, "frame %u: there are %zu",
				  page.frame,
				  (size_t)lfv->frames.config.nr_frames);
	if (error == 0)
		error = frames_linear(&lfv->frames, &base);
	if (error != 0) {
		errno = -error;
		return NULL;
	}
	return (unsigned char *)base + pages_to_bytes(page.frame);
}
