/* SPDX-License-Identifier: MIT */
/*
 * holes_walk.c - walks over the taken pages and over the holes.
 */
#include "va/hole_runs.h"
#include "va/holes.h"

bool holes_next_taken(const struct holes *holes, size_t from, size_t *page)
{
	const size_t taken = hole_next_taken(
		holes, hole_skip_untouched(holes, from), holes->pages);

	if (taken >= holes->pages)
		return false;
	*page = taken;
	return true;
}

struct holes_stats holes_stats(const struct holes *holes)
{
	struct holes_stats stats = { 0 };
	size_t page = 0;

	while (page < holes->pages) {
		const size_t free =
			hole_next_begin(holes, page, holes->pages, 1);
		const size_t end = hole_next_taken(
			holes, hole_skip_untouched(holes, free), holes->pages);
		const uint64_t pages = end - free;

		stats.holes += pages > 0;
		stats.free_pages += pages;
		if (pages > stats.largest_pages)
			stats.largest_pages = pages;
		page = end + 1; /* taken when it was looked at */
	}
	return stats;
}

/* Whether a word of the chunk says that a page is taken. */
static bool chunk_has_taken(const struct holes *holes, size_t chunk)
{
	const size_t begin = chunk << HOLE_CHUNK_SHIFT;
	uint64_t any = 0;

	for (size_t page = begin;
	     page < begin + HOLE_CHUNK_PAGES && page < holes->pages;
	     page += HOLE_WORD_PAGES)
		/* relaxed: checks run alone. */
		any |= load_relaxed(&holes->words[hole_word_of(page)]);
	return any != 0;
}

/* The eight chunks of one word of the rooms, one of which was touched. */
static void chunks_check(const struct holes *holes, size_t chunk, size_t end)
{
	for (; chunk < end; chunk++) {
		require_invariant(room_is_touched(&holes->rooms, chunk) ||
					  !chunk_has_taken(holes, chunk),
				  "R3");
		require_invariant(room_get(&holes->rooms, chunk) >=
					  hole_room(holes, chunk),
				  "R1");
		require_invariant(room_get(&holes->aligned_rooms, chunk) >=
					  hole_aligned_room(holes, chunk),
				  "R1");
	}
}

void holes_check(const struct holes *holes)
{
	const size_t chunks = room_chunks(&holes->rooms);
	const unsigned end = hole_bit_of(holes->pages);
	size_t chunk = 0;

	room_check(&holes->rooms);
	room_check(&holes->aligned_rooms);
	while (chunk < chunks) {
		const size_t touched = room_next_touched(&holes->rooms, chunk);

		if (touched == chunks)
			break;
		chunk = (touched | (LANES - 1)) + 1;
		chunks_check(holes, touched & ~(size_t)(LANES - 1),
			     chunk < chunks ? chunk : chunks);
	}
	if (end == 0 || !room_is_touched(&holes->rooms, chunks - 1))
		return;

	/* relaxed: checks run alone. */
	const uint64_t last =
		load_relaxed(&holes->words[hole_word_of(holes->pages - 1)]);

	require_invariant(last >> end == 0, "H2");
}
