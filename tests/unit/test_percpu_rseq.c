/* SPDX-License-Identifier: MIT */
/*
 * test_percpu_rseq.c - the contract, CPUs without a slot, and the fence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "base/check.h"
#include "base/os.h"
#include "contract/percpu_contract.h"
#include "fault/fault_os.h"
#include "unit/fake_rseq.h"

enum { CPUS = 4096, CAPACITY = 8, SKIPPED = 77 };

static struct cpu_map map;
static struct percpu percpu;

/* fences - how often, and for which CPU last. */
static unsigned fences;
static unsigned fenced_cpu;

static int note_fence(unsigned cpu)
{
	fences++;
	fenced_cpu = cpu;
	return 0;
}

static struct os noting_os;

static int set_up(void **state)
{
	const struct cpu_options options = { .cpus = CPUS };

	(void)state;
	noting_os = os_linux;
	noting_os.fence_cpu = note_fence;
	fences = 0;
	require(cpu_map_init(&map, &options, &os_linux) == 0);
	require(percpu_init(&percpu, &percpu_rseq, &map, CAPACITY,
			    &noting_os) == 0);
	require(percpu.ops == &percpu_rseq);
	percpu.slots.rseq_offset = fake_rseq_offset();
	fake_rseq.cpu_id = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	percpu_fini(&percpu);
	return 0;
}

static void each_cpu_has_a_slot_of_its_own(void **state)
{
	uint64_t value = 0;

	(void)state;
	for (fake_rseq.cpu_id = 0; fake_rseq.cpu_id < CPUS; fake_rseq.cpu_id++)
		require(percpu_push(&percpu, fake_rseq.cpu_id));
	for (fake_rseq.cpu_id = 0; fake_rseq.cpu_id < CPUS;
	     fake_rseq.cpu_id++) {
		require(percpu_take(&percpu, &value));
		require(value == fake_rseq.cpu_id);
		require(!percpu_take(&percpu, &value));
	}
}

static void refuses_all(uint32_t cpu_id)
{
	uint64_t values[2] = { 7, 8 };

	fake_rseq.cpu_id = cpu_id;
	assert_false(percpu_push(&percpu, 1));
	assert_false(percpu_take(&percpu, values));
	assert_int_equal(percpu_push_many(&percpu, values, 2), 0);
	assert_int_equal(percpu_take_many(&percpu, values, 2), 0);
	assert_int_equal(values[0], 7);
}

static void a_cpu_beyond_the_slots_is_refused(void **state)
{
	(void)state;
	fake_rseq.cpu_id = CPUS - 1;
	assert_true(percpu_push(&percpu, 1));
	refuses_all(CPUS);
	refuses_all(CPUS + 1);
}

static void a_thread_that_is_not_registered_is_refused(void **state)
{
	(void)state;
	refuses_all((uint32_t)-1);
	refuses_all((uint32_t)-2);
}

static void nothing_of_the_area_but_rseq_cs_is_written(void **state)
{
	uint64_t values[2] = { 7, 8 };

	(void)state;
	fake_rseq = (struct fake_rseq){ 3, 5, 0, 9 };
	assert_true(percpu_push(&percpu, 1));
	assert_true(percpu_take(&percpu, values));
	assert_int_equal(percpu_push_many(&percpu, values, 2), 2);
	assert_int_equal(percpu_take_many(&percpu, values, 2), 2);
	assert_int_equal(fake_rseq.cpu_id_start, 3);
	assert_int_equal(fake_rseq.cpu_id, 5);
	assert_int_equal(fake_rseq.flags, 9);
	assert_true(fake_rseq.rseq_cs != 0);
}

static void a_stop_fences_the_cpu_of_the_slot(void **state)
{
	(void)state;
	assert_int_equal(percpu_stop(&percpu, 17), 0);
	assert_int_equal(fences, 1);
	assert_int_equal(fenced_cpu, 17);
	percpu_start(&percpu, 17);
	assert_int_equal(fences, 1);
}

static void push_and_take_fence_nothing(void **state)
{
	uint64_t values[2] = { 7, 8 };

	(void)state;
	assert_true(percpu_push(&percpu, 1));
	assert_true(percpu_take(&percpu, values));
	assert_int_equal(percpu_push_many(&percpu, values, 2), 2);
	assert_int_equal(percpu_take_many(&percpu, values, 2), 2);
	assert_int_equal(fences, 0);
}

static void a_fence_that_is_refused_stops_nothing(void **state)
{
	uint64_t values[CAPACITY];

	(void)state;
	percpu.os = &fault_os;
	assert_true(percpu_push(&percpu, 1));
	fault_arm(FAULT_FENCE_CPU, 1, FAULT_FROM_THEN_ON, -EPERM);
	assert_int_equal(percpu_stop(&percpu, 0), -EPERM);
	assert_int_equal(percpu_take_all(&percpu, 0, values), -EPERM);
	fault_disarm();
	assert_true(percpu_take(&percpu, values));
	assert_int_equal(values[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_cpu_has_a_slot_of_its_own,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_cpu_beyond_the_slots_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_thread_that_is_not_registered_is_refused, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			nothing_of_the_area_but_rseq_cs_is_written, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_stop_fences_the_cpu_of_the_slot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(push_and_take_fence_nothing,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_fence_that_is_refused_stops_nothing, set_up,
			tear_down),
	};

	if (!SECTIONS_EXIST) {
		(void)puts("no sections in this build");
		return SKIPPED;
	}

	const int failed =
		cmocka_run_group_tests_name("percpu_rseq", tests, NULL, NULL);

	if (percpu_choose(PERCPU_RSEQ, &os_linux) == NULL) {
		(void)puts("no rseq here: the contract is not put to it");
		return failed > 0 ? failed : SKIPPED;
	}
	return failed +
	       percpu_contract_run("percpu_rseq contract", &percpu_rseq);
}
