/* SPDX-License-Identifier: MIT */
#include "gbench/row_write.h"

#include <stdio.h>

#include "common/quota.h"
#include "common/row.h"
#include "harness/bench_clock.h"
#include "harness/line_transfer.h"

enum { NAME_BYTES = 64, LABEL_BYTES = 256, P999_SAMPLES = 10000 };

static void put(struct gbench_state *state, const char *name, double value)
{
	char prefixed[NAME_BYTES];

	(void)snprintf(prefixed, sizeof(prefixed), ROW_PREFIX "%s", name);
	gbench_counter(state, prefixed, value);
}

static void put_count(struct gbench_state *state, const char *name,
		      uint64_t value)
{
	put(state, name, (double)value);
}

/* What the threads did, and whether they did it together. */
static void put_run(struct gbench_state *state,
		    const struct cell_outcome *outcome)
{
	const struct timed_result *timed = &outcome->timed;
	const double seconds = (double)timed->window_ns / NS_PER_S;
	const uint64_t line_ns = line_mean_ns(timed->transfer_before_ns,
					      timed->transfer_after_ns);

	gbench_counter(state, ROW_OPS, outcome->ops);
	gbench_counter(state, ROW_SECONDS, seconds);
	put(state, "mops", outcome->ops / seconds / 1e6);
	put(state, "core_ns_per_op", outcome->core_ns_per_op);
	put(state, "ops_all", outcome->ops_all);
	put(state, "ops_thread_min", outcome->ops_min);
	put(state, "ops_thread_max", outcome->ops_max);
	put(state, "fairness_jain", outcome->jain);
	put(state, "valid", *outcome->invalid == '\0');
	put(state, "overlap", timed->overlap);
	put(state, "cpus_allowed", placement_allowed_cpus());
	put(state, "cpus_quota", quota_cpus());
	put_count(state, "batch", timed->batch);
	put_count(state, "start_skew_ns", timed->start_skew_ns);
	put_count(state, "migrations", timed->migrations);
	put_count(state, "switches_involuntary", timed->switches_involuntary);
	put_count(state, "switches_voluntary", timed->switches_voluntary);
	put_count(state, "run_delay_ns", timed->run_delay_ns);
	put_count(state, "steal_ns", timed->steal_ns);
	put_count(state, "throttled", timed->throttled);
	if (line_ns)
		gbench_counter(state, ROW_LINE_TRANSFER, (double)line_ns);
	if (outcome->requests) {
		put_count(state, "requests", outcome->requests);
		put_count(state, "refused", outcome->refused);
		put(state, "refused_share",
		    (double)outcome->refused / (double)outcome->requests);
	}
}

static void put_latency(struct gbench_state *state,
			const struct latency *latency)
{
	if (!latency->count)
		return;
	gbench_counter(state, ROW_LATENCY_COUNT, (double)latency->count);
	gbench_counter(state, ROW_LATENCY_P50,
		       (double)latency_ns(latency, 0.5));
	gbench_counter(state, ROW_LATENCY_P99,
		       (double)latency_ns(latency, 0.99));
	/* Ten samples beyond a quantile are the least that tell of it. */
	if (latency->count >= P999_SAMPLES)
		gbench_counter(state, ROW_LATENCY_P999,
			       (double)latency_ns(latency, 0.999));
	gbench_counter(state, ROW_LATENCY_MAX, (double)latency->max_ns);
}

static void put_price(struct gbench_state *state,
		      const struct cell_outcome *outcome)
{
	const struct lfv_stats *empty = &outcome->empty;

	gbench_counter(state, ROW_PRICE_PAGES,
		       (double)(empty->lazy_pages + empty->pool_pages));
	gbench_counter(state, ROW_PRICE_SPAN,
		       (double)outcome->ended.span_pages);
	gbench_counter(state, ROW_PRICE_MAPPINGS,
		       (double)outcome->ended.mappings);
	gbench_counter(state, ROW_PRICE_HELD,
		       (double)outcome->ended.held_bytes_most);
}

/* From all set up to all stopped: warm-up and cool-down included. */
static void put_engine(struct gbench_state *state,
		       const struct cell_outcome *outcome)
{
	const struct lfv_stats *from = &outcome->begun;
	const struct lfv_stats *to = &outcome->ended;
	const struct {
		const char *name;
		uint64_t count;
		const char *per_op; /* its share of an operation, or NULL */
	} deltas[] = {
		{ "purges", to->purges - from->purges, NULL },
		{ "purged_areas", to->purged_areas - from->purged_areas, NULL },
		{ "purged_pages", to->purged_pages - from->purged_pages, NULL },
		{ "purged_runs", to->purged_runs - from->purged_runs,
		  "purged_runs_per_op" },
		{ "purge_failures", to->purge_failures - from->purge_failures,
		  NULL },
		{ "map_calls", to->map_calls - from->map_calls,
		  "map_calls_per_op" },
		{ "unmap_calls", to->unmap_calls - from->unmap_calls,
		  "unmap_calls_per_op" },
		{ "guard_calls", to->guard_calls - from->guard_calls,
		  "guard_calls_per_op" },
		{ "mapped_pages", to->mapped_pages - from->mapped_pages, NULL },
		{ "unmapped_pages", to->unmapped_pages - from->unmapped_pages,
		  NULL },
		{ "locks_entered", to->locks_entered - from->locks_entered,
		  "locks_entered_per_op" },
		{ "locks_waited", to->locks_waited - from->locks_waited,
		  "locks_waited_per_op" },
	};

	for (size_t i = 0; i < sizeof(deltas) / sizeof(deltas[0]); i++) {
		put_count(state, deltas[i].name, deltas[i].count);
		if (deltas[i].per_op)
			put(state, deltas[i].per_op,
			    (double)deltas[i].count / outcome->ops_all);
	}
	put_count(state, "purge_ns_max", to->purge_ns_max);
	put_count(state, "live_areas", to->live_areas);
	put_count(state, "lazy_max_pages", to->lazy_max_pages);
	if (to->unmap_calls != from->unmap_calls)
		put(state, "pages_per_unmap_call",
		    (double)(to->unmapped_pages - from->unmapped_pages) /
			    (double)(to->unmap_calls - from->unmap_calls));
	if (to->tlb_shootdowns_known) {
		const uint64_t shootdowns =
			to->tlb_shootdowns - from->tlb_shootdowns;

		put_count(state, "tlb_shootdowns", shootdowns);
		put(state, "tlb_shootdowns_per_op",
		    (double)shootdowns / outcome->ops_all);
	}
}

static void put_measured(struct gbench_state *state,
			 const struct cell_outcome *outcome)
{
	char label[LABEL_BYTES];

	gbench_time(state,
		    (double)outcome->timed.window_ns / NS_PER_S / outcome->ops);
	put_run(state, outcome);
	put_latency(state, outcome->timed.latency);
	if (outcome->has_engine) {
		put_price(state, outcome);
		put_engine(state, outcome);
	}
	for (size_t i = 0; i < outcome->counter_count; i++)
		put(state, outcome->counters[i].name,
		    outcome->counters[i].value);
	if (!*outcome->invalid)
		return;
	(void)snprintf(label, sizeof(label), ROW_INVALID "%s",
		       outcome->invalid);
	gbench_label(state, label);
}

void row_write(struct gbench_state *state, const struct cell_outcome *outcome)
{
	char text[CELL_WHY_BYTES + sizeof(ROW_TOO_SLOW)];

	switch (outcome->verdict) {
	case CELL_MEASURED:
		put_measured(state, outcome);
		break;
	case CELL_TOO_SLOW:
		(void)snprintf(text, sizeof(text), ROW_TOO_SLOW "%s",
			       outcome->why);
		gbench_skip(state, text);
		break;
	case CELL_FAILED:
		gbench_error(state, outcome->why);
		break;
	}
}
