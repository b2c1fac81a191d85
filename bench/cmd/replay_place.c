/* SPDX-License-Identifier: MIT */
#include "cmd/replay_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Arenas begin at multiples of this: L4. */
static const uint64_t CHUNK_PAGES = (UINT64_C(2) << 20) / TRACE_PAGE_BYTES;
/* An arena that is no larger is never cut. */
static const uint64_t SMALL_PAGES = (UINT64_C(1) << 30) / TRACE_PAGE_BYTES;
/* What the engine makes. */
static const uint64_t WINDOW_PAGES_MIN =
	(UINT64_C(128) << 20) / TRACE_PAGE_BYTES;
static const uint64_t WINDOW_PAGES_MAX =
	(UINT64_C(16) << 40) / TRACE_PAGE_BYTES;

struct stretch {
	uint64_t start;
	uint64_t end;
};

static uint64_t round_up(uint64_t pages)
{
	return (pages + CHUNK_PAGES - 1) / CHUNK_PAGES * CHUNK_PAGES;
}

static uint64_t phase_of(const struct trace_arena *arena)
{
	return arena->start / TRACE_PAGE_BYTES % CHUNK_PAGES;
}

static int stretch_compare(const void *left, const void *right)
{
	const uint64_t a = ((const struct stretch *)left)->start;
	const uint64_t b = ((const struct stretch *)right)->start;

	return (a > b) - (a < b);
}

/* Everything that an area of this arena ever was, ascending. */
static size_t stretches_collect(const struct trace_program *program,
				uint32_t arena, struct stretch *stretches)
{
	size_t count = 0;

	for (size_t i = 0; i < program->step_count; i++) {
		const struct trace_step *step = &program->steps[i];

		if (step->kind == TRACE_STEP_FREE ||
		    program->windows[step->window].arena != arena)
			continue;

		const uint64_t first =

			step->first_page;

		stretches[count++] =
			(struct stretch){ first, first + step->pages };
	}
	qsort(stretches, count, sizeof(*stretches), stretch_compare);
	return count;
}

/* The widest stretch of [0, pages) that nothing touches. */
static struct stretch gap_find(const struct stretch *stretches, size_t count,
			       uint64_t pages)
{
	struct stretch gap = { 0, 0 };
	uint64_t end = 0;

	for (size_t i = 0; i <= count; i++) {
		const uint64_t next = i < count ? stretches[i].start : pages;

		if (next > end && next - end > gap.end - gap.start)
			gap = (struct stretch){ end, next };
		if (i < count && stretches[i].end > end)
			end = stretches[i].end;
	}
	return gap;
}

/*
 * Finds what can be cut, and says how many pages the arena needs (L2).  A gap
 * of less than half the arena is no sign of two ends.
 */
static uint64_t arena_measure(const struct trace_arena *recorded,
			      const struct stretch *gap,
			      struct replay_arena *arena)
{
	const uint64_t pages = recorded->pages;

	*arena = (struct replay_arena){ .high_page = pages };
	if (gap->end - gap->start < pages / 2)
		return pages;
	arena->high_page = gap->end;

	const uint64_t needed = 2 * gap->start + (pages - gap->end);
	const uint64_t least = needed > SMALL_PAGES ? needed : SMALL_PAGES;

	return least < pages ? least : pages;
}

static void arena_set(const struct trace_arena *recorded, uint64_t base_page,
		      uint64_t room_pages, struct replay_arena *arena)
{
	const uint64_t pages = recorded->pages;

	arena->base_page = base_page;
	arena->cut_pages = room_pages < pages ? pages - room_pages : 0;
	arena->cut_page = arena->high_page - arena->cut_pages;
}

/* L3: arena 0 takes what the others, from the top down, leave. */
static int arenas_set(const struct trace_program *program,
		      const uint64_t *needed, uint64_t asked_pages,
		      struct replay_place *place)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < program->arena_count; i++) {
		total += round_up(needed[i] + phase_of(&program->arenas[i]));
		if (total > WINDOW_PAGES_MAX)
			return -E2BIG;
	}

	uint64_t window = total > asked_pages ? total : asked_pages;

	if (window < WINDOW_PAGES_MIN)
		window = WINDOW_PAGES_MIN;
	place->window_pages = window;

	uint64_t top = window / CHUNK_PAGES * CHUNK_PAGES;

	for (uint32_t i = program->arena_count; i-- > 0;) {
		const struct trace_arena *recorded = &program->arenas[i];
		const uint64_t phase = phase_of(recorded);

		if (i == 0) {
			arena_set(recorded, phase, top - phase,
				  &place->arenas[i]);
			break;
		}
		top -= round_up(needed[i] + phase);
		arena_set(recorded, top + phase, needed[i], &place->arenas[i]);
	}
	return 0;
}

int replay_place_make(const struct trace_program *program,
		      uint64_t window_bytes, struct replay_place *place)
{
	struct stretch *stretches =
		calloc(program->step_count + 1, sizeof(*stretches));
	uint64_t needed[TRACE_WINDOWS_MAX + 1];
	struct replay_place made = { 0 };

	if (!stretches)
		return -ENOMEM;
	for (uint32_t i = 0; i < program->arena_count; i++) {
		const struct trace_arena *recorded = &program->arenas[i];
		const size_t count = stretches_collect(program, i, stretches);
		const struct stretch gap =
			gap_find(stretches, count, recorded->pages);

		needed[i] = arena_measure(recorded, &gap, &made.arenas[i]);
	}
	free(stretches);

	const int err = arenas_set(program, needed,
				   window_bytes / TRACE_PAGE_BYTES, &made);

	if (!err)
		*place = made;
	return err;
}

/* L1: what lies in the cut is where the cut is. */
static uint64_t page_at(const struct replay_arena *arena, uint64_t page)
{
	if (page < arena->cut_page)
		return arena->base_page + page;
	if (page < arena->cut_page + arena->cut_pages)
		return arena->base_page + arena->cut_page;
	return arena->base_page + page - arena->cut_pages;
}

uint64_t replay_place_page(const struct replay_place *place,
			   const struct trace_program *program,
			   const struct trace_step *step)
{
	const uint32_t arena = program->windows[step->window].arena;

	return page_at(&place->arenas[arena], step->first_page);
}

struct replay_range replay_place_range(const struct replay_place *place,
				       const struct trace_program *program,
				       uint32_t window)
{
	const struct trace_window *recorded = &program->windows[window];
	const struct replay_arena *arena = &place->arenas[recorded->arena];

	if (window == program->arenas[0].window)
		return (struct replay_range){ 0, 0 };
	return (struct replay_range){
		page_at(arena, recorded->first_page),
		page_at(arena, recorded->first_page + recorded->pages),
	};
}

bool replay_place_is_low(const struct replay_place *place,
			 const struct trace_program *program,
			 const struct trace_step *step)
{
	return program->windows[step->window].arena == 0 &&
	       step->first_page < place->arenas[0].high_page;
}
