/* SPDX-License-Identifier: MIT */
/*
 * map_steps.h - the steps that mapping and unmapping are made of; for the files
 * of the map alone.
 */
#ifndef LFV_BACKING_MAP_STEPS_H
#define LFV_BACKING_MAP_STEPS_H

#include "backing/map.h"

static inline void map_count(struct map *map, enum map_counter counter,
			     uint64_t amount)
{
	/* relaxed: a figure for statistics. */
	add_relaxed(&map->counters[counter], amount);
}

static inline void *map_address(const struct map *map, size_t page)
{
	return (void *)(map->window->start + pages_to_bytes(page));
}

/* map_own_frame - the frame at the offset of the page itself. */
static inline uint32_t map_own_frame(const struct map *map, size_t page)
{
	return (uint32_t)(page % map->frames->config.nr_frames);
}

/* map_pte_frame - whole, where a frame's number has more bits than an entry. */
static inline uint32_t map_pte_frame(const struct map *map, size_t page,
				     struct pte pte)
{
	return map->frames->ops->fixed ? (uint32_t)page : pte.frame;
}

/* map_closes_by_guard - unmapping is hiding behind markers. */
static inline bool map_closes_by_guard(const struct map *map)
{
	return map->has_guards &&
	       (map->flush == MAP_FLUSH_GUARD || map->frames->ops->fixed);
}

/* map_refused - a message for a system call that failed; returns `error`. */
int map_refused(const struct map *map, int error, const char *call);

/* map_run_frames - map contiguous frames, one call. */
__attribute__((warn_unused_result)) int
map_run_frames(struct map *map, size_t page, struct frame_run run);

/* map_place_guard - put a marker on each of these pages. */
__attribute__((warn_unused_result)) int
map_place_guard(struct map *map, size_t page, size_t pages);

/*
 * map_clear - PROT_NONE over these pages, one call, and empty entries.
 *
 * On failure nothing changes: -errno, no message.
 */
__attribute__((warn_unused_result)) int map_clear(struct map *map, size_t page,
						  size_t pages);

/*
 * map_is_cut_by - laying these pages bare would leave more kernel mappings than
 * there are, by the rule of map_stats().
 *
 * Neighbours may come and go meanwhile: then it is true of one instant.
 */
bool map_is_cut_by(const struct map *map, size_t page, size_t pages);

/*
 * map_settle - make ready for mapping: unmap what an undoing that failed has
 * left on these pages, and hold the spare that unmapping may need.
 *
 * -errno with a message if that cannot be.
 */
__attribute__((warn_unused_result)) int map_settle(struct map *map, size_t page,
						   size_t pages);

#endif
