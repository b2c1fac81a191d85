/* SPDX-License-Identifier: MIT */
/*
 * va_home.h - the nodes of generation 4 seen from a thread that stays on one
 * CPU, so that the node of its allocations is known.
 */
#ifndef TESTS_UNIT_VA_HOME_H
#define TESTS_UNIT_VA_HOME_H

#include <sched.h>

#include "va_world.h"

#include "base/cpu.h"
#include "va/nodes.h"

enum { NODES = 4 };

static inline void cpu_stay(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

/* A group's set-up: stay on the CPU that we are on. */
static inline int home_settle(void **state)
{
	(void)state;
	cpu_stay(cpu_current().value);
	return 0;
}

static inline unsigned home(void)
{
	return cpu_current().value % NODES;
}

static inline size_t lazy_count(struct world *world, unsigned node)
{
	size_t count = 0;

	list_for_each (link, &nodes_of(&world->va)->nodes[node].lazy.list)
		count++;
	return count;
}

static inline size_t pool_len(struct world *world, unsigned node, long pages)
{
	return load_relaxed(
		&nodes_of(&world->va)->nodes[node].pools[pages - 1].len);
}

#endif
