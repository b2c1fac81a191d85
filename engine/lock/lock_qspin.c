/* SPDX-License-Identifier: MIT */
/*
 * lock_qspin.c - Linux's queued spinlock, from its published description
 * (Waiman Long and Peter Zijlstra, Linux 4.2; LWN 590243).
 *
 * One word (lock_qspin_word.h).  Nobody there: one compare-and-swap enters, a
 * store of a byte leaves.  The first waiter takes no place in a queue: it sets
 * the pending bit and spins on the word.  All further ones form an MCS queue,
 * each spinning on its own turn; only the queue's head spins on the word.
 *
 *	inside     pending     head of queue     tail
 *	 turn       turn          turn --> ... --> turn
 *	   spin on the word         spin on its own turn
 *
 *   Q1  at most one thread is inside, one pending, one head;
 *   Q2  the head waits until nobody is inside or pending;
 *   Q3  nobody becomes pending, or enters past the queue, while there is a
 *       tail.
 *
 * Where it differs from Linux, and why:
 *
 *   - Nodes are the turns on the callers' stacks, and the tail is the address
 *     of one.  Linux packs CPU and nesting level into 16 bits to keep a lock at
 *     4 bytes, which a library that aligns locks to 128 bytes need not; a
 *     table of threads, their registration and a limit to nesting are saved.
 *   - The tail is set by a compare-and-swap loop, not an exchange of half the
 *     word (Linux does so too, with 16384 CPUs and more).
 *   - The pending bit is set by compare-and-swap only where it may stay, so
 *     there is none to take back.
 *   - Waiters yield when the lock was made so: the kernel cannot be preempted.
 *
 * The word is also written by its first byte and its first two.  C says nothing
 * of atomics of mixed size; gcc, clang and the hardware lfv runs on do what is
 * meant here: the bytes change in one order that all see.
 *
 * Order of arrival holds in the queue, and between queue and pending.
 *
 * Progress: blocking; a preempted waiter stops all behind it.
 */
#include <assert.h>

#include "base/check.h"
#include "base/tsan.h"
#include "lock/lock_kinds.h"
#include "lock/lock_qspin_word.h"

/* How often to look again at a pending waiter that is getting in. */
enum { QSPIN_PENDING_SPINS = 512 };

struct qspin {
	union {
		_Atomic(uint64_t) word;
		_Atomic(uint16_t) locked_pending;
		_Atomic(uint8_t) locked;
	};
};

struct qspin_node {
	_Atomic(struct qspin_node *) next; /* written by the successor */
	_Atomic(bool) head;                /* written by the predecessor */
};

LOCK_STATE_FITS(struct qspin);
LOCK_TURN_FITS(struct qspin_node);
static_assert(sizeof(struct qspin) == sizeof(struct qspin_word),
	      "one word is the lock");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "locked is the first byte of the word");

static struct qspin *qspin_of(struct lock *lock)
{
	return (struct qspin *)(void *)lock->state;
}

static struct qspin_node *node_of(struct lock_turn *turn)
{
	return (struct qspin_node *)(void *)turn->bytes;
}

static int qspin_init(struct lock *lock)
{
	atomic_init(&qspin_of(lock)->word, 0);
	return 0;
}

static void qspin_fini(struct lock *lock)
{
	/* relaxed: the caller is alone. */
	assert(load_relaxed(&qspin_of(lock)->word) == 0);
	(void)lock;
}

/*
 * enter_pending - be the first waiter, if nobody waits yet.
 *
 * False when somebody does: then to the queue.  Else the caller is inside, and
 * `waited` tells whether someone was before it.
 */
static bool enter_pending(struct lock *lock, bool *waited)
{
	struct qspin *const qspin = qspin_of(lock);
	unsigned spins = 0;

	/* relaxed: a guess, which the compare-and-swap puts right. */
	struct qspin_word old = { load_relaxed(&qspin->word) };
	while (old.bits == QSPIN_PENDING && spins < QSPIN_PENDING_SPINS) {
		lock_spin(lock, &spins);
		/* relaxed: as above; (0,1,0) lasts a moment. */
		old.bits = load_relaxed(&qspin->word);
	}

	struct qspin_word new;
	do {
		new = old;
		if (!qspin_set_pending(&new))
			return false; /* Q3 */
		/* relaxed: (0,0,*) -> (0,1,*); the load below acquires. */
	} while (!cas_relaxed(&qspin->word, &old.bits, new.bits));

	*waited = qspin_is_locked(new) || spins > 0;
	/* acquire [lock-handover]: see what the last holder wrote. */
	while (load_acquire(&qspin->locked) != 0)
		lock_spin(lock, &spins);

	/* relaxed: (*,1,0) -> (*,0,1); the load above has acquired. */
	store_relaxed(&qspin->locked_pending, (uint16_t)QSPIN_LOCKED);
	return true;
}

/* join_queue - become the tail; returns when the caller is the head. */
static void join_queue(struct lock *lock, struct lock_turn *turn)
{
	struct qspin *const qspin = qspin_of(lock);
	struct qspin_node *const node = node_of(turn);

	/*
	 * relaxed: ours alone until the compare-and-swap below.  Atomic all
	 * the same: a checker that takes the stores of single bytes for stores
	 * of the word sees them cut [qspin-tail].
	 */
	store_relaxed(&node->next, NULL);
	store_relaxed(&node->head, false);

	/* relaxed: a guess, which the compare-and-swap puts right. */
	struct qspin_word old = { load_relaxed(&qspin->word) };
	struct qspin_word new;
	/* The checker takes `locked` for the word: it loses what a tail says.
	 */
	tsan_release(turn);
	do {
		new = old;
		qspin_set_tail(&new, turn);
		/*
		 * acq_rel [qspin-tail]: (*,*,*) -> (n,*,*).  A node is empty
		 * before a successor writes to it.
		 */
	} while (!cas_acq_rel(&qspin->word, &old.bits, new.bits));

	struct lock_turn *const before = qspin_tail(old);
	if (before == NULL)
		return;
	tsan_acquire(before);

	/* release [qspin-link]: our node is empty before it is written to. */
	store_release(&node_of(before)->next, node);
	/* acquire [qspin-head]: the head before us is inside by now. */
	for (unsigned spins = 0; !load_acquire(&node->head);)
		lock_spin(lock, &spins);
}

/* enter_head - the queue's head waits for the word, and names a new head. */
static void enter_head(struct lock *lock, struct lock_turn *turn)
{
	struct qspin *const qspin = qspin_of(lock);
	struct qspin_node *const node = node_of(turn);
	unsigned spins = 0;

	/* acquire [lock-handover]: see what the last holder wrote. */
	struct qspin_word word = { load_acquire(&qspin->word) };
	while (qspin_is_busy(word)) { /* Q2 */
		lock_spin(lock, &spins);
		/* acquire [lock-handover]: as above. */
		word.bits = load_acquire(&qspin->word);
	}

	struct qspin_word new = word;
	/* relaxed: (n,0,0) -> (0,0,1); the load above has acquired. */
	if (qspin_take_last(&new, turn) &&
	    cas_relaxed(&qspin->word, &word.bits, new.bits))
		return;

	/* relaxed: (n,0,0) -> (n,0,1); only the head may, by Q1 and Q3. */
	store_relaxed(&qspin->locked, (uint8_t)QSPIN_LOCKED);

	/* acquire [qspin-link]: a tail behind us has linked, or is about to. */
	struct qspin_node *next = load_acquire(&node->next);
	while (next == NULL) {
		lock_spin(lock, &spins);
		/* acquire [qspin-link]: as above. */
		next = load_acquire(&node->next);
	}
	/* release [qspin-head]: we are inside: `locked` comes before this. */
	store_release(&next->head, true);
}

/* enter_contended - the compare-and-swap has met somebody. */
static __attribute__((noinline)) bool enter_contended(struct lock *lock,
						      struct lock_turn *turn)
{
	bool waited;

	if (enter_pending(lock, &waited))
		return waited;
	join_queue(lock, turn);
	enter_head(lock, turn);
	return true;
}

static bool qspin_enter(struct lock *lock, struct lock_turn *turn)
{
	uint64_t nobody = 0;

	/* acquire [lock-handover]: (0,0,0) -> (0,0,1), the common case. */
	if (cas_acquire(&qspin_of(lock)->word, &nobody, QSPIN_LOCKED))
		return false;
	return enter_contended(lock, turn);
}

static void qspin_leave(struct lock *lock, struct lock_turn *turn)
{
	(void)turn;
	/* release [lock-handover]: (*,*,1) -> (*,*,0), see all of it. */
	store_release(&qspin_of(lock)->locked, (uint8_t)0);
}

const struct lock_ops lock_qspin = {
	.name = "qspin",
	.summary = "Linux's queued spinlock: a pending bit, then an MCS queue",
	.fair = true,
	.yields = true,
	.init = qspin_init,
	.fini = qspin_fini,
	.enter = qspin_enter,
	.leave = qspin_leave,
	.enter_shared = qspin_enter,
	.leave_shared = qspin_leave,
};
