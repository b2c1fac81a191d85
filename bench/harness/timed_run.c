/* SPDX-License-Identifier: MIT */
#include "harness/timed_run.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"
#include "harness/bench_clock.h"
#include "harness/timed_threads.h"

enum {
	START_AHEAD_NS = 200 * NS_PER_US,
	BATCH_SHORT_NS = 6 * NS_PER_US,
	BATCH_LONG_NS = 24 * NS_PER_US,
	BATCH_MAX = 1 << 16,
	ABORT_GRACE_NS = NS_PER_S,
	JOIN_LOOK_NS = 500 * NS_PER_MS,
};

void timed_abort(struct timed_signal *signal)
{
	/* relaxed: a request to end; the failure itself has its own lock. */
	store_relaxed(&signal->state, TIMED_ABORTED);
}

static void spin(const struct timed_worker *thread)
{
	if (thread->run->plan.oversubscribed)
		(void)sched_yield();
	else
		cpu_relax();
}

/*
 * Back when all have set up, and the last to arrive has said so.  0, or
 * -ECANCELED when somebody could not.
 */
static int gather(const struct timed_worker *thread)
{
	struct timed_threads *run = thread->run;

	/*
	 * acq_rel [bench-arrive]: the last to arrive has seen what all others
	 * set up, and who of them failed.
	 */
	if (add_acq_rel(&run->arrived, 1) + 1 == run->plan.threads) {
		if (run->work.ready)
			run->work.ready(run->work.context);
		/* release [bench-start]: all that was set up before it. */
		store_release(&run->gathered, true);
	}
	/* acquire [bench-start]: with what the others set up. */
	while (!load_acquire(&run->gathered)) {
		/* Others may still be setting up, for seconds. */
		(void)sched_yield();
	}
	/* relaxed: ordered by the edge above. */
	return load_relaxed(&run->failed) ? -ECANCELED : 0;
}

/* W6.  Only threads that stay where they are tell of two CPUs. */
static bool has_probe(const struct timed_plan *plan)
{
	return plan->threads > 1 && !plan->oversubscribed &&
	       plan->cpus[0] != PLACEMENT_ANY && plan->cpus[1] != PLACEMENT_ANY;
}

/* W6.  Thread 0 writes what it finds; for all others nothing happens. */
static void line_probe(const struct timed_worker *thread,
		       struct line_transfer *line, uint64_t *transfer_ns)
{
	if (!has_probe(&thread->run->plan))
		return;
	if (thread->index == 0)
		*transfer_ns = line_serve(line);
	if (thread->index == 1)
		line_return(line);
}

/* W2.  Thread 0 says when, for it has made its probe by then. */
static void start_wait(const struct timed_worker *thread)
{
	struct timed_threads *run = thread->run;
	uint64_t deadline_ns;

	if (thread->index == 0) {
		deadline_ns = bench_clock_ns() + START_AHEAD_NS;
		/* relaxed: a time; [bench-start] ordered what was set up. */
		store_relaxed(&run->deadline_ns, deadline_ns);
	}
	/* relaxed: as above. */
	while ((deadline_ns = load_relaxed(&run->deadline_ns)) == 0)
		(void)sched_yield();
	while (bench_clock_ns() < deadline_ns)
		spin(thread);
}

static uint64_t batch_run(struct timed_worker *thread, uint64_t n)
{
	const struct timed_work *work = &thread->run->work;
	const uint64_t done = work->batch(work->context, thread->index, n);

	thread->ops_all += done;
	return done;
}

static bool is_aborted(const struct timed_worker *thread)
{
	/* relaxed: as in timed_is_over(). */
	return load_relaxed(&thread->run->plan.signal->state) == TIMED_ABORTED;
}

/* W5: batches grow and shrink until one is long enough for a clock's look. */
static void warm_up(struct timed_worker *thread, uint64_t until_ns)
{
	uint64_t now = bench_clock_ns();

	thread->batch = 1;
	while (now < until_ns && !is_aborted(thread)) {
		(void)batch_run(thread, thread->batch);

		const uint64_t then = now;

		now = bench_clock_ns();
		if (now - then < BATCH_SHORT_NS && thread->batch < BATCH_MAX)
			thread->batch *= 2;
		else if (now - then > BATCH_LONG_NS && thread->batch > 1)
			thread->batch /= 2;
	}
}

/*
 * W5.  Times one operation, unless the batch was one; says how many more were
 * done for it.  Work that comes in bursts has no single operation.
 */
static uint64_t sample_one(struct timed_worker *thread, uint64_t batch_done,
			   uint64_t batch_ns)
{
	if (thread->batch == 1) {
		if (batch_done == 1)
			latency_add(&thread->latency, batch_ns);
		return 0;
	}

	const uint64_t begin_ns = bench_clock_ns();
	const uint64_t done = batch_run(thread, 1);

	if (done == 1)
		latency_add(&thread->latency, bench_clock_ns() - begin_ns);
	return done;
}

static bool loops_are_done(struct timed_worker *thread)
{
	struct timed_threads *run = thread->run;

	if (!run->plan.loops)
		return false;
	/* relaxed: a hint to stop, nothing is read on its account. */
	if (thread->ops >= run->plan.loops)
		store_relaxed(&run->loops_done, true);
	/* relaxed: as above. */
	return load_relaxed(&run->loops_done);
}

static void window_run(struct timed_worker *thread, uint64_t until_ns)
{
	int cpu = sched_getcpu();
	uint64_t now = bench_clock_ns();

	thread->start_ns = now;
	while (now < until_ns && !is_aborted(thread) &&
	       !loops_are_done(thread)) {
		const uint64_t then = now;
		const uint64_t done = batch_run(thread, thread->batch);

		now = bench_clock_ns();
		thread->ops += done + sample_one(thread, done, now - then);
		now = bench_clock_ns();

		const int here = sched_getcpu();

		thread->migrations += here != cpu;
		cpu = here;
	}
	thread->stop_ns = now;
	thread->has_window = true;
}

/* W3: works on until the last has left its window. */
static void cool_down(struct timed_worker *thread)
{
	struct timed_threads *run = thread->run;

	/* relaxed: a count; what was measured is read after the join. */
	if (add_relaxed(&run->out, 1) + 1 == run->plan.threads) {
		int running = TIMED_RUNNING;

		/* relaxed: a request to end, unless a check failed. */
		(void)cas_relaxed(&run->plan.signal->state, &running,
				  TIMED_STOPPED);
	}
	while (!timed_is_over(run->plan.signal))
		(void)batch_run(thread, thread->batch);
}

static void measure(struct timed_worker *thread)
{
	struct timed_threads *run = thread->run;
	const uint64_t begin_ns = bench_clock_ns();
	const uint64_t warm_ns = begin_ns + run->plan.warmup_ns;

	if (thread->index == 0)
		noise_machine_read(&run->before);
	warm_up(thread, warm_ns);
	noise_thread_read(&thread->before);
	window_run(thread, bench_clock_ns() + run->plan.duration_ns);
	cool_down(thread);
	noise_thread_read(&thread->after);
	if (thread->index == 0) {
		noise_machine_read(&run->after);
		run->noise_ns = bench_clock_ns() - begin_ns;
	}
	if (!is_aborted(thread))
		line_probe(thread, &run->line_after, &run->transfer_after_ns);
}

static void *thread_main(void *argument)
{
	struct timed_worker *thread = argument;
	struct timed_threads *run = thread->run;
	const struct timed_work *work = &run->work;

	/* W1 */
	thread->error = placement_bind(run->plan.placement,
				       run->plan.cpus[thread->index]);
	if (!thread->error)
		thread->error = work->enter(work->context, thread->index);
	if (thread->error) {
		/* relaxed: ordered by arriving. */
		store_relaxed(&run->failed, 1);
	}
	if (gather(thread) == 0) {
		line_probe(thread, &run->line_before, &run->transfer_before_ns);
		start_wait(thread);
		measure(thread);
	}
	if (work->leave && !is_aborted(thread))
		work->leave(work->context, thread->index);
	return NULL;
}

static struct timespec wall_time(uint64_t ns_ahead)
{
	struct timespec wall;

	(void)clock_gettime(CLOCK_REALTIME, &wall);

	const uint64_t ns = (uint64_t)wall.tv_nsec + ns_ahead;

	wall.tv_sec += (time_t)(ns / NS_PER_S);
	wall.tv_nsec = (long)(ns % NS_PER_S);
	return wall;
}

/* Joins one; false when it did not come in time. */
static bool thread_join(struct timed_worker *thread, uint64_t until_ns)
{
	struct timed_signal *signal = thread->run->plan.signal;
	uint64_t abort_ns = 0;

	for (;;) {
		const struct timespec soon = wall_time(JOIN_LOOK_NS);
		const uint64_t now = bench_clock_ns();

		if (pthread_timedjoin_np(thread->id, NULL, &soon) == 0)
			return true;
		if (now >= until_ns)
			return false;
		/* relaxed: as in timed_is_over(). */
		if (load_relaxed(&signal->state) != TIMED_ABORTED)
			continue;
		if (!abort_ns)
			abort_ns = now;
		else if (now - abort_ns > ABORT_GRACE_NS)
			return false;
	}
}

static bool threads_join(struct timed_threads *run, unsigned made)
{
	const uint64_t until_ns = bench_clock_ns() + run->plan.patience_ns;
	bool all = true;

	for (unsigned i = 0; i < made; i++) {
		if (!thread_join(&run->threads[i], until_ns)) {
			all = false;
			timed_abort(run->plan.signal);
			(void)pthread_detach(run->threads[i].id);
		}
	}
	return all;
}

static void run_free(struct timed_threads *run)
{
	if (run)
		free(run->threads);
	free(run);
}

static struct timed_threads *run_make(const struct timed_plan *plan,
				      const struct timed_work *work)
{
	struct timed_threads *run =
		aligned_alloc(FALSE_SHARING_BYTES, sizeof(*run));

	if (!run)
		return NULL;
	memset(run, 0, sizeof(*run));
	run->plan = *plan;
	run->work = *work;

	const size_t bytes = plan->threads * sizeof(*run->threads);

	run->threads = aligned_alloc(FALSE_SHARING_BYTES, bytes);
	if (!run->threads) {
		run_free(run);
		return NULL;
	}
	memset(run->threads, 0, bytes);
	for (unsigned i = 0; i < plan->threads; i++) {
		run->threads[i].run = run;
		run->threads[i].index = i;
	}
	return run;
}

/* Those that were made wait for the others: let them go and say so. */
static int threads_make(struct timed_threads *run, unsigned *made)
{
	for (*made = 0; *made < run->plan.threads; (*made)++) {
		struct timed_worker *thread = &run->threads[*made];
		const int error =
			pthread_create(&thread->id, NULL, thread_main, thread);

		if (error) {
			/* relaxed: the store below orders it. */
			store_relaxed(&run->failed, 1);
			/* release [bench-start]: they see that it failed. */
			store_release(&run->gathered, true);
			return message_set(-error, "thread %u: %s", *made,
					   strerror(error));
		}
	}
	return 0;
}

int timed_run(const struct timed_plan *plan, const struct timed_work *work,
	      struct timed_result *result)
{
	struct timed_threads *run = run_make(plan, work);
	struct timed_result made = {
		.threads = calloc(plan->threads, sizeof(*made.threads)),
		.latency = calloc(1, sizeof(*made.latency)),
	};
	unsigned threads = 0;
	int error = -ENOMEM;

	if (run && made.threads && made.latency) {
		/* relaxed: the threads are made after it. */
		store_relaxed(&plan->signal->state, TIMED_RUNNING);
		error = threads_make(run, &threads);
		made.hangs = !threads_join(run, threads);
	}
	if (error) {
		timed_result_fini(&made);
		if (!made.hangs)
			run_free(run);
		return error;
	}
	/* relaxed: all that could write it are joined or hang. */
	made.aborted = load_relaxed(&plan->signal->state) == TIMED_ABORTED;
	if (!made.hangs) {
		timed_result_add(run, &made);
		run_free(run);
	}
	*result = made;
	return 0;
}
