/* SPDX-License-Identifier: MIT */
/*
 * percpu_threads.h - threads that hand values round through per-CPU slots.
 *
 * Each value is with one thread or in one slot (P1).  A thread that takes one
 * signs for it, so two that have it at once are found out, at the latest when
 * all is counted in the end.
 */
#ifndef LFV_TESTS_PERCPU_THREADS_H
#define LFV_TESTS_PERCPU_THREADS_H

#include "base/percpu.h"

/* What the slots of the percpu hold. */
enum { THREADS_CAPACITY = 8 };

enum threads_beside {
	THREADS_ALONE,
	THREADS_SHAKEN,  /* moved from CPU to CPU all the time */
	THREADS_DRAINED, /* others stop, drain and start slots meanwhile */
};

/* threads_circulate - fails the test when a value is lost or doubled. */
void threads_circulate(struct percpu *percpu, enum threads_beside beside);

/*
 * threads_meet - one thread that pushes and takes without rest, and one on
 * another CPU that drains its slot, so that they are in it at one time.
 */
void threads_meet(struct percpu *percpu);

#endif
