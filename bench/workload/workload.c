/* SPDX-License-Identifier: MIT */
#include "workload/workload.h"

#include <string.h>

#include "workload/workloads.h"

static const struct workload *const workloads[] = {
	&workload_fix_size,      &workload_random_size,
	&workload_full_fit,      &workload_long_busy_list,
	&workload_fix_align,     &workload_random_size_align,
	&workload_align_shift,   &workload_replace,
	&workload_module_load,   &workload_swap_map,
	&workload_purge_storm,   &workload_purge_storm_scattered,
	&workload_remote_free,   &workload_lookup,
	&workload_vs_kmalloc,    &workload_vs_kmalloc_fragmented,
	&workload_exhaust,       &workload_floor,
	&workload_floor_replace, &workload_floor_remote_free,
	&workload_floor_lookup,
};

const struct workload *workload_find(const char *name)
{
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (strcmp(workloads[i]->name, name) == 0)
			return workloads[i];
	}
	return NULL;
}
