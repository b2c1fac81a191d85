/* SPDX-License-Identifier: MIT */
/*
 * holes.c - a take, from the rooms that promise to the search of last resort.
 *
 * A take asks the rooms three times:
 *
 *   surely   the first chunk with a hole that is long enough for sure
 *   maybe    the first with one of about the length, which must be measured;
 *            up to 64 pages rooms are exact, and surely is maybe
 *   no more  every word of the range, as if there were no rooms
 *
 * so that neither a promise that a stopped thread left too low, nor one that
 * came too late, makes a take fail.  Only the last may answer -ENOMEM (H3):
 *
 *	search                              give or undo
 *
 *	searches++             (V1)         words: pages free        (W1)
 *	v := version           (V2)         searches > 0?            (W2)
 *	each word: no run fits (V3)           yes: version++         (W3)
 *	version = v?           (V4)
 *	  yes: -ENOMEM; no: from V2 on again
 *
 * All are seq_cst, so there is one order of them.  Let V4 find v.  V3 rejected
 * each run that fits for a page p of it that it saw taken.  If a give made p
 * free after that, its W1 came after V3, so its W2 after V1, and it found the
 * search.  Its W3 then came after V2; had it come before V4, V4 would not have
 * found v.  So at V4 each p is taken, or in the hands of a give that has not
 * reached the end of W3 [holes-version].
 *
 * Progress: a search is repeated only when a give or an undo was completed
 * meanwhile.  Gives are progress; undos are bounded by it (hole_claim.h).  A
 * thread that stops in a search makes each later give write the version, which
 * costs time and nothing else.
 *
 * What is not fast: a run of more than 512 pages is looked for in each hole of
 * 512 and more from the low end on, for rooms tell no more; and a refusal has
 * read every touched word of its range.
 */
#include "va/holes.h"

#include <errno.h>

#include "base/error.h"
#include "base/page.h"
#include "va/hole_claim.h"
#include "va/hole_runs.h"

static size_t words_bytes(const struct holes *holes)
{
	const size_t words = hole_word_of(holes->pages - 1) + 1;

	return align_up(words * sizeof(uint64_t), PAGE_SIZE);
}

int holes_init(struct holes *holes, const struct os *os, size_t first,
	       size_t pages)
{
	assert(pages > 0 && pages <= HOLES_PAGES_MAX);
	*holes = (struct holes){ .os = os, .first = first, .pages = pages };
	holes->words = os->mmap_anon(words_bytes(holes));
	if (holes->words != NULL &&
	    room_init(&holes->rooms, os, hole_chunk_of(pages - 1) + 1) == 0 &&
	    room_init(&holes->aligned_rooms, os,
		      hole_chunk_of(pages - 1) + 1) == 0)
		return 0;
	holes_fini(holes);
	return error_set(-ENOMEM,
			 "no address space for the map of holes of a window of "
			 "%zu MiB (%zu KiB): ask for a smaller window, or "
			 "raise RLIMIT_AS (ulimit -v)",
			 pages_to_bytes(pages) / MIB, words_bytes(holes) / KIB);
}

void holes_fini(struct holes *holes)
{
	room_fini(&holes->aligned_rooms);
	room_fini(&holes->rooms);
	if (holes->words != NULL)
		holes->os->munmap_anon(holes->words, words_bytes(holes));
	holes->words = NULL;
}

/*
 * take_between - the first run that begins in [*page, last); lock-free: a claim
 * that fails looks again from where it was.
 *
 * False, and *page is behind the last begin that was looked at.
 */
static bool take_between(struct holes *holes,
			 const struct holes_request *request, size_t *page,
			 size_t last)
{
	while (hole_fit(holes, request, page, last))
		if (hole_claim(holes, *page, request->pages))
			return true;
	return false;
}

static unsigned chunk_room(const void *context, size_t chunk)
{
	return hole_room(context, chunk);
}

static unsigned chunk_aligned_room(const void *context, size_t chunk)
{
	return hole_aligned_room(context, chunk);
}

/* promises - who is asked for a request of some alignment. */
struct promises {
	struct room_tree *rooms;
	struct room_measure measure;
};

static struct promises promises_for(struct holes *holes, size_t align_pages)
{
	if (align_pages < HOLE_ALIGN_PAGES)
		return (struct promises){ &holes->rooms,
					  { chunk_room, holes } };
	return (struct promises){ &holes->aligned_rooms,
				  { chunk_aligned_room, holes } };
}

/*
 * take_promised - from the chunks that promise so much room.
 *
 * A chunk where nothing fits is settled, unless that can be due to the begin of
 * the request.  It can be due to an alignment that no room tells: then settling
 * changes nothing.  But without, what aligned requests have taken would stay
 * promised, and each later one would look there again.
 */
static bool take_promised(struct holes *holes,
			  const struct holes_request *request, unsigned room,
			  size_t *page)
{
	const struct promises promises =
		promises_for(holes, request->align_pages);

	*page = request->begin;
	while (*page < request->end && request->end - *page >= request->pages) {
		const size_t chunk =
			room_find(promises.rooms, hole_chunk_of(*page), room);
		const size_t begin = chunk << HOLE_CHUNK_SHIFT;
		const bool whole = begin >= *page;

		if (begin >= request->end)
			return false;
		if (whole)
			*page = begin;

		const size_t next = begin + HOLE_CHUNK_PAGES;
		const size_t last = next < request->end ? next : request->end;

		if (take_between(holes, request, page, last))
			return true;
		if (whole)
			room_settle(promises.rooms, chunk, promises.measure);
		if (*page < next)
			*page = next;
	}
	return false;
}

/* The rooms promised too little: put right those around the run. */
static void rooms_mend(struct holes *holes, size_t first, size_t pages)
{
	const size_t end = first + pages;

	for (size_t page = first; page <= end && page < holes->pages;
	     page += pages) {
		const size_t chunk = hole_chunk_of(page);

		room_raise(&holes->rooms, chunk, hole_room(holes, chunk));
		room_raise(&holes->aligned_rooms, chunk,
			   hole_aligned_room(holes, chunk));
	}
}

/* take_any - the search of last resort; see the top of the file. */
static bool take_any(struct holes *holes, const struct holes_request *request,
		     size_t *page)
{
	bool is_taken;
	uint64_t version;

	/* seq_cst [holes-version]: V1. */
	(void)add_seq_cst(&holes->searches, 1);
	do {
		/* seq_cst [holes-version]: V2. */
		version = load_seq_cst(&holes->version);
		*page = request->begin;
		is_taken = take_between(holes, request, page, request->end);
		/* seq_cst [holes-version]: V4. */
	} while (!is_taken && load_seq_cst(&holes->version) != version);
	/* relaxed: a give that finds one search too many only counts it. */
	(void)sub_relaxed(&holes->searches, 1);
	return is_taken;
}

bool holes_try_take(struct holes *holes, const struct holes_request *request,
		    size_t *first)
{
	const unsigned surely = room_for(request->pages);
	const unsigned maybe = room_of(request->pages);
	size_t page;

	assert(request->pages > 0);
	assert(is_power_of_two(request->align_pages));
	assert(request->begin <= request->end && request->end <= holes->pages);
	if (!take_promised(holes, request, surely, &page) &&
	    (maybe == surely || !take_promised(holes, request, maybe, &page)))
		return false;
	*first = page;
	return true;
}

int holes_take(struct holes *holes, const struct holes_request *request,
	       size_t *first)
{
	size_t page;

	if (holes_try_take(holes, request, first))
		return 0;
	if (!take_any(holes, request, &page))
		return -ENOMEM;
	rooms_mend(holes, page, request->pages);
	*first = page;
	return 0;
}
