/* SPDX-License-Identifier: MIT */
/*
 * bystander.c - parking by futex, and the judge's looks at /proc.
 */
#include "progress/bystander.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/check.h"

enum order { ORDER_OPERATE, ORDER_RESTORE, ORDER_END };

enum { STAT_BYTES = 256, NS_PER_S = 1000000000 };

/* futex_wait - return when the word has changed, at a signal, or in time. */
static void futex_wait(_Atomic(uint32_t) *word, uint32_t value,
		       const struct timespec *timeout)
{
	(void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout, NULL,
		      0);
}

static void futex_wake(_Atomic(uint32_t) *word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* obey - do one order; false: it was the last. */
static bool obey(struct bystander *bystander)
{
	/* relaxed: the order's number, acquired before, came after it. */
	switch ((enum order)load_relaxed(&bystander->last_order)) {
	case ORDER_OPERATE:
		for (unsigned i = 0; i < bystander->operations; i++) {
			bystander->operate(bystander->context);
			/* relaxed: a count, for the judge to see it move. */
			add_relaxed(&bystander->finished, 1);
		}
		return true;
	case ORDER_RESTORE:
		if (bystander->restore != NULL)
			bystander->restore(bystander->context);
		return true;
	case ORDER_END:
		return false;
	}
	return false;
}

static void *bystander_main(void *argument)
{
	struct bystander *const bystander = argument;
	uint32_t done = 1; /* to start is the first order */

	(void)snprintf(bystander->path, sizeof(bystander->path),
		       "/proc/self/task/%d/stat", (int)gettid());
	/* release [bystander-done]: the path is there. */
	store_release(&bystander->obeyed, done);
	futex_wake(&bystander->obeyed);
	for (bool is_on = true; is_on;) {
		/* acquire [bystander-order]: what is to be done. */
		while (load_acquire(&bystander->orders) == done)
			futex_wait(&bystander->orders, done, NULL);
		is_on = obey(bystander);
		done++;
		/* release [bystander-done]: all that it did. */
		store_release(&bystander->obeyed, done);
		futex_wake(&bystander->obeyed);
	}
	return NULL;
}

static void give_order(struct bystander *bystander, enum order order)
{
	/* relaxed: the number below publishes it. */
	store_relaxed(&bystander->last_order, order);
	/* relaxed: only the one who orders writes it. */
	const uint32_t orders = load_relaxed(&bystander->orders) + 1;

	/* release [bystander-order]: which order it is. */
	store_release(&bystander->orders, orders);
	futex_wake(&bystander->orders);
}

/* is_idle - whether all orders are done. */
static bool is_idle(struct bystander *bystander)
{
	/* acquire [bystander-done]: what was done; relaxed: our own count. */
	return load_acquire(&bystander->obeyed) ==
	       load_relaxed(&bystander->orders);
}

static void wait_idle(struct bystander *bystander)
{
	while (!is_idle(bystander)) {
		/* relaxed: asked again by is_idle(). */
		const uint32_t obeyed = load_relaxed(&bystander->obeyed);

		/* relaxed: our own count. */
		if (obeyed != load_relaxed(&bystander->orders))
			futex_wait(&bystander->obeyed, obeyed, NULL);
	}
}

void bystander_start(struct bystander *bystander)
{
	atomic_init(&bystander->orders, 1);
	atomic_init(&bystander->obeyed, 0);
	atomic_init(&bystander->finished, 0);
	require(pthread_create(&bystander->thread, NULL, bystander_main,
			       bystander) == 0);
	require(pthread_getcpuclockid(bystander->thread, &bystander->clock) ==
		0);
	wait_idle(bystander);
}

void bystander_stop(struct bystander *bystander)
{
	give_order(bystander, ORDER_END);
	require(pthread_join(bystander->thread, NULL) == 0);
}

static uint64_t cpu_ns(const struct bystander *bystander)
{
	struct timespec time;

	require(clock_gettime(bystander->clock, &time) == 0);
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

void bystander_order(struct bystander *bystander)
{
	bystander->cpu_ns_at_operation = cpu_ns(bystander);
	bystander->cpu_ns_at_look = bystander->cpu_ns_at_operation;
	bystander->asleep_looks = 0;
	bystander->verdict = VERDICT_PASSED;
	/* relaxed: it is parked. */
	bystander->seen_finished = load_relaxed(&bystander->finished);
	give_order(bystander, ORDER_OPERATE);
}

/* is_asleep - by the letter behind the name, which may hold anything. */
static bool is_asleep(const struct bystander *bystander)
{
	char text[STAT_BYTES];
	const int fd = open(bystander->path, O_RDONLY | O_CLOEXEC);

	require(fd >= 0);

	const ssize_t bytes = read(fd, text, sizeof(text) - 1);

	(void)close(fd);
	require(bytes > 0);
	text[bytes] = '\0';

	const char *const end = strrchr(text, ')');

	require(end != NULL && end[1] == ' ');
	return end[2] == 'S';
}

/* look_at - one look: is it done, or does it spin, or sleep, or neither? */
static void look_at(struct bystander *bystander)
{
	const uint64_t cpu = cpu_ns(bystander);
	/* relaxed: a count that moves or does not. */
	const unsigned finished = load_relaxed(&bystander->finished);
	const bool is_still = cpu == bystander->cpu_ns_at_look &&
			      finished == bystander->seen_finished;

	if (finished != bystander->seen_finished)
		bystander->cpu_ns_at_operation = cpu;
	bystander->seen_finished = finished;
	bystander->cpu_ns_at_look = cpu;
	if (is_still && is_asleep(bystander))
		bystander->asleep_looks++;
	else
		bystander->asleep_looks = 0;
}

static bool has_spun(const struct bystander *bystander)
{
	return bystander->cpu_ns_at_look - bystander->cpu_ns_at_operation >
	       BYSTANDER_SPIN_NS;
}

/* is_stuck - it cannot help itself, and so helps nobody. */
static bool is_stuck(struct bystander *bystander)
{
	return is_idle(bystander) || has_spun(bystander) ||
	       bystander->asleep_looks >= BYSTANDER_LOOKS;
}

enum verdict bystander_judge(struct bystander *bystanders, unsigned index)
{
	struct bystander *const judged = &bystanders[index];
	const struct timespec pause = { .tv_nsec = BYSTANDER_LOOK_NS };

	for (;;) {
		/* relaxed: asked again by is_idle(). */
		const uint32_t obeyed = load_relaxed(&judged->obeyed);
		bool are_stuck = true;

		if (is_idle(judged))
			return VERDICT_PASSED;
		for (unsigned i = 0; i <= index; i++) {
			look_at(&bystanders[i]);
			are_stuck &= is_stuck(&bystanders[i]);
		}
		if (are_stuck && !is_idle(judged))
			break; /* Y2 */
		futex_wait(&judged->obeyed, obeyed, &pause);
	}
	judged->verdict = has_spun(judged) ? VERDICT_SPINS : VERDICT_SLEEPS;
	return judged->verdict;
}

void bystander_settle(struct bystander *bystander)
{
	wait_idle(bystander);
	give_order(bystander, ORDER_RESTORE);
	wait_idle(bystander);
}
