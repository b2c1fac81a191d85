/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - read-copy-update: readers for whom nobody waits and who wait for
 * nobody, and functions that run once the readers of now have left.
 *
 *   U1  a deferred function runs after every reader that was inside when it
 *       was deferred has left;
 *   U2  it runs once, on the one thread that rcu_init() made, in the order in
 *       which its thread deferred.
 *
 * All of it is liburcu-bp, the flavour in which any thread may read without
 * saying so first.  Its read side is inlined from the library's own headers,
 * which its licence allows; not under a sanitizer, where those accesses would
 * be judged without the library's half of them.
 *
 * Who may run with whom: everything with everything; wait and the fork
 * functions not between enter and leave, nor on the thread of U2.
 *
 * Progress, and where it ends:
 *
 *   enter, leave  wait-free, save that the first enter of a thread takes the
 *                 library's mutex, and the process ends if there is no memory
 *                 for the record of that reader;
 *   defer         wait-free: one exchange, one addition, and a system call
 *                 when the thread of U2 sleeps; it fails never, for the memory
 *                 is the caller's;
 *   wait          as long as the slowest reader;
 *   deferred functions of all wait for every reader: one that stops inside
 *                 holds back all memory that is given back by them.
 */
#ifndef LFV_BASE_RCU_H
#define LFV_BASE_RCU_H

#include <stdbool.h>

#include "base/tsan.h"

#if defined(__SANITIZE_ADDRESS__)
#define RCU_INLINED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RCU_INLINED 0
#endif
#endif
#ifndef RCU_INLINED
#define RCU_INLINED !TSAN_ENABLED
#endif
#if RCU_INLINED && !defined(_LGPL_SOURCE)
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-bp.h>

/*
 * Grace periods are made of barriers in other threads' places, which the thread
 * sanitizer cannot see: it is told that whoever left, or deferred, is before
 * the deferred functions, and those before the end of a wait for them.
 */
extern char rcu_left;
extern char rcu_ran;

/*
 * rcu_init - make the thread that runs deferred functions, once a process.
 *
 * 0, or -EAGAIN with a message when it cannot be made.  The library would end
 * the process then; so a thread is tried first.  Between the two another
 * thread may use up what was left: that window stays.
 */
__attribute__((warn_unused_result)) int rcu_init(void);

/* rcu_enter - from here on what is found stays; sections nest. */
static inline void rcu_enter(void)
{
	urcu_bp_read_lock();
}

static inline void rcu_leave(void)
{
	tsan_release(&rcu_left);
	urcu_bp_read_unlock();
}

/*
 * rcu_defer - let `run` have `head` later, U1 and U2; rcu_init() came before.
 *
 * `head` is in memory that stays until then.  `run` does its work between
 * rcu_begin_deferred(head) and rcu_end_deferred().
 */
static inline void rcu_defer(struct rcu_head *head,
			     void (*run)(struct rcu_head *head))
{
	tsan_release(head);
	urcu_bp_call_rcu(head, run);
}

static inline void rcu_begin_deferred(struct rcu_head *head)
{
	tsan_acquire(head);
	tsan_acquire(&rcu_left);
	(void)head;
}

static inline void rcu_end_deferred(void)
{
	tsan_release(&rcu_ran);
}

/* rcu_wait - until all functions deferred so far have run. */
void rcu_wait(void);

/*
 * rcu_fork_begin - the thread of U2 stands still, outside of every deferred
 * function, until rcu_fork_end(), which parent and child both call.
 *
 * It takes no lock that a deferred function takes, so it comes before those
 * that hold such locks over a fork.  In the child there is such a thread
 * again, and what the parent deferred runs there as well.
 *
 * Waits for readers, for that thread does: a fork while some thread is stopped
 * inside waits until it goes on.
 */
void rcu_fork_begin(void);
void rcu_fork_end(bool is_child);

#endif
