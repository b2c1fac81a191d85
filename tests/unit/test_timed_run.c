/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "harness/bench_clock.h"
#include "harness/latency.h"
#include "harness/timed_run.h"
#include "harness/timed_threads.h"

enum { THREADS = 3, WINDOW_NS = 20 * NS_PER_MS, NOBODY = 99 };

/* world - what the threads of a test do, and what was seen of it. */
struct world {
	struct placement *placement;
	struct timed_signal signal;
	int cpus[THREADS];
	struct timed_result result;
	unsigned failing;  /* whose enter fails */
	unsigned aborting; /* who aborts */
	bool nobody_counts;
	unsigned hanging; /* who never comes back from a batch */
	_Atomic(unsigned) entered;
	_Atomic(unsigned) left;
	_Atomic(unsigned) ready;
	_Atomic(unsigned) early; /* batches before all had entered */
	_Atomic(bool) release;
};

static int enter(void *context, unsigned thread)
{
	struct world *world = context;

	/* relaxed: read when the threads are joined, or as a hint. */
	(void)add_relaxed(&world->entered, 1);
	return thread == world->failing ? -ETIME : 0;
}

static void ready(void *context)
{
	struct world *world = context;

	/* relaxed: as in enter(). */
	(void)add_relaxed(&world->ready, 1);
}

static uint64_t batch(void *context, unsigned thread, uint64_t n)
{
	struct world *world = context;

	/* relaxed: the start orders what was entered before it. */
	if (load_relaxed(&world->entered) != THREADS)
		(void)add_relaxed(&world->early, 1);
	if (thread == world->aborting)
		timed_abort(&world->signal);
	/* relaxed: only waits. */
	while (thread == world->hanging && !load_relaxed(&world->release))
		(void)sched_yield();
	for (volatile uint64_t i = 0; i < n; i = i + 1)
		;
	return n;
}

static bool counts_nobody(void *context, unsigned thread)
{
	(void)context;
	(void)thread;
	return false;
}

static void leave(void *context, unsigned thread)
{
	struct world *world = context;

	(void)thread;
	/* relaxed: as in enter(). */
	(void)add_relaxed(&world->left, 1);
}

static int set_up(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.placement = placement_make(NULL);
	world.failing = NOBODY;
	world.aborting = NOBODY;
	world.hanging = NOBODY;
	for (unsigned i = 0; i < THREADS; i++)
		world.cpus[i] = PLACEMENT_ANY;
	*state = &world;
	return world.placement ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	timed_result_fini(&world->result);
	placement_free(world->placement);
	return 0;
}

static void run(struct world *world, uint64_t loops, uint64_t patience_ns)
{
	const struct timed_plan plan = {
		.placement = world->placement,
		.cpus = world->cpus,
		.threads = THREADS,
		.oversubscribed = true,
		.warmup_ns = WINDOW_NS / 2,
		.duration_ns = loops ? (uint64_t)NS_PER_S * 60 : WINDOW_NS,
		.loops = loops,
		.patience_ns = patience_ns,
		.signal = &world->signal,
	};
	const struct timed_work work = {
		.context = world,
		.enter = enter,
		.ready = ready,
		.batch = batch,
		.counts = world->nobody_counts ? counts_nobody : NULL,
		.leave = leave,
	};

	assert_int_equal(timed_run(&plan, &work, &world->result), 0);
}

static const uint64_t patience_ns = (uint64_t)60 * NS_PER_S;

static void every_thread_works_and_leaves(void **state)
{
	struct world *world = *state;

	run(world, 0, patience_ns);
	/* relaxed: the threads are joined. */
	assert_int_equal(load_relaxed(&world->left), THREADS);
	/* relaxed: as above. */
	assert_int_equal(load_relaxed(&world->ready), 1);
	assert_false(world->result.hangs);
	assert_false(world->result.aborted);
	for (unsigned i = 0; i < THREADS; i++)
		assert_true(world->result.threads[i].ops_all > 0);
}

static void nobody_starts_before_all_are_set_up(void **state)
{
	struct world *world = *state;

	run(world, 0, patience_ns);
	/* relaxed: the threads are joined. */
	assert_int_equal(load_relaxed(&world->early), 0);
}

static void a_set_up_that_fails_ends_the_run(void **state)
{
	struct world *world = *state;

	world->failing = 1;
	run(world, 0, patience_ns);
	assert_int_equal(world->result.error, -ETIME);
	assert_int_equal(world->result.threads[0].ops_all, 0);
	/* relaxed: the threads are joined. */
	assert_int_equal(load_relaxed(&world->left), THREADS);
}

static void only_threads_that_count_are_timed(void **state)
{
	struct world *world = *state;

	world->nobody_counts = true;
	run(world, 0, patience_ns);
	assert_int_equal(world->result.latency->count, 0);
}

static void an_abort_ends_the_run_without_leaving(void **state)
{
	struct world *world = *state;

	world->aborting = 2;
	run(world, 0, patience_ns);
	assert_true(world->result.aborted);
	/* relaxed: the threads are joined. */
	assert_int_equal(load_relaxed(&world->left), 0);
}

static void a_run_ends_when_a_thread_has_done_its_loops(void **state)
{
	struct world *world = *state;
	const uint64_t begin_ns = bench_clock_ns();

	run(world, 1000, patience_ns);
	assert_true(bench_clock_ns() - begin_ns < (uint64_t)30 * NS_PER_S);
	assert_true(world->result.threads[0].ops_all +
			    world->result.threads[1].ops_all +
			    world->result.threads[2].ops_all >=
		    1000);
}

static void threads_that_never_come_back_are_left_behind(void **state)
{
	struct world *world = *state;

	world->hanging = 1;
	run(world, 0, NS_PER_MS);
	assert_true(world->result.hangs);
	/* relaxed: only lets it go. */
	store_relaxed(&world->release, true);
}

/* Short, with each thread on a CPU of its own. */
static void run_pinned(struct world *world, unsigned threads)
{
	const struct placement_request request = {
		.pin = "compact",
		.threads = threads,
	};
	const struct timed_plan plan = {
		.placement = world->placement,
		.cpus = world->cpus,
		.threads = threads,
		.warmup_ns = NS_PER_MS,
		.duration_ns = NS_PER_MS,
		.patience_ns = patience_ns,
		.signal = &world->signal,
	};
	const struct timed_work work = {
		.context = world,
		.enter = enter,
		.batch = batch,
	};

	assert_int_equal(
		placement_plan(world->placement, &request, world->cpus), 0);
	timed_result_fini(&world->result);
	assert_int_equal(timed_run(&plan, &work, &world->result), 0);
}

/* On a busy machine the two may have to try more than once to meet. */
static void two_pinned_threads_probe_their_cache_line(void **state)
{
	enum { TURNS = 100 };
	struct world *world = *state;
	uint64_t before_ns = 0;
	uint64_t after_ns = 0;

	if (placement_cpus(world->placement) < 2)
		skip();
	for (unsigned turn = 0; turn < TURNS && !(before_ns && after_ns);
	     turn++) {
		run_pinned(world, 2);
		before_ns += world->result.transfer_before_ns;
		after_ns += world->result.transfer_after_ns;
	}
	assert_true(before_ns > 0);
	assert_true(after_ns > 0);
}

static void one_thread_knows_no_cache_line(void **state)
{
	struct world *world = *state;

	run_pinned(world, 1);
	assert_int_equal(world->result.transfer_before_ns, 0);
	assert_int_equal(world->result.transfer_after_ns, 0);
}

static void threads_that_are_not_pinned_do_not_probe(void **state)
{
	struct world *world = *state;

	run(world, 0, patience_ns);
	assert_int_equal(world->result.transfer_before_ns, 0);
}

/* Two windows of given ends, ten operations each. */
static struct timed_result two_windows(const uint64_t ends[4], uint64_t delay)
{
	static struct timed_thread threads[2];
	static struct latency latency;
	struct timed_worker workers[2];
	struct timed_threads both = { .threads = workers };
	struct timed_result result = { .threads = threads,
				       .latency = &latency };

	memset(workers, 0, sizeof(workers));
	both.plan.threads = 2;
	both.plan.placement = placement_make("pu:2");
	for (unsigned i = 0; i < 2; i++) {
		workers[i].run = &both;
		workers[i].index = i;
		workers[i].start_ns = ends[2 * i];
		workers[i].stop_ns = ends[2 * i + 1];
		workers[i].ops = 10;
		workers[i].has_window = true;
	}
	workers[1].after.run_delay_ns = delay;
	timed_result_add(&both, &result);
	placement_free((struct placement *)both.plan.placement);
	return result;
}

static bool is_invalid(const struct timed_result *result, bool pinned)
{
	char why[TIMED_WHY_BYTES];

	return timed_invalid(result, pinned, why);
}

static void only_the_common_window_counts(void **state)
{
	(void)state;
	const uint64_t ends[4] = { 1000, 2000, 1500, 2500 };
	const struct timed_result result = two_windows(ends, 0);

	assert_int_equal(result.window_ns, 500);
	assert_int_equal(result.start_skew_ns, 500);
	assert_true(result.threads[0].ops == 5);
	assert_true(result.overlap > 0.333 && result.overlap < 0.334);
	assert_true(is_invalid(&result, false));
}

static void windows_that_do_not_meet_are_invalid(void **state)
{
	(void)state;
	const uint64_t ends[4] = { 1000, 2000, 2000, 3000 };
	const struct timed_result result = two_windows(ends, 0);

	assert_true(result.overlap == 0);
	assert_int_equal(result.window_ns, 2000);
	assert_true(is_invalid(&result, false));
}

static void time_spent_waiting_for_a_cpu_is_no_overlap(void **state)
{
	(void)state;
	const uint64_t ends[4] = { 1000, 2000, 1000, 2000 };
	const struct timed_result good = two_windows(ends, 10);
	const struct timed_result bad = two_windows(ends, 100);

	assert_false(is_invalid(&good, true));
	assert_true(is_invalid(&bad, true));
}

static void migrations_count_only_for_pinned_threads(void **state)
{
	(void)state;
	struct timed_result result = { .window_ns = 1,
				       .overlap = 1,
				       .migrations = 1 };

	assert_true(is_invalid(&result, true));
	assert_false(is_invalid(&result, false));
}

static void stolen_and_throttled_time_is_invalid(void **state)
{
	(void)state;
	struct timed_result stolen = { .window_ns = 1,
				       .overlap = 1,
				       .steal_share = 0.06 };
	struct timed_result stopped = { .window_ns = 1,
					.overlap = 1,
					.throttled = 1 };

	assert_true(is_invalid(&stolen, true));
	assert_true(is_invalid(&stopped, true));
}

static struct timed_result two_probes(uint64_t before_ns, uint64_t after_ns)
{
	return (struct timed_result){ .window_ns = 1,
				      .overlap = 1,
				      .transfer_before_ns = before_ns,
				      .transfer_after_ns = after_ns };
}

static void cpus_that_were_moved_make_a_sample_invalid(void **state)
{
	(void)state;
	const struct timed_result slower = two_probes(80, 410);
	const struct timed_result faster = two_probes(410, 80);
	char why[TIMED_WHY_BYTES];

	assert_true(is_invalid(&faster, true));
	assert_true(timed_invalid(&slower, true, why));
	assert_string_equal(why, "a cache line between the CPUs took 80 ns "
				 "before and 410 ns after: the host moved "
				 "them");
}

static void probes_that_agree_or_are_not_known_are_no_reason(void **state)
{
	(void)state;
	const struct timed_result near = two_probes(80, 120);
	const struct timed_result half = two_probes(0, 120);
	char why[TIMED_WHY_BYTES] = "x";

	assert_false(timed_invalid(&near, true, why));
	assert_string_equal(why, "");
	assert_false(is_invalid(&half, true));
}

static void a_quantile_is_never_below_what_was_measured(void **state)
{
	(void)state;
	static struct latency latency;

	for (uint64_t ns = 1; ns <= 100000; ns++)
		latency_add(&latency, ns);
	assert_int_equal(latency.count, 100000);
	assert_int_equal(latency_ns(&latency, 1.0), 100000);
	assert_in_range(latency_ns(&latency, 0.5), 50000, 51600);
	assert_in_range(latency_ns(&latency, 0.999), 99900, 100000);
}

static void histograms_merge(void **state)
{
	(void)state;
	static struct latency one;
	static struct latency other;

	latency_add(&one, 7);
	latency_add(&other, UINT64_MAX);
	latency_merge(&one, &other);
	assert_int_equal(one.count, 2);
	assert_int_equal(one.max_ns, UINT64_MAX);
	assert_int_equal(latency_ns(&one, 0.5), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_thread_works_and_leaves,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			nobody_starts_before_all_are_set_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_set_up_that_fails_ends_the_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			only_threads_that_count_are_timed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_abort_ends_the_run_without_leaving, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_run_ends_when_a_thread_has_done_its_loops, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			two_pinned_threads_probe_their_cache_line, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(one_thread_knows_no_cache_line,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			threads_that_are_not_pinned_do_not_probe, set_up,
			tear_down),
		cmocka_unit_test(only_the_common_window_counts),
		cmocka_unit_test(windows_that_do_not_meet_are_invalid),
		cmocka_unit_test(time_spent_waiting_for_a_cpu_is_no_overlap),
		cmocka_unit_test(migrations_count_only_for_pinned_threads),
		cmocka_unit_test(stolen_and_throttled_time_is_invalid),
		cmocka_unit_test(cpus_that_were_moved_make_a_sample_invalid),
		cmocka_unit_test(
			probes_that_agree_or_are_not_known_are_no_reason),
		cmocka_unit_test(a_quantile_is_never_below_what_was_measured),
		cmocka_unit_test(histograms_merge),
		/* Last: it leaves threads behind. */
		cmocka_unit_test_setup(
			threads_that_never_come_back_are_left_behind, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
