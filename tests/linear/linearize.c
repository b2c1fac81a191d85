/* SPDX-License-Identifier: MIT */
/*
 * linearize.c - a depth-first search for an order, with memory.
 *
 * A state is two sets of operations, each a word of bits: those that have taken
 * effect, and the allocs whose areas live.  Pages are bits of a word as well.
 */
#include "linear/linearize.h"

#include <string.h>

#include "base/check.h"

enum { MEMORY_SLOTS = 4096 };

struct search {
	const struct op *ops;
	unsigned count;
	const struct fit_promise *promise;
	uint64_t pages[LINEAR_OPS_MAX]; /* OP_ALLOC: the area's */
	/* A refused OP_ALLOC: pages that do not count for it. */
	uint64_t unsettled[LINEAR_OPS_MAX];
	uint8_t order[LINEAR_OPS_MAX];
	struct verdict verdict;
	/* Dead ends; a slot holds the last one of those that fall into it. */
	uint64_t memory[MEMORY_SLOTS];
};

static uint32_t bit(unsigned i)
{
	return (uint32_t)1 << i;
}

static uint64_t pages_of(struct page_range range)
{
	const uint64_t below_end = range.end >= LINEAR_PAGES_MAX
					   ? ~UINT64_C(0)
					   : (UINT64_C(1) << range.end) - 1;

	if (range.first >= LINEAR_PAGES_MAX)
		return 0;
	return below_end & ~((UINT64_C(1) << range.first) - 1);
}

static bool is_given(const struct op *op)
{
	return op->kind == OP_ALLOC && op->answer == ANSWER_YES;
}

static bool is_refused(const struct op *op)
{
	return op->kind == OP_ALLOC && op->answer == ANSWER_NO;
}

/* All pages that the area freed by `op` can have had. */
static uint64_t pages_freed(const struct search *search, const struct op *op)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < search->count; i++) {
		if (is_given(&search->ops[i]) &&
		    search->ops[i].area.first == op->page)
			pages |= search->pages[i];
	}
	return pages;
}

/* The pages that operation `i` keeps from counting while it runs. */
static uint64_t pages_held(const struct search *search, unsigned i)
{
	const struct op *const op = &search->ops[i];

	if (op->kind == OP_LOOKUP || search->promise->fit == FIT_EXACT)
		return 0;
	if (search->promise->fit == FIT_ALONE)
		return ~UINT64_C(0);
	if (is_given(op))
		return search->pages[i];
	return op->kind == OP_FREE ? pages_freed(search, op) : 0;
}

static uint64_t unsettled_for(const struct search *search, unsigned refused)
{
	const struct op *const op = &search->ops[refused];
	uint64_t pages = 0;

	for (unsigned i = 0; i < search->count; i++) {
		if (i != refused && ops_overlap(op, &search->ops[i]))
			pages |= pages_held(search, i);
	}
	return pages;
}

/* Whether the request finds room in these pages, as far as was promised. */
static bool fits(const struct fit_promise *promise, const struct op *op,
		 uint64_t pages)
{
	const bool apart = promise->align_apart && op->align > 1;
	const uint32_t align = apart ? 1 : op->align;
	const uint32_t room =
		op->pages + promise->spare_pages + (apart ? op->align : 0);

	for (uint32_t page = op->within.first; page + room <= op->within.end;
	     page++) {
		const uint64_t place =
			pages_of((struct page_range){ page, page + room });

		if (page % align == 0 && (place & ~pages) == 0)
			return true;
	}
	return false;
}

static uint64_t pages_live(const struct search *search, uint32_t live)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < search->count; i++) {
		if ((live & bit(i)) != 0)
			pages |= search->pages[i];
	}
	return pages;
}

static bool alloc_is_right(const struct search *search, unsigned i,
			   uint32_t live)
{
	const struct op *const op = &search->ops[i];
	const uint64_t taken = pages_live(search, live);

	if (op->answer == ANSWER_NO)
		return !fits(search->promise, op,
			     ~(taken | search->unsettled[i]));
	return op_is_as_asked(op) && (taken & search->pages[i]) == 0;
}

static bool lookup_is_right(const struct search *search, const struct op *op,
			    uint32_t live)
{
	for (unsigned i = 0; i < search->count; i++) {
		const struct op *const alloc = &search->ops[i];

		if ((live & bit(i)) == 0 ||
		    !range_covers(alloc->area, op->page))
			continue;
		return op->answer == ANSWER_YES && op->tag == alloc->tag &&
		       ranges_equal(op->area, alloc->area);
	}
	return op->answer == ANSWER_NO;
}

/* The live area that begins at `page`, as a bit; 0: none does. */
static uint32_t live_at(const struct search *search, uint32_t live,
			uint32_t page)
{
	for (unsigned i = 0; i < search->count; i++) {
		if ((live & bit(i)) != 0 && search->ops[i].area.first == page)
			return bit(i);
	}
	return 0;
}

/* Whether operation `i` can be next; if so, *live is what lives after it. */
static bool step(const struct search *search, unsigned i, uint32_t *live)
{
	const struct op *const op = &search->ops[i];
	uint32_t freed = 0;

	if (op->answer == ANSWER_ODD)
		return false;
	switch (op->kind) {
	case OP_ALLOC:
		if (!alloc_is_right(search, i, *live))
			return false;
		if (op->answer == ANSWER_YES)
			*live |= bit(i);
		return true;
	case OP_FREE:
		freed = live_at(search, *live, op->page);
		*live &= ~freed;
		return (freed != 0) == (op->answer == ANSWER_YES);
	case OP_LOOKUP:
		return lookup_is_right(search, op, *live);
	case OP_PURGE:
		break;
	}
	return true;
}

static uint64_t *memory_slot(struct search *search, uint64_t state)
{
	const uint64_t mixed = state * UINT64_C(0x9e3779b97f4a7c15);

	return &search->memory[(mixed >> 40) % MEMORY_SLOTS];
}

static void keep_longest(struct search *search, unsigned depth)
{
	if (depth <= search->verdict.longest)
		return;
	search->verdict.longest = depth;
	memcpy(search->verdict.order, search->order, depth);
}

/* The first `returned` of what is not done: nothing later can be next. */
static uint64_t first_return(const struct search *search, uint32_t done)
{
	uint64_t first = UINT64_MAX;

	for (unsigned i = 0; i < search->count; i++) {
		if ((done & bit(i)) == 0 && search->ops[i].returned < first)
			first = search->ops[i].returned;
	}
	return first;
}

/* Whether all the rest can follow; recurses once an operation. */
static bool search_from(struct search *search, uint32_t done, uint32_t live,
			unsigned depth)
{
	const uint64_t state = (uint64_t)done << 32 | live;
	uint64_t *const slot = memory_slot(search, state);

	keep_longest(search, depth);
	if (depth == search->count)
		return true;
	if (depth > 0 && *slot == state)
		return false;
	search->verdict.steps++;

	const uint64_t limit = first_return(search, done);

	for (unsigned i = 0; i < search->count; i++) {
		uint32_t after = live;

		if ((done & bit(i)) != 0 || search->ops[i].invoked > limit ||
		    !step(search, i, &after))
			continue;
		search->order[depth] = (uint8_t)i;
		if (search_from(search, done | bit(i), after, depth + 1))
			return true;
	}
	*slot = state;
	return false;
}

struct verdict linearize(const struct history *history,
			 const struct fit_promise *promise)
{
	struct search search = {
		.ops = history->ops,
		.count = (unsigned)history->count,
		.promise = promise,
	};

	require(history->count <= LINEAR_OPS_MAX);
	for (unsigned i = 0; i < search.count; i++) {
		const struct op *const op = &search.ops[i];

		require(op->kind != OP_ALLOC ||
			op->within.end <= LINEAR_PAGES_MAX);
		if (is_given(op))
			search.pages[i] = pages_of(op->area);
	}
	for (unsigned i = 0; i < search.count; i++) {
		if (is_refused(&search.ops[i]))
			search.unsettled[i] = unsettled_for(&search, i);
	}
	search.verdict.is_linearizable = search_from(&search, 0, 0, 0);
	return search.verdict;
}

static bool is_in_order(const struct verdict *verdict, size_t i)
{
	for (unsigned at = 0; at < verdict->longest; at++) {
		if (verdict->order[at] == i)
			return true;
	}
	return false;
}

void verdict_print(FILE *stream, const struct history *history,
		   const struct verdict *verdict)
{
	fprintf(stream, "%u of %zu operations in an order that is right:\n",
		verdict->longest, history->count);
	for (unsigned at = 0; at < verdict->longest; at++)
		op_print(stream, &history->ops[verdict->order[at]]);
	if (verdict->longest == history->count)
		return;
	fprintf(stream, "but then none of the rest can be next:\n");
	for (size_t i = 0; i < history->count; i++) {
		if (!is_in_order(verdict, i))
			op_print(stream, &history->ops[i]);
	}
}
