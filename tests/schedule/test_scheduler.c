/* SPDX-License-Identifier: MIT */
/*
 * test_scheduler.c - the scheduler finds what it is there to find.
 *
 * The classic mistakes, each with its repair: what finds the one must not find
 * the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "schedule/model_check.h"
#include "schedule/search.h"

enum {
	NODES = 3,
	NONE = 0, /* nodes count from 1 */
	TAG_SHIFT = 8,
	SEEDS = 20000,
	PCT_DEPTH = 3,
};

/* A stack of nodes by number, with or without a tag beside the top. */
static _Atomic(uint32_t) top;
static _Atomic(uint32_t) next_of[NODES + 1];
static uint32_t tag_step;
static unsigned owners[NODES + 1];

static void begin_stack(uint32_t step)
{
	tag_step = step;
	atomic_init(&top, 1);
	for (uint32_t i = 1; i <= NODES; i++) {
		atomic_init(&next_of[i], i < NODES ? i + 1 : NONE);
		owners[i] = 0;
	}
}

static void begin_untagged(void)
{
	begin_stack(0);
}

static void begin_tagged(void)
{
	begin_stack(1u << TAG_SHIFT);
}

static uint32_t node_in(uint32_t word)
{
	return word & ((1u << TAG_SHIFT) - 1);
}

static uint32_t word_of(uint32_t before, uint32_t node)
{
	return ((before & ~((1u << TAG_SHIFT) - 1)) + tag_step) | node;
}

static uint32_t pop(void)
{
	uint32_t old = load_acquire(&top);
	uint32_t node;

	do {
		node = node_in(old);
		if (node == NONE)
			return NONE;
	} while (!cas_acq_rel(&top, &old,
			      word_of(old, load_relaxed(&next_of[node]))));
	schedule_require(owners[node] == 0);
	owners[node]++;
	return node;
}

static void push(uint32_t node)
{
	uint32_t old = load_relaxed(&top);

	if (node == NONE)
		return;
	owners[node]--;
	do {
		store_relaxed(&next_of[node], node_in(old));
	} while (!cas_release(&top, &old, word_of(old, node)));
}

static void pop_pop_push_push(unsigned thread)
{
	const uint32_t first = pop();
	const uint32_t second = pop();

	(void)thread;
	push(first);
	push(second);
}

static void all_nodes_are_there(void)
{
	unsigned found = 0;

	for (uint32_t node = node_in(load_relaxed(&top)); node != NONE;
	     node = load_relaxed(&next_of[node])) {
		schedule_require(owners[node] == 0);
		schedule_require(++found <= NODES);
	}
	schedule_require(found == NODES);
}

static const struct schedule_case untagged = {
	.name = "a stack without a tag",
	.threads = 2,
	.begin = begin_untagged,
	.run = pop_pop_push_push,
	.end = all_nodes_are_there,
};

static const struct schedule_case tagged = {
	.name = "a stack with a tag",
	.threads = 2,
	.begin = begin_tagged,
	.run = pop_pop_push_push,
	.end = all_nodes_are_there,
};

static void dice_find_a_missing_tag(void **state)
{
	const struct search search = {
		.kind = SEARCH_RANDOM,
		.schedules = SEEDS,
	};

	(void)state;
	assert_non_null(search_run(&untagged, &search).failure);
	assert_null(search_run(&tagged, &search).failure);
}

static void priorities_find_a_missing_tag(void **state)
{
	const struct search search = {
		.kind = SEARCH_PCT,
		.schedules = SEEDS,
		.bound = PCT_DEPTH,
	};

	(void)state;
	assert_non_null(search_run(&untagged, &search).failure);
	assert_null(search_run(&tagged, &search).failure);
}

static void two_preemptions_find_a_missing_tag_and_one_does_not(void **state)
{
	struct search search = { .kind = SEARCH_DFS, .bound = 1 };
	struct search_result result = search_run(&untagged, &search);

	(void)state;
	assert_null(result.failure);
	assert_true(result.is_exhausted);
	search.bound = 2;
	result = search_run(&untagged, &search);
	assert_non_null(result.failure);
	assert_false(result.is_exhausted);
}

static void a_tagged_stack_passes_every_schedule_of_three(void **state)
{
	const struct search search = { .kind = SEARCH_DFS, .bound = 3 };
	const struct search_result result = search_run(&tagged, &search);

	(void)state;
	assert_null(result.failure);
	assert_true(result.is_exhausted);
}

static void a_tagged_stack_is_lock_free(void **state)
{
	const struct model_plan plan = { .stop_preemptions = 1 };

	(void)state;
	model_check_stopped(&tagged, &plan);
}

/* Two threads add one each. */
static _Atomic(unsigned) sum;

static void begin_sum(void)
{
	atomic_init(&sum, 0);
}

static void add_in_two_steps(unsigned thread)
{
	(void)thread;
	store_relaxed(&sum, load_relaxed(&sum) + 1);
}

static void add_in_one_step(unsigned thread)
{
	(void)thread;
	add_relaxed(&sum, 1);
}

static void both_were_added(void)
{
	schedule_require(load_relaxed(&sum) == 2);
}

static const struct schedule_case lost_update = {
	.name = "a sum in two steps",
	.threads = 2,
	.begin = begin_sum,
	.run = add_in_two_steps,
	.end = both_were_added,
};

static const struct schedule_case kept_update = {
	.name = "a sum in one step",
	.threads = 2,
	.begin = begin_sum,
	.run = add_in_one_step,
	.end = both_were_added,
};

static void a_lost_update_is_found_by_each_search(void **state)
{
	(void)state;
	for (int kind = SEARCH_RANDOM; kind <= SEARCH_DFS; kind++) {
		const struct search search = {
			.kind = (enum search_kind)kind,
			.schedules = SEEDS,
			.bound = 1,
		};

		assert_non_null(search_run(&lost_update, &search).failure);
		assert_null(search_run(&kept_update, &search).failure);
	}
}

static void every_schedule_is_tried_once(void **state)
{
	const struct search search = {
		.kind = SEARCH_DFS,
		.bound = SEARCH_ALL,
	};
	const struct search_result result = search_run(&kept_update, &search);

	(void)state;
	/*
	 * Who begins, whether it goes on before its only step, and, where it
	 * does not, whether the other does: a then b, b then a; each twice, as
	 * the first may stand before its step when the second runs.
	 */
	assert_true(result.is_exhausted);
	assert_int_equal(result.schedules, 6);
}

static void a_failed_schedule_fails_again(void **state)
{
	struct search search = { .kind = SEARCH_RANDOM, .schedules = SEEDS };
	const struct search_result first = search_run(&untagged, &search);

	(void)state;
	search.first_seed = first.seed;
	search.schedules = 1;
	const struct search_result by_seed = search_run(&untagged, &search);
	assert_non_null(by_seed.failure);
	assert_string_equal(by_seed.text, first.text);

	const struct search_result by_text =
		search_replay(&untagged, &search, first.text);
	assert_ptr_equal(by_text.failure, first.failure);
	assert_string_equal(by_text.text, first.text);
}

/* A lock of one word; what it guards is plain. */
static _Atomic(bool) is_locked;
static unsigned guarded;

static void begin_lock(void)
{
	atomic_init(&is_locked, false);
	guarded = 0;
}

static void lock(void)
{
	while (swap_acquire(&is_locked, true))
		cpu_relax();
}

static void unlock(void)
{
	store_release(&is_locked, false);
}

static void add_locked(unsigned thread)
{
	(void)thread;
	lock();
	schedule_write(&guarded);
	guarded++;
	unlock();
}

static const struct schedule_case spin_lock = {
	.name = "a spin lock",
	.threads = 3,
	.begin = begin_lock,
	.run = add_locked,
};

static void a_spin_lock_keeps_apart_and_comes_to_an_end(void **state)
{
	const struct model_plan plan = {
		.preemptions = 2,
		.ages = 1,
		.seeds = 1000,
	};

	(void)state;
	model_check(&spin_lock, &plan);
}

static void a_spin_lock_is_not_lock_free(void **state)
{
	struct search search = {
		.kind = SEARCH_DFS,
		.stop_is_on = true,
		.stop_thread = 1,
	};

	(void)state;
	/* Not inside yet: before its exchange. */
	assert_null(search_run(&spin_lock, &search).failure);
	search.stop_step = 1;
	assert_string_equal(search_run(&spin_lock, &search).failure,
			    "a thread waits for the stopped one");
}

static void each_order_of_a_spin_lock_is_needed(void **state)
{
	static const struct schedule_case *const cases[] = { &spin_lock, NULL };
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .preemptions = 1 },
		.source = "test_scheduler.c",
	};

	(void)state;
	model_check_orders(&orders);
}

static void lock_never_unlock(unsigned thread)
{
	(void)thread;
	lock();
}

static const struct schedule_case dead_lock = {
	.name = "a lock that is not given back",
	.threads = 2,
	.begin = begin_lock,
	.run = lock_never_unlock,
};

static void a_dead_lock_is_found(void **state)
{
	const struct model_plan plan = { .seeds = 1 };

	(void)state;
	model_find(&dead_lock, &plan, "wait for each other");
}

/* Each waits until the other's word is as its own was: they swap for ever. */
static void undo_each_other(unsigned thread)
{
	for (;;) {
		unsigned seen = load_relaxed(&sum);

		if (seen % 2 != thread)
			(void)cas_relaxed(&sum, &seen, seen + 1);
	}
}

static const struct schedule_case live_lock = {
	.name = "two who undo each other",
	.threads = 2,
	.begin = begin_sum,
	.run = undo_each_other,
};

static void a_live_lock_is_found(void **state)
{
	const struct model_plan plan = { .seeds = 1 };

	(void)state;
	model_find(&live_lock, &plan, "there is no end");
}

static void fail_an_assertion(unsigned thread)
{
	add_relaxed(&sum, 1);
	require(thread == 0 || load_relaxed(&sum) == 2);
}

static const struct schedule_case failed_assertion = {
	.name = "code whose assertion fails",
	.threads = 2,
	.begin = begin_sum,
	.run = fail_an_assertion,
};

static void a_failed_assertion_is_a_failed_schedule(void **state)
{
	const struct model_plan plan = { .seeds = 1 };

	(void)state;
	model_find(&failed_assertion, &plan, "abort");
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dice_find_a_missing_tag),
		cmocka_unit_test(priorities_find_a_missing_tag),
		cmocka_unit_test(
			two_preemptions_find_a_missing_tag_and_one_does_not),
		cmocka_unit_test(a_tagged_stack_passes_every_schedule_of_three),
		cmocka_unit_test(a_tagged_stack_is_lock_free),
		cmocka_unit_test(a_lost_update_is_found_by_each_search),
		cmocka_unit_test(every_schedule_is_tried_once),
		cmocka_unit_test(a_failed_schedule_fails_again),
		cmocka_unit_test(a_spin_lock_keeps_apart_and_comes_to_an_end),
		cmocka_unit_test(a_spin_lock_is_not_lock_free),
		cmocka_unit_test(each_order_of_a_spin_lock_is_needed),
		cmocka_unit_test(a_dead_lock_is_found),
		cmocka_unit_test(a_live_lock_is_found),
		cmocka_unit_test(a_failed_assertion_is_a_failed_schedule),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
