/* SPDX-License-Identifier: MIT */
#include "common/workload_info.h"

#include <string.h>

#define BOTH API_VM_AREA " " API_VMALLOC

/* THREAD_ALIGN of x86-64 is 16 KiB; fix_align asks for twice that. */
enum { FIX_ALIGN_BYTES = 32 << 10 };

static const struct workload_info infos[] = {
	{
		.name = "fix_size",
		.aliases = "fix_size_alloc_test",
		.summary = "an area of fixed size, freed at once",
		.apis = BOTH,
		.pages_min = 4,
		.pages_max = 4,
		.mask = 1,
		.one_size = true,
	},
	{
		.name = "random_size",
		.aliases = "random_size_alloc_test",
		.summary = "an area of 1 to 100 pages, freed at once",
		.apis = BOTH,
		.pages_min = 1,
		.pages_max = 100,
		.mask = 8,
	},
	{
		.name = "full_fit",
		.aliases = "full_fit_alloc_test",
		.summary = "one page among one-page holes, lazy_max_pages of "
			   "them a thread; --live changes how many",
		.apis = BOTH,
		.pages_min = 1,
		.pages_max = 1,
		.mask = 2,
		.one_size = true,
	},
	{
		.name = "long_busy_list",
		.aliases = "long_busy_list_alloc_test",
		.summary = "100 pages and 1 page beside 15,000 live areas of 1 "
			   "page; with --live N, areas of --pages (4) beside N "
			   "live ones of 1 to 64",
		.apis = BOTH,
		.live_pages = 33,
		.mask = 4,
		.one_size = true,
	},
	{
		.name = "fix_align",
		.aliases = "fix_align_alloc_test",
		.summary = "5 pages, aligned to 32 KiB, zeroed, freed at once",
		.apis = BOTH,
		.pages_min = 5,
		.pages_max = 5,
		.align = FIX_ALIGN_BYTES,
		.mask = 16,
		.one_size = true,
	},
	{
		.name = "random_size_align",
		.aliases = "random_size_align_alloc_test",
		.summary = "1 to 10 pages, aligned to 1 byte to 4 MiB, freed "
			   "at once",
		.apis = BOTH,
		.pages_min = 1,
		.pages_max = 10,
		.mask = 32,
		.own_sizes = true,
	},
	{
		.name = "align_shift",
		.aliases = "align_shift_alloc_test",
		.summary = "one page at each power of two until one is "
			   "refused",
		.apis = BOTH,
		.pages_min = 1,
		.pages_max = 1,
		.mask = 64,
		.one_size = true,
	},
	{
		.name = "replace",
		.summary = "a random one of 1,024 live areas a thread is "
			   "replaced by one of 1 to 64 pages",
		.apis = BOTH,
		.pages_min = 1,
		.pages_max = 64,
		.live = 1024,
	},
	{
		.name = "module_load",
		.summary = "replace as loaded modules do: groups of 4 areas, 1 "
			   "to 256 pages, mostly small, freed together",
		.apis = BOTH,
		.pages_min = 1,
		.pages_max = 256,
		.live = 256,
	},
	{
		.name = "swap_map",
		.summary = "replace as swapon does: few areas of 256 to 2,048 "
			   "pages, the oldest goes first",
		.apis = BOTH,
		.pages_min = 256,
		.pages_max = 2048,
		.live = 16,
	},
	{
		.name = "purge_storm",
		.summary = "written areas, neighbours, are freed while other "
			   "threads write to live ones",
		.apis = API_VMALLOC " " API_VM_AREA,
		.touch = "page",
		.pages_min = 1,
		.pages_max = 1,
		.live = 256,
		.cores = WORKLOAD_CORES_COUNTED,
	},
	{
		.name = "purge_storm_scattered",
		.summary =
			"purge_storm where what is freed has live neighbours",
		.apis = API_VMALLOC " " API_VM_AREA,
		.touch = "page",
		.pages_min = 1,
		.pages_max = 1,
		.live = 256,
		.cores = WORKLOAD_CORES_COUNTED,
	},
	{
		.name = "remote_free",
		.summary = "one thread allocates 1 to 64 pages, another frees "
			   "them, through a ring of 1,024",
		.apis = BOTH,
		.pages_min = 1,
		.pages_max = 64,
		.threads_min = 2,
		.threads_step = 2,
	},
	{
		.name = "lookup",
		.summary = "find the area of a random page of 1,024 live ones, "
			   "while the other threads replace theirs",
		.apis = BOTH,
		.pages_min = 1,
		.pages_max = 64,
		.live = 1024,
		.cores = WORKLOAD_CORES_COUNTED,
	},
	{
		.name = "vs_kmalloc",
		.summary = "contiguous frames in the linear mapping against "
			   "vmalloc of the same size",
		.apis = API_ALLOC_PAGES " " API_VMALLOC,
		.touch = "page",
		.pages_min = 16,
		.pages_max = 16,
		.one_size = true,
	},
	{
		.name = "vs_kmalloc_fragmented",
		.summary = "vs_kmalloc where every other frame of the memory "
			   "is taken",
		.apis = API_ALLOC_PAGES " " API_VMALLOC,
		.touch = "page",
		.pages_min = 16,
		.pages_max = 16,
		.one_size = true,
	},
	{
		.name = "exhaust",
		.summary = "a window of 128 MiB is filled to the last page, "
			   "refuses the next, is emptied",
		.apis = BOTH,
		.pages_min = 1,
		.pages_max = 1,
		.window_bytes = (size_t)128 << 20,
		.one_size = true,
	},
	{
		.name = "floor",
		.summary = "fix_size without an engine: what the harness costs",
		.apis = API_NONE,
		.pages_min = 4,
		.pages_max = 4,
		.floor = true,
		.one_size = true,
	},
	{
		.name = "floor_replace",
		.summary = "replace without an engine",
		.apis = API_NONE,
		.pages_min = 1,
		.pages_max = 64,
		.live = 1024,
		.floor = true,
	},
	{
		.name = "floor_remote_free",
		.summary = "remote_free without an engine: what the ring costs",
		.apis = API_NONE,
		.pages_min = 1,
		.pages_max = 64,
		.threads_min = 2,
		.threads_step = 2,
		.floor = true,
	},
	{
		.name = "floor_lookup",
		.summary = "lookup without an engine",
		.apis = API_NONE,
		.pages_min = 1,
		.pages_max = 64,
		.live = 1024,
		.cores = WORKLOAD_CORES_COUNTED,
		.floor = true,
	},
};

enum { WORKLOADS = sizeof(infos) / sizeof(infos[0]) };

const struct workload_info *workload_info_at(size_t index)
{
	return index < WORKLOADS ? &infos[index] : NULL;
}

bool word_in_list(const char *list, const char *word)
{
	const size_t letters = strlen(word);

	while (list && *list) {
		const size_t length = strcspn(list, " ");

		if (length == letters && memcmp(list, word, length) == 0)
			return true;
		list += length;
		list += strspn(list, " ");
	}
	return false;
}

const struct workload_info *workload_info_find(const char *name)
{
	for (size_t i = 0; i < WORKLOADS; i++) {
		if (strcmp(infos[i].name, name) == 0 ||
		    word_in_list(infos[i].aliases, name))
			return &infos[i];
	}
	return NULL;
}

bool workload_has_api(const struct workload_info *info, const char *api)
{
	return word_in_list(info->apis, api);
}
