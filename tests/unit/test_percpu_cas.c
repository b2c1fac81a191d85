/* SPDX-License-Identifier: MIT */
/*
 * test_percpu_cas.c - the contract, and CPUs that share a slot.
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
#include "contract/percpu_contract.h"

enum {
	CAPACITY = 8,
	YIELD_STEPS = 64,
	PUSHERS = 2,
	ROUNDS = 10000,
};

static struct cpu_map map;
static struct percpu percpu;

/* One slot for all CPUs, so that threads meet in it. */
static int set_up(void **state)
{
	const struct cpu_options options = { .cpus = 1 };

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

/* Both pushers wait for the same round, so that they meet in one cell. */
static atomic_uint round_open;
static atomic_uint rounds_done;
static atomic_uint refusals;

static void *push_each_round(void *argument)
{
	const uint64_t value = (uintptr_t)argument;

	for (unsigned round = 1; round <= ROUNDS; round++) {
		for (unsigned spins = 1; atomic_load(&round_open) < round;
		     spins++) {
			if (spins % YIELD_STEPS == 0)
				sched_yield();
		}
		if (!percpu_push(&percpu, value))
			atomic_fetch_add(&refusals, 1);
		atomic_fetch_add(&rounds_done, 1);
	}
	return NULL;
}

static void pushes_that_meet_both_stay(void **state)
{
	pthread_t threads[PUSHERS];
	uint64_t values[CAPACITY];
	int found = 0;

	(void)state;
	for (uintptr_t i = 0; i < PUSHERS; i++)
		require(pthread_create(&threads[i], NULL, push_each_round,
				       (void *)i) == 0);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		atomic_store(&round_open, round);
		while (atomic_load(&rounds_done) < round * PUSHERS)
			sched_yield();
		found += percpu_take_all(&percpu, 0, values);
	}
	for (unsigned i = 0; i < PUSHERS; i++)
		require(pthread_join(threads[i], NULL) == 0);
	assert_int_equal(found, PUSHERS * ROUNDS);
	assert_int_equal(atomic_load(&refusals), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pushes_that_meet_both_stay,
						set_up, tear_down),
	};

	return percpu_contract_run("percpu_cas contract", &percpu_cas) +
	       cmocka_run_group_tests_name("percpu_cas", tests, NULL, NULL);
}
