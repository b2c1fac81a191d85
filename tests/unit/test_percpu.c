/* SPDX-License-Identifier: MIT */
/*
 * test_percpu.c - the memory of per-CPU slots, and the slot of this CPU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/atomic.h"
#include "base/check.h"
#include "base/os.h"
#include "base/percpu.h"

enum { CPUS = 3, CAPACITY = 5 };

static struct cpu_map map;

static void make_up_cpus(void)
{
	const struct cpu_options options = { .cpus = CPUS };

	require(cpu_map_init(&map, &options, &os_linux) == 0);
}

static void every_cpu_has_lines_of_its_own(void **state)
{
	struct percpu percpu;

	(void)state;
	make_up_cpus();
	assert_int_equal(
		percpu_init(&percpu, &percpu_cas, &map, CAPACITY, &os_linux),
		0);
	assert_int_equal(percpu.slots.slot_bytes % FALSE_SHARING_BYTES, 0);
	assert_true(percpu.slots.slot_bytes >= percpu_cas.slot_bytes(CAPACITY));
	assert_true(percpu_cas.slot_bytes(CAPACITY) >=
		    CAPACITY * sizeof(uint64_t));
	percpu_fini(&percpu);
}

static void the_largest_capacity_has_room_on_every_cpu(void **state)
{
	struct percpu percpu;

	(void)state;
	make_up_cpus();
	assert_int_equal(percpu_init(&percpu, &percpu_cas, &map,
				     PERCPU_CAPACITY_MAX, &os_linux),
			 0);
	for (unsigned slot = 0; slot < CPUS; slot++)
		memset(percpu.slots.base + slot * percpu.slots.slot_bytes, 1,
		       percpu_cas.slot_bytes(PERCPU_CAPACITY_MAX));
	percpu_fini(&percpu);
}

static void cpus_that_share_a_slot_share_no_section(void **state)
{
	struct percpu percpu;

	(void)state;
	make_up_cpus();
	map.is_folded = false;
	assert_int_equal(
		percpu_init(&percpu, &percpu_rseq, &map, CAPACITY, &os_linux),
		0);
	assert_ptr_equal(percpu.ops, &percpu_rseq);
	assert_true(percpu.has_sections);
	percpu_fini(&percpu);
	map.is_folded = true;
	assert_int_equal(
		percpu_init(&percpu, &percpu_rseq, &map, CAPACITY, &os_linux),
		0);
	assert_ptr_equal(percpu.ops, &percpu_cas);
	assert_false(percpu.has_sections);
	percpu_fini(&percpu);
}

static void the_current_cpu_has_a_slot(void **state)
{
	struct percpu percpu;
	uint64_t values[CPUS * CAPACITY];
	int found = 0;

	(void)state;
	make_up_cpus();
	assert_int_equal(
		percpu_init(&percpu, &percpu_cas, &map, CAPACITY, &os_linux),
		0);
	assert_true(percpu_push(&percpu, 4));
	/* Moved since, this thread may not find it on its CPU: so on all. */
	found = percpu_take(&percpu, &values[0]);
	for (unsigned slot = 0; slot < CPUS; slot++)
		found += percpu_take_all(&percpu, slot, &values[found]);
	assert_int_equal(found, 1);
	assert_int_equal(values[0], 4);
	percpu_fini(&percpu);
}

static void *mmap_nothing(size_t bytes)
{
	(void)bytes;
	return NULL;
}

static void no_memory_is_an_error(void **state)
{
	static const struct os poor_os = { .mmap_anon = mmap_nothing };
	struct percpu percpu;

	(void)state;
	make_up_cpus();
	assert_int_equal(
		percpu_init(&percpu, &percpu_cas, &map, CAPACITY, &poor_os),
		-ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cpu_has_lines_of_its_own),
		cmocka_unit_test(the_largest_capacity_has_room_on_every_cpu),
		cmocka_unit_test(cpus_that_share_a_slot_share_no_section),
		cmocka_unit_test(the_current_cpu_has_a_slot),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("percpu", tests, NULL, NULL);
}
