/* SPDX-License-Identifier: MIT */
/*
 * va_world.h - a strategy at work over a small window, told in pages.
 *
 * Addresses are page numbers from the start of the window, sizes are pages
 * with the guard page, so that a table of steps can be held against one worked
 * out by hand.  Nothing is mapped: strategies edit ranges only.
 */
#ifndef TESTS_UNIT_VA_WORLD_H
#define TESTS_UNIT_VA_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/os.h"
#include "base/page.h"
#include "va/va.h"

/* Aligned to whatever a test asks for, and no real address of this process. */
#define WORLD_START ((uintptr_t)1 << 40)

/* No hole fits. */
#define NO_PAGE (-1)

struct world {
	struct va va;
	long pages;
	bool purge_due; /* as the last free said */
};

static inline uintptr_t address_of(long page)
{
	return WORLD_START + ((uintptr_t)page << PAGE_SHIFT);
}

static inline long page_of(uintptr_t address)
{
	return (long)((address - WORLD_START) >> PAGE_SHIFT);
}

static inline void world_begin_with(struct world *world,
				    const struct va_ops *ops, long pages,
				    unsigned cpus, const char *lock)
{
	const struct va_config config = {
		.os = &os_linux,
		.lock = lock_find(lock),
		.start = WORLD_START,
		.end = address_of(pages),
		.cpus = cpus,
		.nodes = cpus,
	};

	world->pages = pages;
	world->purge_due = false;
	assert_int_equal(va_init(&world->va, ops, &config), 0);
}

static inline void world_begin(struct world *world, const struct va_ops *ops,
			       long pages, unsigned cpus)
{
	world_begin_with(world, ops, pages, cpus, "pthread-spin");
}

static inline void world_end(struct world *world)
{
	world->va.ops->check(&world->va);
	va_fini(&world->va);
}

static inline struct va_request request_of(long pages, long align_pages,
					   long vstart, long vend)
{
	return (struct va_request){
		.size = pages_to_bytes((size_t)pages),
		.align = align_pages == 0 ? 1
					  : pages_to_bytes((size_t)align_pages),
		.vstart = address_of(vstart),
		.vend = address_of(vend),
		.node = -1,
		.vm = { .nr_pages = (uint32_t)pages - 1 },
	};
}

/* world_alloc_in - the page where the area begins, or NO_PAGE. */
static inline long world_alloc_in(struct world *world,
				  const struct va_request *request)
{
	struct va_range range = { 0 };
	const int error = world->va.ops->alloc(&world->va, request, &range);

	world->va.ops->check(&world->va);
	if (error) {
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(range.start, 0);
		return NO_PAGE;
	}
	assert_int_equal(range.end - range.start, request->size);
	return page_of(range.start);
}

static inline long world_alloc(struct world *world, long pages)
{
	const struct va_request request = request_of(pages, 0, 0, world->pages);

	return world_alloc_in(world, &request);
}

static inline void world_free(struct world *world, long page)
{
	assert_int_equal(world->va.ops->free(&world->va, address_of(page),
					     &world->purge_due),
			 0);
	world->va.ops->check(&world->va);
}

/* world_purge - take all and give it back; how many pieces there were. */
static inline unsigned world_purge(struct world *world, enum va_purge how)
{
	struct vmap_area *const chain =
		world->va.ops->purge_take(&world->va, how);
	unsigned pieces = 0;

	for (const struct vmap_area *area = chain; area;
	     area = area->purge_next)
		pieces++;
	world->va.ops->check(&world->va);
	world->va.ops->purge_give(&world->va, chain, how);
	world->va.ops->check(&world->va);
	return pieces;
}

static inline struct va_stats world_stats(struct world *world)
{
	struct va_stats stats;

	world->va.ops->stats(&world->va, &stats);
	return stats;
}

enum step_kind { STEP_END, STEP_ALLOC, STEP_FREE, STEP_PURGE, STEP_PURGE_FULL };

/*
 * step - one line of a table.  ALLOC: `pages` at `align`, in the window from
 * vstart to vend (0: to its end), expected at page `at`.  FREE: what begins at
 * `at`.  PURGE: `at` pieces are expected to be taken.
 */
struct step {
	enum step_kind kind;
	long at;
	long pages;
	long align;
	long vstart;
	long vend;
};

#define ALLOC(size, expected)                                         \
	{                                                             \
		.kind = STEP_ALLOC, .pages = (size), .at = (expected) \
	}
#define ALLOC_ALIGNED(size, alignment, expected)                           \
	{                                                                  \
		.kind = STEP_ALLOC, .pages = (size), .align = (alignment), \
		.at = (expected)                                           \
	}
#define ALLOC_WITHIN(size, alignment, low, high, expected)                 \
	{                                                                  \
		.kind = STEP_ALLOC, .pages = (size), .align = (alignment), \
		.vstart = (low), .vend = (high), .at = (expected)          \
	}
#define FREE(page)                              \
	{                                       \
		.kind = STEP_FREE, .at = (page) \
	}
#define PURGE(pieces)                              \
	{                                          \
		.kind = STEP_PURGE, .at = (pieces) \
	}
#define PURGE_FULL(pieces)                              \
	{                                               \
		.kind = STEP_PURGE_FULL, .at = (pieces) \
	}
#define END                      \
	{                        \
		.kind = STEP_END \
	}

static inline long step_run(struct world *world, const struct step *step)
{
	const struct va_request request =
		request_of(step->pages, step->align, step->vstart,
			   step->vend ? step->vend : world->pages);

	switch (step->kind) {
	case STEP_ALLOC:
		return world_alloc_in(world, &request);
	case STEP_FREE:
		world_free(world, step->at);
		return step->at;
	case STEP_PURGE:
		return (long)world_purge(world, VA_PURGE_DECAY);
	case STEP_PURGE_FULL:
		return (long)world_purge(world, VA_PURGE_FULL);
	case STEP_END:
		break;
	}
	return step->at;
}

/* steps_check - each step has the outcome that the table says. */
static inline void steps_check(const struct va_ops *ops, long pages,
			       const struct step *steps)
{
	struct world world;

	world_begin(&world, ops, pages, 1);
	for (const struct step *step = steps; step->kind != STEP_END; step++) {
		const long outcome = step_run(&world, step);

		if (outcome != step->at)
			print_error("step %td: page %ld, not %ld\n",
				    step - steps, outcome, step->at);
		assert_int_equal(outcome, step->at);
	}
	world_end(&world);
}

/*
 * aborts_saying - run `body` in a child: true if it aborted and its last words
 * contain `text`.
 */
static inline bool aborts_saying(void (*body)(void *context), void *context,
				 const char *text)
{
	int ends[2];
	char words[512] = "";

	assert_int_equal(pipe(ends), 0);

	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)dup2(ends[1], STDERR_FILENO);
		body(context);
		_exit(0);
	}
	(void)close(ends[1]);

	const ssize_t length = read(ends[0], words, sizeof(words) - 1);
	int status = 0;

	assert_true(length >= 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	(void)close(ends[0]);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	       strstr(words, text) != NULL;
}

static inline unsigned random_below(uint64_t *random, unsigned limit)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (unsigned)((*random >> 11) % limit);
}

#endif
