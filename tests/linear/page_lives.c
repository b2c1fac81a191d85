/* SPDX-License-Identifier: MIT */
/*
 * page_lives.c - pair allocs with frees, bound the lives, look at each page.
 */
#include "linear/page_lives.h"

#include <stdlib.h>

#include "base/check.h"

struct life {
	const struct op *alloc;
	const struct op *free; /* NULL: lives to the end */
	/* Instants between stamps: just before `begins`, just after `ends`. */
	uint64_t begins; /* the latest */
	uint64_t ends;   /* the earliest */
};

/* A page of a life's area; those of one page lie side by side. */
struct page_life {
	uint32_t page;
	const struct life *life;
};

struct lives {
	const struct history *history;
	struct life *all; /* by first page, then in time */
	struct life **by_tag;
	size_t count;
	struct page_life *pages; /* by page, then in time */
	size_t page_count;
	struct lives_breach *breach;
};

static void *array(size_t count, size_t bytes)
{
	void *const memory = calloc(count > 0 ? count : 1, bytes);

	require(memory != NULL);
	return memory;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static bool breach_set(struct lives *lives, const char *what,
		       const struct op *one, const struct op *two)
{
	*lives->breach = (struct lives_breach){
		.what = what,
		.ops = { *one },
		.count = 1,
	};
	if (two != NULL)
		lives->breach->ops[lives->breach->count++] = *two;
	return false;
}

static bool is_alloc(const struct op *op)
{
	return op->kind == OP_ALLOC && op->answer == ANSWER_YES;
}

static bool is_free(const struct op *op)
{
	return op->kind == OP_FREE && op->answer == ANSWER_YES;
}

/* Where an alloc or a free belongs among those of its first page. */
static uint32_t first_page(const struct op *op)
{
	return op->kind == OP_ALLOC ? op->area.first : op->page;
}

static uint64_t certain_instant(const struct op *op)
{
	return op->kind == OP_ALLOC ? op->returned : op->invoked;
}

static int compare_changes(const void *one, const void *two)
{
	const struct op *const a = *(const struct op *const *)one;
	const struct op *const b = *(const struct op *const *)two;
	const int pages = compare(first_page(a), first_page(b));

	return pages != 0 ? pages
			  : compare(certain_instant(a), certain_instant(b));
}

/* All allocs and frees that succeeded, by first page and then in time. */
static const struct op **changes_of(const struct history *history,
				    size_t *count)
{
	const struct op **const changes =
		array(history->count, sizeof(*changes));

	*count = 0;
	for (size_t i = 0; i < history->count; i++) {
		const struct op *const op = &history->ops[i];

		if (is_alloc(op) || is_free(op))
			changes[(*count)++] = op;
	}
	qsort(changes, *count, sizeof(*changes), compare_changes);
	return changes;
}

/* Z1, of one change; `last` is the life before it, if of the same page. */
static bool change_add(struct lives *lives, const struct op *op,
		       struct life *last)
{
	const bool is_live = last != NULL && last->free == NULL;

	if (op->kind == OP_FREE) {
		if (!is_live)
			return breach_set(lives, "freed what was not live", op,
					  last != NULL ? last->free : NULL);
		last->free = op;
		last->ends = op->invoked;
		return true;
	}
	if (is_live)
		return breach_set(lives, "given out twice", last->alloc, op);
	if (!op_is_as_asked(op))
		return breach_set(lives, "not as asked for", op, NULL);
	lives->all[lives->count++] = (struct life){
		.alloc = op,
		.begins = op->returned,
		.ends = UINT64_MAX,
	};
	return true;
}

static bool lives_pair(struct lives *lives)
{
	size_t count = 0;
	const struct op **const changes = changes_of(lives->history, &count);
	bool right = true;

	lives->all = array(count, sizeof(*lives->all));
	for (size_t i = 0; right && i < count; i++) {
		struct life *last = NULL;

		if (lives->count > 0 &&
		    lives->all[lives->count - 1].alloc->area.first ==
			    first_page(changes[i]))
			last = &lives->all[lives->count - 1];
		right = change_add(lives, changes[i], last);
	}
	free(changes);
	return right;
}

/* What a lookup sees of a life. */
static int compare_seen(uint32_t first, uint16_t tag, const struct life *life)
{
	const int pages = compare(first, life->alloc->area.first);

	return pages != 0 ? pages : compare(tag, life->alloc->tag);
}

static int compare_tags(const void *one, const void *two)
{
	const struct life *const a = *(const struct life *const *)one;
	const struct life *const b = *(const struct life *const *)two;

	return compare_seen(a->alloc->area.first, a->alloc->tag, b);
}

/* The first of the lives that look as what the lookup met. */
static size_t first_seen(const struct lives *lives, const struct op *lookup)
{
	size_t low = 0;
	size_t high = lives->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare_seen(lookup->area.first, lookup->tag,
				 lives->by_tag[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool looks_like(const struct op *lookup, const struct life *life)
{
	return ranges_equal(lookup->area, life->alloc->area) &&
	       range_covers(lookup->area, lookup->page);
}

static bool can_have_met(const struct op *lookup, const struct life *life)
{
	return lookup->returned > life->alloc->invoked &&
	       (life->free == NULL || lookup->invoked < life->free->returned);
}

/* Z2, of one hit: it bounds the life that it met. */
static bool hit_add(struct lives *lives, const struct op *lookup)
{
	struct life *met = NULL;
	const struct life *other = NULL;
	unsigned count = 0;

	for (size_t i = first_seen(lives, lookup);
	     i < lives->count && compare_seen(lookup->area.first, lookup->tag,
					      lives->by_tag[i]) == 0;
	     i++) {
		if (!looks_like(lookup, lives->by_tag[i]))
			continue;
		other = lives->by_tag[i];
		if (can_have_met(lookup, other)) {
			met = lives->by_tag[i];
			count++;
		}
	}
	if (count == 0 && other == NULL)
		return breach_set(lives, "met what never was", lookup, NULL);
	if (count == 0 && lookup->returned < other->alloc->invoked)
		return breach_set(lives, "met before it was asked for", lookup,
				  other->alloc);
	if (count == 0)
		return breach_set(lives, "met after its end", lookup,
				  other->free);
	if (count > 1)
		return true;
	if (lookup->returned < met->begins)
		met->begins = lookup->returned;
	if (lookup->invoked > met->ends)
		met->ends = lookup->invoked;
	return true;
}

static bool lives_bound(struct lives *lives)
{
	const struct history *const history = lives->history;

	lives->by_tag = array(lives->count, sizeof(*lives->by_tag));
	for (size_t i = 0; i < lives->count; i++)
		lives->by_tag[i] = &lives->all[i];
	qsort(lives->by_tag, lives->count, sizeof(*lives->by_tag),
	      compare_tags);
	for (size_t i = 0; i < history->count; i++) {
		const struct op *const op = &history->ops[i];

		if (op->answer == ANSWER_ODD)
			return breach_set(lives, "an error that it has not", op,
					  NULL);
		if (op->kind == OP_LOOKUP && op->answer == ANSWER_YES &&
		    !hit_add(lives, op))
			return false;
	}
	return true;
}

static int compare_page_lives(const void *one, const void *two)
{
	const struct page_life *const a = one;
	const struct page_life *const b = two;
	const int pages = compare(a->page, b->page);

	return pages != 0 ? pages
			  : compare(a->life->alloc->returned,
				    b->life->alloc->returned);
}

static void lives_spread(struct lives *lives)
{
	size_t count = 0;

	for (size_t i = 0; i < lives->count; i++)
		count += lives->all[i].alloc->pages;
	lives->pages = array(count, sizeof(*lives->pages));
	for (size_t i = 0; i < lives->count; i++) {
		const struct page_range area = lives->all[i].alloc->area;

		for (uint32_t page = area.first; page < area.end; page++)
			lives->pages[lives->page_count++] =
				(struct page_life){ page, &lives->all[i] };
	}
	qsort(lives->pages, lives->page_count, sizeof(*lives->pages),
	      compare_page_lives);
}

/* Z3 */
static bool lives_are_apart(struct lives *lives)
{
	for (size_t i = 1; i < lives->page_count; i++) {
		const struct page_life *const before = &lives->pages[i - 1];
		const struct page_life *const after = &lives->pages[i];

		if (before->page == after->page &&
		    before->life->ends >= after->life->begins)
			return breach_set(lives, "two owners of a page",
					  before->life->alloc,
					  after->life->alloc);
	}
	return true;
}

/* The last life of `page` that begins before `instant`, or NULL. */
static const struct life *life_before(const struct lives *lives, uint32_t page,
				      uint64_t instant)
{
	size_t low = 0;
	size_t high = lives->page_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct page_life *const at = &lives->pages[middle];

		if (at->page < page ||
		    (at->page == page && at->life->begins < instant))
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && lives->pages[low - 1].page == page
		       ? lives->pages[low - 1].life
		       : NULL;
}

/* Z4, of one miss or refused free. */
static bool miss_is_right(struct lives *lives, const struct op *op)
{
	const struct life *const life =
		life_before(lives, op->page, op->invoked);

	if (life == NULL || life->ends < op->returned)
		return true;
	if (op->kind == OP_LOOKUP)
		return breach_set(lives, "missed a live area", op, life->alloc);
	return life->alloc->area.first != op->page ||
	       breach_set(lives, "free of a live area refused", op,
			  life->alloc);
}

static bool misses_are_right(struct lives *lives)
{
	const struct history *const history = lives->history;

	for (size_t i = 0; i < history->count; i++) {
		const struct op *const op = &history->ops[i];

		if ((op->kind == OP_LOOKUP || op->kind == OP_FREE) &&
		    op->answer == ANSWER_NO && !miss_is_right(lives, op))
			return false;
	}
	return true;
}

bool lives_are_linearizable(const struct history *history,
			    struct lives_breach *breach)
{
	struct lives lives = { .history = history, .breach = breach };
	bool right = lives_pair(&lives) && lives_bound(&lives);

	if (right) {
		lives_spread(&lives);
		right = lives_are_apart(&lives) && misses_are_right(&lives);
	}
	free(lives.pages);
	free(lives.by_tag);
	free(lives.all);
	return right;
}

void lives_breach_print(FILE *stream, const struct lives_breach *breach)
{
	fprintf(stream, "%s:\n", breach->what);
	for (unsigned i = 0; i < breach->count; i++)
		op_print(stream, &breach->ops[i]);
}
