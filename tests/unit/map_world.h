/* SPDX-License-Identifier: MIT */
/*
 * map_world.h - a window, a memory and a map, and what the kernel says of them.
 */
#ifndef LFV_TESTS_MAP_WORLD_H
#define LFV_TESTS_MAP_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backing/map.h"
#include "fault/fault_os.h"

struct map_world {
	struct window window;
	struct frames frames;
	struct map map;
};

struct map_world_config {
	const char *frames;   /* "buddy" */
	uint64_t nr_frames;   /* 4096; `paired`: the window's pages */
	enum map_flush flush; /* remap */
	bool no_markers;      /* as on a kernel before 6.15 */
};

/* world_init - a window of 128 MiB; fails the test if it cannot be had. */
void world_init(struct map_world *world, const struct map_world_config *config);

/* world_try_init - 0 or -errno, with nothing left behind. */
int world_try_init(struct map_world *world,
		   const struct map_world_config *config);

/* world_fini - checks everything first, and that the window is closed. */
void world_fini(struct map_world *world);

/* world_check - invariants, W1, and mappings as counted and as they are. */
void world_check(struct map_world *world);

/*
 * world_mappings - lines of /proc/self/maps in the window; 0 if any part of
 * the window is not covered by one of them.
 */
size_t world_mappings(const struct map_world *world);

/* world_page - the address of a page. */
uintptr_t world_page(const struct map_world *world, size_t page);

/* world_unmap - one run of pages, which must go well. */
void world_unmap(struct map_world *world, size_t page, size_t pages);

uint64_t world_frames_free(struct map_world *world);

/* can_read - a read of this address would not fault. */
bool can_read(uintptr_t address);

#endif
