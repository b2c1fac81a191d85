/* SPDX-License-Identifier: MIT */
/*
 * harness.cc - the only C++ of the project: nothing but calls handed on.
 *
 * Tried with Google Benchmark 1.7.1; uses what 1.9 has as well.
 */
#include "harness/harness.h"

#include <benchmark/benchmark.h>

#include <cmath>

struct gbench_state {
	benchmark::State *library;
};

static size_t errors;

void gbench_init(int *argc, char **argv)
{
	benchmark::Initialize(argc, argv);
}

void gbench_context(const char *key, const char *value)
{
	benchmark::AddCustomContext(key, value);
}

/* One iteration, timed by hand: the number means the same in all versions. */
void gbench_add(const char *name, gbench_case *run, void *data)
{
	benchmark::RegisterBenchmark(name,
				     [run, data](benchmark::State &library) {
					     gbench_state state = { &library };

					     while (library.KeepRunning()) {
						     library.SetItemsProcessed(
							     1);
						     run(&state, data);
					     }
				     })
		->Iterations(1)
		->UseManualTime();
}

void gbench_run(struct gbench_outcome *outcome)
{
	errors = 0;
	outcome->ran = benchmark::RunSpecifiedBenchmarks();
	outcome->failed = errors;
	benchmark::Shutdown();
}

void gbench_time(struct gbench_state *state, double seconds_per_op)
{
	state->library->SetItemsProcessed(1);
	state->library->SetIterationTime(seconds_per_op);
}

void gbench_counter(struct gbench_state *state, const char *name, double value)
{
	if (std::isfinite(value))
		state->library->counters[name] = value;
}

void gbench_label(struct gbench_state *state, const char *text)
{
	state->library->SetLabel(text);
}

void gbench_error(struct gbench_state *state, const char *text)
{
	errors++;
	gbench_skip(state, text);
}

void gbench_skip(struct gbench_state *state, const char *text)
{
	state->library->SkipWithError(text);
}
