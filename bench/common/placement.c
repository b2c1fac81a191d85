/* SPDX-License-Identifier: MIT */
#include "common/placement.h"

#include <ctype.h>
#include <errno.h>
#include <hwloc.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "common/message.h"

enum { CPU_ID_MAX = 1 << 20 };

struct placement {
	hwloc_topology_t topology;
	unsigned cpus;
};

static int topology_load(hwloc_topology_t topology, const char *synthetic)
{
	/* Restricting to what may be used only makes sense for this machine. */
	const unsigned long flags = HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM |
				    HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING;
	int error;

	if (synthetic)
		error = hwloc_topology_set_synthetic(topology, synthetic);
	else
		error = hwloc_topology_set_flags(topology, flags);
	return error ? error : hwloc_topology_load(topology);
}

struct placement *placement_make(const char *synthetic)
{
	struct placement *placement = calloc(1, sizeof(*placement));

	if (!placement || hwloc_topology_init(&placement->topology)) {
		(void)message_set(-ENOMEM, "no memory for a topology");
		free(placement);
		return NULL;
	}
	if (topology_load(placement->topology, synthetic)) {
		(void)message_set(-EINVAL, "hwloc cannot read the topology%s%s",
				  synthetic ? " " : " of this machine",
				  synthetic ? synthetic : "");
		placement_free(placement);
		return NULL;
	}

	const int cpus =
		hwloc_get_nbobjs_by_type(placement->topology, HWLOC_OBJ_PU);

	placement->cpus = cpus > 0 ? (unsigned)cpus : 1;
	return placement;
}

void placement_free(struct placement *placement)
{
	if (!placement)
		return;
	hwloc_topology_destroy(placement->topology);
	free(placement);
}

unsigned placement_cpus(const struct placement *placement)
{
	return placement->cpus;
}

static void plan_compact(const struct placement *placement, unsigned threads,
			 int *cpus)
{
	for (unsigned i = 0; i < threads; i++) {
		const hwloc_obj_t pu = hwloc_get_obj_by_type(
			placement->topology, HWLOC_OBJ_PU, i % placement->cpus);

		cpus[i] = (int)pu->os_index;
	}
}

static int plan_scatter(const struct placement *placement, unsigned threads,
			int *cpus)
{
	const unsigned spread =
		threads < placement->cpus ? threads : placement->cpus;
	hwloc_obj_t root = hwloc_get_root_obj(placement->topology);
	hwloc_cpuset_t *sets = calloc(spread, sizeof(*sets));

	if (!sets)
		return message_set(-ENOMEM, "no memory for a placement");
	if (hwloc_distrib(placement->topology, &root, 1, sets, spread, INT_MAX,
			  0)) {
		free(sets);
		return message_set(-EINVAL, "hwloc cannot scatter %u threads",
				   threads);
	}
	for (unsigned i = 0; i < spread; i++) {
		hwloc_bitmap_singlify(sets[i]);
		cpus[i] = hwloc_bitmap_first(sets[i]);
		hwloc_bitmap_free(sets[i]);
	}
	for (unsigned i = spread; i < threads; i++)
		cpus[i] = cpus[i - spread];
	free(sets);
	return 0;
}

/* "4-6" or "4" at the front of a list; false when it is neither. */
static bool range_read(const char **list, long *first, long *last)
{
	char *end;

	if (!isdigit((unsigned char)**list))
		return false;
	*first = *last = strtol(*list, &end, 10);
	if (*end == '-') {
		if (!isdigit((unsigned char)end[1]))
			return false;
		*last = strtol(end + 1, &end, 10);
	}
	if (*first > *last || *last > CPU_ID_MAX || (*end && *end != ',') ||
	    (*end && !end[1]))
		return false;
	*list = *end ? end + 1 : end;
	return true;
}

static bool is_cpu_list(const char *text)
{
	long first;
	long last;

	do {
		if (!range_read(&text, &first, &last))
			return false;
	} while (*text);
	return true;
}

static int plan_list(const struct placement *placement,
		     const struct placement_request *request, int *cpus)
{
	const char *list = request->pin;
	unsigned placed = 0;
	long first;
	long last;

	while (*list && range_read(&list, &first, &last)) {
		for (long cpu = first; cpu <= last; cpu++) {
			if (!hwloc_get_pu_obj_by_os_index(placement->topology,
							  (unsigned)cpu))
				return message_set(-EINVAL,
						   "--pin %s: CPU %ld is none "
						   "that may be used",
						   request->pin, cpu);
			if (placed < request->threads)
				cpus[placed++] = (int)cpu;
		}
	}
	if (placed < request->threads && !request->oversubscribe)
		return message_set(-EINVAL,
				   "--pin %s names %u CPUs for %u threads; "
				   "--oversubscribe allows it",
				   request->pin, placed, request->threads);
	for (unsigned i = placed; i < request->threads; i++)
		cpus[i] = cpus[i - placed];
	return 0;
}

int placement_plan(const struct placement *placement,
		   const struct placement_request *request, int *cpus)
{
	const unsigned threads = request->threads;

	if (threads > placement->cpus && !request->oversubscribe)
		return message_set(-EINVAL,
				   "%u threads on %u CPUs; --oversubscribe "
				   "allows it",
				   threads, placement->cpus);
	if (strcmp(request->pin, "none") == 0) {
		for (unsigned i = 0; i < threads; i++)
			cpus[i] = PLACEMENT_ANY;
		return 0;
	}
	if (strcmp(request->pin, "compact") == 0) {
		plan_compact(placement, threads, cpus);
		return 0;
	}
	if (strcmp(request->pin, "scatter") == 0)
		return plan_scatter(placement, threads, cpus);
	if (is_cpu_list(request->pin))
		return plan_list(placement, request, cpus);
	return message_set(-EINVAL,
			   "--pin is '%s': compact, scatter, none or a list "
			   "of CPUs is expected",
			   request->pin);
}

int placement_bind(const struct placement *placement, int cpu)
{
	if (cpu == PLACEMENT_ANY)
		return 0;

	hwloc_bitmap_t set = hwloc_bitmap_alloc();

	if (!set)
		return -ENOMEM;
	hwloc_bitmap_only(set, (unsigned)cpu);

	const int error =
		hwloc_set_cpubind(placement->topology, set,
				  HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT);
	const int reason = errno;

	hwloc_bitmap_free(set);
	return error ? -reason : 0;
}

bool placement_is_pin(const char *text)
{
	return strcmp(text, "compact") == 0 || strcmp(text, "scatter") == 0 ||
	       strcmp(text, "none") == 0 || is_cpu_list(text);
}

static int pin_check_in(const struct placement_request *request,
			const cpu_set_t *set)
{
	const size_t bytes = CPU_ALLOC_SIZE(CPU_ID_MAX);
	const char *list = request->pin;
	unsigned named = 0;
	long first;
	long last;

	while (*list && range_read(&list, &first, &last)) {
		for (long cpu = first; cpu <= last; cpu++) {
			if (!CPU_ISSET_S((size_t)cpu, bytes, set))
				return message_set(-EINVAL,
						   "--pin %s: CPU %ld is none "
						   "that may be used",
						   request->pin, cpu);
			named++;
		}
	}
	if (named == 0 || named >= request->threads || request->oversubscribe)
		return 0;
	return message_set(-EINVAL,
			   "--pin %s names %u CPUs for %u threads; "
			   "--oversubscribe allows it",
			   request->pin, named, request->threads);
}

int placement_check_pin(const struct placement_request *request)
{
	cpu_set_t *set = CPU_ALLOC(CPU_ID_MAX);
	const size_t bytes = CPU_ALLOC_SIZE(CPU_ID_MAX);
	int error = 0;

	if (!set)
		return message_set(-ENOMEM, "no memory for a set of CPUs");
	CPU_ZERO_S(bytes, set);
	if (sched_getaffinity(0, bytes, set) == 0)
		error = pin_check_in(request, set);
	CPU_FREE(set);
	return error;
}

unsigned placement_allowed_cpus(void)
{
	cpu_set_t *set = CPU_ALLOC(CPU_ID_MAX);
	const size_t bytes = CPU_ALLOC_SIZE(CPU_ID_MAX);
	unsigned cpus = 1;

	if (!set)
		return cpus;
	CPU_ZERO_S(bytes, set);
	if (sched_getaffinity(0, bytes, set) == 0)
		cpus = (unsigned)CPU_COUNT_S(bytes, set);
	CPU_FREE(set);
	return cpus ? cpus : 1;
}
