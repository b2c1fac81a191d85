/* SPDX-License-Identifier: MIT */
/*
 * history.c - histories as growing arrays, and as text.
 */
#include "linear/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { ROOM_MIN = 32 };

struct op *history_add(struct history *history)
{
	if (history->count == history->room) {
		history->room =
			history->room == 0 ? ROOM_MIN : 2 * history->room;
		history->ops = realloc(history->ops,
				       history->room * sizeof(*history->ops));
		require(history->ops != NULL);
	}

	struct op *const op = &history->ops[history->count++];

	*op = (struct op){ 0 };
	return op;
}

void history_join(struct history *history, const struct history *other)
{
	for (size_t i = 0; i < other->count; i++)
		*history_add(history) = other->ops[i];
}

static int compare_invoked(const void *one, const void *two)
{
	const struct op *const a = one;
	const struct op *const b = two;

	return (a->invoked > b->invoked) - (a->invoked < b->invoked);
}

void history_sort(struct history *history)
{
	if (history->count > 0)
		qsort(history->ops, history->count, sizeof(*history->ops),
		      compare_invoked);
}

void history_fini(struct history *history)
{
	free(history->ops);
	*history = (struct history){ 0 };
}

bool history_is_concurrent(const struct history *history)
{
	for (size_t i = 0; i < history->count; i++) {
		for (size_t j = i + 1; j < history->count; j++) {
			if (ops_overlap(&history->ops[i], &history->ops[j]))
				return true;
		}
	}
	return false;
}

static void alloc_print(FILE *stream, const struct op *op)
{
	fprintf(stream, "alloc %" PRIu32 " of %" PRIu32 "-%" PRIu32, op->pages,
		op->within.first, op->within.end);
	if (op->align > 1)
		fprintf(stream, " at %" PRIu32, op->align);
	if (op->answer == ANSWER_YES)
		fprintf(stream, " -> %" PRIu32 "-%" PRIu32 " #%u",
			op->area.first, op->area.end, op->tag);
	if (op->answer == ANSWER_NO)
		fprintf(stream, " -> ENOMEM");
}

static void free_print(FILE *stream, const struct op *op)
{
	fprintf(stream, "%s %" PRIu32, op->other_form ? "vfree" : "free",
		op->page);
	if (op->answer != ANSWER_ODD)
		fprintf(stream, " -> %s",
			op->answer == ANSWER_YES ? "ok" : "EINVAL");
}

static void lookup_print(FILE *stream, const struct op *op)
{
	fprintf(stream, "lookup %" PRIu32, op->page);
	if (op->answer == ANSWER_YES)
		fprintf(stream, " -> %" PRIu32 "-%" PRIu32 " #%u",
			op->area.first, op->area.end, op->tag);
	if (op->answer == ANSWER_NO)
		fprintf(stream, " -> none");
}

void op_print(FILE *stream, const struct op *op)
{
	fprintf(stream, "[%6" PRIu64 ", %6" PRIu64 "]  thread %u  ",
		op->invoked, op->returned, op->thread);
	switch (op->kind) {
	case OP_ALLOC:
		alloc_print(stream, op);
		break;
	case OP_FREE:
		free_print(stream, op);
		break;
	case OP_LOOKUP:
		lookup_print(stream, op);
		break;
	case OP_PURGE:
		fprintf(stream, "purge");
		break;
	}
	if (op->answer == ANSWER_ODD)
		fprintf(stream, " -> an error that it has not");
	fprintf(stream, "\n");
}
