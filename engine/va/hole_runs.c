/* SPDX-License-Identifier: MIT */
/*
 * hole_runs.c - from hole to hole, a few instructions each.
 */
#include "va/hole_runs.h"

static uint64_t word_read(const struct holes *holes, size_t page)
{
	/*
	 * seq_cst [room-lane]: S2 for a chunk, and what a give measures.
	 * seq_cst [holes-version]: what the search in holes.c counts on.
	 */
	return load_seq_cst(&holes->words[hole_word_of(page)]);
}

static bool is_chunk_begin(size_t page)
{
	return (page & (HOLE_CHUNK_PAGES - 1)) == 0;
}

size_t hole_skip_untouched(const struct holes *holes, size_t page)
{
	const size_t chunk = hole_chunk_of(page);

	if (page >= holes->pages || room_is_touched(&holes->rooms, chunk))
		return page;
	return room_next_touched(&holes->rooms, chunk) << HOLE_CHUNK_SHIFT;
}

size_t hole_next_begin(const struct holes *holes, size_t page, size_t end,
		       size_t pages)
{
	while (page < end) {
		const unsigned bit = hole_bit_of(page);
		const unsigned found =
			bits_next_begin(word_read(holes, page), bit, pages);

		page += found - bit;
		if (found < HOLE_WORD_PAGES)
			break;
		if (is_chunk_begin(page) &&
		    hole_skip_untouched(holes, page) != page)
			break;
	}
	return page < end ? page : end;
}

size_t hole_next_taken(const struct holes *holes, size_t page, size_t end)
{
	while (page < end) {
		const unsigned bit = hole_bit_of(page);
		const unsigned found =
			bits_next_taken(word_read(holes, page), bit);

		page += found - bit;
		if (found < HOLE_WORD_PAGES)
			break;
		if (is_chunk_begin(page))
			page = hole_skip_untouched(holes, page);
	}
	return page < end ? page : end;
}

size_t hole_begin(const struct holes *holes, size_t page, size_t low)
{
	while (page > low) {
		const unsigned bit = hole_bit_of(page - 1) + 1;
		const unsigned free =
			bits_free_before(word_read(holes, page - 1), bit);

		page -= free;
		if (free < bit)
			break;
	}
	return page > low ? page : low;
}

bool hole_fit(const struct holes *holes, const struct holes_request *request,
	      size_t *page, size_t last)
{
	assert(last <= request->end);
	while (*page < last) {
		const size_t free =
			hole_next_begin(holes, *page, last, request->pages);
		const size_t begin =
			hole_align(holes->first, free, request->align_pages);

		*page = begin;
		if (begin >= last || request->end - begin < request->pages)
			return false;

		const size_t end = begin + request->pages;
		const size_t taken = hole_next_taken(holes, begin, end);

		if (taken == end)
			return true;
		*page = taken + 1;
	}
	return false;
}

/* room_from - the longest run of a chunk that begins at such an alignment. */
static unsigned room_from(const struct holes *holes, size_t chunk,
			  size_t align_pages)
{
	const size_t begin = chunk << HOLE_CHUNK_SHIFT;
	const size_t left = holes->pages - begin;
	const size_t last =
		begin + (left < HOLE_CHUNK_PAGES ? left : HOLE_CHUNK_PAGES);
	size_t best = 0;

	for (size_t page = begin; page < last && best < ROOM_PAGES_MAX;) {
		const size_t free =
			hole_next_begin(holes, page, last, best + 1);
		const size_t run = hole_align(holes->first, free, align_pages);

		if (run >= last)
			break;

		const size_t rest = holes->pages - run;
		const size_t end = hole_next_taken(
			holes, run,
			run + (rest < ROOM_PAGES_MAX ? rest : ROOM_PAGES_MAX));

		if (end - run > best)
			best = end - run;
		page = end + 1; /* taken, or best is all there can be */
	}
	return room_of(best);
}

unsigned hole_room(const struct holes *holes, size_t chunk)
{
	return room_from(holes, chunk, 1);
}

unsigned hole_aligned_room(const struct holes *holes, size_t chunk)
{
	return room_from(holes, chunk, HOLE_ALIGN_PAGES);
}
