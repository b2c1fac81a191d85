/* SPDX-License-Identifier: MIT */
/*
 * workload_info.h - what is known of a workload without running it.
 *
 * lfv-bench lists and plans with it, lfv-gbench runs the workload of the same
 * name (workload/workload.h).  Zero and NULL mean: no such thing.
 */
#ifndef LFV_BENCH_WORKLOAD_INFO_H
#define LFV_BENCH_WORKLOAD_INFO_H

#include <stdbool.h>
#include <stddef.h>

/* Which operations a workload can be made of; `floor` rows have their own. */
#define API_NONE        "none"
#define API_VM_AREA     "get_vm_area"
#define API_VMALLOC     "vmalloc"
#define API_ALLOC_PAGES "alloc_pages"

/* Whose time an operation costs, for core-ns per operation. */
enum workload_cores {
	WORKLOAD_CORES_ALL,     /* every thread's */
	WORKLOAD_CORES_COUNTED, /* only of those whose operations count */
};

struct workload_info {
	const char *name;
	const char *aliases; /* space-separated: test_vmalloc's names */
	const char *summary; /* one line */
	const char *apis;    /* space-separated, the default first */
	const char *touch;   /* default: none | page */
	size_t pages_min;
	size_t pages_max;
	size_t align;
	size_t live_pages;   /* of a live set with sizes of its own: average */
	size_t live;         /* a thread; 0: the workload reckons it */
	size_t window_bytes; /* 0: the engine's default, or what `live` needs */
	unsigned threads_min;
	unsigned threads_step; /* a multiple of this many threads */
	unsigned mask;         /* run_test_mask of test_vmalloc */
	enum workload_cores cores;
	bool one_size;  /* --pages N, not A-B */
	bool own_sizes; /* no --pages at all */
	bool floor;     /* the harness's own cost: no engine works in it */
};

/* workload_info_at - the index-th workload, or NULL past the last. */
const struct workload_info *workload_info_at(size_t index);

/* workload_info_find - by name or alias, or NULL. */
const struct workload_info *workload_info_find(const char *name);

/* workload_has_api - whether the workload can be made of these operations. */
bool workload_has_api(const struct workload_info *info, const char *api);

/* word_in_list - whether a space-separated list (or NULL) holds the word. */
bool word_in_list(const char *list, const char *word);

#endif
