/* SPDX-License-Identifier: MIT */
/*
 * schedule_cache.c - C1 and C4 of va/hole_cache.h, with stocks of four numbers
 * of the member `cas`, under every schedule of two or three threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule/arena.h"
#include "schedule/model_check.h"
#include "va/hole_cache.h"

enum { ONE, VALUES = 10, CAPACITY = 4, DEPOT_PAGES = 100 };

static const struct cpu_map one_cpu = { .cpus = 1, .cpu_slots = 1 };
static struct hole_cache cache;
static enum place { OWNED, GIVEN } place[VALUES];
static unsigned char contents[VALUES];
static unsigned given;   /* gives that ended */
static unsigned drained; /* numbers that drains have found */

/* base/cpu.h for this program: all threads run on one CPU. */
struct cpu_id cpu_current(void)
{
	return (struct cpu_id){ 0 };
}

/* own - C1, and what was done before the give is seen. */
static void own(uint64_t value)
{
	schedule_require(value < VALUES);
	schedule_require(place[value] == GIVEN);
	place[value] = OWNED;
	schedule_write(&contents[value]);
}

static void own_spilt(const struct hole_spill *spill)
{
	for (unsigned i = 0; i < spill->count; i++)
		own(spill->values[i]);
}

static void give(uint64_t value)
{
	struct hole_spill spill;

	schedule_write(&contents[value]);
	place[value] = GIVEN;
	if (!hole_cache_give(&cache, ONE, value)) {
		hole_cache_spill(&cache, ONE, value, &spill);
		own_spilt(&spill);
	}
	given++;
}

static void take(void)
{
	struct hole_spill spill;
	uint64_t value;

	if (hole_cache_take(&cache, ONE, &value)) {
		own(value);
	} else if (hole_cache_refill(&cache, ONE, &value, &spill)) {
		own(value);
		own_spilt(&spill);
	}
}

static void sink(void *context, const uint64_t *values, unsigned count)
{
	(void)context;
	drained += count;
	for (unsigned i = 0; i < count; i++)
		own(values[i]);
}

static void begin_with(unsigned count)
{
	const struct hole_cache_config config = {
		.os = &arena_os,
		.cpus = &one_cpu,
		.percpu = &percpu_cas,
		.capacity = CAPACITY,
		.depot_pages_max = DEPOT_PAGES,
	};

	arena_begin();
	cache = (struct hole_cache){ 0 };
	schedule_require(hole_cache_init(&cache, &config) == 0);
	for (unsigned i = 0; i < VALUES; i++)
		place[i] = OWNED;
	for (unsigned i = 0; i < count; i++)
		give(i);
	given = 0;
	drained = 0;
}

static void begin_empty(void)
{
	begin_with(0);
}

static void begin_full(void)
{
	begin_with(CAPACITY);
}

/* A batch in the depot, and some in the stock. */
static void begin_spilt(void)
{
	begin_with(CAPACITY + 1);
}

/* A batch in the depot, and none in the stock. */
static void begin_batch(void)
{
	const uint64_t batch[] = { 0, 1 };

	begin_with(0);
	place[0] = GIVEN;
	place[1] = GIVEN;
	schedule_require(depot_put(&cache.depot, ONE, batch, 2));
}

static void all_are_accounted_for(void)
{
	hole_cache_drain(&cache, sink, NULL);
	for (unsigned i = 0; i < VALUES; i++)
		schedule_require(place[i] == OWNED);
	schedule_require(depot_pages(&cache.depot) == 0);
}

static void give_or_take(unsigned thread)
{
	if (thread == 0) {
		give(CAPACITY);
		give(CAPACITY + 1);
	} else {
		take();
		take();
		take();
	}
}

static const struct schedule_case spilt_and_refilled = {
	.name = "one gives more than fits, one takes all",
	.threads = 2,
	.begin = begin_full,
	.run = give_or_take,
	.end = all_are_accounted_for,
};

static void take_and_give(unsigned thread)
{
	if (thread == 0) {
		take();
		return;
	}
	give(2 * thread);
	give(2 * thread + 1);
}

static const struct schedule_case refilled = {
	.name = "a stock is refilled beside two who give",
	.threads = 3,
	.begin = begin_batch,
	.run = take_and_give,
	.end = all_are_accounted_for,
};

static void give_or_drain(unsigned thread)
{
	if (thread == 0) {
		give(CAPACITY + 1);
		take();
	} else {
		hole_cache_drain(&cache, sink, NULL);
	}
}

static const struct schedule_case drained_beside = {
	.name = "a cache is drained beside a give and a take",
	.threads = 2,
	.begin = begin_spilt,
	.run = give_or_drain,
	.end = all_are_accounted_for,
};

/* C4: until two drains have found nothing, and nothing has moved. */
static void close_and_empty(void)
{
	uint64_t moved;
	unsigned before;
	unsigned ended; /* gives, between the two */

	schedule_require(hole_cache_close(&cache));
	do {
		moved = hole_cache_moved(&cache);
		before = drained;
		hole_cache_drain(&cache, sink, NULL);
		ended = given;
		hole_cache_drain(&cache, sink, NULL);
	} while (drained != before || hole_cache_moved(&cache) != moved);
	schedule_require(schedule_has_ages() || drained >= ended);
	hole_cache_open(&cache);
}

static void give_or_empty(unsigned thread)
{
	if (thread == 0) {
		close_and_empty();
	} else {
		give(0);
		give(1);
	}
}

static const struct schedule_case emptied = {
	.name = "a closed cache that has not moved is empty",
	.threads = 2,
	.begin = begin_empty,
	.run = give_or_empty,
	.end = all_are_accounted_for,
};

static void no_number_is_lost_or_taken_twice(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 2,
		.seeds = 5000,
	};
	static const struct model_plan late = {
		.preemptions = 1,
		.ages = 1,
		.seeds = 1000,
	};

	(void)state;
	model_check(&spilt_and_refilled, &plan);
	model_check(&spilt_and_refilled, &late);
	model_check(&refilled, &plan);
	model_check(&drained_beside, &plan);
}

static void a_closed_cache_is_emptied(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 2,
		.seeds = 1000,
	};

	(void)state;
	model_check(&emptied, &plan);
}

static void nobody_waits_for_a_stopped_thread(void **state)
{
	static const struct model_plan plan = { .stop_preemptions = 0 };

	(void)state;
	model_check_stopped(&spilt_and_refilled, &plan);
	model_check_stopped(&refilled, &plan);
	model_check_stopped(&emptied, &plan);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_number_is_lost_or_taken_twice),
		cmocka_unit_test(a_closed_cache_is_emptied),
		cmocka_unit_test(nobody_waits_for_a_stopped_thread),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_cache", tests, NULL, NULL);
}
