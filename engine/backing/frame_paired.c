/* SPDX-License-Identifier: MIT */
/*
 * frame_paired.c - frame = page of the window: nothing is ever searched.
 *
 * The memfd is sparse and as large as the window; the frame of a page lies at
 * the page's own offset.  Whoever owns a page of the window owns its frame, so
 * no state is kept, no lock is needed, and all frames of an area are always
 * contiguous and at their own offset: a million live areas share a handful of
 * kernel mappings.  The price: memory has no limit of its own, and a frame
 * cannot be had without an address.
 *
 * give() punches a hole, which is what gives the memory back to the system.
 * Frames that nobody touched may lie in the run; so the map layer gives a run
 * of freed areas whole, guard pages included, in one call.  A hole that cannot
 * be punched leaves the old contents for the next owner of the same pages, who
 * is promised no other.
 *
 * Who may run with whom: all with all.  Progress: wait-free up to the kernel.
 */
#include <errno.h>

#include "backing/frame_kinds.h"
#include "base/check.h"
#include "base/error.h"
#include "base/page.h"

static int paired_init(struct frames *frames)
{
	(void)frames;
	return 0;
}

static void paired_fini(struct frames *frames)
{
	(void)frames;
}

static int paired_take(struct frames *frames, uint32_t wanted, uint32_t count,
		       struct frame_run *run)
{
	assert(count > 0);
	assert((uint64_t)wanted + count <= frames->config.nr_frames);
	(void)frames;
	*run = (struct frame_run){ wanted, count };
	return 0;
}

static void paired_give(struct frames *frames, struct frame_run run)
{
	assert((uint64_t)run.first + run.count <= frames->config.nr_frames);
	(void)frames->config.os->punch_hole(frames->fd,
					    (off_t)pages_to_bytes(run.first),
					    (off_t)pages_to_bytes(run.count));
}

static int paired_take_order(struct frames *frames, unsigned order,
			     uint32_t *first)
{
	(void)order;
	(void)first;
	return error_set(-EOPNOTSUPP,
			 "frames '%s' belong to addresses: pages cannot be "
			 "allocated by themselves; choose frames 'buddy'",
			 frames->ops->name);
}

static void paired_drain(struct frames *frames)
{
	(void)frames;
}

static void paired_check(struct frames *frames)
{
	require(frames->pages == NULL);
}

/* All are free to whoever owns the address. */
static void paired_stats(struct frames *frames, struct frame_stats *stats)
{
	*stats = (struct frame_stats){
		.frames = frames->config.nr_frames,
		.frames_free = frames->config.nr_frames,
	};
}

const struct frame_ops frame_paired = {
	.name = "paired",
	.summary = "frame = page of the window, in a sparse memfd: no state, "
		   "no limit",
	.fixed = true,
	.state_bytes = sizeof(char),
	.init = paired_init,
	.fini = paired_fini,
	.take = paired_take,
	.give = paired_give,
	.take_order = paired_take_order,
	.drain = paired_drain,
	.check = paired_check,
	.stats = paired_stats,
};
