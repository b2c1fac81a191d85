/* SPDX-License-Identifier: MIT */
/*
 * room_tree.h - where a hole of some length can be, no page looked at.
 *
 * The window is cut into chunks of 512 pages.  The room of a chunk is how long
 * the longest hole is that begins in it, 512 pages at most (steps of
 * room_lanes.h).  Each chunk has a lane that bounds its room from above; eight
 * lanes are a word, which has a lane in the word above, and so on to one word:
 *
 *	level 2   |      .       |       .       |                     1 word
 *	level 1   | . . . . . . . . | . . . . . . . . |
 *	level 0   | . . . . . . . . | ...              one lane a chunk
 *
 * So the first chunk that may have room is found in as many steps as there are
 * levels, eight for 2^32 pages.  A lane may promise too much, never too little
 * (R1, R2).  Whoever makes a hole longer raises the lanes; nobody lowers them
 * when a hole is taken: whoever finds a promise broken settles it.
 *
 *   R1  a chunk's lane is not below its room;
 *   R2  a lane above is not below the best of its eight;
 *   R3  where a lane is touched, so are all above it; a chunk is touched before
 *       its first page is taken, and stays so.
 *
 * R1 and R2 hold between operations.  A settle lowers a lane first and measures
 * again then, a raise looks at the lane after the hole was made:
 *
 *	settle                              raise
 *
 *	lane := what was measured  (S1)     make the hole, or the lane
 *	                                    below better           (G1)
 *	measure again              (S2)     lane below that?       (G2)
 *	  more: raise the lane                yes: raise the lane
 *
 * The four are seq_cst, so there is one order of them.  If S2 misses the hole
 * it came before G1; so S1 came before G2, which sees the lowered lane
 * [room-lane].  A thread that stops between S1 and S2 leaves the lane too low:
 * until it goes on, what was given meanwhile is found only by searches that do
 * not ask the tree (holes.c).
 *
 * Who may run with whom: all but init, fini and check, which run alone.
 *
 * Progress: a search goes up or right from each word that it read, or down to a
 * lane that promised: wait-free, bounded by the words of the tree.  raise is
 * lock-free: its compare-and-swap fails when another changed the word.  The
 * rest is wait-free; a settle that meets another change leaves the promise for
 * the next one to find broken.
 */
#ifndef LFV_VA_ROOM_TREE_H
#define LFV_VA_ROOM_TREE_H

#include "base/atomic.h"
#include "base/os.h"
#include "va/room_lanes.h"

enum { ROOM_LEVELS_MAX = 8 }; /* 2^23 chunks of 512 pages */

struct room_tree {
	/* constant after init */
	const struct os *os;
	void *memory;
	size_t bytes;
	unsigned levels;
	size_t lanes[ROOM_LEVELS_MAX];             /* of each level */
	_Atomic(uint64_t) *words[ROOM_LEVELS_MAX]; /* lanes_words() each */
};

/* room_measure - how much room there is now, as room_of() tells it. */
struct room_measure {
	unsigned (*room)(const void *context, size_t index);
	const void *context;
};

/* room_init - all room everywhere, nothing touched; 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int
room_init(struct room_tree *tree, const struct os *os, size_t chunks);
void room_fini(struct room_tree *tree);

static inline size_t room_chunks(const struct room_tree *tree)
{
	return tree->lanes[0];
}

/* room_touch - before a page of the chunk is taken (R3). */
void room_touch(struct room_tree *tree, size_t chunk);

static inline bool room_is_touched(const struct room_tree *tree, size_t chunk)
{
	assert(chunk < room_chunks(tree));

	/* acquire [room-touched]: and the lanes above it. */
	const struct lanes lanes = { load_acquire(
		&tree->words[0][chunk >> LANES_SHIFT]) };

	return lanes_is_touched(lanes, (unsigned)chunk & (LANES - 1));
}

/* room_next_touched - the first one from `chunk` on, or room_chunks(). */
size_t room_next_touched(const struct room_tree *tree, size_t chunk);

/* room_get - what the chunk's lane promises. */
unsigned room_get(const struct room_tree *tree, size_t chunk);

/*
 * room_find - the first chunk from `chunk` on with a promise of `room`, or
 * room_chunks(); settles the promises above that it finds broken.
 */
size_t room_find(struct room_tree *tree, size_t chunk, unsigned room);

/* room_raise - the chunk has that room now, by what the caller did before. */
void room_raise(struct room_tree *tree, size_t chunk, unsigned room);

/* room_settle - lower the chunk's lane to what is measured, if that is less. */
void room_settle(struct room_tree *tree, size_t chunk,
		 struct room_measure measure);

/* room_check - R2, and R3 among lanes; runs alone. */
void room_check(const struct room_tree *tree);

#endif
