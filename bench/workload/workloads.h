/* SPDX-License-Identifier: MIT */
/*
 * workloads.h - the workloads' tables, one file each.  Only the registry and
 * workloads that share a loop name them.
 */
#ifndef LFV_BENCH_WORKLOADS_H
#define LFV_BENCH_WORKLOADS_H

#include "workload/workload.h"

extern const struct workload workload_fix_size;
extern const struct workload workload_random_size;
extern const struct workload workload_full_fit;
extern const struct workload workload_long_busy_list;
extern const struct workload workload_fix_align;
extern const struct workload workload_random_size_align;
extern const struct workload workload_align_shift;
extern const struct workload workload_replace;
extern const struct workload workload_module_load;
extern const struct workload workload_swap_map;
extern const struct workload workload_purge_storm;
extern const struct workload workload_purge_storm_scattered;
extern const struct workload workload_remote_free;
extern const struct workload workload_lookup;
extern const struct workload workload_vs_kmalloc;
extern const struct workload workload_vs_kmalloc_fragmented;
extern const struct workload workload_exhaust;
extern const struct workload workload_floor;
extern const struct workload workload_floor_replace;
extern const struct workload workload_floor_remote_free;
extern const struct workload workload_floor_lookup;

#endif
