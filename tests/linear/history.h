/* SPDX-License-Identifier: MIT */
/*
 * history.h - what threads asked of an engine, when, and what was answered.
 *
 * Addresses are page numbers, counted from a multiple of the largest alignment
 * that is asked for, so that they are aligned as the addresses are.
 *
 * Two stamps bound each operation, one drawn before the call, one after it,
 * from a counter that all threads share:
 *
 *   Y1  stamps are unique, and each thread's ascend;
 *   Y2  an operation whose `returned` is below another's `invoked` happens
 *       before it.  All others overlap: either may have taken effect first.
 *
 * Why a counter and not the processor's clock.  That an operation precedes
 * another is a claim that must be true wherever a checker builds on it, and a
 * clock makes it of two CPUs that have told each other nothing: the effect of
 * the first may still wait in a store buffer.  With the counter the later stamp
 * has read, through the counter, from the earlier one.
 *
 * What the stamps order.  Y2 and no more: whoever draws `invoked` acquires all
 * that was done before any earlier `returned` was drawn, and so is after it,
 * as linearizability demands.  Operations that overlap are not ordered.  But an
 * operation ends with a read-modify-write, which on x86 empties the store
 * buffer: that two threads each publish an area and both miss the other's in a
 * lookup right after is thus not shown, nor is it ruled out by an engine that
 * promises release and acquire.
 */
#ifndef LFV_TESTS_HISTORY_H
#define LFV_TESTS_HISTORY_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/atomic.h"

enum op_kind { OP_ALLOC, OP_FREE, OP_LOOKUP, OP_PURGE };

enum op_answer {
	ANSWER_YES, /* an area; freed; hit; purged */
	ANSWER_NO,  /* -ENOMEM; -EINVAL; a miss */
	ANSWER_ODD, /* anything else, which is never right */
};

/* page_range - [first, end). */
struct page_range {
	uint32_t first;
	uint32_t end;
};

struct op {
	uint64_t invoked;
	uint64_t returned;
	enum op_kind kind;
	enum op_answer answer;
	uint16_t thread;
	/* OP_ALLOC: the area's mark; OP_LOOKUP: the mark that was met */
	uint16_t tag;
	uint32_t page; /* OP_FREE, OP_LOOKUP: asked about */
	/* OP_ALLOC: what is asked for; a guard page is one of the pages */
	uint32_t pages;
	uint32_t align;
	struct page_range within;
	/* OP_FREE: by lfv_vfree(); OP_ALLOC: without a guard page */
	bool other_form;
	/* OP_ALLOC: what was given; OP_LOOKUP: what was met */
	struct page_range area;
};

/* history - operations, each complete; grows as they are added. */
struct history {
	struct op *ops;
	size_t count;
	size_t room;
};

struct history_clock {
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) now;
};

/*
 * history_stamp - the next stamp: Y1, Y2.
 *
 * As `invoked` it acquires, as `returned` it releases.  That each does both
 * adds nothing: what a thread did before an `invoked` it released with its last
 * `returned`, and what a `returned` acquires the thread's next `invoked` would.
 */
static inline uint64_t history_stamp(struct history_clock *clock)
{
	/* acq_rel [history-stamp]: the counter carries Y2, see above. */
	return add_acq_rel(&clock->now, 1);
}

/* history_add - room for one more operation, zeroed; the caller's to fill. */
struct op *history_add(struct history *history);

/* history_join - add all operations of another history. */
void history_join(struct history *history, const struct history *other);

/* history_sort - in the order of `invoked`. */
void history_sort(struct history *history);

void history_fini(struct history *history);

static inline bool ranges_equal(struct page_range a, struct page_range b)
{
	return a.first == b.first && a.end == b.end;
}

static inline bool range_covers(struct page_range range, uint32_t page)
{
	return page >= range.first && page < range.end;
}

/* ops_overlap - neither is before the other: Y2. */
static inline bool ops_overlap(const struct op *a, const struct op *b)
{
	return a->invoked < b->returned && b->invoked < a->returned;
}

/* op_is_as_asked - whether an area that was given is one that was asked for. */
static inline bool op_is_as_asked(const struct op *alloc)
{
	return alloc->area.first >= alloc->within.first &&
	       alloc->area.end <= alloc->within.end &&
	       alloc->area.end - alloc->area.first == alloc->pages &&
	       alloc->area.first % alloc->align == 0;
}

/* history_is_concurrent - whether operations of two threads overlap. */
bool history_is_concurrent(const struct history *history);

/* op_print - one operation, on one line. */
void op_print(FILE *stream, const struct op *op);

#endif
