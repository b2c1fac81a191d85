/* SPDX-License-Identifier: MIT */
/*
 * worker.c - one thread an engine that purges when it is woken.
 */
#include "core/worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/error.h"
#include "core/engine.h"

enum { NS_PER_S = 1000 * 1000 * 1000 };

/* worker_wait - for a wake-up, or, with a cache in front, for some time. */
static void worker_wait(struct lfv *lfv)
{
	struct worker *worker = &lfv->worker;
	struct timespec until;

	if (!lfv->choices.cached) {
		while (sem_wait(&worker->wake) != 0)
			require(errno == EINTR);
		return;
	}
	require(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
	until.tv_sec += PURGE_DECAY_NS / NS_PER_S;
	while (sem_clockwait(&worker->wake, CLOCK_MONOTONIC, &until) != 0) {
		if (errno == ETIMEDOUT)
			return;
		require(errno == EINTR);
	}
}

static void *worker_main(void *argument)
{
	struct lfv *lfv = argument;
	struct worker *worker = &lfv->worker;

	for (;;) {
		worker_wait(lfv);
		/* relaxed: the semaphore orders it, or the next look sees it.
		 */
		if (load_relaxed(&worker->is_ending))
			return NULL;
		/*
		 * acquire [worker-wake]: a free that finds it set is seen by
		 * the purge below; one that comes later posts again.
		 */
		const bool is_woken = swap_acquire(&worker->is_woken, false);

		if (purge_is_idle(lfv))
			purge_work(lfv, VA_PURGE_IDLE);
		/*
		 * Once is enough: every free above the limit says so, and what
		 * could not be unmapped is the next wake-up's.
		 */
		if (is_woken)
			purge_work(lfv, VA_PURGE_DECAY);
	}
}

int worker_init(struct lfv *lfv)
{
	struct worker *worker = &lfv->worker;
	sigset_t all;
	sigset_t before;

	require(sem_init(&worker->wake, 0, 0) == 0);
	(void)sigfillset(&all);
	/* The user's signal handlers are not for our thread to run. */
	require(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);

	const int error =
		pthread_create(&worker->thread, NULL, worker_main, lfv);

	require(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	if (error != 0) {
		(void)sem_destroy(&worker->wake);
		return error_set(-error,
				 "the worker thread cannot start: %s; raise "
				 "RLIMIT_NPROC (or RLIMIT_AS, for its stack) "
				 "or choose worker none",
				 strerror(error));
	}
	worker->is_running = true;
	return 0;
}

void worker_fini(struct lfv *lfv)
{
	struct worker *worker = &lfv->worker;

	if (!worker->is_running)
		return;
	/* relaxed: the semaphore orders it. */
	store_relaxed(&worker->is_ending, true);
	require(sem_post(&worker->wake) == 0);
	require(pthread_join(worker->thread, NULL) == 0);
	(void)sem_destroy(&worker->wake);
	worker->is_running = false;
}

void worker_wake(struct worker *worker)
{
	/*
	 * release [worker-wake]: what was freed, to the worker's exchange;
	 * whoever sets it posts, for the others a purge is still to come (D1).
	 */
	if (!swap_release(&worker->is_woken, true))
		require(sem_post(&worker->wake) == 0);
}
