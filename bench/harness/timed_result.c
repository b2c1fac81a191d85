/* SPDX-License-Identifier: MIT */
/*
 * timed_result.c - what a run comes to, and whether it may be used.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/line_rule.h"
#include "harness/timed_threads.h"

static const double overlap_least = 0.95;
static const double steal_share_most = 0.05;

/* W4: where the windows begin and end. */
struct span {
	uint64_t first_start;
	uint64_t last_start;
	uint64_t first_stop;
	uint64_t last_stop;
};

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* False when a thread never had a window. */
static bool span_find(const struct timed_threads *run, struct span *span)
{
	*span = (struct span){ UINT64_MAX, 0, UINT64_MAX, 0 };
	for (unsigned i = 0; i < run->plan.threads; i++) {
		const struct timed_worker *thread = &run->threads[i];

		if (!thread->has_window)
			return false;
		span->first_start = lower(span->first_start, thread->start_ns);
		span->last_start = higher(span->last_start, thread->start_ns);
		span->first_stop = lower(span->first_stop, thread->stop_ns);
		span->last_stop = higher(span->last_stop, thread->stop_ns);
	}
	return true;
}

/*
 * W4.  When the windows do not meet at all, the time from the first start to
 * the last stop stands in, and an overlap of 0 says what it is worth.
 */
static void windows_add(const struct timed_threads *run,
			struct timed_result *result)
{
	struct span span;

	if (!span_find(run, &span))
		return;

	const bool meet = span.first_stop > span.last_start;
	const uint64_t all_ns = span.last_stop - span.first_start;

	result->start_skew_ns = span.last_start - span.first_start;
	result->window_ns = meet ? span.first_stop - span.last_start : all_ns;

	double together = meet ? (double)result->window_ns : 0;

	if (!run->plan.oversubscribed)
		together -= (double)result->run_delay_ns;
	if (all_ns && together > 0)
		result->overlap = together / (double)all_ns;
	for (unsigned i = 0; i < run->plan.threads; i++) {
		const struct timed_worker *thread = &run->threads[i];
		const uint64_t own_ns = thread->stop_ns - thread->start_ns;
		const double share = (double)result->window_ns / (double)own_ns;

		result->threads[i].ops = (double)thread->ops;
		if (meet && own_ns)
			result->threads[i].ops *= share;
	}
}

static void thread_add(const struct timed_worker *thread,
		       struct timed_result *result)
{
	const struct timed_work *work = &thread->run->work;
	const uint64_t delay_ns =
		thread->after.run_delay_ns - thread->before.run_delay_ns;

	result->threads[thread->index].ops_all = thread->ops_all;
	result->threads[thread->index].error = thread->error;
	if (thread->error && !result->error)
		result->error = thread->error;
	if (!thread->has_window)
		return;
	if (thread->batch > result->batch)
		result->batch = thread->batch;
	if (delay_ns > result->run_delay_ns)
		result->run_delay_ns = delay_ns;
	result->migrations += thread->migrations;
	result->switches_involuntary += thread->after.switches_involuntary -
					thread->before.switches_involuntary;
	result->switches_voluntary += thread->after.switches_voluntary -
				      thread->before.switches_voluntary;
	if (!work->counts || work->counts(work->context, thread->index))
		latency_merge(result->latency, &thread->latency);
}

static void machine_add(const struct timed_threads *run,
			struct timed_result *result)
{
	const unsigned cpus = placement_cpus(run->plan.placement);

	result->transfer_before_ns = run->transfer_before_ns;
	result->transfer_after_ns = run->transfer_after_ns;
	if (!run->noise_ns)
		return;
	result->steal_ns = run->after.steal_ns - run->before.steal_ns;
	result->throttled = run->after.throttled - run->before.throttled;
	result->steal_share = (double)result->steal_ns /
			      ((double)run->noise_ns * (double)cpus);
}

void timed_result_add(const struct timed_threads *run,
		      struct timed_result *result)
{
	for (unsigned i = 0; i < run->plan.threads; i++)
		thread_add(&run->threads[i], result);
	windows_add(run, result);
	machine_add(run, result);
}

void timed_result_fini(struct timed_result *result)
{
	free(result->threads);
	free(result->latency);
	result->threads = NULL;
	result->latency = NULL;
}

/* The reasons that need no figure; NULL: none of them. */
static const char *invalid_word(const struct timed_result *result, bool pinned)
{
	if (!result->window_ns)
		return "the threads were never all in their window";
	if (result->overlap < overlap_least)
		return "the threads ran together for less than 95 % of the "
		       "time";
	if (pinned && result->migrations)
		return "a pinned thread changed its CPU";
	if (result->throttled)
		return "the control group stopped the process";
	if (result->steal_share > steal_share_most)
		return "the hypervisor took more than 5 % of the CPU time";
	return NULL;
}

bool timed_invalid(const struct timed_result *result, bool pinned,
		   char why[TIMED_WHY_BYTES])
{
	const uint64_t before_ns = result->transfer_before_ns;
	const uint64_t after_ns = result->transfer_after_ns;
	const char *word = invalid_word(result, pinned);

	(void)snprintf(why, TIMED_WHY_BYTES, "%s", word ? word : "");
	if (!word && line_is_apart((double)before_ns, (double)after_ns))
		(void)snprintf(why, TIMED_WHY_BYTES,
			       "a cache line between the CPUs took %" PRIu64
			       " ns before and %" PRIu64
			       " ns after: the host moved them",
			       before_ns, after_ns);
	return *why != '\0';
}
