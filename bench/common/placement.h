/* SPDX-License-Identifier: MIT */
/*
 * placement.h - which thread runs on which CPU, from hwloc's topology.
 *
 * compact    neighbours first: the hardware threads of a core, then the next
 *            core, then the next package;
 * scatter    as far from each other as the machine allows;
 * none       nobody is pinned;
 * 0,2,4-6    thread i on the i-th CPU of the list.
 *
 * Only CPUs that the process may use are ever chosen.  More threads than CPUs
 * are placed only when that is asked for: then thread i + CPUs is where thread
 * i is.  The quota of the control group is no CPU that can be named; it is
 * reported beside them.
 */
#ifndef LFV_BENCH_PLACEMENT_H
#define LFV_BENCH_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>

/* A thread that is not pinned. */
enum { PLACEMENT_ANY = -1 };

struct placement;

/*
 * placement_make - the topology of this machine or, with `synthetic`, of the
 * one that hwloc's text describes ("package:2 core:4 pu:2").  NULL with a
 * message when hwloc cannot.
 */
struct placement *placement_make(const char *synthetic);
void placement_free(struct placement *placement);

/* placement_cpus - how many CPUs the process may use. */
unsigned placement_cpus(const struct placement *placement);

/*
 * placement_plan - cpus[i] is the CPU of thread i, or PLACEMENT_ANY.
 *
 * -EINVAL with a message: no such policy, a CPU that may not be used, more
 * threads than CPUs and not `oversubscribe`.
 */
struct placement_request {
	const char *pin;
	unsigned threads;
	bool oversubscribe;
};
int placement_plan(const struct placement *placement,
		   const struct placement_request *request, int *cpus);

/* placement_bind - the calling thread stays on `cpu` from now on. */
int placement_bind(const struct placement *placement, int cpu);

/* placement_is_pin - whether the text is one of the forms above. */
bool placement_is_pin(const char *text);

/*
 * placement_check_pin - -EINVAL with a message where a list names a CPU that
 * this process may not use, or too few; needs no hwloc.
 */
int placement_check_pin(const struct placement_request *request);

/* placement_allowed_cpus - placement_cpus() of this machine, without hwloc. */
unsigned placement_allowed_cpus(void);

#endif
