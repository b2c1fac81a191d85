/* SPDX-License-Identifier: MIT */
/*
 * percpu_threads.c - two dozen values, and who has them.
 */
#include "contract/percpu_threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/check.h"
#include "base/os.h"

enum {
	CAPACITY = THREADS_CAPACITY,
	VALUES = 24, /* in circulation; more than the slots of two CPUs hold */
	THREADS = 8,
	DRAINERS = 2,
	STEPS = 100000,
	SHAKES = 300,
	DRAINS = 30000,
	YIELD_STEPS = 64,
	MEETINGS = 1000,        /* drains that found something */
	MEETING_ROUNDS = 50000, /* where there is but one CPU to meet on */
};

static struct percpu *percpu;
static cpu_set_t affinity;

/* owners[v] - who has value v: plain, so that a race on it is reported. */
static uint64_t owners[VALUES];
static atomic_uint breaches;
static atomic_uint kept;      /* values that threads had when they ended */
static atomic_ulong kept_set; /* which */
static atomic_uint besides;   /* shakers or drainers at work */

/* hand - the values that a thread has to itself. */
struct hand {
	uint64_t owner;
	uint64_t values[VALUES + CAPACITY];
	unsigned count;
};

/* hand_claim - what was taken to the end of the hand is ours alone. */
static void hand_claim(struct hand *hand, unsigned taken)
{
	for (unsigned i = 0; i < taken; i++) {
		const uint64_t value = hand->values[hand->count];

		if (value >= VALUES || owners[value] != 0 ||
		    hand->count + 1 > VALUES) {
			atomic_fetch_add(&breaches, 1);
			continue;
		}
		owners[value] = hand->owner;
		hand->count++;
	}
}

/* hand_give - push what fits; the rest stays in the hand. */
static void hand_give(struct hand *hand, bool at_once)
{
	for (unsigned i = 0; i < hand->count; i++) {
		uint64_t *const owner = &owners[hand->values[i]];

		if (*owner != hand->owner)
			atomic_fetch_add(&breaches, 1);
		*owner = 0;
	}

	unsigned given = 0;

	if (at_once && hand->count > 0)
		given = percpu_push_many(percpu, hand->values, hand->count);
	while (!at_once && given < hand->count &&
	       percpu_push(percpu, hand->values[given]))
		given++;
	hand->count -= given;
	for (unsigned i = 0; i < hand->count; i++) {
		hand->values[i] = hand->values[i + given];
		owners[hand->values[i]] = hand->owner;
	}
}

static void hand_keep(struct hand *hand)
{
	for (unsigned i = 0; i < hand->count; i++)
		atomic_fetch_or(&kept_set, 1UL << hand->values[i]);
	atomic_fetch_add(&kept, hand->count);
}

/* is_working - as long as there is somebody beside us, for its sake. */
static bool is_working(unsigned step)
{
	return step < STEPS || atomic_load(&besides) > 0;
}

static void *circulate(void *argument)
{
	struct hand hand = *(const struct hand *)argument;

	for (unsigned step = 0; is_working(step); step++) {
		uint64_t *const next = &hand.values[hand.count];
		const unsigned wanted = 1 + step % CAPACITY;
		unsigned taken;

		if (step % 2 == 0)
			taken = percpu_take_many(percpu, next, wanted);
		else
			taken = percpu_take(percpu, next);
		hand_claim(&hand, taken);
		if (step % YIELD_STEPS == 0)
			sched_yield();
		hand_give(&hand, step % 4 < 2);
	}
	hand_keep(&hand);
	return NULL;
}

/* drain - of every slot in turn, as another CPU would. */
static void *drain(void *argument)
{
	struct hand hand = *(const struct hand *)argument;

	for (unsigned round = 0; round < DRAINS; round++) {
		const unsigned slot = round % percpu->slots.count;
		uint64_t *const next = &hand.values[hand.count];

		if (percpu_stop(percpu, slot) != 0) {
			atomic_fetch_add(&breaches, 1);
			break;
		}
		hand_claim(&hand, percpu_drain(percpu, slot, next));
		if (round % 2 == 0)
			percpu_start(percpu, slot);
		if (round % YIELD_STEPS == 0)
			sched_yield();
		hand_give(&hand, true);
		if (round % 2 != 0)
			percpu_start(percpu, slot);
	}
	hand_keep(&hand);
	atomic_fetch_sub(&besides, 1);
	return NULL;
}

static pthread_t threads[THREADS];

/* next_cpu - behind `cpu`, around the end, that we are allowed. */
static unsigned next_cpu(unsigned cpu)
{
	do
		cpu = (cpu + 1) % CPU_SETSIZE;
	while (!CPU_ISSET(cpu, &affinity));
	return cpu;
}

/* shake - move one thread after the other to one CPU after the other. */
static void *shake(void *argument)
{
	unsigned cpu = 0;

	(void)argument;
	for (unsigned round = 0; round < SHAKES; round++) {
		cpu_set_t only;

		cpu = next_cpu(cpu);
		CPU_ZERO(&only);
		CPU_SET(cpu, &only);
		for (unsigned i = 0; i < THREADS; i++)
			(void)pthread_setaffinity_np(threads[i], sizeof(only),
						     &only);
		sched_yield();
	}
	atomic_fetch_sub(&besides, 1);
	return NULL;
}

/* begin_circulation - what one slot does not hold begins in a hand. */
static void begin_circulation(struct hand *hands)
{
	atomic_store(&breaches, 0);
	atomic_store(&kept, 0);
	atomic_store(&kept_set, 0);
	for (unsigned i = 0; i < THREADS + DRAINERS; i++)
		hands[i] = (struct hand){ .owner = i + 1 };
	for (uint64_t value = 0; value < VALUES; value++) {
		owners[value] = hands[0].owner;
		hands[0].values[value] = value;
	}
	hands[0].count = VALUES;
	hand_give(&hands[0], true);
}

static void end_circulation(void)
{
	uint64_t values[CAPACITY];
	unsigned long seen = atomic_load(&kept_set);
	unsigned count = atomic_load(&kept);

	for (unsigned slot = 0; slot < percpu->slots.count; slot++) {
		const int found = percpu_take_all(percpu, slot, values);

		assert_in_range(found, 0, CAPACITY);
		count += (unsigned)found;
		for (int i = 0; i < found; i++)
			seen |= 1UL << values[i];
	}
	assert_int_equal(atomic_load(&breaches), 0);
	assert_int_equal(count, VALUES);
	assert_int_equal(seen, (1UL << VALUES) - 1);
}

void threads_circulate(struct percpu *slots, enum threads_beside beside)
{
	static struct hand hands[THREADS + DRAINERS];
	const unsigned count = beside == THREADS_ALONE    ? 0
			       : beside == THREADS_SHAKEN ? 1
							  : DRAINERS;
	pthread_t others[DRAINERS];

	percpu = slots;
	atomic_store(&besides, count);
	require(sched_getaffinity(0, sizeof(affinity), &affinity) == 0);
	begin_circulation(hands);
	for (unsigned i = 0; i < THREADS; i++)
		require(pthread_create(&threads[i], NULL, circulate,
				       &hands[i]) == 0);
	for (unsigned i = 0; i < count; i++)
		require(pthread_create(&others[i], NULL,
				       beside == THREADS_SHAKEN ? shake : drain,
				       &hands[THREADS + i]) == 0);
	/* First, for a shaker needs the names of the others. */
	for (unsigned i = 0; i < count; i++)
		require(pthread_join(others[i], NULL) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		require(pthread_join(threads[i], NULL) == 0);
	end_circulation();
}

/* worker - what the thread that is drained did. */
struct worker {
	unsigned cpu;
	uint64_t pushed;
	uint64_t taken;
};

static void *work(void *argument)
{
	struct worker *const worker = argument;
	const uint64_t values[CAPACITY] = { 0 };

	require(os_linux.pin_thread(worker->cpu) == 0);
	while (atomic_load(&besides) > 0) {
		uint64_t value;

		worker->pushed += percpu_push_many(percpu, values, CAPACITY);
		worker->taken += percpu_take(percpu, &value);
	}
	return NULL;
}

void threads_meet(struct percpu *slots)
{
	uint64_t values[CAPACITY];
	uint64_t drained = 0;
	unsigned meetings = 0;
	pthread_t thread;

	percpu = slots;
	require(sched_getaffinity(0, sizeof(affinity), &affinity) == 0);

	struct worker worker = { .cpu = next_cpu(CPU_SETSIZE - 1) };

	atomic_store(&besides, 1);
	require(pthread_create(&thread, NULL, work, &worker) == 0);
	require(os_linux.pin_thread(next_cpu(worker.cpu)) == 0);
	for (unsigned i = 0; i < MEETING_ROUNDS && meetings < MEETINGS; i++) {
		const int found = percpu_take_all(percpu, worker.cpu, values);

		require(found >= 0);
		drained += (uint64_t)found;
		meetings += found > 0;
	}
	atomic_store(&besides, 0);
	require(pthread_join(thread, NULL) == 0);
	drained += (uint64_t)percpu_take_all(percpu, worker.cpu, values);
	assert_int_equal(worker.pushed, worker.taken + drained);
}
