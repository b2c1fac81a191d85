/* SPDX-License-Identifier: MIT */
/*
 * test_percpu_cas.c - the contract of per-CPU slots, put to the CAS member.
 */
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
#include "base/percpu.h"

enum {
	CPUS = 2, /* made up, so that threads meet in few slots */
	CAPACITY = 8,
	THREADS = 8,
	VALUES = 12, /* in circulation; more than one slot holds */
	STEPS = 50000,
	YIELD_STEPS = 64,
	PUSHERS = 2,
	ROUNDS = 10000,
};

static struct cpu_map map;
static struct percpu percpu;

static int set_up(void **state)
{
	const struct cpu_options options = { .cpus = CPUS };

	(void)state;
	require(cpu_map_init(&map, &options, &os_linux) == 0);
	require(percpu_init(&percpu, &percpu_cas, &map, CAPACITY, &os_linux) ==
		0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	percpu_fini(&percpu);
	return 0;
}

static bool push(uint64_t value)
{
	return percpu.ops->push(&percpu, 0, value);
}

static uint64_t take(void)
{
	uint64_t value = PERCPU_NO_VALUE;

	(void)percpu.ops->take(&percpu, 0, &value);
	return value;
}

static void the_last_pushed_is_the_first_taken(void **state)
{
	(void)state;
	assert_true(push(10));
	assert_true(push(11));
	assert_int_equal(take(), 11);
	assert_true(push(12));
	assert_int_equal(take(), 12);
	assert_int_equal(take(), 10);
}

static void zero_is_a_value_like_any_other(void **state)
{
	(void)state;
	assert_true(push(0));
	assert_int_equal(take(), 0);
	assert_true(push(PERCPU_NO_VALUE - 1));
	assert_int_equal(take(), PERCPU_NO_VALUE - 1);
}

static void an_empty_slot_refuses_and_leaves_value_alone(void **state)
{
	uint64_t value = 77;

	(void)state;
	assert_false(percpu.ops->take(&percpu, 0, &value));
	assert_int_equal(value, 77);
}

static void a_full_slot_refuses(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < CAPACITY; i++)
		assert_true(push(i));
	assert_false(push(99));
	assert_int_equal(take(), CAPACITY - 1);
	assert_true(push(99));
}

static void slots_are_apart(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(percpu.ops->push(&percpu, 1, 5));
	assert_false(percpu.ops->take(&percpu, 0, &value));
	assert_true(percpu.ops->take(&percpu, 1, &value));
	assert_int_equal(value, 5);
}

static void drain_takes_everything_of_one_slot(void **state)
{
	uint64_t values[CAPACITY];

	(void)state;
	assert_true(push(1));
	assert_true(push(2));
	assert_true(percpu.ops->push(&percpu, 1, 3));
	assert_int_equal(percpu_drain(&percpu, 0, values), 2);
	assert_int_equal(values[0] + values[1], 3);
	assert_int_equal(percpu_drain(&percpu, 0, values), 0);
	assert_int_equal(percpu_drain(&percpu, 1, values), 1);
}

static void a_drained_slot_can_be_filled_again(void **state)
{
	uint64_t values[CAPACITY];

	(void)state;
	for (uint64_t i = 0; i < CAPACITY; i++)
		assert_true(push(i));
	assert_int_equal(percpu_drain(&percpu, 0, values), CAPACITY);
	for (uint64_t i = 0; i < CAPACITY; i++)
		assert_true(push(i));
	assert_int_equal(percpu_drain(&percpu, 0, values), CAPACITY);
}

/* owners[v] - who has value v: plain, so that a race on it is reported. */
static uint64_t owners[VALUES];
static atomic_uint breaches;
static pthread_barrier_t start;

/*
 * circulate - take a value, have it to ourselves for a moment, push it back,
 * at times in another CPU's slot; a refused push keeps it until one is not.
 */
static void *circulate(void *argument)
{
	const uint64_t me = (uint64_t)(uintptr_t)argument;

	(void)pthread_barrier_wait(&start);
	for (unsigned step = 0; step < STEPS; step++) {
		uint64_t value;

		if (!percpu.ops->take(&percpu, step % CPUS, &value))
			continue;
		if (value >= VALUES || owners[value] != 0) {
			atomic_fetch_add(&breaches, 1);
			continue;
		}
		owners[value] = me;
		if (step % YIELD_STEPS == 0)
			sched_yield();
		if (owners[value] != me)
			atomic_fetch_add(&breaches, 1);
		owners[value] = 0;
		for (unsigned slot = 0;
		     !percpu.ops->push(&percpu, slot % CPUS, value); slot++)
			continue;
	}
	return NULL;
}

static void threads_never_share_or_lose_a_value(void **state)
{
	pthread_t threads[THREADS];
	uint64_t values[CAPACITY];
	uint64_t seen = 0;

	(void)state;
	atomic_store(&breaches, 0);
	require(pthread_barrier_init(&start, NULL, THREADS) == 0);
	for (uint64_t v = 0; v < VALUES; v++)
		require(percpu.ops->push(&percpu, v % CPUS, v));
	for (uintptr_t i = 0; i < THREADS; i++)
		require(pthread_create(&threads[i], NULL, circulate,
				       (void *)(i + 1)) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		require(pthread_join(threads[i], NULL) == 0);
	require(pthread_barrier_destroy(&start) == 0);

	assert_int_equal(atomic_load(&breaches), 0);
	for (unsigned slot = 0; slot < CPUS; slot++) {
		const unsigned count = percpu_drain(&percpu, slot, values);

		for (unsigned i = 0; i < count; i++)
			seen |= UINT64_C(1) << values[i];
	}
	assert_int_equal(seen, (UINT64_C(1) << VALUES) - 1);
}

/* Both pushers wait for the same round, so that they meet in one cell. */
static atomic_uint round_open;
static atomic_uint rounds_done;

static void *push_each_round(void *argument)
{
	const uint64_t value = (uintptr_t)argument;

	for (unsigned round = 1; round <= ROUNDS; round++) {
		for (unsigned spins = 1; atomic_load(&round_open) < round;
		     spins++) {
			if (spins % YIELD_STEPS == 0)
				sched_yield();
		}
		if (!push(value))
			atomic_fetch_add(&breaches, 1);
		atomic_fetch_add(&rounds_done, 1);
	}
	return NULL;
}

static void pushes_that_meet_both_stay(void **state)
{
	pthread_t threads[PUSHERS];
	uint64_t values[CAPACITY];
	unsigned lost = 0;

	(void)state;
	atomic_store(&breaches, 0);
	for (uintptr_t i = 0; i < PUSHERS; i++)
		require(pthread_create(&threads[i], NULL, push_each_round,
				       (void *)i) == 0);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		atomic_store(&round_open, round);
		while (atomic_load(&rounds_done) < round * PUSHERS)
			sched_yield();
		lost += PUSHERS - percpu_drain(&percpu, 0, values);
	}
	for (unsigned i = 0; i < PUSHERS; i++)
		require(pthread_join(threads[i], NULL) == 0);
	assert_int_equal(lost, 0);
	assert_int_equal(atomic_load(&breaches), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_last_pushed_is_the_first_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zero_is_a_value_like_any_other,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_empty_slot_refuses_and_leaves_value_alone, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_full_slot_refuses, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(slots_are_apart, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			drain_takes_everything_of_one_slot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_drained_slot_can_be_filled_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			threads_never_share_or_lose_a_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pushes_that_meet_both_stay,
						set_up, tear_down),
	};

	return cmocka_run_group_tests_name("percpu_cas", tests, NULL, NULL);
}
