/* SPDX-License-Identifier: MIT */
/*
 * operation_counts.c - what each operation costs in counts: no clock, no noise.
 *
 * Prints the build on the first line, then one line for each strategy, plane,
 * lock and operation:
 *
 *	plane strategy lock operation syscalls locked instructions
 *
 * system calls (save for those that libc may answer itself, see stepper.c) and
 * atomic read-modify-writes are those of the whole operation, instructions
 * those of the program alone: what libc's memcpy does is chosen by the CPU.
 *
 * Only what the calling thread does from its own stocks: what a thread's first
 * operation and its end cost depends on what others left in the stocks behind.
 *
 * Of several counts the one with the fewest instructions is printed; if they
 * differ in system calls or in read-modify-writes the program fails.
 *
 * `rcu` is left out: what it costs depends on when its second thread gives
 * nodes back.
 */
#include <stdio.h>
#include <string.h>

#include "base/percpu.h"
#include "core/engine.h"
#include "progress/engine_world.h"

enum {
	SKIPPED = 77,
	WARM_UPS = 2,
	COUNTS = 3,
	CPUS = 16, /* made up, for what looks into each CPU's stocks */
};

/* count_best - false: it is not the same each time. */
static bool count_best(const struct stopped *stopped, struct step_report *best)
{
	bool is_same = true;

	for (int i = 0; i < WARM_UPS; i++)
		stopped_count(stopped, best);
	for (int i = 0; i < COUNTS; i++) {
		struct step_report report;

		stopped_count(stopped, &report);
		is_same &= report.syscalls == best->syscalls &&
			   report.locked == best->locked;
		if (report.own < best->own)
			*best = report;
	}
	return is_same;
}

/*
 * Without guard markers other system calls are made, and without restartable
 * sequences (an old kernel or libc, valgrind) the fallback's
 * read-modify-writes: other planes to us.
 */
static void plane_print(const struct world *world)
{
	const bool has_sections =
		percpu_choose(PERCPU_AUTO, &os_linux) != &percpu_cas;
	const bool has_gaps =
		!world->address_plane && !world->lfv->map.has_guards;

	(void)printf("%s%s%s ", world->address_plane ? "address" : "full",
		     has_gaps ? "-gaps" : "", has_sections ? "" : "-fallback");
}

static bool engine_count(const char *strategy, const char *lock,
			 bool address_plane)
{
	const struct world_options options = {
		.strategy = strategy,
		.lock = lock,
		.address_plane = address_plane,
		.is_bare = true,
		.cpus = CPUS,
	};
	static struct world world;
	bool is_same = true;

	if (!world_init(&world, &options))
		return false;
	/* relaxed: this thread is alone; no purge notes that it was longest. */
	store_relaxed(&world.lfv->purge.counters.ns_max, UINT64_MAX);
	for (unsigned i = 0; i < WORLD_OPERATIONS; i++) {
		const struct world_operation *const each = &world_operations[i];
		const struct stopped stopped = world_stopped(&world, each);
		struct step_report report;

		if (each->thread != STOPPED_CALLER)
			continue;
		is_same &= count_best(&stopped, &report);
		plane_print(&world);
		(void)printf("%s %s %s %lu %lu %lu\n", strategy, lock,
			     each->name, (unsigned long)report.syscalls,
			     (unsigned long)report.locked,
			     (unsigned long)report.own);
	}
	world_fini(&world);
	if (!is_same)
		(void)fprintf(stderr, "%s, %s: counts differ each time\n",
			      strategy, lock);
	return is_same;
}

static bool strategy_count(const char *strategy)
{
	return engine_count(strategy, "qspin", true) &&
	       engine_count(strategy, "pthread-mutex", true) &&
	       engine_count(strategy, "qspin", false);
}

int main(void)
{
	struct stepper_thread thread;
	struct lfv_choice choice;
	bool is_whole = true;

	if (!stepper_init()) {
		(void)fprintf(stderr, "a program cannot step itself here\n");
		return SKIPPED;
	}
	world_pin(); /* its node decides which pool is looked into */
	world_warm_up();
	stopped_init();
	stepper_thread_init(&thread);
	(void)printf("%s\n", LFV_BUILD);
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		if (!choice.busted && strcmp(choice.name, "rcu") != 0)
			is_whole &= strategy_count(choice.name);
	}
	stepper_thread_fini(&thread);
	stepper_fini();
	return is_whole ? 0 : 1;
}
