/* SPDX-License-Identifier: MIT */
/*
 * fork_guard.c - the handlers that fork() runs, and the list they walk.
 *
 * A child may make engines of its own, so the descriptors, which all engines of
 * the process share, are held still while it forks, and so is the thread that
 * gives memory back behind readers.
 *
 * They run once a process, however many engines there are.  A child that is
 * made by a raw clone() or vfork() meets none of them.
 */
#include "core/fork_guard.h"

#include <pthread.h>
#include <stddef.h>

#include "base/check.h"
#include "base/error.h"
#include "base/rcu.h"
#include "core/engine.h"
#include "va/area.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct lfv *engines; /* guarded by mutex */
static int install_error;   /* constant after once */

static void before_fork(void)
{
	require(pthread_mutex_lock(&mutex) == 0);
	rcu_fork_begin();
	area_fork_begin();
}

static void in_parent(void)
{
	area_fork_end();
	rcu_fork_end(false);
	require(pthread_mutex_unlock(&mutex) == 0);
}

/* cut_off - take the shared memory out of this process; it is a child. */
static void cut_off(struct lfv *lfv)
{
	const struct window *window = &lfv->window;

	lfv->is_orphan = true;
	lfv->fast = NULL;
	lfv->plain = NULL;
	lfv->index = NULL;
	/*
	 * A child that went on with its parent's memory mapped would corrupt
	 * it in silence: better that it ends here.
	 */
	require(lfv->os->remap_none((void *)window->start,
				    window->end - window->start) == 0);
	if (lfv->choices.address_plane)
		return;

	/* relaxed: one thread is left, and fork() ordered all others. */
	void *linear = load_relaxed(&lfv->frames.linear);

	if (linear != NULL)
		require(lfv->os->remap_none(
				linear,
				pages_to_bytes(lfv->frames.config.nr_frames)) ==
			0);
}

static void in_child(void)
{
	area_fork_end();
	rcu_fork_end(true);
	for (struct lfv *lfv = engines; lfv != NULL; lfv = lfv->next_engine)
		cut_off(lfv);
	require(pthread_mutex_unlock(&mutex) == 0);
}

static void install(void)
{
	install_error = pthread_atfork(before_fork, in_parent, in_child);
}

int fork_guard_add(struct lfv *lfv)
{
	require(pthread_once(&once, install) == 0);
	if (install_error != 0)
		return error_set(-install_error,
				 "no memory for the fork handlers");
	require(pthread_mutex_lock(&mutex) == 0);
	lfv->next_engine = engines;
	engines = lfv;
	require(pthread_mutex_unlock(&mutex) == 0);
	return 0;
}

void fork_guard_remove(struct lfv *lfv)
{
	require(pthread_mutex_lock(&mutex) == 0);
	for (struct lfv **link = &engines; *link != NULL;
	     link = &(*link)->next_engine) {
		if (*link == lfv) {
			*link = lfv->next_engine;
			break;
		}
	}
	require(pthread_mutex_unlock(&mutex) == 0);
}
