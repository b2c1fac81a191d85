/* SPDX-License-Identifier: MIT */
/*
 * frame_word.h - where a frame is, in one word, and how it changes.
 *
 *	15     8 7      0
 *	| order |  state |
 *
 * The order belongs to the state: it is that of the block whose first frame
 * this is, and 0 in the other states.  Both in one word, a look tells of one
 * block, and a compare-and-swap changes that block or nothing.
 *
 * Written state(order); n is some order, * is anything.
 *
 *	free_to_head     free     -> head(n)   first of a free block
 *	head_to_free     head(n)  -> free      the block is cut or merged
 *	free_to_taken    free     -> taken
 *	taken_to_free    taken    -> free      or from block(*)
 *	taken_to_cached  taken    -> cached    or from block(*)
 *	cached_to_taken  cached   -> taken
 *	taken_to_block   taken    -> block(n)  first of a lent block
 *	block_to_taken   block(n) -> taken     the block is lent no more
 *
 * Who may make which: from free and head, whoever holds the lock of the memory;
 * from cached, whoever took the frame off its list; from taken and block, the
 * frame's owner.  block_to_taken is for anyone who believes that he is: of
 * several one succeeds.
 *
 * An allocator that knows its free frames by other means (frame_bitmap.c) tells
 * of lent blocks only: there the owner of a frame may make free_to_taken, too.
 */
#ifndef LFV_BACKING_FRAME_WORD_H
#define LFV_BACKING_FRAME_WORD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* frame_state - zero is what a new memory is full of. */
enum frame_state {
	FRAME_FREE,   /* inside a free block, or nothing is said of it */
	FRAME_HEAD,   /* first of a free block of 2^order frames */
	FRAME_CACHED, /* in a per-CPU list */
	FRAME_TAKEN,
	FRAME_BLOCK, /* taken, first of 2^order frames of take_order() */
};

struct frame_word {
	uint16_t bits;
};

enum { FRAME_STATE_BITS = 8, FRAME_STATE_MASK = (1 << FRAME_STATE_BITS) - 1 };

static_assert(sizeof(struct frame_word) == 2, "one atomic word");

static inline struct frame_word frame_word_of(enum frame_state state,
					      unsigned order)
{
	return (struct frame_word){
		(uint16_t)(order << FRAME_STATE_BITS | state),
	};
}

static inline enum frame_state frame_word_state(struct frame_word word)
{
	return (enum frame_state)(word.bits & FRAME_STATE_MASK);
}

static inline unsigned frame_word_order(struct frame_word word)
{
	return word.bits >> FRAME_STATE_BITS;
}

/* frame_word_is - the state, and in head and block the order, too. */
static inline bool frame_word_is(struct frame_word word, enum frame_state state,
				 unsigned order)
{
	return word.bits == frame_word_of(state, order).bits;
}

/* frame_word_is_free - in a free block; a frame in a list is not. */
static inline bool frame_word_is_free(struct frame_word word)
{
	return frame_word_state(word) == FRAME_FREE ||
	       frame_word_state(word) == FRAME_HEAD;
}

/* frame_word_is_taken - by an owner, lent or not. */
static inline bool frame_word_is_taken(struct frame_word word)
{
	return frame_word_state(word) == FRAME_TAKEN ||
	       frame_word_state(word) == FRAME_BLOCK;
}

/* from(order) -> to; false and no change from any other word. */
static inline bool frame_word_change(struct frame_word *word,
				     struct frame_word from,
				     struct frame_word to)
{
	if (word->bits != from.bits)
		return false;
	*word = to;
	return true;
}

/* free -> head(n) */
static inline bool free_to_head(struct frame_word *word, unsigned order)
{
	return frame_word_change(word, frame_word_of(FRAME_FREE, 0),
				 frame_word_of(FRAME_HEAD, order));
}

/* head(n) -> free */
static inline bool head_to_free(struct frame_word *word, unsigned order)
{
	return frame_word_change(word, frame_word_of(FRAME_HEAD, order),
				 frame_word_of(FRAME_FREE, 0));
}

/* free -> taken */
static inline bool free_to_taken(struct frame_word *word)
{
	return frame_word_change(word, frame_word_of(FRAME_FREE, 0),
				 frame_word_of(FRAME_TAKEN, 0));
}

/* taken, block(*) -> free */
static inline bool taken_to_free(struct frame_word *word)
{
	if (!frame_word_is_taken(*word))
		return false;
	*word = frame_word_of(FRAME_FREE, 0);
	return true;
}

/* taken, block(*) -> cached */
static inline bool taken_to_cached(struct frame_word *word)
{
	if (!frame_word_is_taken(*word))
		return false;
	*word = frame_word_of(FRAME_CACHED, 0);
	return true;
}

/* cached -> taken */
static inline bool cached_to_taken(struct frame_word *word)
{
	return frame_word_change(word, frame_word_of(FRAME_CACHED, 0),
				 frame_word_of(FRAME_TAKEN, 0));
}

/* taken -> block(n) */
static inline bool taken_to_block(struct frame_word *word, unsigned order)
{
	return frame_word_change(word, frame_word_of(FRAME_TAKEN, 0),
				 frame_word_of(FRAME_BLOCK, order));
}

/* block(n) -> taken */
static inline bool block_to_taken(struct frame_word *word, unsigned order)
{
	return frame_word_change(word, frame_word_of(FRAME_BLOCK, order),
				 frame_word_of(FRAME_TAKEN, 0));
}

#endif
