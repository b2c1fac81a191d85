/* SPDX-License-Identifier: MIT */
/*
 * schedule_depot.c - D1 to D4 of va/depot.h, under every schedule of two
 * threads that move batches of one number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule/arena.h"
#include "schedule/model_check.h"
#include "va/depot.h"

enum {
	ONE, /* the class of one page */
	TWO, /* and that of two */
	VALUES = 6,
	AMPLE = 100, /* pages: there is always room */
	SCARCE = 2,
};

static struct depot depot;
/* Where each number is: with whoever runs, or in the depot, in this class. */
static struct {
	bool is_in;
	unsigned size_class;
} place[VALUES];
static unsigned char contents[VALUES];
static unsigned taken; /* batches, by the thread that empties it */
static unsigned kept;  /* puts that found room */

static bool put(unsigned size_class, uint64_t value)
{
	schedule_require(!place[value].is_in);
	schedule_write(&contents[value]);
	place[value].is_in = true;
	place[value].size_class = size_class;
	if (depot_put(&depot, size_class, &value, 1)) {
		kept++;
		return true;
	}
	place[value].is_in = false;
	return false;
}

/* own - D2, and [depot-batch]: what the last owner did is seen. */
static void own(unsigned size_class, uint64_t value)
{
	schedule_require(value < VALUES);
	schedule_require(place[value].is_in);
	schedule_require(place[value].size_class == size_class);
	place[value].is_in = false;
	schedule_write(&contents[value]);
}

static bool take(unsigned size_class)
{
	uint64_t values[DEPOT_BATCH];
	const unsigned count = depot_take(&depot, size_class, values);

	schedule_require(count <= 1);
	if (count == 1)
		own(size_class, values[0]);
	return count == 1;
}

static void begin_with(uint64_t pages_max)
{
	arena_begin();
	schedule_require(depot_init(&depot, &arena_os, pages_max) == 0);
	for (unsigned i = 0; i < VALUES; i++)
		place[i].is_in = false;
	taken = 0;
	kept = 0;
}

/* Two batches in a class. */
static void begin_two(void)
{
	begin_with(AMPLE);
	schedule_require(put(ONE, 0));
	schedule_require(put(ONE, 1));
}

/* None, but two that are empty. */
static void begin_two_empty(void)
{
	begin_two();
	schedule_require(take(ONE));
	schedule_require(take(ONE));
}

static void begin_none(void)
{
	begin_with(AMPLE);
}

static void begin_scarce(void)
{
	begin_with(SCARCE);
}

/* All batches but one have been used, and are somewhere else. */
static void begin_used_up(void)
{
	begin_with(AMPLE);
	store_relaxed(&depot.fresh, DEPOT_BATCHES_MAX - 1);
}

static void drain(void)
{
	while (take(ONE) || take(TWO))
		continue;
	for (unsigned i = 0; i < VALUES; i++)
		schedule_require(!place[i].is_in);  /* D1 */
	schedule_require(depot_pages(&depot) == 0); /* D3 */
}

/* Each number once; and then each batch that was ever used, once. */
static void all_are_accounted_for(void)
{
	const uint32_t used = load_relaxed(&depot.fresh);

	drain();
	schedule_require(used <= VALUES);
	for (unsigned i = 0; i < used; i++)
		schedule_require(put(ONE, i));
	schedule_require(load_relaxed(&depot.fresh) == used);
	drain();
}

/* One is stopped in a pop; the other brings the top back, on another. */
static void pop_or_exchange(unsigned thread)
{
	if (thread == 0) {
		(void)take(ONE);
		return;
	}
	(void)take(ONE);
	(void)take(ONE);
	schedule_require(put(TWO, 2));
	schedule_require(put(ONE, 3));
}

static const struct schedule_case full_ones = {
	.name = "batches of a class are popped and pushed",
	.threads = 2,
	.begin = begin_two,
	.run = pop_or_exchange,
	.end = all_are_accounted_for,
};

static void put_or_exchange(unsigned thread)
{
	if (thread == 0) {
		schedule_require(put(ONE, 0));
		schedule_require(put(ONE, 1));
		return;
	}
	schedule_require(put(ONE, 2));
	schedule_require(put(TWO, 3));
	(void)take(ONE);
}

static const struct schedule_case empty_ones = {
	.name = "empty batches are popped and pushed",
	.threads = 2,
	.begin = begin_two_empty,
	.run = put_or_exchange,
	.end = all_are_accounted_for,
};

static void take_put_take(unsigned thread)
{
	if (thread == 2)
		schedule_require(put(ONE, 2));
	else
		(void)take(ONE);
}

static const struct schedule_case three = {
	.name = "two take beside one who puts",
	.threads = 3,
	.begin = begin_two,
	.run = take_put_take,
	.end = all_are_accounted_for,
};

static void take_one(unsigned thread)
{
	(void)thread;
	schedule_require(take(ONE));
}

static const struct schedule_case takers_get_what_is_there = {
	.name = "as many as there are batches get one each",
	.threads = 2,
	.begin = begin_two,
	.run = take_one,
};

static void put_more_than_fits(unsigned thread)
{
	if (thread == 0) {
		(void)put(TWO, 0);
		(void)take(TWO);
		(void)put(ONE, 1);
	} else {
		(void)put(ONE, 2);
		(void)put(ONE, 3);
	}
}

/* D3: counted before it is there, and until it is gone. */
static void is_bounded(unsigned thread)
{
	uint64_t pages;

	(void)thread;
	__builtin_memcpy(&pages, (const void *)&depot.pages, sizeof(pages));
	/* With a reservation of each thread that will be refused. */
	schedule_require(pages <= SCARCE + 2 + 1);
}

static void no_more_than_fits(void)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < VALUES; i++) {
		if (place[i].is_in)
			pages += class_pages(place[i].size_class);
	}
	schedule_require(pages <= SCARCE);
	schedule_require(depot_pages(&depot) == pages);
	drain();
}

static const struct schedule_case bounded = {
	.name = "the depot holds no more than it may",
	.threads = 2,
	.begin = begin_scarce,
	.run = put_more_than_fits,
	.end = no_more_than_fits,
	.watch = is_bounded,
};

static void put_one(unsigned thread)
{
	(void)put(ONE, thread);
}

static void one_has_found_room(void)
{
	schedule_require(kept == 1);
	drain();
}

static const struct schedule_case last_batch = {
	.name = "the last batch goes to one",
	.threads = 2,
	.begin = begin_used_up,
	.run = put_one,
	.end = one_has_found_room,
};

/* D4: what is counted was met, or the count has moved. */
static void empty_or_put(unsigned thread)
{
	uint64_t before;
	uint64_t after;
	unsigned ended;

	if (thread == 1) {
		schedule_require(put(ONE, 0));
		schedule_require(put(ONE, 1));
		return;
	}
	do {
		before = depot_puts(&depot);
		while (take(ONE))
			taken++;
		/* A step, before which the other may end a put. */
		(void)depot_pages(&depot);
		ended = kept;
		after = depot_puts(&depot);
	} while (before != after);
	schedule_require(taken >= after);
	/* A put has been counted when it ends. */
	schedule_require(schedule_has_ages() || taken >= ended);
}

static const struct schedule_case emptied = {
	.name = "an emptied depot that has not moved is empty",
	.threads = 2,
	.begin = begin_none,
	.run = empty_or_put,
	.end = all_are_accounted_for,
};

static void no_batch_is_lost_or_taken_twice(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.ages = 1,
		.seeds = 5000,
	};
	static const struct model_plan shallow = {
		.preemptions = 2,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&full_ones, &plan);
	model_check(&empty_ones, &plan);
	model_check(&three, &shallow);
}

static void a_refusal_is_never_for_nothing(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 4,
	};

	(void)state;
	model_check(&takers_get_what_is_there, &plan);
	model_check(&last_batch, &plan);
}

static void the_depot_is_bounded(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.seeds = 5000,
	};

	(void)state;
	model_check(&bounded, &plan);
}

static void a_move_is_told(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 3,
		.seeds = 5000,
	};
	static const struct model_plan late = {
		.preemptions = 3,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&emptied, &plan);
	model_check(&emptied, &late);
}

static void nobody_waits_for_a_stopped_thread(void **state)
{
	static const struct model_plan plan = { .stop_preemptions = 1 };

	(void)state;
	model_check_stopped(&full_ones, &plan);
	model_check_stopped(&empty_ones, &plan);
	model_check_stopped(&three, &plan);
	model_check_stopped(&emptied, &plan);
}

static void each_order_is_needed(void **state)
{
	static const struct schedule_case *const cases[] = {
		&full_ones,
		&emptied,
		NULL,
	};
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .preemptions = 2, .ages = 1 },
		.source = "depot.c",
	};

	(void)state;
	model_check_orders(&orders);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_batch_is_lost_or_taken_twice),
		cmocka_unit_test(a_refusal_is_never_for_nothing),
		cmocka_unit_test(the_depot_is_bounded),
		cmocka_unit_test(a_move_is_told),
		cmocka_unit_test(nobody_waits_for_a_stopped_thread),
		cmocka_unit_test(each_order_is_needed),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_depot", tests, NULL, NULL);
}
