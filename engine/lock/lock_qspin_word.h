/* SPDX-License-Identifier: MIT */
/*
 * lock_qspin_word.h - the one word of a queued spinlock, and how it changes.
 *
 *	63                   16 15     8 7      0
 *	|         tail         | pending | locked |
 *
 *	locked   1 while somebody is inside; a byte, so that leave is a store
 *	pending  1 while the first waiter waits, without a queue
 *	tail     the last turn in the queue behind it, or 0
 *
 * Written (tail, pending, locked); n is some turn, * is anything.
 *
 *	try_enter    (0,0,0) -> (0,0,1)   nobody is here
 *	set_pending  (0,0,*) -> (0,1,*)   first to wait
 *	take_pending (*,1,0) -> (*,0,1)   the first waiter gets in
 *	set_tail     (*,*,*) -> (n,*,*)   n is now last in the queue
 *	take_last    (n,0,0) -> (0,0,1)   n is the head, and alone
 *	take_head    (n,0,0) -> (n,0,1)   n is the head, others are behind
 *	clear_locked (*,*,1) -> (*,*,0)   leave
 *
 * A turn is aligned to a cache line and lies below 2^54, as every stack does,
 * so that its address without the low 6 bits fits above bit 16.
 *
 * The functions are pure: lock_qspin.c applies them, some as a store of the
 * first byte or the first two, which test_lock_qspin.c shows to be the same.
 */
#ifndef LFV_LOCK_LOCK_QSPIN_WORD_H
#define LFV_LOCK_LOCK_QSPIN_WORD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "lock/lock.h"

#define QSPIN_LOCKED       UINT64_C(1)
#define QSPIN_LOCKED_MASK  UINT64_C(0xff)
#define QSPIN_PENDING      UINT64_C(0x100)
#define QSPIN_PENDING_MASK UINT64_C(0xff00)
#define QSPIN_TAIL_SHIFT   16
#define QSPIN_TURN_SHIFT   6
#define QSPIN_TAIL_MASK    (~UINT64_C(0) << QSPIN_TAIL_SHIFT)
#define QSPIN_BUSY_MASK    (QSPIN_PENDING_MASK | QSPIN_LOCKED_MASK)

struct qspin_word {
	uint64_t bits;
};

static_assert(sizeof(struct qspin_word) == 8, "one atomic word");
static_assert(alignof(struct lock_turn) >= 1 << QSPIN_TURN_SHIFT,
	      "a turn's low bits are free");

static inline bool qspin_is_locked(struct qspin_word word)
{
	return (word.bits & QSPIN_LOCKED_MASK) != 0;
}

static inline bool qspin_is_pending(struct qspin_word word)
{
	return (word.bits & QSPIN_PENDING_MASK) != 0;
}

/* qspin_is_busy - somebody is inside or pending: the head waits. */
static inline bool qspin_is_busy(struct qspin_word word)
{
	return (word.bits & QSPIN_BUSY_MASK) != 0;
}

/* qspin_tail - the last turn in the queue, or NULL. */
static inline struct lock_turn *qspin_tail(struct qspin_word word)
{
	const uint64_t line = word.bits >> QSPIN_TAIL_SHIFT;

	return (struct lock_turn *)(uintptr_t)(line << QSPIN_TURN_SHIFT);
}

/* qspin_has_waiters - somebody is before us, besides the one inside. */
static inline bool qspin_has_waiters(struct qspin_word word)
{
	return (word.bits & (QSPIN_TAIL_MASK | QSPIN_PENDING_MASK)) != 0;
}

/* (0,0,0) -> (0,0,1) */
static inline bool qspin_try_enter(struct qspin_word *word)
{
	if (word->bits != 0)
		return false;
	word->bits = QSPIN_LOCKED;
	return true;
}

/* (0,0,*) -> (0,1,*) */
static inline bool qspin_set_pending(struct qspin_word *word)
{
	if (qspin_has_waiters(*word))
		return false;
	word->bits |= QSPIN_PENDING;
	return true;
}

/* (*,1,0) -> (*,0,1) */
static inline bool qspin_take_pending(struct qspin_word *word)
{
	if (!qspin_is_pending(*word) || qspin_is_locked(*word))
		return false;
	word->bits = (word->bits & QSPIN_TAIL_MASK) | QSPIN_LOCKED;
	return true;
}

/* (*,*,*) -> (n,*,*) */
static inline void qspin_set_tail(struct qspin_word *word,
				  const struct lock_turn *turn)
{
	const uint64_t line = (uintptr_t)turn >> QSPIN_TURN_SHIFT;

	assert(line << QSPIN_TURN_SHIFT == (uintptr_t)turn && turn != NULL);
	assert(line << QSPIN_TAIL_SHIFT >> QSPIN_TAIL_SHIFT == line);
	word->bits = (word->bits & QSPIN_BUSY_MASK) | line << QSPIN_TAIL_SHIFT;
}

/* (n,0,0) -> (0,0,1) */
static inline bool qspin_take_last(struct qspin_word *word,
				   const struct lock_turn *turn)
{
	if (qspin_is_busy(*word) || qspin_tail(*word) != turn)
		return false;
	word->bits = QSPIN_LOCKED;
	return true;
}

/* (n,0,0) -> (n,0,1) */
static inline bool qspin_take_head(struct qspin_word *word)
{
	if (qspin_is_busy(*word) || qspin_tail(*word) == NULL)
		return false;
	word->bits |= QSPIN_LOCKED;
	return true;
}

/* (*,*,1) -> (*,*,0) */
static inline bool qspin_clear_locked(struct qspin_word *word)
{
	if (!qspin_is_locked(*word))
		return false;
	word->bits &= ~QSPIN_LOCKED_MASK;
	return true;
}

#endif
