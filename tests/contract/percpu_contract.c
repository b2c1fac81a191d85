/* SPDX-License-Identifier: MIT */
/*
 * percpu_contract.c - one thread on one CPU, then many on all of them.
 */
#include "contract/percpu_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/os.h"
#include "base/page.h"
#include "contract/percpu_threads.h"

enum { CAPACITY = THREADS_CAPACITY };

static const struct percpu_ops *member;
static struct cpu_map map;
static struct percpu percpu;
static cpu_set_t affinity;
static unsigned here;    /* the slot of the one CPU we are on */
static unsigned nowhere; /* a slot that no CPU has */

/* The machine's slots and one more: nothing is folded. */
static void make_slots(void)
{
	const struct cpu_options machine = { 0 };
	struct cpu_options options = { 0 };

	require(cpu_map_init(&map, &machine, &os_linux) == 0);
	options.cpus = map.cpu_slots + 1;
	require(cpu_map_init(&map, &options, &os_linux) == 0);
	require(percpu_init(&percpu, member, &map, CAPACITY, &os_linux) == 0);
	require(percpu.ops == member);
	nowhere = map.cpu_slots - 1;
}

static int set_up_anywhere(void **state)
{
	(void)state;
	require(sched_getaffinity(0, sizeof(affinity), &affinity) == 0);
	make_slots();
	return 0;
}

static int set_up_here(void **state)
{
	(void)set_up_anywhere(state);
	here = cpu_current().value;
	require(os_linux.pin_thread(here) == 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	percpu_fini(&percpu);
	require(sched_setaffinity(0, sizeof(affinity), &affinity) == 0);
	return 0;
}

static uint64_t take(void)
{
	uint64_t value = PERCPU_NO_VALUE;

	(void)!percpu_take(&percpu, &value);
	return value;
}

/* fill - push 0, 1, 2 ... */
static void fill(unsigned count)
{
	for (uint64_t value = 0; value < count; value++)
		require(percpu_push(&percpu, value));
}

/* drain_sum - how many there were, and their sum. */
static unsigned drain_sum(unsigned slot, uint64_t *sum)
{
	uint64_t values[CAPACITY];
	const unsigned count = percpu_drain(&percpu, slot, values);

	*sum = 0;
	for (unsigned i = 0; i < count; i++)
		*sum += values[i];
	return count;
}

static void the_last_pushed_is_the_first_taken(void **state)
{
	(void)state;
	assert_true(percpu_push(&percpu, 10));
	assert_true(percpu_push(&percpu, 11));
	assert_int_equal(take(), 11);
	assert_true(percpu_push(&percpu, 12));
	assert_int_equal(take(), 12);
	assert_int_equal(take(), 10);
}

static void the_table_and_the_inlined_are_one(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(member->push(&percpu, 10));
	assert_int_equal(take(), 10);
	assert_true(percpu_push(&percpu, 11));
	assert_true(member->take(&percpu, &value));
	assert_int_equal(value, 11);
}

static void zero_is_a_value_like_any_other(void **state)
{
	(void)state;
	assert_true(percpu_push(&percpu, 0));
	assert_int_equal(take(), 0);
	assert_true(percpu_push(&percpu, PERCPU_NO_VALUE - 1));
	assert_int_equal(take(), PERCPU_NO_VALUE - 1);
}

static void an_empty_slot_refuses_and_leaves_value_alone(void **state)
{
	uint64_t value = 77;

	(void)state;
	assert_false(percpu_take(&percpu, &value));
	assert_int_equal(value, 77);
	assert_int_equal(percpu_take_many(&percpu, &value, 1), 0);
}

static void a_full_slot_refuses(void **state)
{
	const uint64_t more = 98;

	(void)state;
	fill(CAPACITY);
	assert_false(percpu_push(&percpu, 99));
	assert_int_equal(percpu_push_many(&percpu, &more, 1), 0);
	assert_int_equal(take(), CAPACITY - 1);
	assert_true(percpu_push(&percpu, 99));
	assert_int_equal(take(), 99);
}

static void many_are_taken_newest_first(void **state)
{
	uint64_t values[CAPACITY];

	(void)state;
	fill(5);
	assert_int_equal(percpu_take_many(&percpu, values, 3), 3);
	assert_int_equal(values[0], 4);
	assert_int_equal(values[1], 3);
	assert_int_equal(values[2], 2);
	assert_int_equal(take(), 1);
}

static void no_more_are_taken_than_there_are(void **state)
{
	uint64_t values[CAPACITY] = { 0 };

	(void)state;
	fill(2);
	assert_int_equal(percpu_take_many(&percpu, values, CAPACITY), 2);
	assert_int_equal(values[0], 1);
	assert_int_equal(values[1], 0);
	assert_int_equal(take(), PERCPU_NO_VALUE);
}

static void many_are_pushed_as_one_after_the_other(void **state)
{
	const uint64_t values[] = { 20, 21, 22 };

	(void)state;
	fill(1);
	assert_int_equal(percpu_push_many(&percpu, values, 3), 3);
	assert_int_equal(take(), 22);
	assert_int_equal(take(), 21);
	assert_int_equal(take(), 20);
	assert_int_equal(take(), 0);
}

static void as_many_are_pushed_as_fit(void **state)
{
	const uint64_t values[] = { 20, 21, 22 };

	(void)state;
	fill(CAPACITY - 2);
	assert_int_equal(percpu_push_many(&percpu, values, 3), 2);
	assert_int_equal(take(), 21);
	assert_int_equal(take(), 20);
	assert_int_equal(take(), CAPACITY - 3);
}

static void a_stopped_slot_refuses_everything(void **state)
{
	uint64_t values[2] = { 5, 6 };

	(void)state;
	fill(1);
	assert_int_equal(percpu_stop(&percpu, here), 0);
	assert_false(percpu_push(&percpu, 9));
	assert_false(percpu_take(&percpu, values));
	assert_int_equal(percpu_push_many(&percpu, values, 2), 0);
	assert_int_equal(percpu_take_many(&percpu, values, 2), 0);
	percpu_start(&percpu, here);
	assert_int_equal(take(), 0);
	assert_int_equal(take(), PERCPU_NO_VALUE);
}

static void two_stops_need_two_starts(void **state)
{
	(void)state;
	assert_int_equal(percpu_stop(&percpu, here), 0);
	assert_int_equal(percpu_stop(&percpu, here), 0);
	percpu_start(&percpu, here);
	assert_false(percpu_push(&percpu, 9));
	percpu_start(&percpu, here);
	assert_true(percpu_push(&percpu, 9));
}

static void a_drain_takes_everything_once(void **state)
{
	uint64_t sum;

	(void)state;
	fill(CAPACITY);
	assert_int_equal(percpu_stop(&percpu, here), 0);
	assert_int_equal(drain_sum(here, &sum), CAPACITY);
	assert_int_equal(sum, CAPACITY * (CAPACITY - 1) / 2);
	assert_int_equal(drain_sum(here, &sum), 0);
	percpu_start(&percpu, here);
	assert_int_equal(take(), PERCPU_NO_VALUE);
}

static void a_drained_slot_can_be_filled_again(void **state)
{
	uint64_t values[CAPACITY];

	(void)state;
	fill(CAPACITY);
	assert_int_equal(percpu_take_all(&percpu, here, values), CAPACITY);
	fill(CAPACITY);
	assert_int_equal(percpu_take_all(&percpu, here, values), CAPACITY);
	assert_int_equal(percpu_take_all(&percpu, here, values), 0);
}

/* What a drain in the middle of another one finds. */
static uint64_t inner_sum;
static unsigned inner_count;
static void *outer_values;

static void drain_within(int number)
{
	(void)number;
	require(mprotect(outer_values, PAGE_SIZE, PROT_READ | PROT_WRITE) == 0);
	inner_count = drain_sum(here, &inner_sum);
}

/* The outer one is held up by the fault of its first write to `values`. */
static void of_two_drains_at_once_one_has_a_value(void **state)
{
	struct sigaction action = { .sa_handler = drain_within };
	struct sigaction before;

	(void)state;
	fill(CAPACITY);
	outer_values = os_linux.mmap_anon(PAGE_SIZE);
	assert_non_null(outer_values);
	assert_int_equal(percpu_stop(&percpu, here), 0);
	assert_int_equal(mprotect(outer_values, PAGE_SIZE, PROT_READ), 0);
	require(sigaction(SIGSEGV, &action, &before) == 0);

	const uint64_t *const values = outer_values;
	const unsigned count = percpu_drain(&percpu, here, outer_values);
	uint64_t sum = inner_sum;

	require(sigaction(SIGSEGV, &before, NULL) == 0);
	percpu_start(&percpu, here);
	for (unsigned i = 0; i < count; i++)
		sum += values[i];
	assert_int_equal(count + inner_count, CAPACITY);
	assert_int_equal(sum, CAPACITY * (CAPACITY - 1) / 2);
	os_linux.munmap_anon(outer_values, PAGE_SIZE);
}

static void slots_are_apart(void **state)
{
	uint64_t values[CAPACITY];

	(void)state;
	fill(2);
	assert_int_equal(percpu_stop(&percpu, nowhere), 0);
	assert_int_equal(percpu_drain(&percpu, nowhere, values), 0);
	assert_int_equal(take(), 1);
	percpu_start(&percpu, nowhere);
	assert_int_equal(take(), 0);
}

static void threads_never_share_or_lose_a_value(void **state)
{
	(void)state;
	threads_circulate(&percpu, THREADS_ALONE);
}

static void threads_that_are_moved_about_do_neither(void **state)
{
	(void)state;
	threads_circulate(&percpu, THREADS_SHAKEN);
}

static void nothing_is_lost_to_drainers_or_doubled_by_them(void **state)
{
	(void)state;
	threads_circulate(&percpu, THREADS_DRAINED);
}

static void a_drain_and_a_push_at_once_lose_and_double_nothing(void **state)
{
	(void)state;
	threads_meet(&percpu);
}

int percpu_contract_run(const char *name, const struct percpu_ops *ops)
{
#define ON_ONE_CPU(test) \
	cmocka_unit_test_setup_teardown(test, set_up_here, tear_down)
#define ON_ALL_CPUS(test) \
	cmocka_unit_test_setup_teardown(test, set_up_anywhere, tear_down)
	const struct CMUnitTest tests[] = {
		ON_ONE_CPU(the_last_pushed_is_the_first_taken),
		ON_ONE_CPU(the_table_and_the_inlined_are_one),
		ON_ONE_CPU(zero_is_a_value_like_any_other),
		ON_ONE_CPU(an_empty_slot_refuses_and_leaves_value_alone),
		ON_ONE_CPU(a_full_slot_refuses),
		ON_ONE_CPU(many_are_taken_newest_first),
		ON_ONE_CPU(no_more_are_taken_than_there_are),
		ON_ONE_CPU(many_are_pushed_as_one_after_the_other),
		ON_ONE_CPU(as_many_are_pushed_as_fit),
		ON_ONE_CPU(a_stopped_slot_refuses_everything),
		ON_ONE_CPU(two_stops_need_two_starts),
		ON_ONE_CPU(a_drain_takes_everything_once),
		ON_ONE_CPU(a_drained_slot_can_be_filled_again),
		ON_ONE_CPU(of_two_drains_at_once_one_has_a_value),
		ON_ONE_CPU(slots_are_apart),
		ON_ALL_CPUS(threads_never_share_or_lose_a_value),
		ON_ALL_CPUS(threads_that_are_moved_about_do_neither),
		ON_ALL_CPUS(a_drain_and_a_push_at_once_lose_and_double_nothing),
		ON_ALL_CPUS(nothing_is_lost_to_drainers_or_doubled_by_them),
	};

	member = ops;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
