/* SPDX-License-Identifier: MIT */
/*
 * trace_check.c - the invariants of a resolved program, one by one.
 */
#include <stdlib.h>

#include "base/check.h"
#include "trace/trace.h"
#include "trace/trace_live.h"

/* What a walk over the steps has seen of them. */
struct check_walk {
	const struct trace_program *program;
	struct live live; /* by recorded address */
	uint32_t begun;   /* slots */
	uint64_t time_ns;
	uint64_t preload_end;
	bool preloading;
};

static uint64_t step_address(const struct trace_program *program,
			     const struct trace_step *step)
{
	const struct trace_window *window = &program->windows[step->window];

	return program->arenas[window->arena].start +
	       step->first_page * TRACE_PAGE_BYTES;
}

static void step_check_place(const struct trace_program *program,
			     const struct trace_step *step)
{
	require_invariant(step->window < program->window_count, "P5");
	const struct trace_window *window = &program->windows[step->window];

	require_invariant(window->arena < program->arena_count, "P5");
	const struct trace_arena *arena = &program->arenas[window->arena];

	require_invariant(window->first_page <= arena->pages, "P5");
	require_invariant(window->pages <= arena->pages - window->first_page,
			  "P5");
	require_invariant(step->pages > 0, "P5");
	/* A preload knows its arena alone. */
	const bool is_known = step->kind == TRACE_STEP_ALLOC;
	const uint64_t first = is_known ? window->first_page : 0;
	const uint64_t pages = is_known ? window->pages : arena->pages;

	require_invariant(step->first_page >= first, "P5");
	require_invariant(step->pages <= pages, "P5");
	require_invariant(step->first_page - first <= pages - step->pages,
			  "P5");
}

static void step_check_begin(struct check_walk *walk,
			     const struct trace_step *step)
{
	const uint64_t start = step_address(walk->program, step);
	const uint64_t end = start + step->pages * TRACE_PAGE_BYTES;
	const bool is_preload = step->kind == TRACE_STEP_PRELOAD;

	require_invariant(!is_preload || walk->preloading, "P1");
	require_invariant(!is_preload || start >= walk->preload_end, "P1");
	walk->preload_end = is_preload ? end : walk->preload_end;
	require_invariant(step->slot == walk->begun, "P2");
	walk->begun++;
	require_invariant(!live_find_overlap(&walk->live, start, end), "P3");
	const struct live_area area = {
		.start = start,
		.end = end,
		.slot = step->slot,
	};
	const int error = live_add(&walk->live, &area);

	require(!error);
}

static void step_check_end(struct check_walk *walk,
			   const struct trace_step *step)
{
	const uint64_t start = step_address(walk->program, step);
	const struct live_area *area = live_find(&walk->live, start);

	require_invariant(area && area->slot == step->slot, "P2");
	require_invariant(area->end - start == step->pages * TRACE_PAGE_BYTES,
			  "P2");
	live_remove(&walk->live, start);
}

void trace_program_check(const struct trace_program *program)
{
	struct check_walk walk = { .program = program, .preloading = true };

	live_init(&walk.live);
	for (size_t i = 0; i < program->step_count; i++) {
		const struct trace_step *step = &program->steps[i];

		require_invariant(step->time_ns >= walk.time_ns, "P4");
		walk.time_ns = step->time_ns;
		step_check_place(program, step);
		if (step->kind != TRACE_STEP_PRELOAD)
			walk.preloading = false;
		if (step->kind == TRACE_STEP_FREE)
			step_check_end(&walk, step);
		else
			step_check_begin(&walk, step);
	}
	require_invariant(walk.begun == program->slots, "P2");
	live_check(&walk.live);
	live_fini(&walk.live);
}
