/* SPDX-License-Identifier: MIT */
/*
 * yield.h - let another thread have this CPU.
 *
 * Not in struct os: nothing can fail here, and a spinning thread would pay for
 * the indirection exactly where it waits.
 */
#ifndef LFV_BASE_YIELD_H
#define LFV_BASE_YIELD_H

#include <sched.h>

/* yield_cpu - to the end of this CPU's run queue; a system call. */
static inline void yield_cpu(void)
{
	(void)sched_yield();
}

#endif
