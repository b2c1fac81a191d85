/* SPDX-License-Identifier: MIT */
#include "cmd/replay_lane.h"

#include <inttypes.h>
#include <sched.h>

#include "base/atomic.h"
#include "cmd/replay_watch.h"

/* As long as two CPUs hand a line over; after that, the other may not run. */
enum { SPINS = 64 };

static uintptr_t slot_wait(struct replay_lane *lane,
			   _Atomic(uintptr_t) *address)
{
	const uint64_t begin_ns = replay_clock_ns();
	unsigned spins = 0;
	uintptr_t found = 0;

	/* acquire [slot-begun]: as in slot_get(). */
	while ((found = load_acquire(address)) == 0) {
		if (++spins % SPINS == 0)
			sched_yield();
		else
			cpu_relax();
	}
	lane->waits++;
	lane->wait_ns += replay_clock_ns() - begin_ns;
	return found;
}

/* W2: the address of a slot that is about to end. */
static uintptr_t slot_get(struct replay_lane *lane, uint32_t slot)
{
	_Atomic(uintptr_t) *address = &lane->world->addresses[slot];
	/* acquire [slot-begun]: the area and its claim, made by another. */
	const uintptr_t found = load_acquire(address);

	return found ? found : slot_wait(lane, address);
}

static void slot_set(struct replay_world *world, uint32_t slot, uintptr_t word)
{
	/* release [slot-begun]: whoever frees it sees the claim. */
	store_release(&world->addresses[slot], word);
}

static void failure_add(struct replay_lane *lane, size_t at)
{
	char text[REPLAY_STEP_BYTES];

	replay_step_text(lane->world->load->program, at, text);
	replay_tally_add(&lane->tally, REPLAY_FAILED, at, "failed: %s: %.200s",
			 text, lfv_last_error());
}

static void op_timed(struct replay_lane *lane, size_t at, uint64_t ns)
{
	lane->busy_ns += ns;
	if (ns < lane->op_ns[at])
		lane->op_ns[at] = ns;
}

static bool is_same_place(const struct replay_world *world,
			  const struct trace_step *step, uintptr_t address)
{
	const struct replay_load *load = world->load;
	const uint64_t page =
		replay_place_page(&load->place, load->program, step);

	return address == world->start + page * TRACE_PAGE_BYTES;
}

static void alloc_looked_at(struct replay_lane *lane, size_t at)
{
	struct replay_world *world = lane->world;
	const struct trace_step *step = &world->load->program->steps[at];
	const uint64_t begin_ns = replay_clock_ns();
	const uintptr_t address = replay_world_alloc(world, step);

	op_timed(lane, at, replay_clock_ns() - begin_ns);
	if (!address)
		failure_add(lane, at);

	const bool known =
		address && replay_world_judge(world, at, address, &lane->tally);

	lane->same_places += known && is_same_place(world, step, address);
	slot_set(world, step->slot, known ? address : REPLAY_FAILED_SLOT);
}

static void free_looked_at(struct replay_lane *lane, size_t at)
{
	struct replay_world *world = lane->world;
	const struct trace_step *step = &world->load->program->steps[at];
	const uintptr_t address = slot_get(lane, step->slot);

	if (!replay_is_live(address))
		return;

	const struct replay_run run = replay_world_run(world, step, address);

	replay_claims_remove(&world->claims, &run, step->slot);
	slot_set(world, step->slot, REPLAY_FREED_SLOT);

	const uint64_t begin_ns = replay_clock_ns();
	const int err = replay_world_free(world, address);

	op_timed(lane, at, replay_clock_ns() - begin_ns);
	if (err)
		failure_add(lane, at);
}

static void step_looked_at(struct replay_lane *lane, size_t at)
{
	if (lane->world->load->program->steps[at].kind == TRACE_STEP_ALLOC)
		alloc_looked_at(lane, at);
	else
		free_looked_at(lane, at);
	if (lane->watch)
		replay_watch_step(lane->watch, lane->world, at);
}

static void step_unlooked(struct replay_lane *lane, size_t at)
{
	struct replay_world *world = lane->world;
	const struct trace_step *step = &world->load->program->steps[at];

	if (step->kind == TRACE_STEP_ALLOC) {
		const uintptr_t address = replay_world_alloc(world, step);

		if (!address)
			failure_add(lane, at);
		slot_set(world, step->slot,
			 address ? address : REPLAY_FAILED_SLOT);
		return;
	}

	const uintptr_t address = slot_get(lane, step->slot);

	if (!replay_is_live(address))
		return;
	slot_set(world, step->slot, REPLAY_FREED_SLOT);
	if (replay_world_free(world, address))
		failure_add(lane, at);
}

void replay_lane_run(struct replay_lane *lane)
{
	const struct replay_load *load = lane->world->load;
	const size_t begin = lane->lane ? load->lane_ends[lane->lane - 1] : 0;
	const size_t end = load->lane_ends[lane->lane];
	const bool is_looked_at = lane->op_ns != NULL;

	lane->begin_ns = replay_clock_ns();
	for (size_t i = begin; i < end; i++) {
		if (is_looked_at)
			step_looked_at(lane, load->order[i]);
		else
			step_unlooked(lane, load->order[i]);
	}
	lane->end_ns = replay_clock_ns();
	lane->ops = end - begin;
	if (!is_looked_at)
		lane->busy_ns = lane->end_ns - lane->begin_ns - lane->wait_ns;
}
