/* SPDX-License-Identifier: MIT */
#include "cmd/replay_watch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/atomic.h"

/* A look visits each slot: at most as many visits in a replay. */
static const size_t VISITS_MAX = 100 * 1000 * 1000;

enum { LOOKS_MIN = 16, LOOKS_MAX = 512 };

int replay_watch_init(struct replay_watch *watch,
		      const struct replay_load *load)
{
	const struct trace_program *program = load->program;
	const size_t steps = program->step_count - load->first_step;
	const size_t slots = program->slots + (size_t)1;
	size_t looks = VISITS_MAX / slots;

	if (looks < LOOKS_MIN)
		looks = LOOKS_MIN;
	if (looks > LOOKS_MAX)
		looks = LOOKS_MAX;
	*watch = (struct replay_watch){
		.every = steps / looks + 1,
		.next = load->first_step,
		.runs = calloc(slots, sizeof(struct replay_run)),
		.recorded_runs = calloc(slots, sizeof(struct replay_run)),
	};
	if (watch->runs && watch->recorded_runs)
		return 0;
	replay_watch_fini(watch);
	return -ENOMEM;
}

void replay_watch_fini(struct replay_watch *watch)
{
	free(watch->runs);
	free(watch->recorded_runs);
	watch->runs = NULL;
	watch->recorded_runs = NULL;
}

static void top_raise(struct replay_room *room, const struct replay_run *run)
{
	const uint64_t end = run->first_page + run->pages;

	if (end > room->top_page_max)
		room->top_page_max = end;
}

static size_t runs_collect(struct replay_watch *watch,
			   const struct replay_world *world)
{
	const struct replay_load *load = world->load;
	const struct trace_program *program = load->program;
	size_t count = 0;

	for (uint32_t slot = 0; slot < program->slots; slot++) {
		const size_t begin = load->begin_steps[slot];
		const struct trace_step *step = &program->steps[begin];
		/* relaxed: written by this thread, or by one that ended. */
		const uintptr_t address = load_relaxed(&world->addresses[slot]);

		if (!replay_is_live(address) ||
		    !replay_place_is_low(&load->place, program, step))
			continue;

		const struct replay_run run =
			replay_world_run(world, step, address);
		const struct replay_run recorded = { step->first_page,
						     step->pages };

		watch->runs[count] = run;
		watch->recorded_runs[count++] = recorded;
		if (begin < load->first_step)
			continue;
		top_raise(&watch->room, &run);
		top_raise(&watch->recorded, &recorded);
	}
	return count;
}

static void room_add(struct replay_room *room, struct replay_run *runs,
		     size_t count)
{
	room->end = replay_spread_of(runs, count);
	if (room->end.span_pages > room->span_pages_max)
		room->span_pages_max = room->end.span_pages;
}

void replay_watch_look(struct replay_watch *watch,
		       const struct replay_world *world)
{
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };
	const size_t count = runs_collect(watch, world);

	room_add(&watch->room, watch->runs, count);
	room_add(&watch->recorded, watch->recorded_runs, count);
	watch->looks++;
	if (lfv_get_stats(world->lfv, &stats) != 0)
		return;
	watch->lazy_pages = stats.lazy_pages;
	watch->pool_pages = stats.pool_pages;
	if (stats.lazy_pages + stats.pool_pages > watch->retained_pages_max)
		watch->retained_pages_max = stats.lazy_pages + stats.pool_pages;
}

void replay_watch_step(struct replay_watch *watch,
		       const struct replay_world *world, size_t step)
{
	if (step < watch->next)
		return;
	watch->next = step + watch->every;
	replay_watch_look(watch, world);
}
