/* SPDX-License-Identifier: MIT */
/*
 * replay_process.c - the process that takes one sample of a replay.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/plan.h"
#include "cmd/replay_pass.h"
#include "cmd/replay_sample.h"
#include "cmd/verb.h"
#include "common/message.h"

enum { LOOKED_PASSES = 3 };

/* Everything that a sample is made of. */
struct work {
	struct cell cell;
	struct trace_program program;
	struct replay_load load;
	struct placement *placement;
	int *cpus;
	uint64_t *op_ns;
	struct replay_watch watch;
	struct replay_pass first; /* the one that was watched */
	struct replay_tally tally;
	uint64_t replays; /* unobserved */
	uint64_t ops;
	uint64_t busy_ns;
	uint64_t wall_ns;
	char why[REPLAY_WHY_BYTES];
};

static int work_init(struct work *work)
{
	const unsigned threads = work->cell.threads;
	const struct placement_request request = {
		.pin = work->cell.pin,
		.threads = threads,
		.oversubscribe = work->cell.oversubscribe,
	};
	int err = replay_load_init(&work->load, &work->program, &work->cell);

	if (err) {
		snprintf(work->why, sizeof(work->why),
			 "the recording does not fit into any window: %s",
			 strerror(-err));
		return err;
	}
	work->placement = placement_make(NULL);
	work->cpus = calloc(threads, sizeof(*work->cpus));
	work->op_ns =
		calloc(work->program.step_count + 1, sizeof(*work->op_ns));
	if (!work->placement || !work->cpus || !work->op_ns ||
	    replay_watch_init(&work->watch, &work->load) != 0) {
		snprintf(work->why, sizeof(work->why), "no memory");
		return -ENOMEM;
	}
	err = placement_plan(work->placement, &request, work->cpus);
	if (err)
		snprintf(work->why, sizeof(work->why), "%s", message_text());
	for (size_t i = 0; i < work->program.step_count; i++)
		work->op_ns[i] = UINT64_MAX;
	return err;
}

static void work_fini(struct work *work)
{
	replay_watch_fini(&work->watch);
	free(work->op_ns);
	free(work->cpus);
	if (work->placement)
		placement_free(work->placement);
	replay_load_fini(&work->load);
	trace_program_fini(&work->program);
}

static struct replay_pass pass_of(const struct work *work)
{
	return (struct replay_pass){
		.load = &work->load,
		.placement = work->placement,
		.cpus = work->cpus,
	};
}

/* Replays in which everything is judged; ends with the first that is bad. */
static int passes_looked(struct work *work)
{
	for (int i = 0; i < LOOKED_PASSES; i++) {
		struct replay_pass pass = pass_of(work);

		pass.op_ns = work->op_ns;
		pass.watch = i == 0 ? &work->watch : NULL;

		const int err = replay_pass_run(&pass, work->why);

		if (err)
			return err;
		if (i == 0)
			work->first = pass;
		replay_tally_merge(&work->tally, &pass.tally);
		if (!replay_tally_is_clean(&pass.tally))
			return 0;
	}
	return 0;
}

/* Whole replays, until they have taken long enough or patience is at its end.
 */
static int passes_timed(struct work *work)
{
	const uint64_t deadline_ns =
		replay_clock_ns() + work->cell.cell_limit_ns;

	while (work->wall_ns < REPLAY_TIMED_NS &&
	       replay_clock_ns() < deadline_ns) {
		struct replay_pass pass = pass_of(work);
		const int err = replay_pass_run(&pass, work->why);

		if (err)
			return err;
		work->replays++;
		work->ops += pass.ops;
		work->busy_ns += pass.busy_ns;
		work->wall_ns += pass.wall_ns;
		replay_tally_merge(&work->tally, &pass.tally);
		if (!replay_tally_is_clean(&pass.tally))
			return 0;
	}
	return 0;
}

/* A name and a number of an object. */
struct figure {
	const char *name;
	uint64_t value;
};

static json_t *figures_pack(const struct figure *figures, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(object, figures[i].name,
				    json_integer((json_int_t)figures[i].value));
	return object;
}

static int ns_compare(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left;
	const uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The step that took longest, and how long; false when none was timed. */
static bool worst_find(const struct work *work, size_t *step, uint64_t *ns)
{
	bool found = false;

	for (size_t i = 0; i < work->program.step_count; i++) {
		const uint64_t took = work->op_ns[i];

		if (took == UINT64_MAX || (found && took <= *ns))
			continue;
		*step = i;
		*ns = took;
		found = true;
	}
	return found;
}

/* Sorts op_ns: after worst_find(). */
static json_t *latency_pack(struct work *work)
{
	uint64_t *ns = work->op_ns;
	size_t count = work->program.step_count;

	qsort(ns, count, sizeof(*ns), ns_compare);
	while (count > 0 && ns[count - 1] == UINT64_MAX)
		count--;
	if (count == 0)
		return json_object();

	const struct figure figures[] = {
		{ "count", count },
		{ "p50_ns", ns[count / 2] },
		{ "p99_ns", ns[count - 1 - count / 100] },
		{ "p999_ns", ns[count - 1 - count / 1000] },
		{ "max_ns", ns[count - 1] },
	};

	return figures_pack(figures, sizeof(figures) / sizeof(figures[0]));
}

static json_t *price_pack(const struct work *work)
{
	const struct figure figures[] = {
		{ "pages_retained", work->first.retained_pages },
		{ "address_span_pages", work->watch.room.end.span_pages },
		{ "held_bytes", work->first.after.held_bytes_most },
		{ "mappings", work->first.after.mappings },
	};

	return figures_pack(figures, work->load.is_mapped ? 4 : 3);
}

static void add_answers(const struct work *work, json_t *counters)
{
	const struct trace_counters *recorded = &work->program.counters;
	const struct figure figures[] = {
		{ "allocs", recorded->allocs },
		{ "frees", recorded->frees },
		{ "dropped", recorded->dropped },
		{ "inversions", recorded->inversions },
		{ "preloads", recorded->preloads },
		{ "preloads_moved", work->first.preloads_moved },
		{ "failed", work->tally.faults[REPLAY_FAILED] },
		{ "overlaps", work->tally.faults[REPLAY_OVERLAP] },
		{ "misplaced", work->tally.faults[REPLAY_MISPLACED] },
		{ "unaccounted", work->tally.faults[REPLAY_UNKNOWN] },
		{ "same_places", work->first.same_places },
		{ "replays", work->replays },
		{ "wall_ns", work->wall_ns },
		{ "waits", work->first.waits },
		{ "wait_ns", work->first.wait_ns },
		{ "window_pages", work->load.place.window_pages },
	};
	json_t *packed =
		figures_pack(figures, sizeof(figures) / sizeof(figures[0]));

	json_object_update(counters, packed);
	json_decref(packed);
}

static void add_room(const struct work *work, json_t *counters)
{
	const struct replay_watch *watch = &work->watch;
	const struct replay_room *recorded = &watch->recorded;
	const struct figure figures[] = {
		{ "span_pages_max", watch->room.span_pages_max },
		{ "span_pages_end", watch->room.end.span_pages },
		{ "span_free_pages_end", watch->room.end.free_pages },
		{ "span_gap_pages_end", watch->room.end.gap_pages },
		{ "top_page_max", watch->room.top_page_max },
		{ "recorded_top_page_max", recorded->top_page_max },
		{ "recorded_span_pages_max", recorded->span_pages_max },
		{ "recorded_span_pages_end", recorded->end.span_pages },
		{ "recorded_span_free_pages_end", recorded->end.free_pages },
		{ "recorded_span_gap_pages_end", recorded->end.gap_pages },
		{ "retained_pages_max", watch->retained_pages_max },
		{ "retained_pages_end", watch->lazy_pages + watch->pool_pages },
		{ "lazy_pages_end", watch->lazy_pages },
		{ "pool_pages_end", watch->pool_pages },
		{ "holes_end", work->first.after.holes },
		{ "hole_pages_end", work->first.after.hole_pages },
		{ "hole_pages_max_end", work->first.after.hole_pages_max },
	};
	json_t *packed =
		figures_pack(figures, sizeof(figures) / sizeof(figures[0]));

	json_object_update(counters, packed);
	json_decref(packed);
}

/* What the engine did during the steps: neither preloads nor the clearing. */
static void add_deeds(const struct work *work, json_t *counters)
{
	const struct lfv_stats *from = &work->first.before;
	const struct lfv_stats *to = &work->first.after;
	const struct figure figures[] = {
		{ "purges", to->purges - from->purges },
		{ "purged_areas", to->purged_areas - from->purged_areas },
		{ "purged_pages", to->purged_pages - from->purged_pages },
		{ "purged_runs", to->purged_runs - from->purged_runs },
		{ "map_calls", to->map_calls - from->map_calls },
		{ "unmap_calls", to->unmap_calls - from->unmap_calls },
		{ "guard_calls", to->guard_calls - from->guard_calls },
		{ "system_calls", to->map_calls - from->map_calls +
					  to->unmap_calls - from->unmap_calls +
					  to->guard_calls - from->guard_calls },
		{ "locks_entered", to->locks_entered - from->locks_entered },
		{ "locks_waited", to->locks_waited - from->locks_waited },
		{ "steps", work->first.ops },
	};
	json_t *packed =
		figures_pack(figures, sizeof(figures) / sizeof(figures[0]));

	json_object_update(counters, packed);
	json_decref(packed);
	if (to->tlb_shootdowns_known)
		json_object_set_new(
			counters, "tlb_shootdowns",
			json_integer((json_int_t)(to->tlb_shootdowns -
						  from->tlb_shootdowns)));
}

static json_t *work_pack(struct work *work)
{
	const bool is_timed = work->wall_ns >= REPLAY_TIMED_NS;
	const unsigned cpus = plan_usable_cpus(&work->cell);
	const unsigned cores =
		work->cell.threads < cpus ? work->cell.threads : cpus;
	json_t *counters = json_object();
	size_t step = 0;
	uint64_t ns = 0;

	add_answers(work, counters);
	add_room(work, counters);
	add_deeds(work, counters);
	if (worst_find(work, &step, &ns)) {
		json_object_set_new(counters, "worst_ns",
				    json_integer((json_int_t)ns));
		json_object_set_new(counters, "worst_step",
				    json_integer((json_int_t)step));
	}
	return json_pack("{s:b, s:s, s:I, s:f, s:o, s:o, s:o}", "failed",
			 work->why[0] != '\0', "why", work->why, "ops",
			 is_timed ? (json_int_t)work->ops : (json_int_t)0,
			 "seconds",
			 is_timed ? (double)work->busy_ns / 1e9 / cores : 0.0,
			 "price", price_pack(work), "latency",
			 latency_pack(work), "counters", counters);
}

int replay_sample_make(int fd)
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work || replay_input_take(fd, &work->cell, &work->program) != 0) {
		fputs("replay: no task on the given descriptor\n", stderr);
		free(work);
		return VERB_USAGE;
	}

	int err = work_init(work);

	if (!err)
		err = passes_looked(work);
	if (!err && replay_tally_is_clean(&work->tally))
		err = passes_timed(work);
	if (!err)
		snprintf(work->why, sizeof(work->why), "%s", work->tally.why);

	json_t *packed = work_pack(work);

	if (packed)
		json_dumpf(packed, stdout, JSON_COMPACT);
	json_decref(packed);

	const int end = work->why[0] ? VERB_FAILED : VERB_OK;

	work_fini(work);
	free(work);
	return end;
}
