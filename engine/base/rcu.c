/* SPDX-License-Identifier: MIT */
/*
 * rcu.c - the thread of the deferred functions, and fork().
 */
#include "base/rcu.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/check.h"
#include "base/error.h"

char rcu_left;
char rcu_ran;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool has_worker; /* guarded by mutex */

static void *end_at_once(void *argument)
{
	return argument;
}

/* thread_try - 0 if a thread like the library's can be made now. */
static int thread_try(void)
{
	pthread_t thread;
	const int error = pthread_create(&thread, NULL, end_at_once, NULL);

	if (error == 0)
		require(pthread_join(thread, NULL) == 0);
	return -error;
}

/* worker_make - the caller holds the mutex. */
static int worker_make(void)
{
	sigset_t all;
	sigset_t before;

	(void)sigfillset(&all);
	/* The user's signal handlers are not for that thread to run. */
	require(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);

	const int error = thread_try();

	if (error == 0)
		(void)urcu_bp_get_default_call_rcu_data();
	require(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return error;
}

int rcu_init(void)
{
	int error = 0;

	require(pthread_mutex_lock(&mutex) == 0);
	if (!has_worker)
		error = worker_make();
	has_worker = error == 0;
	require(pthread_mutex_unlock(&mutex) == 0);
	if (error != 0)
		return error_set(error,
				 "the thread that gives memory back behind "
				 "readers cannot start: %s; raise RLIMIT_NPROC "
				 "(or RLIMIT_AS, for its stack)",
				 strerror(-error));
	return 0;
}

void rcu_wait(void)
{
	tsan_begin_foreign();
	urcu_bp_barrier();
	tsan_end_foreign();
	tsan_acquire(&rcu_ran);
}

/* The mutex stays locked over the fork: has_worker is true or false. */
void rcu_fork_begin(void)
{
	require(pthread_mutex_lock(&mutex) == 0);
	if (!has_worker)
		return;
	/* First: that thread may have to end a wait under the second's lock. */
	urcu_bp_call_rcu_before_fork();
	urcu_bp_before_fork();
}

void rcu_fork_end(bool is_child)
{
	if (has_worker && is_child) {
		urcu_bp_after_fork_child();
		urcu_bp_call_rcu_after_fork_child();
	} else if (has_worker) {
		urcu_bp_after_fork_parent();
		urcu_bp_call_rcu_after_fork_parent();
	}
	require(pthread_mutex_unlock(&mutex) == 0);
}
