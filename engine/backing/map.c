/* SPDX-License-Identifier: MIT */
/*
 * map.c - making a map, its single steps, and what lookups ask.
 */
#include "backing/map.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "backing/map_steps.h"
#include "base/check.h"
#include "base/error.h"

/*
 * probe_guards - whether the kernel puts markers on a shared file's pages.
 *
 * Tried on the first page of the window, which is bare again afterwards.
 */
static int probe_guards(struct map *map)
{
	void *const page = map_address(map, 0);
	int error = map->os->map_file(page, PAGE_SIZE, PROT_READ | PROT_WRITE,
				      map->frames->fd, 0);

	if (error != 0)
		return map_refused(map, error, "mmap");
	map->has_guards = map->os->guard_install(page, PAGE_SIZE) == 0;
	error = map->os->remap_none(page, PAGE_SIZE);
	return error != 0 ? map_refused(map, error, "mmap") : 0;
}

int map_init(struct map *map, const struct window *window,
	     struct frames *frames, enum map_flush flush)
{
	*map = (struct map){
		.os = window->os,
		.window = window,
		.frames = frames,
		.flush = flush,
	};

	int error = probe_guards(map);

	if (error != 0)
		return error;
	if (flush == MAP_FLUSH_GUARD && !map->has_guards)
		return error_set(-EOPNOTSUPP,
				 "flush 'guard' needs MADV_GUARD_INSTALL on "
				 "files (Linux 6.15): choose flush 'remap'");
	error = table_init(&map->table, map->os, window_pages(window));
	if (error == 0)
		spare_init(&map->spare, map->os);
	return error;
}

/* Mappings stay: they go with the window, and the frames with their memory. */
void map_fini(struct map *map)
{
	spare_fini(&map->spare, map->os);
	table_fini(&map->table);
}

int map_run_frames(struct map *map, size_t page, struct frame_run run)
{
	map_count(map, MAP_MAP_CALLS, 1);
	return map->os->map_file(map_address(map, page),
				 pages_to_bytes(run.count),
				 PROT_READ | PROT_WRITE, map->frames->fd,
				 (off_t)pages_to_bytes(run.first));
}

int map_place_guard(struct map *map, size_t page, size_t pages)
{
	map_count(map, MAP_GUARD_CALLS, 1);
	return map->os->guard_install(map_address(map, page),
				      pages_to_bytes(pages));
}

int map_clear(struct map *map, size_t page, size_t pages)
{
	const struct pte empty = { .kind = PTE_EMPTY };

	map_count(map, MAP_UNMAP_CALLS, 1);
	const int error =
		spare_remap_none(&map->spare, map->os, map_address(map, page),
				 pages_to_bytes(pages));

	if (error != 0)
		return error;
	for (size_t i = 0; i < pages; i++)
		table_set(&map->table, page + i, 1, empty);
	return 0;
}

int map_settle(struct map *map, size_t page, size_t pages)
{
	struct map_run run = {
		.start = (uintptr_t)map_address(map, page),
		.end = (uintptr_t)map_address(map, page + pages),
	};

	for (size_t i = 0; i < pages; i++) {
		if (pte_is_open(table_get(&map->table, page + i))) {
			(void)map_unmap(map, &run, 1);
			if (run.error != 0)
				return run.error;
			break;
		}
	}
	return spare_hold(&map->spare, map->os)
		       ? 0
		       : map_refused(map, -ENOMEM, "mmap");
}

int map_frame_at(const struct map *map, uintptr_t address, uint32_t *frame)
{
	if (address < map->window->start || address >= map->window->end)
		return -ENOENT;

	const size_t page = window_page(map->window, address);
	const struct pte pte = table_get(&map->table, page);

	if (pte.kind != PTE_OWNED && pte.kind != PTE_BORROWED)
		return -ENOENT;
	*frame = map_pte_frame(map, page, pte);
	return 0;
}
