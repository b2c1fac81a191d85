/* SPDX-License-Identifier: MIT */
#include "gbench/cell_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/message.h"
#include "gbench/crash_line.h"
#include "harness/bench_clock.h"
#include "workload/range.h"

enum { WARMUP_MAX_NS = 40 * NS_PER_MS, HANG_FACTOR = 10 };

static const uint64_t hang_least_ns = (uint64_t)5 * NS_PER_S;
static const uintptr_t floor_start = (uintptr_t)1 << 44;
static const uint64_t seed_of_thread = 0xa0761d6478bd642f;

/* Threads of an earlier cell still run: nothing measured now would be true. */
static bool is_haunted;

__attribute__((format(printf, 3, 4))) static void
verdict_set(struct cell_outcome *outcome, enum cell_verdict verdict,
	    const char *format, ...)
{
	va_list arguments;

	/* The first reason stays. */
	if (outcome->verdict != CELL_MEASURED)
		return;
	outcome->verdict = verdict;
	va_start(arguments, format);
	(void)vsnprintf(outcome->why, sizeof(outcome->why), format, arguments);
	va_end(arguments);
}

static enum plane plane_of(const struct cell *cell,
			   const struct workload_info *info)
{
	if (info->floor)
		return PLANE_NONE;
	return strcmp(cell->api, API_VM_AREA) == 0 ? PLANE_ADDRESS : PLANE_FULL;
}

/* Memory for what will be live, and half as much that waits for a purge. */
static size_t memory_for(const struct cell *cell)
{
	const size_t bytes = cell_live_bytes(cell) / 2 * 3;

	return bytes > GIB ? bytes : 0;
}

/* The addresses of a floor row: as far apart as an engine's would be. */
static uintptr_t spare_stride(const struct cell *cell)
{
	return (cell->pages_max + 1) << PAGE_SHIFT;
}

/* How many of them: what a thread holds, and what is on its way to another. */
static size_t spares_of(const struct cell *cell)
{
	return cell->live + SPARES;
}

static int engine_make(struct bench *bench)
{
	const struct cell *cell = bench->cell;
	struct lfv_options options;

	if (bench->info->floor) {
		bench->start = floor_start;
		bench->bytes =
			cell->threads * spares_of(cell) * spare_stride(cell);
		return 0;
	}
	cell_options(cell, &options);
	options.memory_bytes = bench->memory_bytes;
	bench->lfv = lfv_create(&options);
	if (!bench->lfv)
		return message_set(-errno, "the engine was not made: %s",
				   lfv_last_error());
	bench->start = lfv_vmalloc_start(bench->lfv);
	bench->bytes = lfv_vmalloc_end(bench->lfv) - bench->start;
	return 0;
}

static size_t shadow_bytes(const struct bench *bench)
{
	return ((bench->bytes >> PAGE_SHIFT) + 1) * sizeof(*bench->shadow);
}

static int shadow_make(struct bench *bench)
{
	void *shadow = mmap(NULL, shadow_bytes(bench), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (shadow == MAP_FAILED)
		return message_set(-ENOMEM,
				   "no %zu bytes for the shadow of the window",
				   shadow_bytes(bench));
	/* Fewer misses of the translation cache; a kernel may refuse. */
	(void)madvise(shadow, shadow_bytes(bench), MADV_HUGEPAGE);
	bench->shadow = shadow;
	return 0;
}

static int threads_make(struct bench *bench)
{
	const struct cell *cell = bench->cell;
	const size_t bytes = cell->threads * sizeof(*bench->threads);

	bench->threads = aligned_alloc(FALSE_SHARING_BYTES, bytes);
	if (!bench->threads)
		return message_set(-ENOMEM, "no memory for %u threads",
				   cell->threads);
	memset(bench->threads, 0, bytes);
	return 0;
}

static int bench_make(struct bench *bench)
{
	bench->memory_bytes = memory_for(bench->cell);

	int error = bench->workload->init ? bench->workload->init(bench) : 0;

	if (!error)
		error = engine_make(bench);
	if (!error)
		error = shadow_make(bench);
	if (!error)
		error = threads_make(bench);
	return error;
}

static void bench_free(struct bench *bench)
{
	if (bench->workload->fini)
		bench->workload->fini(bench);
	lfv_destroy(bench->lfv);
	if (bench->shadow)
		(void)munmap((void *)bench->shadow, shadow_bytes(bench));
	for (unsigned i = 0; bench->threads && i < bench->cell->threads; i++)
		spares_free(bench->threads[i].spares);
	free(bench->threads);
	free(bench);
}

static int floor_make(struct bench_thread *thread)
{
	const struct cell *const cell = thread->bench->cell;
	const uintptr_t stride = spare_stride(cell);
	const size_t all = spares_of(cell);

	if (thread->plane != PLANE_NONE)
		return 0;
	thread->spares = spares_make(
		thread->start + thread->index * all * stride, stride, all);
	return thread->spares ? 0 : -ENOMEM;
}

static int thread_enter(void *context, unsigned index)
{
	struct bench *bench = context;
	const struct cell *cell = bench->cell;
	struct bench_thread *thread = &bench->threads[index];
	const enum plane plane = plane_of(cell, bench->info);

	*thread = (struct bench_thread){
		.bench = bench,
		.lfv = bench->lfv,
		.shadow = bench->shadow,
		.start = bench->start,
		.bytes = bench->bytes,
		.pages_min = cell->pages_min,
		.pages_span = cell->pages_max - cell->pages_min + 1,
		.align = cell->align,
		.stamp = index + 1,
		.index = index,
		.plane = plane,
		.touch =
			plane == PLANE_FULL && strcmp(cell->touch, "page") == 0,
		.random = (cell->seed + index + 1) * seed_of_thread,
	};

	const int error = floor_make(thread);

	if (error || !bench->workload->enter)
		return error;
	return bench->workload->enter(thread);
}

static uint64_t thread_batch(void *context, unsigned index, uint64_t n)
{
	struct bench *bench = context;

	return bench->workload->run(&bench->threads[index], n);
}

static void stats_read(struct lfv *lfv, struct lfv_stats *stats)
{
	*stats = (struct lfv_stats){ .struct_bytes = sizeof(*stats) };
	if (lfv)
		(void)lfv_get_stats(lfv, stats);
}

static bool thread_counts(void *context, unsigned index)
{
	const struct bench *bench = context;

	return !bench->threads[index].uncounted;
}

/* What was freed but not purged would be missing from the figures. */
static void settle(struct bench *bench)
{
	const int error = bench->workload->settles && bench->lfv
				  ? lfv_purge(bench->lfv)
				  : 0;

	if (error)
		bench_fail(bench, "the purge failed: %s: %s", strerror(-error),
			   lfv_last_error());
}

static void all_ready(void *context)
{
	struct bench *bench = context;

	settle(bench);
	stats_read(bench->lfv, &bench->begun);
}

/* walk - what a walk over all live areas has seen. */
struct walk {
	struct bench *bench;
	uintptr_t end; /* of the area before */
	bool emptied;  /* no area may be left */
};

/* R4 of range.h: disjoint, and somebody's. */
static int walk_visit(void *context, const struct lfv_vm_info *info)
{
	struct walk *walk = context;
	const struct bench *bench = walk->bench;

	if (info->va_start < walk->end || info->va_end <= info->va_start) {
		bench_fail(walk->bench,
			   "overlap: the live area %#" PRIxPTR "-%#" PRIxPTR
			   " begins before %#" PRIxPTR
			   ", where the one before it ends",
			   info->va_start, info->va_end, walk->end);
		return -EINVAL;
	}

	const size_t page = (info->va_start - bench->start) >> PAGE_SHIFT;

	/* relaxed: the threads are joined. */
	if (walk->emptied || !load_relaxed(&bench->shadow[page])) {
		bench_fail(walk->bench,
			   "not accounted for: the area %#" PRIxPTR
			   "-%#" PRIxPTR " is live but no thread has it",
			   info->va_start, info->va_end);
		return -EINVAL;
	}
	walk->end = info->va_end;
	return 0;
}

static void live_check(struct bench *bench, bool emptied)
{
	struct walk walk = { .bench = bench, .emptied = emptied };

	(void)lfv_for_each_vm_area(bench->lfv, walk_visit, &walk);
}

/* Give everything back; the engine must then be empty and whole. */
static void bench_leave(struct bench *bench, struct cell_outcome *outcome)
{
	if (bench->lfv)
		live_check(bench, false);
	for (unsigned i = 0; i < bench->cell->threads; i++) {
		if (bench->workload->leave && !bench_failed(bench))
			bench->workload->leave(&bench->threads[i]);
	}
	if (!bench->lfv || bench_failed(bench))
		return;
	stats_read(bench->lfv, &outcome->empty);
	live_check(bench, true);
	lfv_check(bench->lfv);
}

static void threads_add(const struct bench *bench, struct cell_outcome *outcome)
{
	const unsigned threads = bench->cell->threads;
	unsigned counted = 0;
	double squares = 0;

	for (unsigned i = 0; i < threads; i++) {
		const struct bench_thread *thread = &bench->threads[i];
		const double ops = outcome->timed.threads[i].ops;

		outcome->requests += thread->requests;
		outcome->refused += thread->refused;
		if (thread->uncounted)
			continue;
		outcome->ops += ops;
		outcome->ops_all += (double)outcome->timed.threads[i].ops_all;
		squares += ops * ops;
		if (!counted || ops < outcome->ops_min)
			outcome->ops_min = ops;
		if (!counted || ops > outcome->ops_max)
			outcome->ops_max = ops;
		counted++;
	}
	if (squares > 0)
		outcome->jain = outcome->ops * outcome->ops /
				((double)counted * squares);

	const unsigned working = bench->info->cores == WORKLOAD_CORES_COUNTED
					 ? counted
					 : threads;
	const unsigned cpus = placement_allowed_cpus();

	if (outcome->ops > 0)
		outcome->core_ns_per_op = (double)outcome->timed.window_ns *
					  (working < cpus ? working : cpus) /
					  outcome->ops;
}

static void too_slow(const struct bench *bench, struct cell_outcome *outcome)
{
	/* relaxed: the threads are joined. */
	const size_t reached = load_relaxed(&bench->reached);

	verdict_set(outcome, CELL_TOO_SLOW,
		    "the set-up took longer than %.1f s and came to %zu live "
		    "areas a thread",
		    (double)bench->cell->cell_limit_ns / NS_PER_S, reached);
}

/* What came of the threads; false when the engine must be left alone. */
static bool verdict_of(struct bench *bench, struct cell_outcome *outcome)
{
	const struct timed_result *timed = &outcome->timed;

	if (bench_failed(bench))
		verdict_set(outcome, CELL_FAILED, "%s", bench->failure);
	if (timed->hangs) {
		is_haunted = true;
		verdict_set(outcome, CELL_FAILED,
			    "hang: threads did not come back; strategy %s, "
			    "lock %s, threads %u, seed %" PRIu64,
			    bench->cell->strategy, bench->cell->lock,
			    bench->cell->threads, bench->cell->seed);
	}
	if (timed->hangs || timed->aborted)
		return false;
	if (timed->error == -ETIME)
		too_slow(bench, outcome);
	else if (timed->error)
		verdict_set(outcome, CELL_FAILED, "the set-up failed: %s",
			    strerror(-timed->error));
	return true;
}

static void bench_run(struct bench *bench, const struct timed_plan *plan,
		      struct cell_outcome *outcome)
{
	const struct timed_work work = {
		.context = bench,
		.enter = thread_enter,
		.ready = all_ready,
		.batch = thread_batch,
		.counts = thread_counts,
	};

	bench->setup_ns = bench_clock_ns();
	if (timed_run(plan, &work, &outcome->timed)) {
		verdict_set(outcome, CELL_FAILED, "%s", message_text());
		bench_free(bench);
		return;
	}
	/* Left alone: whatever is in it, touching it can only make it worse. */
	if (!verdict_of(bench, outcome))
		return;
	settle(bench);
	outcome->begun = bench->begun;
	stats_read(bench->lfv, &outcome->ended);
	threads_add(bench, outcome);
	bench_leave(bench, outcome);
	if (bench_failed(bench)) {
		verdict_set(outcome, CELL_FAILED, "%s", bench->failure);
		return;
	}
	if (bench->workload->report)
		bench->workload->report(bench);
	memcpy(outcome->counters, bench->counters, sizeof(outcome->counters));
	outcome->counter_count = bench->counter_count;
	if (outcome->ops <= 0)
		verdict_set(outcome, CELL_TOO_SLOW,
			    "not one operation was finished in the window");
	bench_free(bench);
}

static struct bench *bench_new(const struct cell *cell)
{
	struct bench *bench =
		aligned_alloc(FALSE_SHARING_BYTES, sizeof(*bench));

	if (!bench)
		return NULL;
	memset(bench, 0, sizeof(*bench));
	bench->cell = cell;
	bench->info = workload_info_find(cell->workload);
	bench->workload = workload_find(cell->workload);
	return bench;
}

static void plan_make(struct timed_plan *plan, const struct cell *cell,
		      const struct placement *placement)
{
	const uint64_t half_ns = cell->duration_ns / 2;

	*plan = (struct timed_plan){
		.placement = placement,
		.threads = cell->threads,
		.oversubscribed = cell->threads > placement_cpus(placement),
		.warmup_ns = half_ns < WARMUP_MAX_NS ? half_ns : WARMUP_MAX_NS,
		.duration_ns = cell->duration_ns,
		.loops = cell->loops,
		.patience_ns = hang_least_ns + cell->cell_limit_ns +
			       HANG_FACTOR * cell->duration_ns,
	};
}

static void cell_try(const struct cell *cell, const struct placement *placement,
		     struct cell_outcome *outcome)
{
	struct bench *bench = bench_new(cell);
	int *cpus = calloc(cell->threads, sizeof(*cpus));
	const struct placement_request request = {
		.pin = cell->pin,
		.threads = cell->threads,
		.oversubscribe = cell->oversubscribe,
	};
	struct timed_plan plan;

	plan_make(&plan, cell, placement);
	plan.cpus = cpus;
	outcome->pinned = strcmp(cell->pin, "none") != 0;
	if (!bench || !cpus) {
		verdict_set(outcome, CELL_FAILED, "no memory for the cell");
	} else if (placement_plan(placement, &request, cpus) ||
		   bench_make(bench)) {
		verdict_set(outcome, CELL_FAILED, "%s", message_text());
		bench_free(bench);
	} else {
		outcome->has_engine = bench->lfv != NULL;
		plan.signal = &bench->signal;
		bench_run(bench, &plan, outcome);
	}
	/* Threads that hang have read theirs. */
	free(cpus);
}

void cell_run(const struct cell *cell, const struct placement *placement,
	      struct cell_outcome *outcome)
{
	char name[CELL_NAME_BYTES];
	char what[CELL_NAME_BYTES + 64];

	*outcome = (struct cell_outcome){ .verdict = CELL_MEASURED };
	if (is_haunted) {
		verdict_set(outcome, CELL_FAILED,
			    "not run: threads of an earlier cell still hang");
		return;
	}
	cell_name(cell, name);
	(void)snprintf(what, sizeof(what), "%s, seed %" PRIu64, name,
		       cell->seed);
	crash_line_set(what);
	cell_try(cell, placement, outcome);
	crash_line_set(NULL);
	if (outcome->verdict == CELL_MEASURED)
		(void)timed_invalid(&outcome->timed, outcome->pinned,
				    outcome->invalid);
}

void cell_outcome_fini(struct cell_outcome *outcome)
{
	timed_result_fini(&outcome->timed);
}
