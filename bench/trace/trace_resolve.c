/* SPDX-License-Identifier: MIT */
/*
 * trace_resolve.c - from events that name addresses to steps that name slots.
 *
 * One pass in order of time.  An allocation over live areas ends them at once
 * and puts each on the list of the owed: areas whose free event may still come.
 * Whether it was an inversion or a loss is known when the free arrives or when
 * TRACE_REORDER_NS are over.  The steps are the same in both cases, but for
 * the CPU of the free, which a late event corrects.
 */
#include "trace/trace.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "trace/trace_arena.h"
#include "trace/trace_grow.h"
#include "trace/trace_live.h"
#include "trace/trace_why.h"

/* More are never late at once on real machines; the oldest gives way. */
#define OWED_MAX 64u
#define CPU_NONE UINT16_MAX

/* An area that was ended before its free event came. */
struct owed {
	uint64_t start;
	uint64_t since_ns;
	size_t step;   /* of the free that was made for it */
	bool replaced; /* a new area begins at the same address */
	int32_t pid;   /* who allocated that one */
};

struct resolver {
	struct trace_program program;
	struct arena_map map;
	struct live live;
	struct owed owed[OWED_MAX]; /* oldest first */
	unsigned owed_count;
	uint64_t epoch; /* one more for each place where events are missing */
	uint64_t time_first_ns;
	uint16_t cpu_index[TRACE_CPUS_MAX];
};

static int no_memory(struct trace_why *why)
{
	return why_set(why, -ENOMEM, "out of memory while resolving events");
}

/* cpu_get - the dense number of a recorded CPU; the array is large enough. */
static uint16_t cpu_get(struct resolver *resolver, uint16_t recorded)
{
	struct trace_program *program = &resolver->program;

	if (resolver->cpu_index[recorded] == CPU_NONE) {
		program->cpu_ids[program->cpu_count] = recorded;
		resolver->cpu_index[recorded] = (uint16_t)program->cpu_count++;
	}
	return resolver->cpu_index[recorded];
}

static int step_push(struct resolver *resolver, const struct trace_step *step)
{
	struct trace_program *program = &resolver->program;
	struct trace_step *steps =
		grow_room(program->steps, &program->step_room,
			  program->step_count, sizeof(*steps));

	if (!steps)
		return -ENOMEM;
	program->steps = steps;
	steps[program->step_count++] = *step;
	return 0;
}

/* step_of - a step about an area, still without kind, CPU and align. */
static struct trace_step step_of(const struct resolver *resolver,
				 const struct live_area *area, uint64_t time_ns)
{
	const struct arena_window *window =
		&resolver->map.windows[area->window];
	const struct trace_arena *arena = &resolver->map.arenas[window->arena];

	return (struct trace_step){
		.time_ns = time_ns,
		.first_page = (area->start - arena->start) / TRACE_PAGE_BYTES,
		.pages = (area->end - area->start) / TRACE_PAGE_BYTES,
		.align = 1,
		.slot = area->slot,
		.window = (uint8_t)area->window,
	};
}

static uint64_t time_of(const struct resolver *resolver,
			const struct trace_event *event)
{
	return event->time_ns - resolver->time_first_ns;
}

/* owed_remove - by index; the others keep their order. */
static void owed_remove(struct resolver *resolver, unsigned index)
{
	assert(index < resolver->owed_count);
	resolver->owed_count--;
	memmove(&resolver->owed[index], &resolver->owed[index + 1],
		(resolver->owed_count - index) * sizeof(resolver->owed[0]));
}

/* owed_expire - those for whom nothing came until now were dropped. */
static void owed_expire(struct resolver *resolver, uint64_t now_ns)
{
	while (resolver->owed_count &&
	       now_ns - resolver->owed[0].since_ns > TRACE_REORDER_NS) {
		owed_remove(resolver, 0);
		resolver->program.counters.dropped++;
	}
}

static void owed_push(struct resolver *resolver, const struct owed *owed)
{
	if (resolver->owed_count == OWED_MAX) {
		owed_remove(resolver, 0);
		resolver->program.counters.dropped++;
	}
	resolver->owed[resolver->owed_count++] = *owed;
}

/*
 * owed_settle - true when this free event is one that was waited for.
 *
 * A thread's own events are in order: if a new area begins at that address and
 * the same thread allocated it, the free is the new area's.
 */
static bool owed_settle(struct resolver *resolver,
			const struct trace_event *event)
{
	for (unsigned i = 0; i < resolver->owed_count; i++) {
		const struct owed *owed = &resolver->owed[i];

		if (owed->start != event->va_start ||
		    (owed->replaced && owed->pid == event->pid))
			continue;
		resolver->program.steps[owed->step].cpu =
			cpu_get(resolver, event->cpu);
		resolver->program.counters.inversions++;
		owed_remove(resolver, i);
		return true;
	}
	return false;
}

static int area_free(struct resolver *resolver, const struct live_area *area,
		     const struct trace_event *event)
{
	struct trace_step step =
		step_of(resolver, area, time_of(resolver, event));

	step.kind = TRACE_STEP_FREE;
	step.cpu = cpu_get(resolver, event->cpu);
	const int error = step_push(resolver, &step);
	if (!error)
		live_remove(&resolver->live, area->start);
	return error;
}

/* area_displace - end a live area because `event` allocates its place. */
static int area_displace(struct resolver *resolver,
			 const struct live_area *area,
			 const struct trace_event *event)
{
	const bool doubtful = area->epoch != resolver->epoch;
	const struct owed owed = {
		.start = area->start,
		.since_ns = event->time_ns,
		.step = resolver->program.step_count,
		.replaced = area->start == event->va_start,
		.pid = event->pid,
	};
	const int error = area_free(resolver, area, event);

	if (error)
		return error;
	if (doubtful)
		resolver->program.counters.dropped++;
	else
		owed_push(resolver, &owed);
	return 0;
}

static int area_add(struct resolver *resolver, const struct live_area *area,
		    struct trace_step *step)
{
	if (resolver->program.slots == UINT32_MAX)
		return -ENOMEM;
	const int error = live_add(&resolver->live, area);

	if (error)
		return error;
	resolver->program.slots++;
	return step_push(resolver, step);
}

static int resolve_alloc(struct resolver *resolver,
			 const struct trace_event *event)
{
	const struct live_area area = {
		.start = event->va_start,
		.end = event->va_start + event->size,
		.epoch = resolver->epoch,
		.slot = resolver->program.slots,
		.window = arena_window_get(&resolver->map, event),
		.pid = event->pid,
	};
	const struct live_area *old = NULL;

	while ((old = live_find_overlap(&resolver->live, area.start,
					area.end))) {
		const struct live_area copy = *old;
		const int error = area_displace(resolver, &copy, event);

		if (error)
			return error;
	}
	struct trace_step step =
		step_of(resolver, &area, time_of(resolver, event));

	step.kind = TRACE_STEP_ALLOC;
	step.align = event->align;
	step.cpu = cpu_get(resolver, event->cpu);
	resolver->program.counters.allocs++;
	return area_add(resolver, &area, &step);
}

static int resolve_free(struct resolver *resolver,
			const struct trace_event *event)
{
	resolver->program.counters.frees++;
	if (owed_settle(resolver, event))
		return 0;
	const struct live_area *area =
		live_find(&resolver->live, event->va_start);
	if (!area) {
		resolver->program.counters.unknown_frees++;
		return 0;
	}
	const struct live_area copy = *area;

	return area_free(resolver, &copy, event);
}

static void resolve_lost(struct resolver *resolver,
			 const struct trace_event *event)
{
	struct trace_counters *counters = &resolver->program.counters;

	counters->lost_marks++;
	if (__builtin_add_overflow(counters->lost_events, event->size,
				   &counters->lost_events))
		counters->lost_events = UINT64_MAX;
	counters->dropped += resolver->owed_count;
	resolver->owed_count = 0;
	resolver->epoch++;
}

static void resolve_purge(struct resolver *resolver,
			  const struct trace_event *event)
{
	struct trace_counters *counters = &resolver->program.counters;

	counters->purges++;
	if (__builtin_add_overflow(counters->purged_areas, event->size,
				   &counters->purged_areas))
		counters->purged_areas = UINT64_MAX;
}

static int resolve_event(struct resolver *resolver,
			 const struct trace_event *event)
{
	owed_expire(resolver, event->time_ns);
	switch ((enum trace_op)event->op) {
	case TRACE_ALLOC:
		return resolve_alloc(resolver, event);
	case TRACE_FREE:
		return resolve_free(resolver, event);
	case TRACE_ALLOC_FAILED:
		resolver->program.counters.failed++;
		return 0;
	case TRACE_PURGE:
		resolve_purge(resolver, event);
		return 0;
	case TRACE_LOST:
		resolve_lost(resolver, event);
		return 0;
	}
	return 0;
}

/* resolve_snapshot - a preload for each area that was live before.  P1 */
static int resolve_snapshot(struct resolver *resolver,
			    const struct trace_snapshot *snapshot)
{
	struct trace_counters *counters = &resolver->program.counters;

	for (size_t i = 0; i < snapshot->range_count; i++) {
		const struct trace_range *range = &snapshot->ranges[i];

		if (live_find_overlap(&resolver->live, range->start,
				      range->end)) {
			counters->snapshot_overlaps++;
			continue;
		}
		const struct live_area area = {
			.start = range->start,
			.end = range->end,
			.epoch = resolver->epoch,
			.slot = resolver->program.slots,
			.window = arena_range_window(&resolver->map, range),
		};
		struct trace_step step = step_of(resolver, &area, 0);

		step.kind = TRACE_STEP_PRELOAD;
		const int error = area_add(resolver, &area, &step);
		if (error)
			return error;
		counters->preloads++;
	}
	return 0;
}

static int resolver_init(struct resolver *resolver, const struct trace *trace)
{
	struct trace_program *program = &resolver->program;

	live_init(&resolver->live);
	for (size_t i = 0; i < TRACE_CPUS_MAX; i++)
		resolver->cpu_index[i] = CPU_NONE;
	for (size_t i = 0; i < trace->event_count; i++) {
		if (trace->events[i].op == TRACE_LOST)
			continue;
		resolver->time_first_ns = trace->events[i].time_ns;
		break;
	}
	program->cpu_ids = calloc(TRACE_CPUS_MAX, sizeof(*program->cpu_ids));
	return program->cpu_ids ? 0 : -ENOMEM;
}

static int resolve_all(struct resolver *resolver, const struct trace *trace,
		       const struct trace_snapshot *snapshot)
{
	int error = resolver_init(resolver, trace);

	if (!error && snapshot)
		error = resolve_snapshot(resolver, snapshot);
	for (size_t i = 0; !error && i < trace->event_count; i++)
		error = resolve_event(resolver, &trace->events[i]);
	return error;
}

/* program_finish - what is known only when all events were seen. */
static void program_finish(struct resolver *resolver, const struct trace *trace,
			   const struct trace_snapshot *snapshot)
{
	struct trace_program *program = &resolver->program;
	struct trace_counters *counters = &program->counters;
	const struct arena_map *map = &resolver->map;

	counters->dropped += resolver->owed_count;
	counters->events = trace->event_count - counters->lost_marks;
	counters->skipped = trace->other_events;
	counters->cut_lines =
		trace->cut_lines + (snapshot ? snapshot->cut_lines : 0);
	if (program->step_count)
		program->duration_ns =
			program->steps[program->step_count - 1].time_ns;
	program->window_count = map->window_count;
	program->arena_count = map->arena_count;
	memcpy(program->arenas, map->arenas, sizeof(program->arenas));
	for (uint32_t i = 0; i < map->window_count; i++) {
		const struct arena_window *window = &map->windows[i];
		const uint64_t base = map->arenas[window->arena].start;

		program->windows[i] = (struct trace_window){
			.first_page = (window->start - base) / TRACE_PAGE_BYTES,
			.pages = (window->end - window->start) /
				 TRACE_PAGE_BYTES,
			.arena = window->arena,
		};
	}
}

int trace_resolve(const struct trace *trace,
		  const struct trace_snapshot *snapshot, struct trace_why *why,
		  struct trace_program *program)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return no_memory(why);
	int error = arena_map_init(trace, snapshot, why, &resolver->map);

	if (!error && resolve_all(resolver, trace, snapshot))
		error = no_memory(why);
	live_fini(&resolver->live);
	if (error) {
		trace_program_fini(&resolver->program);
	} else {
		program_finish(resolver, trace, snapshot);
		*program = resolver->program;
	}
	free(resolver);
	return error;
}

void trace_program_fini(struct trace_program *program)
{
	free(program->steps);
	free(program->cpu_ids);
	*program = (struct trace_program){ 0 };
}
