/* SPDX-License-Identifier: MIT */
/*
 * short_run.c - programs by seed, and the threads that run them.
 */
#include "linear/short_run.h"

#include <stdlib.h>

#include "base/check.h"
#include "linear/crew.h"

enum {
	OPS_MIN = 3, /* of a thread, in one history */
	OPS_MAX = 6,
	FIRST_OPS_MAX = 3, /* before all others */
	AREA_PAGES_MAX = 4,
	JOLT_OPS = 3,     /* one of so many is stopped */
	JOLT_POINTS = 32, /* or not, if it has fewer */
};

static_assert(SHORT_THREADS_MAX * OPS_MAX + FIRST_OPS_MAX <= LINEAR_OPS_MAX,
	      "a history can be judged");
static_assert(SHORT_PAGES + ALIGN_PAGES_MAX <= LINEAR_PAGES_MAX,
	      "the part lies below the last page that can be judged");

/* own - the areas that a thread was given and did not free. */
struct own {
	uint32_t pages[OPS_MAX + FIRST_OPS_MAX];
	unsigned count;
};

struct batch {
	const struct short_run *run;
	struct gate gate;
	struct history *logs[SHORT_THREADS_MAX]; /* one a history */
	bool is_clear;
};

static struct page_range within_draw(struct dice *dice, struct page_range part)
{
	const uint32_t middle = part.first + (part.end - part.first) / 2;

	switch (dice_below(dice, 6)) {
	case 0:
		return (struct page_range){ part.first, middle };
	case 1:
		return (struct page_range){ middle, part.end };
	default:
		return part;
	}
}

static void alloc_draw(struct dice *dice, struct page_range part, struct op *op)
{
	op->kind = OP_ALLOC;
	op->within = within_draw(dice, part);
	op->other_form = dice_one_in(dice, 4);
	op->pages =
		1 + dice_below(dice, AREA_PAGES_MAX) + (op->other_form ? 0 : 1);
	op->align = dice_one_in(dice, 4) ? 2u << dice_below(dice, 2) : 1;
}

static uint32_t page_draw(struct dice *dice, struct page_range part)
{
	return part.first + dice_below(dice, part.end - part.first);
}

static void free_draw(struct dice *dice, struct page_range part,
		      struct own *own, struct op *op)
{
	op->kind = OP_FREE;
	op->other_form = dice_one_in(dice, 2);
	op->page = page_draw(dice, part);
	/* Anyone's area, or none, if it is not one's own. */
	if (own->count == 0 || dice_one_in(dice, 3))
		return;

	const unsigned chosen = dice_below(dice, own->count);

	op->page = own->pages[chosen];
	own->pages[chosen] = own->pages[--own->count];
}

static void op_draw(struct dice *dice, struct page_range part, struct own *own,
		    struct op *op)
{
	const unsigned drawn = dice_below(dice, 16);

	if (drawn < 7) {
		alloc_draw(dice, part, op);
	} else if (drawn < 11) {
		free_draw(dice, part, own, op);
	} else if (drawn < 15) {
		op->kind = OP_LOOKUP;
		op->page = page_draw(dice, part);
	} else {
		op->kind = OP_PURGE;
	}
}

static void op_run(struct recorder *recorder, struct own *own, struct op *op)
{
	recorder_run(recorder, op);
	if (op->kind == OP_ALLOC && op->answer == ANSWER_YES)
		own->pages[own->count++] = op->area.first;
}

/* The first thread alone: what the others shall find. */
static void before_all(struct batch *batch, struct dice *dice, struct own *own,
		       struct history *log)
{
	struct recorder *const recorder = batch->run->recorder;

	if (!recorder_clear(recorder))
		batch->is_clear = false;
	if (dice_one_in(dice, 2))
		require(lfv_purge(recorder->lfv) == 0);
	for (unsigned i = dice_below(dice, FIRST_OPS_MAX + 1); i > 0; i--) {
		struct op *const op = history_add(log);

		op->tag = (uint16_t)log->count;
		alloc_draw(dice, recorder->part, op);
		op_run(recorder, own, op);
	}
}

static void history_make(struct batch *batch, unsigned thread, unsigned number)
{
	const struct short_run *const run = batch->run;
	const uint64_t seed = run->seed + number * run->seed_step;
	struct history *const log = &batch->logs[thread][number];
	struct dice dice = dice_of(seed, thread);
	struct own own = { .count = 0 };

	if (thread == 0)
		before_all(batch, &dice, &own, log);

	const unsigned count =
		OPS_MIN + dice_below(&dice, OPS_MAX - OPS_MIN + 1);

	gate_start(&batch->gate);
	for (unsigned i = 0; i < count; i++) {
		struct op *const op = history_add(log);

		op->thread = (uint16_t)thread;
		op->tag = (uint16_t)(thread << 8 | log->count);
		crew_dawdle(&dice);
		op_draw(&dice, run->recorder->part, &own, op);
		crew_jolt(&dice,
			  dice_one_in(&dice, JOLT_OPS) ? JOLT_POINTS : 0);
		op_run(run->recorder, &own, op);
	}
	crew_jolt(&dice, 0);
	gate_pass(&batch->gate);
}

static void batch_work(void *context, unsigned thread)
{
	struct batch *const batch = context;

	for (unsigned i = 0; i < batch->run->count; i++)
		history_make(batch, thread, i);
}

bool short_run(const struct short_run *run, struct history *histories)
{
	struct batch batch = { .run = run, .is_clear = true };

	require(run->threads <= SHORT_THREADS_MAX);
	require(run->count <= SHORT_BATCH_MAX);
	for (unsigned thread = 0; thread < run->threads; thread++) {
		batch.logs[thread] =
			calloc(run->count, sizeof(*batch.logs[thread]));
		require(batch.logs[thread] != NULL);
	}
	gate_init(&batch.gate, run->threads);
	crew_run(&(struct crew){
		.threads = run->threads,
		.work = batch_work,
		.context = &batch,
		.progress = &run->recorder->clock.now,
	});
	gate_fini(&batch.gate);
	for (unsigned i = 0; i < run->count; i++) {
		histories[i] = (struct history){ 0 };
		for (unsigned thread = 0; thread < run->threads; thread++) {
			history_join(&histories[i], &batch.logs[thread][i]);
			history_fini(&batch.logs[thread][i]);
		}
		history_sort(&histories[i]);
	}
	for (unsigned thread = 0; thread < run->threads; thread++)
		free(batch.logs[thread]);
	return batch.is_clear;
}
