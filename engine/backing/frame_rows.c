/* SPDX-License-Identifier: MIT */
/*
 * frame_rows.c - taking frames where they are known to be, and giving them.
 *
 * A mark and its row are two words, and whoever empties the row is not the one
 * who clears the mark: a search is, when it meets a marked row with nothing in
 * it.  Each side writes its word first and looks at the other's then:
 *
 *	rows_give()                       rows_unmark()
 *
 *	row |= frames         (G1)        mark cleared          (U1)
 *	is the row marked?    (G2)        is the row empty?     (U2)
 *	  no: mark set                      no: mark set
 *
 * The four are seq_cst, so there is one order of them.  If G2 finds the mark
 * that U1 is about to clear, then G1 came before U2, which finds the frames and
 * sets the mark again.  If U2 finds none, it came before G1; so U1 came before
 * G2, which finds no mark and sets it [row-mark].
 */
#include "backing/frame_rows.h"

#include <errno.h>

#include "backing/frame_mask.h"
#include "base/check.h"
#include "base/page.h"

enum { MARKS = 64 }; /* of one word */

static uint32_t row_of(uint32_t frame)
{
	return frame / MASK_FRAMES;
}

static unsigned bit_of(uint32_t frame)
{
	return frame % MASK_FRAMES;
}

/* frames_up_to - how many of `count` frames from `first` on are in its row. */
static unsigned frames_in_row(uint32_t first, uint32_t count)
{
	const unsigned room = MASK_FRAMES - bit_of(first);

	return count < room ? count : room;
}

static _Atomic(uint64_t) *marks_of(const struct frame_rows *rows, uint32_t row)
{
	return &rows->marks[row / MARKS];
}

static uint64_t mark_of(uint32_t row)
{
	return (uint64_t)1 << row % MARKS;
}

static struct row_cpu *cpu_here(const struct frame_rows *rows)
{
	return &rows->cpus[cpu_slot(&rows->map, cpu_current())];
}

static size_t rows_bytes(const struct frame_rows *rows)
{
	const size_t words = rows->nr_rows + rows->nr_rows / MARKS + 1;

	return align_up(words * sizeof(_Atomic(uint64_t)), PAGE_SIZE);
}

static size_t cpus_bytes(const struct frame_rows *rows)
{
	return align_up(rows->map.cpu_slots * sizeof(struct row_cpu),
			PAGE_SIZE);
}

/* fill - every frame free, every row marked; R1 and R2. */
static void fill(struct frame_rows *rows)
{
	for (uint32_t row = 0; row < rows->nr_rows; row++) {
		const uint32_t first = row * MASK_FRAMES;
		const unsigned count =
			frames_in_row(first, rows->nr_frames - first);

		/* relaxed: init runs alone. */
		store_relaxed(&rows->rows[row], mask_of(0, count));
		/* relaxed: as above. */
		or_relaxed(marks_of(rows, row), mark_of(row));
	}
}

/* spread - each CPU begins in a part of its own. */
static void spread(struct frame_rows *rows)
{
	const unsigned slots = rows->map.cpu_slots;

	for (unsigned slot = 0; slot < slots; slot++) {
		const uint64_t row = (uint64_t)rows->nr_rows * slot / slots;

		/* relaxed: init runs alone. */
		store_relaxed(&rows->cpus[slot].row, (uint32_t)row);
	}
}

int rows_init(struct frame_rows *rows, const struct frame_config *config)
{
	const struct cpu_options options = { .cpus = config->cpus };
	const int error = cpu_map_init(&rows->map, &options, config->os);

	if (error != 0)
		return error;
	rows->os = config->os;
	rows->nr_frames = (uint32_t)config->nr_frames;
	rows->nr_rows = (rows->nr_frames + MASK_FRAMES - 1) / MASK_FRAMES;
	rows->cpus = rows->os->mmap_anon(cpus_bytes(rows));
	if (rows->cpus == NULL)
		return -ENOMEM;
	rows->rows = rows->os->mmap_anon(rows_bytes(rows));
	if (rows->rows == NULL) {
		rows->os->munmap_anon(rows->cpus, cpus_bytes(rows));
		return -ENOMEM;
	}
	rows->marks = rows->rows + rows->nr_rows;
	fill(rows);
	spread(rows);
	return 0;
}

void rows_fini(struct frame_rows *rows)
{
	rows->os->munmap_anon(rows->rows, rows_bytes(rows));
	rows->os->munmap_anon(rows->cpus, cpus_bytes(rows));
}

/*
 * row_take - free frames from `bit` on, up to `count`; returns how many.
 *
 * Lock-free: a failed compare-and-swap is another thread's success.
 */
static unsigned row_take(_Atomic(uint64_t) *row, unsigned bit, unsigned count)
{
	/* relaxed: a guess, which the compare-and-swap puts right. */
	uint64_t free = load_relaxed(row);

	for (;;) {
		const unsigned run = mask_run(free, bit);
		const unsigned taken = run < count ? run : count;

		if (taken == 0)
			return 0;
		/*
		 * acq_rel [frame-reuse] and [frame-census]: see what the givers
		 * wrote to the frames; let who finds them gone see what we saw.
		 */
		if (cas_acq_rel(row, &free, free & ~mask_of(bit, taken)))
			return taken;
	}
}

bool rows_take_at(struct frame_rows *rows, uint32_t first, uint32_t count,
		  struct frame_run *run)
{
	const uint32_t room = rows->nr_frames - first;
	uint32_t left = count < room ? count : room;
	uint32_t frame = first;
	unsigned asked;
	unsigned taken;

	assert(count > 0);
	assert(first < rows->nr_frames);
	do {
		asked = frames_in_row(frame, left);
		taken = row_take(&rows->rows[row_of(frame)], bit_of(frame),
				 asked);
		frame += taken;
		left -= taken;
	} while (taken == asked && left > 0);
	if (frame == first)
		return false;
	*run = (struct frame_run){ first, frame - first };
	return true;
}

/* row_claim - all frames of a row, or none. */
static bool row_claim(_Atomic(uint64_t) *row)
{
	uint64_t all = MASK_ALL;

	/* acq_rel [frame-reuse] and [frame-census]: as in row_take(). */
	return cas_acq_rel(row, &all, 0);
}

/* claim_undo - the rows that were claimed, when the next could not be. */
static void claim_undo(struct frame_rows *rows, uint32_t row, uint32_t count)
{
	if (count > 0)
		rows_give(rows, (struct frame_run){ row * MASK_FRAMES,
						    count * MASK_FRAMES });
}

/*
 * rows_claim - in ascending order, so that of several claims that meet the one
 * that is highest goes on: the others' progress, if not ours, is certain.
 */
bool rows_claim(struct frame_rows *rows, uint32_t row, uint32_t count)
{
	assert(count > 0);
	assert(row + count <= rows->nr_rows);
	for (uint32_t i = 0; i < count; i++) {
		if (!row_claim(&rows->rows[row + i])) {
			claim_undo(rows, row, i);
			return false;
		}
	}
	return true;
}

void rows_mark(struct frame_rows *rows, uint32_t row)
{
	/* seq_cst [row-mark]: G2, after the frames were given. */
	if ((load_seq_cst(marks_of(rows, row)) & mark_of(row)) == 0) {
		/* relaxed: where to look; the row is what is looked at. */
		or_relaxed(marks_of(rows, row), mark_of(row));
	}
}

void rows_unmark(struct frame_rows *rows, uint32_t row)
{
	/* seq_cst [row-mark]: U1, before the second look at the row. */
	and_seq_cst(marks_of(rows, row), ~mark_of(row));
	/* seq_cst [row-mark]: U2. */
	if (load_seq_cst(&rows->rows[row]) != 0) {
		/* relaxed: as in rows_mark(). */
		or_relaxed(marks_of(rows, row), mark_of(row));
	}
}

static void row_give(struct frame_rows *rows, uint32_t row, uint64_t frames)
{
	/*
	 * seq_cst [frame-reuse]: what was done to the frames goes with them.
	 * seq_cst [row-mark]: G1, before the look at the mark.
	 */
	const uint64_t before = or_seq_cst(&rows->rows[row], frames);

	require_invariant((before & frames) == 0, "P1");
	rows_mark(rows, row);
}

void rows_give(struct frame_rows *rows, struct frame_run run)
{
	assert(run.count > 0);
	require((uint64_t)run.first + run.count <= rows->nr_frames);
	while (run.count > 0) {
		const unsigned count = frames_in_row(run.first, run.count);

		row_give(rows, row_of(run.first),
			 mask_of(bit_of(run.first), count));
		run.first += count;
		run.count -= count;
	}
	/* release [frame-census]: counted when its frames can be found. */
	add_release(&cpu_here(rows)->gives, 1);
}

bool rows_is_free(const struct frame_rows *rows, uint32_t frame)
{
	/* relaxed: a look. */
	const uint64_t free = load_relaxed(&rows->rows[row_of(frame)]);

	return (free >> bit_of(frame) & 1) != 0;
}

uint64_t rows_free_frames(const struct frame_rows *rows)
{
	uint64_t frames = 0;

	for (uint32_t row = 0; row < rows->nr_rows; row++) {
		/* relaxed: a figure for statistics. */
		frames += mask_count(load_relaxed(&rows->rows[row]));
	}
	return frames;
}

void rows_check(const struct frame_rows *rows)
{
	for (uint32_t row = 0; row < rows->nr_rows; row++) {
		const uint32_t first = row * MASK_FRAMES;
		const unsigned count =
			frames_in_row(first, rows->nr_frames - first);
		/* relaxed: checks run alone. */
		const uint64_t free = load_relaxed(&rows->rows[row]);
		/* relaxed: as above. */
		const uint64_t marks = load_relaxed(marks_of(rows, row));

		require_invariant((free & ~mask_of(0, count)) == 0, "R1");
		require_invariant(free == 0 || (marks & mark_of(row)) != 0,
				  "R2");
	}
}
