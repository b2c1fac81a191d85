/* SPDX-License-Identifier: MIT */
/*
 * long_run.c - threads at work, each with a log of its own.
 */
#include "linear/long_run.h"

#include "base/check.h"
#include "linear/crew.h"

enum {
	SLOTS = 8,        /* live areas of a thread */
	MAILBOXES = 4,    /* through which areas change their thread */
	BOARD = 64,       /* pages that were given out not long ago */
	NO_PAGE = 0,      /* pages are stored plus one */
	PURGE_STEPS = 64, /* of a thread, between two, on average */
	JOLT_POINTS = 64,
};

struct long_work {
	struct recorder *recorder;
	const struct long_shape *shape;
	struct gate gate;
	_Atomic(uint32_t) mailboxes[MAILBOXES];
	_Atomic(uint32_t) board[BOARD];
	struct history logs[LONG_THREADS_MAX];
};

struct long_worker {
	struct long_work *work;
	unsigned thread;
	struct dice dice;
	struct history *log;
	bool grows;
	uint32_t slots[LONG_SLOTS_MAX];
};

static struct op *op_begin(struct long_worker *worker, enum op_kind kind)
{
	struct op *const op = history_add(worker->log);

	op->kind = kind;
	op->thread = (uint16_t)worker->thread;
	return op;
}

/* A page plus one, or NO_PAGE. */
static uint32_t area_make(struct long_worker *worker)
{
	struct long_work *const work = worker->work;
	struct dice *const dice = &worker->dice;
	struct op *const op = op_begin(worker, OP_ALLOC);

	op->within = work->recorder->part;
	op->other_form = dice_one_in(dice, 4);
	op->pages = 1 + dice_below(dice, work->shape->size_pages_max) +
		    (op->other_form ? 0 : 1);
	op->align = dice_one_in(dice, 4) ? 2u << dice_below(dice, 2) : 1;
	op->tag = (uint16_t)((worker->log->count * LONG_THREADS_MAX +
			      worker->thread) %
			     TAGS);
	recorder_run(work->recorder, op);
	if (op->answer != ANSWER_YES)
		return NO_PAGE;
	/* relaxed: a hint where to look, which must order nothing. */
	store_relaxed(&work->board[dice_below(dice, BOARD)],
		      op->area.first + 1 + dice_below(dice, op->pages));
	return op->area.first + 1;
}

static void area_end(struct long_worker *worker, uint32_t slot)
{
	struct op *const op = op_begin(worker, OP_FREE);

	op->page = slot - 1;
	op->other_form = dice_one_in(&worker->dice, 2);
	recorder_run(worker->work->recorder, op);
}

static void look_up(struct long_worker *worker, uint32_t slot)
{
	if (slot == NO_PAGE)
		return;

	struct op *const op = op_begin(worker, OP_LOOKUP);

	op->page = slot - 1;
	recorder_run(worker->work->recorder, op);
}

/* Leave an area to whoever comes, and free what lies there: a remote free. */
static void exchange(struct long_worker *worker, uint32_t *slot)
{
	_Atomic(uint32_t) *const mailbox =
		&worker->work->mailboxes[dice_below(&worker->dice, MAILBOXES)];
	/* acq_rel [long-mailbox]: its alloc has returned, for all to see. */
	const uint32_t got = swap_acq_rel(mailbox, *slot);

	*slot = NO_PAGE;
	if (got != NO_PAGE)
		area_end(worker, got);
}

static void worker_step(struct long_worker *worker)
{
	struct long_work *const work = worker->work;
	const struct long_shape *const shape = work->shape;
	struct dice *const dice = &worker->dice;
	uint32_t *const slot = &worker->slots[dice_below(dice, shape->slots)];

	if (dice_one_in(dice, shape->jolt_steps))
		crew_jolt(dice, JOLT_POINTS);
	if (dice_one_in(dice, PURGE_STEPS))
		recorder_run(work->recorder, op_begin(worker, OP_PURGE));
	if (dice_one_in(dice, 2 * shape->slots))
		worker->grows = !worker->grows;
	/* relaxed: as it was left, a hint. */
	look_up(worker, load_relaxed(&work->board[dice_below(dice, BOARD)]));
	if (worker->grows && *slot == NO_PAGE) {
		*slot = area_make(worker);
	} else if (worker->grows || dice_one_in(dice, 4)) {
		look_up(worker, *slot);
	} else if (dice_one_in(dice, 4)) {
		exchange(worker, slot);
	} else if (*slot != NO_PAGE) {
		area_end(worker, *slot);
		*slot = NO_PAGE;
	}
}

static void worker_run(void *context, unsigned thread)
{
	struct long_work *const work = context;
	struct long_worker worker = {
		.work = work,
		.thread = thread,
		.dice = dice_of(work->shape->threads, thread),
		.log = &work->logs[thread],
		.grows = true,
	};

	gate_start(&work->gate);
	while (worker.log->count < work->shape->ops)
		worker_step(&worker);
}

void long_run(struct recorder *recorder, const struct long_shape *shape,
	      struct history *history)
{
	struct long_work work = { .recorder = recorder, .shape = shape };

	require(shape->threads <= LONG_THREADS_MAX);
	require(shape->slots <= LONG_SLOTS_MAX);
	gate_init(&work.gate, shape->threads);
	crew_run(&(struct crew){
		.threads = shape->threads,
		.work = worker_run,
		.context = &work,
		.progress = &recorder->clock.now,
	});
	gate_fini(&work.gate);
	for (unsigned i = 0; i < shape->threads; i++) {
		history_join(history, &work.logs[i]);
		history_fini(&work.logs[i]);
	}
}
