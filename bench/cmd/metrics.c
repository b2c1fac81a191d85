/* SPDX-License-Identifier: MIT */
#include "cmd/metrics.h"

static const struct metric metrics[] = {
	{ "mops", "10^6 operations/s",
	  "speed of all threads together: compare where threads differ" },
	{ "ns_per_op", "core-ns",
	  "what an operation costs the CPUs; constant if scaling is perfect" },
	{ "latency.p50_ns", "ns", "service time of single operations: median" },
	{ "latency.p99_ns", "ns", "one in a hundred takes longer" },
	{ "latency.p999_ns", "ns", "one in a thousand takes longer" },
	{ "latency.max_ns", "ns", "the longest that was timed" },
	{ "price.pages_retained", "pages of 4 KiB",
	  "freed, but not given back" },
	{ "price.address_span_pages", "pages of 4 KiB",
	  "from the lowest address in use to the highest" },
	{ "price.mappings", "kernel mappings",
	  "of vm.max_map_count, in use by the window" },
	{ "price.held_bytes", "bytes",
	  "tree nodes that `rcu` kept for readers, at most" },
	{ "counters.*", "as named",
	  "what the engine and the machine counted; see results/README.md" },
};

const struct metric *metric_at(size_t index)
{
	return index < sizeof(metrics) / sizeof(metrics[0]) ? &metrics[index]
							    : NULL;
}
