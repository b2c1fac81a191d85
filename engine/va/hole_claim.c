/* SPDX-License-Identifier: MIT */
/*
 * hole_claim.c - words changed; and who has to hear of it.
 */
#include "va/hole_claim.h"

#include "va/hole_runs.h"

/* part_claim - false, and nothing changed: a page of it is taken. */
static bool part_claim(struct holes *holes, struct hole_part part)
{
	_Atomic(uint64_t) *const word = &holes->words[part.word];
	/* relaxed: a guess, which the compare-and-swap puts right. */
	uint64_t old = load_relaxed(word);

	do {
		if ((old & part.mask) != 0)
			return false;
		/* acquire [run-reuse]: what was done to these pages before. */
	} while (!cas_acquire(word, &old, old | part.mask));
	return true;
}

bool hole_claim(struct holes *holes, size_t first, size_t pages)
{
	const size_t end = first + pages;

	assert(pages > 0 && end <= holes->pages); /* H2 */
	for (size_t chunk = hole_chunk_of(first);
	     chunk <= hole_chunk_of(end - 1); chunk++)
		room_touch(&holes->rooms, chunk);
	for (size_t page = first; page < end;) {
		const struct hole_part part = hole_part_at(page, end);

		if (!part_claim(holes, part)) {
			hole_undo(holes, first, page);
			return false;
		}
		page = part.end;
	}
	return true;
}

/* Step 1 of a give. */
static void words_give(struct holes *holes, size_t first, size_t end)
{
	for (size_t page = first; page < end;) {
		const struct hole_part part = hole_part_at(page, end);
		/*
		 * A subtraction: where all bits of the mask are set it clears
		 * them, and is one instruction that also tells the old word.
		 *
		 * seq_cst [run-reuse]: what the owner did to the pages.
		 * seq_cst [room-lane]: G1, before the looks at the lanes.
		 * seq_cst [holes-version]: before the look for a search.
		 */
		const uint64_t old =
			sub_seq_cst(&holes->words[part.word], part.mask);

		require_invariant((old & part.mask) == part.mask, "H1");
		page = part.end;
	}
}

/*
 * Step 2: the free run around the pages begins in up to one chunk before
 * theirs.  Further down there are 512 pages in any case, and further up it is
 * no longer than it was.
 */
static void rooms_raise(struct holes *holes, size_t first, size_t end)
{
	const size_t chunk = hole_chunk_of(first);
	const size_t low = chunk > 0 ? (chunk - 1) << HOLE_CHUNK_SHIFT : 0;
	const size_t rest = holes->pages - end;
	const size_t high =
		end + (rest < ROOM_PAGES_MAX ? rest : ROOM_PAGES_MAX);
	const size_t run_begin = hole_begin(holes, first, low);
	const size_t run_end = hole_next_taken(holes, end, high);

	for (size_t page = run_begin; page < end;) {
		const size_t next = hole_chunk_of(page) + 1;

		const size_t aligned =
			hole_align(holes->first, page, HOLE_ALIGN_PAGES);

		room_raise(&holes->rooms, next - 1, room_of(run_end - page));
		page = next << HOLE_CHUNK_SHIFT;
		if (aligned < page && aligned < run_end)
			room_raise(&holes->aligned_rooms, next - 1,
				   room_of(run_end - aligned));
	}
}

/* Step 3. */
static void version_raise(struct holes *holes)
{
	/* seq_cst [holes-version]: after the words. */
	if (load_seq_cst(&holes->searches) != 0)
		/* seq_cst [holes-version]: at the very end of the give. */
		(void)add_seq_cst(&holes->version, 1);
}

void holes_give(struct holes *holes, size_t first, size_t pages)
{
	const size_t end = first + pages;

	require_invariant(pages > 0 && first < holes->pages &&
				  pages <= holes->pages - first,
			  "H2");
	words_give(holes, first, end);
	rooms_raise(holes, first, end);
	version_raise(holes);
}

void hole_undo(struct holes *holes, size_t first, size_t stop)
{
	if (stop > first)
		holes_give(holes, first, stop - first);
}
