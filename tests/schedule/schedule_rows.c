/* SPDX-License-Identifier: MIT */
/*
 * schedule_rows.c - the rows of free frames: who owns which frame, and that "no
 * frame is free" is never said for nothing, under every schedule of two or
 * three threads, each on a CPU of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "backing/frame_rows.h"
#include "base/check.h"
#include "base/page.h"
#include "schedule/model_check.h"
#include "schedule/run_account.h"

enum {
	ROW = 64, /* frames */
	ROW_ORDER = 6,
	DEEDS = 3,
	THREADS_MAX = 3,
	ARENA_BYTES = 4 * 4096,
};

enum row_deed {
	NOTHING, /* and no more orders */
	MOST,    /* a run of up to so many frames */
	AT,      /* the same, from `first` on */
	BLOCK,   /* of so many frames, a power of two */
	CLAIM,   /* the row of `first` */
	MARK,    /* the row of `first` */
	GIVE,    /* [first, first + count), which was taken at the begin */
};

struct row_order {
	enum row_deed deed;
	uint32_t count;
	uint32_t first;
	bool keep;
};

/*
 * A refusal is judged by instants of the schedule.  Rows are read with acquire:
 * where a load may see an older value, a give that no order has brought to the
 * caller may be missed.  What [frame-census] promises even then is judged in
 * plans that say so.
 */
struct row_plan {
	uint32_t frames;
	bool is_judged_late;
	bool is_hidden; /* no row is marked, as if unmarks had stopped */
	struct row_order taken[DEEDS];
	struct row_order orders[THREADS_MAX][DEEDS];
};

static const struct row_plan *current;
static struct frame_rows rows;
static alignas(PAGE_SIZE) unsigned char arena[ARENA_BYTES];
static size_t arena_used;

/* base/cpu.h for this program: a CPU for each thread. */
struct cpu_id cpu_current(void)
{
	const uint32_t thread = schedule_thread();

	return (struct cpu_id){ thread != SCHEDULE_NO_THREAD ? thread : 0 };
}

int cpu_map_init(struct cpu_map *map, const struct cpu_options *options,
		 const struct os *os)
{
	(void)os;
	map->cpus = options->cpus;
	map->cpu_slots = options->cpus;
	return 0;
}

static void *arena_map(size_t bytes)
{
	void *const memory = arena + arena_used;

	arena_used += bytes;
	require(arena_used <= sizeof(arena));
	return memory;
}

static void arena_unmap(void *memory, size_t bytes)
{
	(void)memory;
	(void)bytes;
}

static const struct os arena_os = {
	.mmap_anon = arena_map,
	.munmap_anon = arena_unmap,
};

static void give(struct frame_run run)
{
	account_give_begin(run.first, run.first + run.count);
	rows_give(&rows, run);
	account_give_end();
}

static unsigned order_of(uint32_t count)
{
	return (unsigned)__builtin_ctz(count);
}

/* take - false: refused, and rightly so. */
static bool take(const struct row_order *order, struct frame_run *run)
{
	const bool is_block = order->deed == BLOCK;
	const bool is_there = order->deed == AT || order->deed == CLAIM;
	const struct run_want want = {
		.bits = is_block ? order->count : 1,
		.align = is_block ? order->count : 1,
		.begin = is_there ? order->first : 0,
		.end = is_there ? order->first + 1 : current->frames,
	};
	bool is_taken;

	account_take_begin(&want);
	if (order->deed == CLAIM) {
		*run = (struct frame_run){ order->first, ROW };
		is_taken = rows_claim(&rows, order->first / ROW, 1);
	} else if (is_block) {
		run->count = order->count;
		is_taken = rows_take_order(&rows, order_of(order->count),
					   &run->first);
	} else if (order->deed == AT) {
		is_taken = rows_take_at(&rows, order->first, order->count, run);
	} else {
		is_taken = rows_take_most(&rows, order->count, run);
	}
	const bool may_fail = account_take_end();

	schedule_require(is_taken || may_fail ||
			 (schedule_has_ages() && !current->is_judged_late));
	if (!is_taken)
		return false;
	schedule_require(run->count >= 1 && run->count <= order->count);
	schedule_require(run->first % want.align == 0);
	schedule_require(!is_there || run->first == order->first);
	account_own(run->first, run->first + run->count);
	return true;
}

static void begin_plan(const struct row_plan *plan)
{
	const struct frame_config config = {
		.os = &arena_os,
		.nr_frames = plan->frames,
		.cpus = THREADS_MAX,
	};

	current = plan;
	memset(arena, 0, arena_used);
	arena_used = 0;
	schedule_require(rows_init(&rows, &config) == 0);
	account_begin(rows.rows, rows.nr_rows, true);
	for (unsigned i = 0; i < DEEDS && plan->taken[i].deed != NOTHING; i++) {
		const struct row_order *const order = &plan->taken[i];
		struct frame_run run;

		schedule_require(
			rows_take_at(&rows, order->first, order->count, &run));
		account_own(run.first, run.first + run.count);
	}
	account_settle();
	if (plan->is_hidden)
		store_relaxed(&rows.marks[0], 0);
}

static void run_plan(unsigned thread)
{
	const struct row_order *const orders = current->orders[thread];
	struct frame_run run;

	for (unsigned i = 0; i < DEEDS && orders[i].deed != NOTHING; i++) {
		if (orders[i].deed == GIVE)
			give((struct frame_run){ orders[i].first,
						 orders[i].count });
		else if (orders[i].deed == MARK)
			rows_mark(&rows, orders[i].first / ROW);
		else if (take(&orders[i], &run) && !orders[i].keep)
			give(run);
	}
}

static void end_plan(void)
{
	account_end();
	if (!current->is_hidden)
		rows_check(&rows);
}

#define PLAN(plan_, threads_, name_)                       \
	static void begin_##plan_(void)                    \
	{                                                  \
		begin_plan(&plan_);                        \
	}                                                  \
	static const struct schedule_case case_##plan_ = { \
		.name = (name_),                           \
		.threads = (threads_),                     \
		.begin = begin_##plan_,                    \
		.run = run_plan,                           \
		.end = end_plan,                           \
		.watch = account_watch,                    \
	}

/* A block of two rows against runs inside of them. */
static const struct row_plan blocks = {
	.frames = 2 * ROW,
	.orders = {
		{ { BLOCK, 2 * ROW, 0, false }, { MOST, ROW, 0, false } },
		{ { AT, ROW, ROW, false }, { BLOCK, ROW, 0, false } },
	},
};
PLAN(blocks, 2, "a block of two rows and runs in them");

/* Two blocks of two rows each, and one of four over both. */
static const struct row_plan larger_blocks = {
	.frames = 4 * ROW,
	.orders = {
		{ { BLOCK, 4 * ROW, 0, false } },
		{ { BLOCK, 2 * ROW, 0, false }, { BLOCK, 2 * ROW, 0, false } },
		{ { AT, 2, 4 * ROW - 2, false } },
	},
};
PLAN(larger_blocks, 3, "blocks of two and of four rows");

/* The last frames: searches meet empty rows, and clear their marks. */
static const struct row_plan last_frames = {
	.frames = 2 * ROW,
	.taken = { { AT, 2 * ROW - 2, 0, false } },
	.orders = {
		{ { MOST, 2, 0, false }, { MOST, 1, 0, true } },
		{ { MOST, 2, 0, false }, { MOST, 2, 0, false } },
		{ { MOST, 1, 0, false } },
	},
};
PLAN(last_frames, 3, "three threads and two frames");

/* A frame of the first row is given just before that of the second is taken. */
static const struct row_plan moving = {
	.frames = 2 * ROW,
	.is_judged_late = true,
	.is_hidden = true,
	.taken = { { AT, 2 * ROW - 1, 0, false } },
	.orders = {
		{ { MOST, 1, 0, true } },
		{ { GIVE, 1, 0, false }, { AT, 1, 2 * ROW - 1, true } },
	},
};
PLAN(moving, 2, "a free frame that moves against the search");

/* A row: taken where it is, or by a search that begins at it. */
static const struct row_plan moving_row = {
	.frames = 2 * ROW,
	.is_judged_late = true,
	.is_hidden = true,
	.taken = { { AT, ROW, 0, false } },
	.orders = {
		{ { BLOCK, ROW, 0, true } },
		{ { GIVE, ROW, 0, false }, { AT, ROW, ROW, true } },
	},
};
PLAN(moving_row, 2, "a free row that moves against the search");

static const struct row_plan moving_block = {
	.frames = 3 * ROW,
	.is_judged_late = true,
	.is_hidden = true,
	.taken = { { AT, ROW, 0, false }, { AT, ROW, 2 * ROW, false } },
	.orders = {
		{ { BLOCK, ROW, 0, true } },
		{ { GIVE, ROW, 0, false },
		  { MARK, ROW, ROW, false },
		  { BLOCK, ROW, 0, true } },
	},
};
PLAN(moving_block, 2, "a free block that moves against the search");

/* Two rows, of which the second is claimed. */
static const struct row_plan moving_rows = {
	.frames = 4 * ROW,
	.is_judged_late = true,
	.is_hidden = true,
	.taken = { { AT, 2 * ROW, 0, false } },
	.orders = {
		{ { BLOCK, 2 * ROW, 0, true } },
		{ { GIVE, 2 * ROW, 0, false }, { CLAIM, ROW, 3 * ROW, true } },
	},
};
PLAN(moving_rows, 2, "two free rows that move against the search");

/* Frames that one gives and the other takes. */
static const struct row_plan reused = {
	.frames = ROW,
	.orders = {
		{ { AT, ROW, 0, false } },
		{ { AT, ROW, 0, false }, { BLOCK, ROW, 0, false } },
	},
};
PLAN(reused, 2, "frames that are used again");

/* A search clears the mark of an empty row while a frame of it is given. */
static const struct row_plan marked = {
	.frames = 2 * ROW,
	.taken = { { AT, 2 * ROW, 0, false } },
	.orders = {
		{ { MOST, 1, 0, false } },
		{ { GIVE, 1, 0, false } },
	},
};
PLAN(marked, 2, "a mark that is cleared and set");

static void no_frame_has_two_owners_and_no_refusal_is_spurious(void **state)
{
	static const struct model_plan deep = {
		.preemptions = 3,
		.seeds = 5000,
	};
	static const struct model_plan three = {
		.preemptions = 2,
		.seeds = 5000,
	};

	(void)state;
	model_check(&case_blocks, &deep);
	model_check(&case_moving, &deep);
	model_check(&case_moving_row, &deep);
	model_check(&case_moving_block, &deep);
	model_check(&case_moving_rows, &deep);
	model_check(&case_marked, &deep);
	model_check(&case_reused, &deep);
	model_check(&case_last_frames, &three);
	model_check(&case_larger_blocks, &three);
}

static void values_that_come_late_do_no_harm(void **state)
{
	static const struct model_plan late = {
		.preemptions = 1,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&case_moving, &late);
	model_check(&case_moving_row, &late);
	model_check(&case_moving_block, &late);
	model_check(&case_moving_rows, &late);
	model_check(&case_blocks, &late);
	model_check(&case_reused, &late);
	model_check(&case_marked, &late);
	model_check(&case_last_frames, &late);
	model_check(&case_larger_blocks, &late);
}

static void nobody_waits_for_a_stopped_thread(void **state)
{
	static const struct model_plan one = { .stop_preemptions = 1 };

	(void)state;
	model_check_stopped(&case_blocks, &one);
	model_check_stopped(&case_last_frames, &one);
	model_check_stopped(&case_larger_blocks, &one);
}

static void each_order_is_needed(void **state)
{
	static const struct schedule_case *const cases[] = {
		&case_marked,      &case_moving,
		&case_moving_row,  &case_moving_block,
		&case_moving_rows, &case_reused,
		&case_blocks,      NULL,
	};
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .preemptions = 1, .ages = 2 },
		.source = "frame_",
	};

	(void)state;
	model_check_orders(&orders);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			no_frame_has_two_owners_and_no_refusal_is_spurious),
		cmocka_unit_test(values_that_come_late_do_no_harm),
		cmocka_unit_test(nobody_waits_for_a_stopped_thread),
		cmocka_unit_test(each_order_is_needed),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_rows", tests, NULL, NULL);
}
