/* SPDX-License-Identifier: MIT */
/*
 * purge.h - lazy areas become holes, with one system call for many of them.
 *
 * A purge takes every lazy area from the strategy, sorts them, merges
 * neighbours (an area's guard page is its own last page, so two areas that lie
 * side by side merge with the guard between them), unmaps each merged run, and
 * gives the ranges back.  What could not be unmapped is kept lazy.
 *
 * A strategy that purges by itself (va_ops.purge) takes, sorts and merges what
 * is its own, and several may do so at once: only the unmapping is ours then.
 *
 *   G1  else one purge runs at a time [purge mutex, Linux's vmap_purge_lock];
 *   G2  a range is given back only after its pages are unmapped;
 *   G3  after a purge that could not unmap everything, frees leave it alone
 *       for PURGE_RETRY_NS: each would try what has just failed;
 *   G4  begun - ended purges have pages in their hands, which nobody finds.
 *
 * Who may run with whom: purge_run() by any thread; a thread that would purge
 * inline while another does just goes on (the limit is a trigger, not a bound).
 */
#ifndef LFV_CORE_PURGE_H
#define LFV_CORE_PURGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "backing/map.h"
#include "va/va.h"

struct lfv;

enum {
	PURGE_RUNS_MAX = 1024,
	PURGE_RETRY_NS = 10 * 1000 * 1000,
	/* The cache in front gives up a quarter of its depot as often. */
	PURGE_DECAY_NS = 1000 * 1000 * 1000,
	/* How often who finds no frame purges and asks again. */
	PURGE_TRIES_MAX = 64,
	/* How long he gives the purges of others, each time: 100 ms. */
	PURGE_NAP_NS = 100 * 1000,
	PURGE_NAPS_MAX = 1000,
};

/* Written by purges, read by anyone. */
struct purge_counters {
	_Atomic(uint64_t) purges;
	_Atomic(uint64_t) areas;
	_Atomic(uint64_t) pages;
	_Atomic(uint64_t) runs;
	_Atomic(uint64_t) failures;
	_Atomic(uint64_t) ns_max;
};

struct purge {
	pthread_mutex_t mutex;
	_Atomic(uint64_t) retry_ns; /* G3 */
	_Atomic(uint64_t) decay_ns; /* when the cache in front decays next */
	/* of a strategy that purges by itself; G4 */
	_Atomic(uint64_t) begun;
	_Atomic(uint64_t) ended;
	struct purge_counters counters;
	struct map_run runs[PURGE_RUNS_MAX]; /* guarded by mutex */
};

void purge_init(struct purge *purge);
void purge_fini(struct purge *purge);

/*
 * purge_run - purge now, waiting for one that runs already.
 *
 * 0, or -errno of the first run that could not be unmapped.
 */
int purge_run(struct lfv *lfv, enum va_purge how);

/*
 * purge_work - purge as the worker does: always with the mutex, so that whoever
 * holds it and is alone with the engine is alone with the worker as well.
 */
void purge_work(struct lfv *lfv, enum va_purge how);

/* purge_try - purge unless somebody does; as the thread that frees does. */
void purge_try(struct lfv *lfv, enum va_purge how);

/*
 * purge_is_idle - PURGE_DECAY_NS have passed: true for the one caller that is
 * to let the cache in front decay, by a purge VA_PURGE_IDLE.
 */
bool purge_is_idle(struct lfv *lfv);

/* purge_seen - how things stood before a question that found nothing. */
struct purge_seen {
	uint64_t given;    /* pages, ever */
	uint64_t unmapped; /* pages, ever, and by whomever: purges, frees */
	uint64_t ended;    /* purges */
};

struct purge_seen purge_look(struct lfv *lfv);

/*
 * purge_awaited - true: while the question was asked, or in the one purge that
 * the caller made since, another's had pages in its hands (G4), and has given
 * some or has ended.  False: there was none, or it has been waited for in vain,
 * PURGE_NAPS_MAX naps, as for a thread that is stopped.
 */
bool purge_awaited(struct lfv *lfv, const struct purge_seen *seen);

/*
 * purge_gives - purge everything; true if, by this purge or another's, or by a
 * free that unmaps, pages may have been given back since *seen, which is then
 * the look of now.
 *
 * For who finds no frame: what a purge gives, others may have made lazy again
 * before he asks, so once is not enough.  Begin with purge_look().  What `list`
 * unmaps when the cache in front gives it up is in no purge's count.
 */
bool purge_gives(struct lfv *lfv, struct purge_seen *seen);

/* chain_sort - by address, stable; natural merge sort, no memory. */
struct vmap_area *chain_sort(struct vmap_area *chain);

#endif
