/* SPDX-License-Identifier: MIT */
#include "unit/map_world.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "backing/frame_kinds.h"

enum { WORLD_FRAMES = 4096, WORLD_CPUS = 2 };

static int no_marker(void *base, size_t bytes)
{
	(void)base;
	(void)bytes;
	return -EINVAL;
}

/* A table without markers, made once. */
static const struct os *old_os(void)
{
	static struct os table;

	table = fault_os;
	table.guard_install = no_marker;
	return &table;
}

int world_try_init(struct map_world *world,
		   const struct map_world_config *config)
{
	const struct os *const os = config->no_markers ? old_os() : &fault_os;
	const struct frame_ops *const ops = frame_find_ops(
		config->frames != NULL ? config->frames : "buddy");
	struct frame_config frame_config = {
		.os = os,
		.lock = lock_kinds()[0],
		.lock_yield = true, /* more threads than CPUs */
		.nr_frames = config->nr_frames != 0 ? config->nr_frames
						    : WORLD_FRAMES,
		.cpus = WORLD_CPUS,
	};
	int error = window_init(&world->window, os, WINDOW_BYTES_MIN);

	if (error != 0)
		return error;
	if (ops->fixed)
		frame_config.nr_frames = window_pages(&world->window);
	error = frames_init(&world->frames, ops, &frame_config);
	if (error != 0) {
		window_fini(&world->window);
		return error;
	}
	error = map_init(&world->map, &world->window, &world->frames,
			 config->flush);
	if (error != 0) {
		frames_fini(&world->frames);
		window_fini(&world->window);
	}
	return error;
}

void world_init(struct map_world *world, const struct map_world_config *config)
{
	assert_int_equal(world_try_init(world, config), 0);
}

void world_check(struct map_world *world)
{
	struct map_stats stats;

	world->frames.ops->check(&world->frames);
	map_check(&world->map);
	map_stats(&world->map, &stats);
	assert_int_equal(world_mappings(world), stats.mappings);
}

void world_fini(struct map_world *world)
{
	world_check(world);
	map_fini(&world->map);
	frames_fini(&world->frames);
	window_fini(&world->window);
}

size_t world_mappings(const struct map_world *world)
{
	FILE *const maps = fopen("/proc/self/maps", "re");
	uintptr_t covered = world->window.start;
	uintptr_t start;
	uintptr_t end;
	size_t count = 0;

	assert_non_null(maps);
	while (fscanf(maps, "%" SCNxPTR "-%" SCNxPTR "%*[^\n]", &start, &end) ==
	       2) {
		if (end <= world->window.start || start >= world->window.end)
			continue;
		count++;
		if (start <= covered)
			covered = end;
	}
	(void)fclose(maps);
	return covered >= world->window.end ? count : 0;
}

uintptr_t world_page(const struct map_world *world, size_t page)
{
	return world->window.start + pages_to_bytes(page);
}

void world_unmap(struct map_world *world, size_t page, size_t pages)
{
	struct map_run run = {
		.start = world_page(world, page),
		.end = world_page(world, page + pages),
	};

	assert_int_equal(map_unmap(&world->map, &run, 1), 0);
	assert_int_equal(run.error, 0);
}

uint64_t world_frames_free(struct map_world *world)
{
	struct frame_stats stats;

	world->frames.ops->stats(&world->frames, &stats);
	return stats.frames_free;
}

bool can_read(uintptr_t address)
{
	char byte;
	const struct iovec here = { &byte, 1 };
	const struct iovec there = { (void *)address, 1 };

	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1;
}
