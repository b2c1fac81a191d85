/* SPDX-License-Identifier: MIT */
/*
 * frame_search.c - finding free frames when those that were wanted are taken.
 *
 * A search walks upwards over the marked rows, from where this CPU found frames
 * last and around the end; for blocks of more than a row, which are scarce, it
 * walks from the low end.  What it finds it takes with rows_take_at() or
 * rows_claim(), and when another was faster, it searches again.
 *
 * "None is free" needs more than a walk that meets nothing: a frame may be
 * given behind the walk while the last one ahead of it is taken.  So before a
 * search gives up, it walks over all rows, marked or not, between two counts of
 * the gives that have ended, and does so again if the counts differ:
 *
 *	count gives (C1)   row 0: none   row 1: none  ...  count gives (C2)
 *
 * Let the counts agree, and let F be any frame that is free when C2 begins.  F
 * was taken when its row was looked at, so it was given after that.  This give
 * is not in C2: if it were, it would be in C1, too, and have put F into its row
 * before the look.  So it has not ended: at that instant nothing was free but
 * what was still being given.  The same holds for a block, of which one frame
 * was taken when it was looked at [frame-census].
 *
 * Counts differ only if a give has ended, or the undoing of a claim that met
 * another's take: a search repeats itself for another's progress, never for a
 * thread that is stopped.
 */
#include "backing/frame_mask.h"
#include "backing/frame_rows.h"
#include "base/check.h"
#include "base/page.h"

enum {
	MARKS = 64, /* of one word */
	/* Rows in which a long run is looked for, once there is a short one. */
	LOOKS_MAX = 16,
};

/* walk - rows with a free frame in [row, end), ascending. */
struct walk {
	struct frame_rows *rows;
	uint32_t row; /* the next to be looked at */
	uint32_t end;
	bool all; /* every row; else the marked ones */
};

/* skip_unmarked - go on to the next mark; false: there is none. */
static bool skip_unmarked(struct walk *walk)
{
	while (walk->row < walk->end) {
		/* relaxed: a hint, and rows_take_most() knows. */
		const uint64_t marks =
			load_relaxed(&walk->rows->marks[walk->row / MARKS]) >>
			walk->row % MARKS;

		if (marks != 0) {
			walk->row += mask_first(marks);
			break;
		}
		walk->row += MARKS - walk->row % MARKS;
	}
	return walk->row < walk->end;
}

/* walk_next - a row, and the frames that are free in it; false: no more. */
static bool walk_next(struct walk *walk, uint32_t *row, uint64_t *free)
{
	while (walk->all ? walk->row < walk->end : skip_unmarked(walk)) {
		*row = walk->row++;
		/*
		 * acquire [frame-census]: whoever took the frames that are
		 * missing had seen gives; C2 is to count these.
		 */
		*free = load_acquire(&walk->rows->rows[*row]);
		if (*free != 0) {
			rows_mark(walk->rows, *row);
			return true;
		}
		if (!walk->all)
			rows_unmark(walk->rows, *row);
	}
	return false;
}

static struct row_cpu *cpu_here(const struct frame_rows *rows)
{
	return &rows->cpus[cpu_slot(&rows->map, cpu_current())];
}

static uint32_t search_begin(const struct frame_rows *rows)
{
	/* relaxed: where to look first. */
	return load_relaxed(&cpu_here(rows)->row);
}

/* search_end - the CPU's next search begins where `frame` was found. */
static void search_end(const struct frame_rows *rows, uint32_t frame)
{
	_Atomic(uint32_t) *const row = &cpu_here(rows)->row;

	/* relaxed: where to look first; written only if it moves. */
	if (load_relaxed(row) != frame / MASK_FRAMES) {
		/* relaxed: as above. */
		store_relaxed(row, frame / MASK_FRAMES);
	}
}

/* gives_ended - C1 and C2. */
static uint64_t gives_ended(const struct frame_rows *rows)
{
	uint64_t gives = 0;

	for (unsigned slot = 0; slot < rows->map.cpu_slots; slot++) {
		/* acquire [frame-census]: what was given can be found. */
		gives += load_acquire(&rows->cpus[slot].gives);
	}
	return gives;
}

/* run_search - the longest run so far, `count` being enough. */
struct run_search {
	uint32_t count;
	unsigned looks;
	struct frame_run now; /* the run that the last look ended in */
	struct frame_run best;
};

/* run_look - the runs of one row; true: one is long enough. */
static bool run_look(struct run_search *search, uint32_t row, uint64_t free)
{
	struct frame_run *const now = &search->now;

	search->looks++;
	while (free != 0) {
		const unsigned bit = mask_first(free);
		const unsigned length = mask_run(free, bit);
		const uint32_t first = row * MASK_FRAMES + bit;

		if (first == now->first + now->count)
			now->count += length;
		else
			*now = (struct frame_run){ first, length };
		if (now->count > search->best.count)
			search->best = *now;
		if (search->best.count >= search->count)
			return true;
		free &= ~mask_of(bit, length);
	}
	return false;
}

/* run_walk - true: what was found is good enough. */
static bool run_walk(struct run_search *search, struct walk walk)
{
	uint32_t row;
	uint64_t free;

	while (walk_next(&walk, &row, &free))
		if (run_look(search, row, free) || search->looks == LOOKS_MAX)
			return true;
	return false;
}

/* run_find - false: no row that was looked at had a free frame. */
static bool run_find(struct frame_rows *rows, uint32_t count, bool all,
		     struct frame_run *run)
{
	struct run_search search = { .count = count };
	const uint32_t begin = search_begin(rows);

	if (!run_walk(&search,
		      (struct walk){ rows, begin, rows->nr_rows, all }))
		(void)run_walk(&search, (struct walk){ rows, 0, begin, all });
	*run = search.best;
	return run->count > 0;
}

/* run_take - lock-free: it searches again when another took what it found. */
static bool run_take(struct frame_rows *rows, uint32_t count, bool all,
		     struct frame_run *run)
{
	struct frame_run found;

	do {
		if (!run_find(rows, count, all, &found))
			return false;
	} while (!rows_take_at(rows, found.first, count, run));
	search_end(rows, run->first + run->count - 1);
	return true;
}

bool rows_take_most(struct frame_rows *rows, uint32_t count,
		    struct frame_run *run)
{
	uint64_t gives;

	assert(count > 0);
	if (run_take(rows, count, false, run))
		return true;
	do {
		gives = gives_ended(rows);
		if (run_take(rows, count, true, run))
			return true;
	} while (gives_ended(rows) != gives);
	return false;
}

/* block_take - a block within a row, whose free frames were `free`. */
static bool block_take(struct frame_rows *rows, uint32_t row, uint64_t free,
		       unsigned order, uint32_t *first)
{
	unsigned bit;

	while ((bit = mask_block(free, order)) != MASK_FRAMES) {
		/* acq_rel [frame-reuse] and [frame-census]: as row_take(). */
		if (cas_acq_rel(&rows->rows[row], &free,
				free & ~mask_of(bit, 1U << order))) {
			*first = row * MASK_FRAMES + bit;
			return true;
		}
		/* acquire [frame-census]: the next look at the row. */
		free = load_acquire(&rows->rows[row]);
	}
	return false;
}

static bool small_walk(struct walk walk, unsigned order, uint32_t *first)
{
	uint32_t row;
	uint64_t free;

	while (walk_next(&walk, &row, &free))
		if (block_take(walk.rows, row, free, order, first))
			return true;
	return false;
}

/* small_take - a block of a row at most. */
static bool small_take(struct frame_rows *rows, unsigned order, bool all,
		       uint32_t *first)
{
	const uint32_t begin = search_begin(rows);

	if (!small_walk((struct walk){ rows, begin, rows->nr_rows, all }, order,
			first) &&
	    !small_walk((struct walk){ rows, 0, begin, all }, order, first))
		return false;
	search_end(rows, *first);
	return true;
}

/* are_whole - a claim of rows that are not all free would disturb others. */
static bool are_whole(const struct frame_rows *rows, uint32_t row,
		      uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		/* acquire [frame-census]: as in walk_next(). */
		if (load_acquire(&rows->rows[row + i]) != MASK_ALL)
			return false;
	}
	return true;
}

/*
 * large_take - a block of `count` rows, lowest first.
 *
 * Lock-free: a claim that fails met another's take, or a claim above it.
 */
static bool large_take(struct frame_rows *rows, uint32_t count, bool all,
		       uint32_t *first)
{
	struct walk walk = { rows, 0, rows->nr_rows, all };
	uint32_t row;
	uint64_t free;

	while (walk_next(&walk, &row, &free)) {
		/* The rows in between were empty: no block begins there. */
		const uint32_t block = (uint32_t)align_up(row, count);

		if (block + count > rows->nr_rows)
			return false;
		while (are_whole(rows, block, count)) {
			if (rows_claim(rows, block, count)) {
				*first = block * MASK_FRAMES;
				return true;
			}
		}
		walk.row = block + count;
	}
	return false;
}

static bool order_take(struct frame_rows *rows, unsigned order, bool all,
		       uint32_t *first)
{
	return order <= MASK_ORDER
		       ? small_take(rows, order, all, first)
		       : large_take(rows, 1U << (order - MASK_ORDER), all,
				    first);
}

bool rows_take_order(struct frame_rows *rows, unsigned order, uint32_t *first)
{
	uint64_t gives;

	assert(order <= FRAME_ORDER_MAX);
	if (order_take(rows, order, false, first))
		return true;
	do {
		gives = gives_ended(rows);
		if (order_take(rows, order, true, first))
			return true;
	} while (gives_ended(rows) != gives);
	return false;
}
