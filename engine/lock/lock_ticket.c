/* SPDX-License-Identifier: MIT */
/*
 * lock_ticket.c - a ticket spinlock of Concurrency Kit's operations.
 *
 *	next      the number that the next arrival draws
 *	serving   the number of the one inside; nobody is when serving == next
 *
 * Enters in order of arrival, as Linux's spinlocks did from 2.6.25 to 4.1.
 * Every waiter reads `serving`, so each leave takes that line from all of them.
 *
 * ck_spinlock_ticket_lock() neither yields nor says whether it waited, and its
 * layout depends on the machine: this is the same lock over ck_pr_*().  As in
 * Linux, both numbers share a line.  They wrap; only equality is asked for.
 *
 * Progress: blocking; a preempted waiter stops all behind it.
 */
#include <assert.h>
#include <ck_pr.h>

#include "base/tsan.h"
#include "lock/lock_kinds.h"

struct ticket {
	unsigned next;    /* written by every arrival */
	unsigned serving; /* written by the one inside */
};

LOCK_STATE_FITS(struct ticket);

static struct ticket *ticket_of(struct lock *lock)
{
	return (struct ticket *)(void *)lock->state;
}

static int ticket_init(struct lock *lock)
{
	*ticket_of(lock) = (struct ticket){ 0 };
	return 0;
}

static void ticket_fini(struct lock *lock)
{
	assert(ck_pr_load_uint(&ticket_of(lock)->serving) ==
	       ck_pr_load_uint(&ticket_of(lock)->next));
	(void)lock;
}

static bool ticket_enter(struct lock *lock, struct lock_turn *turn)
{
	struct ticket *const ticket = ticket_of(lock);
	const unsigned mine = ck_pr_faa_uint(&ticket->next, 1);
	unsigned spins = 0;

	(void)turn;
	while (ck_pr_load_uint(&ticket->serving) != mine)
		lock_spin(lock, &spins);
	/* acquire [lock-handover]: see what the last holder wrote. */
	ck_pr_fence_lock();
	tsan_acquire(&ticket->serving);
	return spins > 0;
}

static void ticket_leave(struct lock *lock, struct lock_turn *turn)
{
	struct ticket *const ticket = ticket_of(lock);
	const unsigned mine = ck_pr_load_uint(&ticket->serving);

	(void)turn;
	/* release [lock-handover]: let the next ticket see it all. */
	tsan_release(&ticket->serving);
	ck_pr_fence_unlock();
	ck_pr_store_uint(&ticket->serving, mine + 1);
}

const struct lock_ops lock_ticket = {
	.name = "ticket",
	.summary =
		"ticket spinlock: first come, first served, one line for all",
	.fair = true,
	.yields = true,
	.init = ticket_init,
	.fini = ticket_fini,
	.enter = ticket_enter,
	.leave = ticket_leave,
	.enter_shared = ticket_enter,
	.leave_shared = ticket_leave,
};
