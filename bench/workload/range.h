/* SPDX-License-Identifier: MIT */
/*
 * range.h - areas are taken and given here, and every one is checked.
 *
 * A shadow of the window has one word a page.  Whoever takes an area writes
 * its stamp into the word of the first page, and of all pages, guard included,
 * for one area in 64; the words must have been empty.  Whoever gives it finds
 * its stamp and empties them, before the engine learns of it.  So
 *
 *   R1  an area given out twice is seen when the second owner takes it, or,
 *       when both write at once, as the first gives it back;
 *   R2  areas that overlap elsewhere are seen when either of them is one of
 *       the 64th, and by the walk over all live areas at the end;
 *   R3  an address outside the window or misaligned is seen at once;
 *   R4  the words that are not empty and the live areas of the engine are the
 *       same areas, which the walk at the end sees.
 *
 * With frames, the first words of touched pages hold the stamp as well, so
 * that a frame with two owners is seen when the area is given.
 *
 * That costs about a nanosecond, part of the `floor` rows.  Their engine is
 * spares.h.
 *
 * Order: the engine's own.  What was written before a free happens before
 * whoever gets the same addresses next, so the words need no order of theirs.
 */
#ifndef LFV_BENCH_RANGE_H
#define LFV_BENCH_RANGE_H

#include "workload/spares.h"
#include "workload/workload.h"

enum { RANGE_WHOLE_EVERY = 64 };

#define RANGE_WHOLE ((uint32_t)1 << 31)

/* The slow sides: whole areas, engines with an alignment, and complaints. */
uintptr_t range_ask_aligned(struct bench_thread *thread, size_t pages,
			    size_t align);
bool range_claim_whole(struct bench_thread *thread, struct held held);
bool range_quit_whole(struct bench_thread *thread, struct held held,
		      uint32_t stamp);
bool range_is_written(struct bench_thread *thread, struct held held,
		      uint32_t stamp);
void range_misplaced(struct bench_thread *thread, struct held held,
		     size_t align);
void range_overlaps(struct bench_thread *thread, struct held held,
		    uint32_t found);
void range_lost(struct bench_thread *thread, struct held held, uint32_t found);
void range_refused(struct bench_thread *thread, size_t pages);
void range_not_freed(struct bench_thread *thread, struct held held, int error);

static inline _Atomic(uint32_t) *range_word(const struct bench_thread *thread,
					    uintptr_t address)
{
	return &thread->shadow[(address - thread->start) >> PAGE_SHIFT];
}

static inline uintptr_t range_ask(struct bench_thread *thread, size_t pages,
				  size_t align)
{
	const size_t bytes = pages << PAGE_SHIFT;

	if (thread->plane == PLANE_NONE)
		return spare_take(thread->spares);
	if (align)
		return range_ask_aligned(thread, pages, align);
	if (thread->plane == PLANE_ADDRESS)
		return (uintptr_t)lfv_get_vm_area(thread->lfv, bytes, 0);
	return (uintptr_t)lfv_vmalloc(thread->lfv, bytes);
}

/* R1, R3; false: the run has failed. */
static inline bool range_claim(struct bench_thread *thread, struct held held,
			       size_t align)
{
	const uintptr_t offset = held.address - thread->start;
	const uintptr_t mask = align > PAGE_SIZE ? align - 1 : PAGE_SIZE - 1;

	if (__builtin_expect(
		    offset >= thread->bytes || (held.address & mask) != 0, 0)) {
		range_misplaced(thread, held, align);
		return false;
	}
	if (__builtin_expect(thread->takes++ % RANGE_WHOLE_EVERY == 0, 0))
		return range_claim_whole(thread, held);

	_Atomic(uint32_t) *word = range_word(thread, held.address);

	/* relaxed: the engine orders one owner after the other. */
	const uint32_t found = load_relaxed(word);

	if (__builtin_expect(found != 0, 0)) {
		range_overlaps(thread, held, found);
		return false;
	}
	/* relaxed: as above. */
	store_relaxed(word, thread->stamp);
	return true;
}

/* Write to each page; what is there says whose it is. */
static inline void range_write(const struct bench_thread *thread,
			       struct held held)
{
	for (size_t i = 0; i < held.pages; i++)
		*(volatile uint32_t *)(held.address + (i << PAGE_SHIFT)) =
			thread->stamp;
}

/* range_try - an area, or 0 when the engine refuses or the run has failed. */
static inline uintptr_t range_try(struct bench_thread *thread, size_t pages,
				  size_t align)
{
	const struct held held = { range_ask(thread, pages, align), pages };

	thread->requests++;
	if (!held.address) {
		thread->refused++;
		return 0;
	}
	if (!range_claim(thread, held, align))
		return 0;
	if (thread->touch)
		range_write(thread, held);
	return held.address;
}

/* range_take - as range_try(), where a refusal is a failure. */
static inline uintptr_t range_take(struct bench_thread *thread, size_t pages)
{
	const struct held held = { range_ask(thread, pages, thread->align),
				   pages };

	if (__builtin_expect(!held.address, 0)) {
		range_refused(thread, pages);
		return 0;
	}
	if (!range_claim(thread, held, thread->align))
		return 0;
	if (thread->touch)
		range_write(thread, held);
	return held.address;
}

static inline int range_free(struct bench_thread *thread, uintptr_t address)
{
	if (thread->plane == PLANE_NONE)
		return spare_give(thread->spares, address);
	if (thread->plane == PLANE_ADDRESS)
		return lfv_free_vm_area(thread->lfv, (const void *)address);
	return lfv_vfree(thread->lfv, (const void *)address);
}

/* R1: the stamp of whoever took it is still there; then it is emptied. */
static inline bool range_quit(struct bench_thread *thread, struct held held,
			      uint32_t stamp)
{
	_Atomic(uint32_t) *word = range_word(thread, held.address);

	/* relaxed: the engine orders one owner after the other. */
	const uint32_t found = load_relaxed(word);

	if (__builtin_expect(found == (stamp | RANGE_WHOLE), 0))
		return range_quit_whole(thread, held, stamp);
	if (__builtin_expect(found != stamp, 0)) {
		range_lost(thread, held, found);
		return false;
	}
	/* relaxed: as above. */
	store_relaxed(word, 0);
	return true;
}

/* range_give_of - free what a thread with that stamp took; false: failed. */
static inline bool range_give_of(struct bench_thread *thread, struct held held,
				 uint32_t stamp)
{
	if (thread->touch && !range_is_written(thread, held, stamp))
		return false;
	if (!range_quit(thread, held, stamp))
		return false;

	const int error = range_free(thread, held.address);

	if (__builtin_expect(error != 0, 0)) {
		range_not_freed(thread, held, error);
		return false;
	}
	return true;
}

static inline bool range_give(struct bench_thread *thread, struct held held)
{
	return range_give_of(thread, held, thread->stamp);
}

/* range_pages - a size of the cell's, uniform, from the draw's high half. */
static inline size_t range_pages(const struct bench_thread *thread,
				 uint64_t draw)
{
	return thread->pages_min + random_high(draw, thread->pages_span);
}

/*
 * live_fill - a live set of `count` areas of pages_min to pages_max pages.
 *
 * 0; -ENOMEM; -ETIME when the cell's limit is passed, with what was reached;
 * -EINVAL after a failed check.  What was taken stays in thread->live.
 */
int live_fill(struct bench_thread *thread, size_t count, size_t pages_min,
	      size_t pages_max);

/*
 * bystander_enter - an area of each size, 16 at most, that stays live: the
 * enter() of workloads without a live set, so that an engine that gives a range
 * out twice has one to give.
 */
int bystander_enter(struct bench_thread *thread);

/* live_leave - give all of thread->live back: a workload's leave(). */
void live_leave(struct bench_thread *thread);

/* live_room - thread->live for `count` areas, none of them there yet. */
int live_room(struct bench_thread *thread, size_t count);

/*
 * live_most - how many of `wanted` areas a thread can hold for all of them to
 * fit: on the full plane vm.max_map_count is the limit.
 */
size_t live_most(const struct bench_thread *thread, size_t wanted);

/* setup_is_late - whether the cell's limit is passed; notes `reached`. */
bool setup_is_late(struct bench_thread *thread, size_t reached);

#endif
