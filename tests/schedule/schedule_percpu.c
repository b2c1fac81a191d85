/* SPDX-License-Identifier: MIT */
/*
 * schedule_percpu.c - P1 to P3 of base/percpu.h for the member `cas`, under
 * every schedule of two or three threads on one slot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "base/atomic.h"
#include "base/percpu.h"
#include "schedule/model_check.h"

enum {
	CAPACITY = 2,
	SLOT_BYTES = 256,
	VALUES = 4,
};

/* base/cpu.h for this program: all threads run on one CPU. */
struct cpu_id cpu_current(void)
{
	return (struct cpu_id){ 0 };
}

static const struct cpu_map one_cpu = { .cpus = 1, .cpu_slots = 1 };
static alignas(FALSE_SHARING_BYTES) unsigned char slot[SLOT_BYTES];
static struct percpu percpu;
/* Where each value is; zero: nobody has brought it yet. */
static enum place { ABSENT, IN_SLOT, OWNED } place[VALUES];
static unsigned char contents[VALUES];

static void begin_with(unsigned values)
{
	percpu = (struct percpu){
		.ops = &percpu_cas,
		.map = &one_cpu,
		.slots = {
			.base = slot,
			.slot_bytes = SLOT_BYTES,
			.count = 1,
			.capacity = CAPACITY,
		},
	};
	memset(slot, 0, sizeof(slot));
	for (unsigned i = 0; i < VALUES; i++) {
		place[i] = i < values ? IN_SLOT : ABSENT;
		if (i < values)
			schedule_require(percpu_cas.push(&percpu, i));
	}
}

static void begin_empty(void)
{
	begin_with(0);
}

static void begin_half(void)
{
	begin_with(1);
}

static void begin_full(void)
{
	begin_with(CAPACITY);
}

/* own - P1, and [percpu-value]: what the last owner did is seen. */
static void own(uint64_t value)
{
	schedule_require(value < VALUES);
	schedule_require(place[value] == IN_SLOT);
	place[value] = OWNED;
	schedule_write(&contents[value]);
}

static bool take(uint64_t *value)
{
	if (!percpu_cas.take(&percpu, value))
		return false;
	own(*value);
	return true;
}

static bool push(uint64_t value)
{
	schedule_write(&contents[value]);
	place[value] = IN_SLOT;
	if (percpu_cas.push(&percpu, value))
		return true;
	place[value] = OWNED;
	return false;
}

/* drain - the slot of a CPU that has gone; P6. */
static void drain(void)
{
	uint64_t values[CAPACITY];
	unsigned count;

	schedule_require(percpu_cas.stop(&percpu, 0) == 0);
	count = percpu_cas.drain(&percpu, 0, values);
	percpu_cas.start(&percpu, 0);
	for (unsigned i = 0; i < count; i++)
		own(values[i]);
}

/* What nobody owns is in the slot, each value once; P1. */
static void all_are_accounted_for(void)
{
	drain();
	for (unsigned i = 0; i < VALUES; i++)
		schedule_require(place[i] != IN_SLOT);
}

/* Each brings a value of its own and takes one, whichever. */
static void push_and_take(unsigned thread)
{
	uint64_t value;

	(void)push(CAPACITY + thread);
	if (take(&value))
		(void)push(value);
}

static const struct schedule_case values_are_taken_once = {
	.name = "a value that was pushed is taken once",
	.threads = 2,
	.begin = begin_half,
	.run = push_and_take,
	.end = all_are_accounted_for,
};

static void take_one(unsigned thread)
{
	uint64_t value;

	(void)thread;
	schedule_require(take(&value));
}

static const struct schedule_case takers_get_what_is_there = {
	.name = "as many as there are values get one each",
	.threads = CAPACITY,
	.begin = begin_full,
	.run = take_one,
};

static void push_one(unsigned thread)
{
	schedule_require(push(thread));
}

static const struct schedule_case pushers_find_what_is_empty = {
	.name = "as many as there are empty cells leave a value each",
	.threads = CAPACITY,
	.begin = begin_empty,
	.run = push_one,
	.end = all_are_accounted_for,
};

/* One pushes, one takes, one drains. */
static void push_take_drain(unsigned thread)
{
	uint64_t value;

	if (thread == 0)
		(void)push(CAPACITY);
	else if (thread == 1)
		(void)take(&value);
	else
		drain();
}

static void drain_or_push(unsigned thread)
{
	if (thread < 2)
		drain();
	else
		(void)push(CAPACITY);
}

static const struct schedule_case drained_twice = {
	.name = "two drain one slot",
	.threads = 3,
	.begin = begin_full,
	.run = drain_or_push,
	.end = all_are_accounted_for,
};

static const struct schedule_case drained_beside_others = {
	.name = "a slot is drained beside a push and a take",
	.threads = 3,
	.begin = begin_full,
	.run = push_take_drain,
	.end = all_are_accounted_for,
};

static void no_value_is_lost_or_taken_twice(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&values_are_taken_once, &plan);
	model_check(&drained_beside_others, &plan);
	model_check(&drained_twice, &plan);
}

static void a_refusal_is_never_for_nothing(void **state)
{
	static const struct model_plan plan = { .preemptions = UINT32_MAX };

	(void)state;
	model_check(&takers_get_what_is_there, &plan);
	model_check(&pushers_find_what_is_empty, &plan);
}

static void nobody_waits_for_a_stopped_thread(void **state)
{
	static const struct model_plan plan = { .stop_preemptions = 1 };

	(void)state;
	model_check_stopped(&values_are_taken_once, &plan);
	model_check_stopped(&drained_beside_others, &plan);
}

static void each_order_is_needed(void **state)
{
	static const struct schedule_case *const cases[] = {
		&values_are_taken_once,
		NULL,
	};
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .preemptions = 1, .ages = 1 },
		.source = "percpu_cas.c",
	};

	(void)state;
	model_check_orders(&orders);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_value_is_lost_or_taken_twice),
		cmocka_unit_test(a_refusal_is_never_for_nothing),
		cmocka_unit_test(nobody_waits_for_a_stopped_thread),
		cmocka_unit_test(each_order_is_needed),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_percpu", tests, NULL,
					   NULL);
}
