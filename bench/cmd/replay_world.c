/* SPDX-License-Identifier: MIT */
#include "cmd/replay_world.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"

static const size_t MIB_BYTES = (size_t)1 << 20;
/* Frames are free in runs, not all where they would fit: a third more. */
static const size_t SLACK_DIVISOR = 3;

/* What the areas of the recording need, where that is more than the default. */
static size_t memory_for(const struct replay_load *load,
			 const struct lfv_options *options)
{
	struct lfv_options resolved;
	const size_t live =
		replay_load_live_pages_max(load->program) * TRACE_PAGE_BYTES;
	const size_t needed = (live + live / SLACK_DIVISOR + MIB_BYTES) /
			      MIB_BYTES * MIB_BYTES;

	if (lfv_options_check(options, &resolved) != 0)
		return 0;
	return needed > resolved.memory_bytes ? needed : 0;
}

static int engine_make(struct replay_world *world, char why[REPLAY_WHY_BYTES])
{
	const struct replay_load *load = world->load;
	struct lfv_options options;

	cell_options(load->cell, &options);
	options.window_bytes = load->place.window_pages * TRACE_PAGE_BYTES;
	if (load->is_mapped)
		options.memory_bytes = memory_for(load, &options);
	world->lfv = lfv_create(&options);
	if (!world->lfv) {
		const int err = -errno;

		snprintf(why, REPLAY_WHY_BYTES, "no engine: %s",
			 lfv_last_error());
		return err;
	}
	world->start = lfv_vmalloc_start(world->lfv);
	world->end = lfv_vmalloc_end(world->lfv);
	if (!world->is_looked_at)
		return 0;
	world->empty.struct_bytes = sizeof(world->empty);
	return lfv_get_stats(world->lfv, &world->empty);
}

static uintptr_t page_address(const struct replay_world *world, uint64_t page)
{
	return world->start + page * TRACE_PAGE_BYTES;
}

static void bounds_fill(struct replay_world *world)
{
	const struct trace_program *program = world->load->program;

	for (uint32_t i = 0; i < program->window_count; i++) {
		const struct replay_range range =
			replay_place_range(&world->load->place, program, i);

		if (range.end_page == range.first_page)
			continue;
		world->bounds[i] = (struct replay_bounds){
			page_address(world, range.first_page),
			page_address(world, range.end_page),
		};
	}
}

int replay_world_init(struct replay_world *world,
		      const struct replay_load *load, bool is_looked_at,
		      char why[REPLAY_WHY_BYTES])
{
	*world = (struct replay_world){
		.load = load,
		.is_looked_at = is_looked_at,
	};

	int err = engine_make(world, why);

	if (err)
		return err;
	world->addresses = calloc(load->program->slots + (size_t)1,
				  sizeof(*world->addresses));
	err = world->addresses ? replay_claims_init(&world->claims,
						    load->place.window_pages)
			       : -ENOMEM;
	if (err) {
		snprintf(why, REPLAY_WHY_BYTES,
			 "no memory for the replay's own books");
		free(world->addresses);
		lfv_destroy(world->lfv);
		return err;
	}
	bounds_fill(world);
	return 0;
}

void replay_world_fini(struct replay_world *world)
{
	lfv_destroy(world->lfv);
	replay_claims_fini(&world->claims);
	free(world->addresses);
}

/*
 * The size that leads to these pages: an area has a guard page behind it, save
 * those of a single page, which can have none.
 */
static struct lfv_request request_of(const struct trace_step *step,
				     const struct replay_bounds *bounds)
{
	const bool is_guarded = step->pages > 1;
	struct lfv_request request = LFV_REQUEST_INIT;

	request.size = (step->pages - is_guarded) * TRACE_PAGE_BYTES;
	request.align = step->align > 1 ? step->align : 0;
	request.vstart = bounds->vstart;
	request.vend = bounds->vend;
	request.flags = is_guarded ? 0 : LFV_VM_NO_GUARD;
	return request;
}

uintptr_t replay_world_alloc(const struct replay_world *world,
			     const struct trace_step *step)
{
	const struct lfv_request request =
		request_of(step, &world->bounds[step->window]);

	return world->load->is_mapped
		       ? (uintptr_t)lfv_vmalloc_range(world->lfv, &request)
		       : (uintptr_t)lfv_get_vm_area_range(world->lfv, &request);
}

int replay_world_free(const struct replay_world *world, uintptr_t address)
{
	const void *area = (const void *)address;

	return world->load->is_mapped ? lfv_vfree(world->lfv, area)
				      : lfv_free_vm_area(world->lfv, area);
}

/* What was there before is a range alone: nothing says what it mapped. */
static uintptr_t range_alloc(const struct replay_world *world,
			     const struct trace_step *step,
			     const struct replay_bounds *bounds)
{
	const struct lfv_request request = request_of(step, bounds);

	return (uintptr_t)lfv_get_vm_area_range(world->lfv, &request);
}

static uintptr_t preload_one(const struct replay_world *world,
			     const struct trace_step *step, uint64_t *moved)
{
	const struct replay_load *load = world->load;
	const uint64_t page =
		replay_place_page(&load->place, load->program, step);
	const struct replay_bounds exact = {
		page_address(world, page),
		page_address(world, page + step->pages),
	};
	const struct replay_bounds any = { 0, 0 };
	uintptr_t address = range_alloc(world, step, &exact);

	if (address == exact.vstart)
		return address;
	(*moved)++;
	if (!address)
		address =
			range_alloc(world, step, &world->bounds[step->window]);
	return address ? address : range_alloc(world, step, &any);
}

/* Where nothing can be said of it: it would not even lie in our books. */
static bool is_outside(const struct replay_world *world,
		       const struct trace_step *step, uintptr_t address)
{
	const uintptr_t bytes = step->pages * TRACE_PAGE_BYTES;

	return address % TRACE_PAGE_BYTES != 0 || address < world->start ||
	       bytes > world->end - world->start ||
	       address > world->end - bytes;
}

bool replay_world_claim(struct replay_world *world, size_t at,
			uintptr_t address, struct replay_tally *tally)
{
	const struct trace_program *program = world->load->program;
	const struct trace_step *step = &program->steps[at];
	char text[REPLAY_STEP_BYTES];
	struct replay_clash clash;

	if (is_outside(world, step, address)) {
		replay_step_text(program, at, text);
		replay_tally_add(tally, REPLAY_MISPLACED, at,
				 "misplaced at 0x%zx: %s, outside the engine's "
				 "window 0x%zx-0x%zx",
				 address, text, world->start, world->end);
		return false;
	}

	const struct replay_run run = replay_world_run(world, step, address);

	if (replay_claims_try_add(&world->claims, &run, step->slot, &clash))
		return true;
	replay_step_text(program, at, text);
	replay_tally_add(tally, REPLAY_OVERLAP, at,
			 "overlap at page 0x%" PRIx64 " (0x%zx): %s was given "
			 "what slot %" PRIu32 " still has",
			 clash.page, page_address(world, clash.page), text,
			 clash.slot);
	return true;
}

static void failure_add(const struct trace_program *program, size_t at,
			struct replay_tally *tally)
{
	char text[REPLAY_STEP_BYTES];

	replay_step_text(program, at, text);
	replay_tally_add(tally, REPLAY_FAILED, at, "failed: %s: %.200s", text,
			 lfv_last_error());
}

void replay_world_preload(struct replay_world *world,
			  struct replay_tally *tally, uint64_t *moved)
{
	const struct trace_program *program = world->load->program;

	*moved = 0;
	for (size_t i = 0; i < world->load->first_step; i++) {
		const struct trace_step *step = &program->steps[i];
		uintptr_t address = preload_one(world, step, moved);

		if (!address)
			failure_add(program, i, tally);
		else if (world->is_looked_at &&
			 !replay_world_claim(world, i, address, tally))
			address = 0;
		/* relaxed: no other thread is there yet. */
		store_relaxed(&world->addresses[step->slot],
			      address ? address : REPLAY_FAILED_SLOT);
	}
}

struct replay_run replay_world_run(const struct replay_world *world,
				   const struct trace_step *step,
				   uintptr_t address)
{
	return (struct replay_run){
		(address - world->start) / TRACE_PAGE_BYTES,
		step->pages,
	};
}

/* Whether the area lies where the request wanted it. */
static bool is_placed(const struct replay_world *world,
		      const struct trace_step *step, uintptr_t address)
{
	const struct replay_bounds *bounds = &world->bounds[step->window];
	const uintptr_t end = address + step->pages * TRACE_PAGE_BYTES;

	return (step->align <= 1 || address % step->align == 0) &&
	       (bounds->vstart == 0 ||
		(address >= bounds->vstart && end <= bounds->vend));
}

bool replay_world_judge(struct replay_world *world, size_t at,
			uintptr_t address, struct replay_tally *tally)
{
	const struct trace_program *program = world->load->program;
	const struct trace_step *step = &program->steps[at];
	char text[REPLAY_STEP_BYTES];

	if (!replay_world_claim(world, at, address, tally))
		return false;
	if (is_placed(world, step, address))
		return true;
	replay_step_text(program, at, text);
	replay_tally_add(tally, REPLAY_MISPLACED, at,
			 "misplaced at 0x%zx: %s, alignment 0x%" PRIx64
			 ", bounds 0x%zx-0x%zx",
			 address, text, step->align,
			 world->bounds[step->window].vstart,
			 world->bounds[step->window].vend);
	return true;
}
