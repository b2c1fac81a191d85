/* SPDX-License-Identifier: MIT */
/*
 * map_foreign.c - mapping what the range does not own: the caller's frames, and
 * pages of the caller's files.
 */
#include <errno.h>
#include <inttypes.h>

#include "backing/map_steps.h"
#include "base/check.h"
#include "base/error.h"

/* run_length - how many of the frames from the first on are contiguous. */
static uint32_t run_length(const uint32_t *frames, size_t count)
{
	uint32_t length = 1;

	while (length < count && frames[length] == frames[0] + length)
		length++;
	return length;
}

static int frames_check(const struct map *map, const uint32_t *frames,
			size_t count)
{
	if (map->frames->ops->fixed)
		return error_set(-EOPNOTSUPP,
				 "frames '%s' belong to addresses: they cannot "
				 "be mapped elsewhere",
				 map->frames->ops->name);
	for (size_t i = 0; i < count; i++)
		if (frames[i] >= map->frames->config.nr_frames)
			return error_set(-EINVAL,
					 "frame %" PRIu32 " does not exist: "
					 "there are %" PRIu64,
					 frames[i],
					 map->frames->config.nr_frames);
	return 0;
}

static void unborrow(struct map *map, const uint32_t *frames, size_t count)
{
	for (size_t i = 0; i < count; i++)
		frames_unmap(map->frames, frames[i]);
}

/* borrow - all of the frames, or none and -EINVAL. */
static int borrow(struct map *map, const uint32_t *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (frames_try_map(map->frames, frames[i]))
			continue;
		unborrow(map, frames, i);
		return error_set(-EINVAL,
				 "frame %" PRIu32 " is not one of "
				 "lfv_alloc_pages(), or was freed meanwhile",
				 frames[i]);
	}
	return 0;
}

static void borrowed_write(struct map *map, size_t page, const uint32_t *frames,
			   size_t count)
{
	for (size_t i = 0; i < count; i++)
		table_set(&map->table, page + i, 1,
			  (struct pte){ PTE_BORROWED, frames[i] });
}

/* map_borrowed - one call a run; *done tells how many pages were mapped. */
static int map_borrowed(struct map *map, size_t page, const uint32_t *frames,
			size_t count, size_t *done)
{
	for (*done = 0; *done < count;) {
		const struct frame_run run = {
			frames[*done],
			run_length(frames + *done, count - *done),
		};
		const int error = map_run_frames(map, page + *done, run);

		if (error != 0)
			return map_refused(map, error, "mmap");
		*done += run.count;
	}
	return 0;
}

int map_frames(struct map *map, uintptr_t start, const uint32_t *frames,
	       size_t pages)
{
	const size_t page = window_page(map->window, start);
	size_t done = 0;

	assert(pages > 0);
	assert(page + pages <= window_pages(map->window));

	int error = frames_check(map, frames, pages);

	if (error == 0)
		error = map_settle(map, page, pages);
	if (error == 0)
		error = borrow(map, frames, pages);
	if (error != 0)
		return error;

	error = map_borrowed(map, page, frames, pages, &done);
	if (error == 0) {
		borrowed_write(map, page, frames, pages);
		map_count(map, MAP_MAPPED_PAGES, pages);
		return 0;
	}
	/* What cannot be unmapped either stays borrowed. */
	if (done == 0 || map_clear(map, page, done) == 0)
		done = 0;
	borrowed_write(map, page, frames, done);
	unborrow(map, frames + done, pages - done);
	return error;
}

static void file_write(struct map *map, size_t page, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		table_set(&map->table, page + i, 1,
			  (struct pte){ .kind = i == 0 ? PTE_FILE_FIRST
						       : PTE_FILE });
}

/*
 * The file's own mmap operation runs after the kernel has taken away what was
 * mapped there: before Linux 6.12 its refusal leaves a hole in the window.  So
 * the range is laid out again, whatever the kernel.
 */
int map_file(struct map *map, uintptr_t start, size_t bytes,
	     const struct map_source *source)
{
	const size_t page = window_page(map->window, start);
	const size_t pages = bytes_to_pages(bytes);

	assert(pages > 0);
	assert(page + pages <= window_pages(map->window));

	int error = map_settle(map, page, pages);

	if (error != 0)
		return error;
	map_count(map, MAP_MAP_CALLS, 1);
	error = map->os->map_file((void *)start, pages_to_bytes(pages),
				  source->prot, source->fd,
				  (off_t)source->offset);
	if (error == 0) {
		file_write(map, page, pages);
		map_count(map, MAP_MAPPED_PAGES, pages);
		return 0;
	}
	error = map_refused(map, error, "mmap of a file");
	if (map_clear(map, page, pages) != 0)
		file_write(map, page, pages);
	return error;
}
