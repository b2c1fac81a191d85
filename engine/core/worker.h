/* SPDX-License-Identifier: MIT */
/*
 * worker.h - the thread that drains, as Linux's drain_vmap_area_work does since
 * 5.18: the free that passes the limit wakes it and goes on.
 *
 *   D1  at most one wake-up is pending, however many ask;
 *   D2  nobody waits for it: what it has not purged yet, an allocation that
 *       finds no hole purges itself.
 *
 * init and fini run alone; worker_wake() by any thread, wait-free save for the
 * semaphore's system call.
 */
#ifndef LFV_CORE_WORKER_H
#define LFV_CORE_WORKER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdbool.h>

#include "base/atomic.h"

struct lfv;

struct worker {
	pthread_t thread;
	bool is_running;
	sem_t wake;
	alignas(CACHE_LINE_BYTES) _Atomic(bool) is_woken;
	_Atomic(bool) is_ending;
};

/* worker_init - start the thread; -errno with a message. */
__attribute__((warn_unused_result)) int worker_init(struct lfv *lfv);

/* worker_fini - end and join it; nothing if it never started. */
void worker_fini(struct lfv *lfv);

void worker_wake(struct worker *worker);

#endif
