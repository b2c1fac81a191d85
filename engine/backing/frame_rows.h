/* SPDX-License-Identifier: MIT */
/*
 * frame_rows.h - free frames, a bit each, without a lock.
 *
 *	marks   | 1 1 0 1 ...                      a bit a row
 *	rows    | 64 frames | 64 frames | 64 ...   a bit a frame
 *
 * A row is 64 frames in one word, so that one compare-and-swap takes any run of
 * them and one fetch-or gives it back.  A mark says that its row may have a
 * free frame; it is where searches look, 4096 frames a word.
 *
 *   R1  a bit is set iff its frame is free, and none is set at or above
 *       nr_frames;
 *   R2  while nobody works, each row with a free frame is marked.
 *
 * Marks are hints.  One may be set over an empty row, until a search meets it.
 * One may be missing over a free frame for as long as a search that clears it
 * takes, and longer if that thread is stopped there; so no search gives up
 * before it has looked at the rows themselves (frame_search.c).
 *
 * Each CPU searches upwards from where it found frames last, and begins in a
 * part of the memory of its own, so that CPUs write different lines.
 *
 * Who may run with whom: take and give by any thread; init, fini and check
 * alone.  Order: what was written to a frame before it was given is seen by
 * whoever takes it [frame-reuse].
 *
 * A search costs as much as there are rows to pass by: those without a mark are
 * passed 64 at once, those in which the free frames make no block one by one.
 *
 * Progress: give is wait-free; take is lock-free: it looks again only if others
 * took or gave a frame meanwhile.  A thread that is stopped for ever inside of
 * one strands the frames that it was taking or giving, and no others.
 */
#ifndef LFV_BACKING_FRAME_ROWS_H
#define LFV_BACKING_FRAME_ROWS_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "backing/frame.h"
#include "base/cpu.h"

struct row_cpu {
	alignas(FALSE_SHARING_BYTES) _Atomic(uint32_t) row; /* of its search */
	_Atomic(uint64_t) gives; /* that ended; see frame_search.c */
};

struct frame_rows {
	/* constant after init */
	const struct os *os;
	uint32_t nr_frames;
	uint32_t nr_rows;
	struct cpu_map map;
	struct row_cpu *cpus;
	_Atomic(uint64_t) *rows;
	_Atomic(uint64_t) *marks;
};

/* rows_init - all frames free; -ENOMEM: no address space. */
__attribute__((warn_unused_result)) int
rows_init(struct frame_rows *rows, const struct frame_config *config);
void rows_fini(struct frame_rows *rows);

/*
 * rows_take_at - `first` and as many of the frames behind it as are free, up to
 * `count`; false when `first` is not free.
 *
 * Each row is taken by itself, in ascending order.
 */
__attribute__((warn_unused_result)) bool rows_take_at(struct frame_rows *rows,
						      uint32_t first,
						      uint32_t count,
						      struct frame_run *run);

/*
 * rows_take_most - a run of `count` frames, or the longest that was seen.
 *
 * False only if at some instant of the call no frame was free.  Frames that a
 * rows_claim() holds are not free, nor are those of a give that has not ended.
 */
__attribute__((warn_unused_result)) bool
rows_take_most(struct frame_rows *rows, uint32_t count, struct frame_run *run);

/*
 * rows_take_order - a block of 2^order frames at a multiple of its size.
 *
 * False only if at some instant of the call none was free; as above.
 */
__attribute__((warn_unused_result)) bool
rows_take_order(struct frame_rows *rows, unsigned order, uint32_t *first);

/* rows_claim - `count` rows whole, or none of them. */
__attribute__((warn_unused_result)) bool
rows_claim(struct frame_rows *rows, uint32_t row, uint32_t count);

/* rows_give - taken frames are free; aborts if one is free already. */
void rows_give(struct frame_rows *rows, struct frame_run run);

/* rows_mark - let searches look at the row; after its frames were given. */
void rows_mark(struct frame_rows *rows, uint32_t row);

/* rows_unmark - let searches pass an empty row by, if it is empty still. */
void rows_unmark(struct frame_rows *rows, uint32_t row);

/* rows_is_free - a look; by the next instruction it may be taken. */
bool rows_is_free(const struct frame_rows *rows, uint32_t frame);

/* rows_free_frames - exact while nobody works. */
uint64_t rows_free_frames(const struct frame_rows *rows);

/* rows_check - R1, as far as rows know, and R2; alone. */
void rows_check(const struct frame_rows *rows);

#endif
