/* SPDX-License-Identifier: MIT */
/*
 * crew.c - gate, jolts and delays.
 */
#include "linear/crew.h"

#include <sys/prctl.h>
#include <time.h>

#include "base/check.h"

enum {
	JOLT_STEPS_ORDERS = 7, /* of progress: 1, 2, 4, ... */
	JOLT_SLEEPS = 8,
	JOLT_SLEEP_NS = 15000,
	TIMER_SLACK_NS = 1,
	START_SPINS_MAX = 500, /* for threads that wake up later */
	DAWDLE_SPINS_MAX = 40,
};

struct crew_member {
	pthread_t thread;
	unsigned number;
	const struct crew *crew;
};

/* Not by the header, whose macros are for the engine alone. */
void jolt_point(void);

/* Points until this thread stops, that one included; 0: it does not. */
static _Thread_local unsigned jolt_points;
static _Thread_local unsigned jolt_steps;
static _Thread_local _Atomic(uint64_t) *jolt_progress;

static void spin(unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		cpu_relax();
}

void gate_init(struct gate *gate, unsigned threads)
{
	*gate = (struct gate){ .threads = threads };
	require(pthread_barrier_init(&gate->barrier, NULL, threads) == 0);
}

void gate_fini(struct gate *gate)
{
	require(pthread_barrier_destroy(&gate->barrier) == 0);
}

void gate_pass(struct gate *gate)
{
	(void)pthread_barrier_wait(&gate->barrier);
}

void gate_start(struct gate *gate)
{
	gate_pass(gate);
	/* relaxed: a count of who is awake, which orders nothing. */
	const unsigned ready = add_relaxed(&gate->ready, 1);
	const unsigned all = ready - ready % gate->threads + gate->threads;

	/* relaxed: as above.  It may count on: by then all are awake. */
	for (unsigned i = 0;
	     i < START_SPINS_MAX && (int)(load_relaxed(&gate->ready) - all) < 0;
	     i++)
		cpu_relax();
}

void crew_dawdle(struct dice *dice)
{
	if (dice_one_in(dice, 2))
		spin(dice_below(dice, DAWDLE_SPINS_MAX));
}

static void jolt(void)
{
	const struct timespec sleep = { .tv_nsec = JOLT_SLEEP_NS };
	/* relaxed: how far the others are, and no order with them. */
	const uint64_t until = load_relaxed(jolt_progress) + jolt_steps;

	/* relaxed: as above. */
	for (unsigned i = 0;
	     i < JOLT_SLEEPS && load_relaxed(jolt_progress) < until; i++)
		(void)nanosleep(&sleep, NULL);
}

void jolt_point(void)
{
	if (jolt_points > 0 && --jolt_points == 0)
		jolt();
}

void crew_jolt(struct dice *dice, unsigned points)
{
	jolt_points = points > 0 ? 1 + dice_below(dice, points) : 0;
	jolt_steps = 1u << dice_below(dice, JOLT_STEPS_ORDERS);
}

static void *member_run(void *argument)
{
	const struct crew_member *const member = argument;
	const struct crew *const crew = member->crew;

	require(prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS) == 0);
	jolt_progress = crew->progress;
	crew->work(crew->context, member->number);
	jolt_points = 0;
	return NULL;
}

void crew_run(const struct crew *crew)
{
	struct crew_member members[CREW_THREADS_MAX];

	require(crew->threads > 0 && crew->threads <= CREW_THREADS_MAX);
	for (unsigned i = 0; i < crew->threads; i++) {
		members[i].number = i;
		members[i].crew = crew;
		require(pthread_create(&members[i].thread, NULL, member_run,
				       &members[i]) == 0);
	}
	for (unsigned i = 0; i < crew->threads; i++)
		require(pthread_join(members[i].thread, NULL) == 0);
}
