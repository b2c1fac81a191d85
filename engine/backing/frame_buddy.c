/* SPDX-License-Identifier: MIT */
/*
 * frame_buddy.c - Linux's page allocator: a buddy system behind one lock, and
 * per-CPU lists of single frames in front of it.
 *
 * Linux has one such lock per NUMA zone; here all memory is one zone.
 *
 * A single frame comes from this CPU's list, unless the frame that was wanted
 * is free: a frame at the offset of its page shares the kernel mapping of its
 * neighbours, which is worth a lock.  -ENOMEM only after the lists of all CPUs
 * have been emptied.
 *
 * Progress: blocks on the lock, which protects no system call.
 */
#include "backing/buddy.h"
#include "backing/frame_kinds.h"
#include "backing/frame_pcp.h"
#include "base/check.h"
#include "base/error.h"

struct buddy_state {
	struct lock lock;
	struct buddy buddy; /* guarded by lock */
	struct frame_pcp pcp;
};

static struct buddy_state *state_of(const struct frames *frames)
{
	return frames->state;
}

static int frame_buddy_init(struct frames *frames)
{
	struct buddy_state *const state = state_of(frames);
	int error = pcp_init(&state->pcp, frames);

	if (error != 0)
		return error_set(
			error, "no address space for the per-CPU "
			       "lists of frames (RLIMIT_AS, vm.max_map_count)");
	error = lock_init(&state->lock, frames->config.lock,
			  frames->config.lock_yield);
	if (error != 0) {
		pcp_fini(&state->pcp);
		return error_set(error, "the lock of the frames could not be "
					"made");
	}
	buddy_init(&state->buddy, frames->pages,
		   (uint32_t)frames->config.nr_frames);
	return 0;
}

static void frame_buddy_fini(struct frames *frames)
{
	struct buddy_state *const state = state_of(frames);

	lock_fini(&state->lock);
	pcp_fini(&state->pcp);
}

/* give_many - single frames back to the buddies, in one turn. */
static void give_many(struct buddy_state *state, const uint32_t *frames,
		      unsigned count)
{
	struct lock_turn turn;

	if (count == 0)
		return;
	lock_enter(&state->lock, &turn);
	for (unsigned i = 0; i < count; i++)
		buddy_give(&state->buddy, (struct frame_run){ frames[i], 1 });
	lock_leave(&state->lock, &turn);
}

/* spill - `frame`, and a batch of this CPU's list, which has no room for it. */
static void spill(struct buddy_state *state, uint32_t frame)
{
	uint32_t batch[PCP_BATCH + 1];
	unsigned count = 0;

	batch[count++] = frame;
	while (count <= PCP_BATCH && pcp_take(&state->pcp, &batch[count]))
		count++;
	give_many(state, batch, count);
}

static void give_single(struct buddy_state *state, uint32_t frame)
{
	if (!pcp_push(&state->pcp, frame))
		spill(state, frame);
}

static void frame_buddy_give(struct frames *frames, struct frame_run run)
{
	struct buddy_state *const state = state_of(frames);
	struct lock_turn turn;

	assert(run.count > 0);
	if (run.count == 1) {
		give_single(state, run.first);
		return;
	}
	lock_enter(&state->lock, &turn);
	buddy_give(&state->buddy, run);
	lock_leave(&state->lock, &turn);
}

static void frame_buddy_drain(struct frames *frames)
{
	struct buddy_state *const state = state_of(frames);
	uint32_t batch[PCP_FRAMES];

	for (unsigned slot = 0; slot < pcp_slots(&state->pcp); slot++)
		give_many(state, batch, pcp_drain(&state->pcp, slot, batch));
}

/* refill - one frame for the caller, and a batch for this CPU's list. */
static bool refill(struct buddy_state *state, uint32_t *frame)
{
	uint32_t batch[PCP_BATCH];
	struct lock_turn turn;
	unsigned count = 0;

	lock_enter(&state->lock, &turn);
	while (count < PCP_BATCH &&
	       buddy_take_order(&state->buddy, 0, &batch[count]))
		count++;
	lock_leave(&state->lock, &turn);
	if (count == 0)
		return false;
	*frame = batch[0];
	for (unsigned i = 1; i < count; i++)
		give_single(state, batch[i]);
	return true;
}

static bool take_single(struct buddy_state *state, uint32_t *frame)
{
	return pcp_take(&state->pcp, frame) || refill(state, frame);
}

static bool take_wanted(struct buddy_state *state, uint32_t wanted,
			uint32_t count, struct frame_run *run)
{
	struct lock_turn turn;

	lock_enter(&state->lock, &turn);
	const bool taken = buddy_take_at(&state->buddy, wanted, count, run);
	lock_leave(&state->lock, &turn);
	return taken;
}

/*
 * take_one - the wanted frame, else any.
 *
 * A CPU that frees and takes at one address finds the frame on its list and
 * needs no lock.
 */
static bool take_one(struct buddy_state *state, uint32_t wanted,
		     struct frame_run *run)
{
	uint32_t spare;
	const bool has_spare = pcp_take(&state->pcp, &spare);

	if (has_spare && spare == wanted) {
		*run = (struct frame_run){ spare, 1 };
		return true;
	}
	if (take_wanted(state, wanted, 1, run)) {
		if (has_spare)
			give_single(state, spare);
		return true;
	}
	if (!has_spare && !refill(state, &spare))
		return false;
	*run = (struct frame_run){ spare, 1 };
	return true;
}

static bool take_many(struct buddy_state *state, uint32_t wanted,
		      uint32_t count, struct frame_run *run)
{
	struct lock_turn turn;

	lock_enter(&state->lock, &turn);
	const bool taken = buddy_take_at(&state->buddy, wanted, count, run) ||
			   buddy_take_most(&state->buddy, count, run);
	lock_leave(&state->lock, &turn);
	return taken;
}

static bool try_take(struct frames *frames, uint32_t wanted, uint32_t count,
		     struct frame_run *run)
{
	struct buddy_state *const state = state_of(frames);

	return count == 1 ? take_one(state, wanted, run)
			  : take_many(state, wanted, count, run);
}

static int frame_buddy_take(struct frames *frames, uint32_t wanted,
			    uint32_t count, struct frame_run *run)
{
	if (try_take(frames, wanted, count, run))
		return 0;
	frame_buddy_drain(frames);
	if (try_take(frames, wanted, count, run))
		return 0;
	return frames_refuse_take(frames);
}

static bool try_take_order(struct frames *frames, unsigned order,
			   uint32_t *first)
{
	struct buddy_state *const state = state_of(frames);
	struct lock_turn turn;

	if (order == 0)
		return take_single(state, first);
	lock_enter(&state->lock, &turn);
	const bool taken = buddy_take_order(&state->buddy, order, first);
	lock_leave(&state->lock, &turn);
	return taken;
}

static int frame_buddy_take_order(struct frames *frames, unsigned order,
				  uint32_t *first)
{
	uint32_t block;

	if (order > FRAME_ORDER_MAX)
		return frames_refuse_order(order);
	if (!try_take_order(frames, order, &block)) {
		frame_buddy_drain(frames);
		if (!try_take_order(frames, order, &block))
			return frames_refuse_order(order);
	}

	frames_begin_lend(frames, block, order);
	*first = block;
	return 0;
}

static bool frame_buddy_is_taken(const struct frames *frames, uint32_t frame)
{
	/* relaxed: asked alone. */
	const struct frame_word word = {
		load_relaxed(&frames->pages[frame].word),
	};

	return frame_word_is_taken(word);
}

static void frame_buddy_check(struct frames *frames)
{
	struct buddy_state *const state = state_of(frames);

	(void)buddy_check(&state->buddy);
	pcp_check(&state->pcp, frames->config.nr_frames);
	frames_check_lent(frames);
}

static void frame_buddy_stats(struct frames *frames, struct frame_stats *stats)
{
	struct buddy_state *const state = state_of(frames);
	const uint64_t cached = pcp_frames_cached(&state->pcp);
	struct lock_turn turn;

	lock_enter(&state->lock, &turn);
	*stats = (struct frame_stats){
		.frames = frames->config.nr_frames,
		.frames_free = state->buddy.free_frames + cached,
		.frames_cached = cached,
		/* relaxed: counters. */
		.locks_entered = load_relaxed(&state->lock.entered),
		.locks_waited = load_relaxed(&state->lock.waited),
	};
	lock_leave(&state->lock, &turn);
}

const struct frame_ops frame_buddy = {
	.name = "buddy",
	.summary = "Linux's: orders 0 to 10, one lock, per-CPU lists of "
		   "single frames",
	.state_bytes = sizeof(struct buddy_state),
	.init = frame_buddy_init,
	.fini = frame_buddy_fini,
	.take = frame_buddy_take,
	.give = frame_buddy_give,
	.take_order = frame_buddy_take_order,
	.drain = frame_buddy_drain,
	.is_taken = frame_buddy_is_taken,
	.check = frame_buddy_check,
	.stats = frame_buddy_stats,
};
