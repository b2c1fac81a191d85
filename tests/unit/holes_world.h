/* SPDX-License-Identifier: MIT */
/*
 * holes_world.h - a map of holes, and beside it one byte a page that says the
 * same in the plainest way.
 */
#ifndef TESTS_UNIT_HOLES_WORLD_H
#define TESTS_UNIT_HOLES_WORLD_H

#include <stdlib.h>

#include "va/hole_claim.h"
#include "va/hole_runs.h"
#include "va/holes.h"
#include "va_world.h"

/* No page: nothing fits, or nothing is there. */
#define PAGE_NONE SIZE_MAX

struct holes_world {
	struct holes holes;
	unsigned char *taken; /* one a page */
	uint64_t random;
};

static inline struct holes_world *holes_begin(size_t first, size_t pages)
{
	/* The alignment of struct holes; a test has one at a time. */
	static struct holes_world world;

	assert_int_equal(holes_init(&world.holes, &os_linux, first, pages), 0);
	world.taken = calloc(pages, 1);
	world.random = 0x9e3779b97f4a7c15;
	assert_non_null(world.taken);
	return &world;
}

static inline bool page_is_taken(const struct holes *holes, size_t page)
{
	const uint64_t word = load_relaxed(&holes->words[hole_word_of(page)]);

	return (word >> hole_bit_of(page) & 1) != 0;
}

/* holes_compare - each page is what the bytes say, and H2 and H4 hold. */
static inline void holes_compare(const struct holes_world *world)
{
	for (size_t page = 0; page < world->holes.pages; page++)
		if (page_is_taken(&world->holes, page) !=
		    (world->taken[page] != 0))
			fail_msg("page %zu", page);
	holes_check(&world->holes);
}

static inline void holes_end(struct holes_world *world)
{
	holes_compare(world);
	free(world->taken);
	holes_fini(&world->holes);
}

static inline size_t holes_random(struct holes_world *world, size_t below)
{
	return random_below(&world->random, (unsigned)below);
}

static inline void bytes_set(struct holes_world *world, size_t first,
			     size_t pages, unsigned char value)
{
	memset(world->taken + first, value, pages);
}

/* world_claim - pages that a test wants taken, which are free. */
static inline void world_claim(struct holes_world *world, size_t first,
			       size_t pages)
{
	assert_true(hole_claim(&world->holes, first, pages));
	bytes_set(world, first, pages, 1);
}

static inline void world_give(struct holes_world *world, size_t first,
			      size_t pages)
{
	bytes_set(world, first, pages, 0);
	holes_give(&world->holes, first, pages);
}

/* world_take - where the run lies, now taken, or PAGE_NONE. */
static inline size_t world_take(struct holes_world *world,
				struct holes_request request)
{
	size_t first = PAGE_NONE;
	const int error = holes_take(&world->holes, &request, &first);

	if (error != 0) {
		assert_int_equal(error, -ENOMEM);
		assert_true(first == PAGE_NONE);
		return PAGE_NONE;
	}
	assert_true(first >= request.begin);
	assert_true(first + request.pages <= request.end);
	assert_int_equal((world->holes.first + first) % request.align_pages, 0);
	for (size_t i = 0; i < request.pages; i++)
		assert_int_equal(world->taken[first + i], 0);
	bytes_set(world, first, request.pages, 1);
	return first;
}

/* world_take_pages - anywhere, not aligned. */
static inline size_t world_take_pages(struct holes_world *world, size_t pages)
{
	return world_take(world, (struct holes_request){
					 .pages = pages,
					 .align_pages = 1,
					 .end = world->holes.pages,
				 });
}

/* bytes_next - the first page in [page, end) that is taken, or free; `end`. */
static inline size_t bytes_next(const struct holes_world *world, size_t page,
				size_t end, bool taken)
{
	while (page < end && (world->taken[page] != 0) != taken)
		page++;
	return page;
}

/* bytes_fit - the lowest run that the request fits in, or PAGE_NONE. */
static inline size_t bytes_fit(const struct holes_world *world,
			       const struct holes_request *request)
{
	for (size_t at = request->begin; at + request->pages <= request->end;
	     at++)
		if ((world->holes.first + at) % request->align_pages == 0 &&
		    bytes_next(world, at, at + request->pages, true) ==
			    at + request->pages)
			return at;
	return PAGE_NONE;
}

/*
 * bytes_room - the longest free run that begins in the chunk at a multiple of
 * `align`, 512 at most.
 */
static inline size_t bytes_room(const struct holes_world *world, size_t chunk,
				size_t align)
{
	size_t best = 0;

	for (size_t at = chunk * HOLE_CHUNK_PAGES;
	     at < (chunk + 1) * HOLE_CHUNK_PAGES && at < world->holes.pages;
	     at++) {
		const size_t run =
			bytes_next(world, at, world->holes.pages, true) - at;

		if ((world->holes.first + at) % align == 0 && run > best)
			best = run;
	}
	return best < ROOM_PAGES_MAX ? best : ROOM_PAGES_MAX;
}

/* world_scatter - take random runs of up to `pages_max`, about half of all. */
static inline void world_scatter(struct holes_world *world, size_t pages_max)
{
	size_t page = 0;

	for (;;) {
		const size_t pages = 1 + holes_random(world, pages_max);

		page += holes_random(world, pages_max + 1);
		if (page + pages > world->holes.pages)
			return;
		world_claim(world, page, pages);
		page += pages;
	}
}

#endif
