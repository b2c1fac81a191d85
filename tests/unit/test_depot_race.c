/* SPDX-License-Identifier: MIT */
/*
 * test_depot_race.c - somebody else comes between two steps of one.
 *
 * The depot is compiled here once more, to be interrupted at its loads.
 */
#include "interrupted.h"

#include "../../engine/va/depot.c"
#include "va_world.h"

enum { CLASS = 3, MANY_PAGES = 1 << 30 };

static struct depot depot;
static uint64_t others_value;
static unsigned others_count;

static void depot_begin(void)
{
	loads_left = 0;
	assert_int_equal(depot_init(&depot, &os_linux, MANY_PAGES), 0);
}

static void put(uint64_t value)
{
	assert_true(depot_put(&depot, CLASS, &value, 1));
}

/* take - the number of a batch of one; 0: there is none. */
static uint64_t take(void)
{
	uint64_t values[DEPOT_BATCH];
	const unsigned count = depot_take(&depot, CLASS, values);

	assert_true(count <= 1);
	return count == 1 ? values[0] : 0;
}

static void other_takes(void)
{
	others_value = take();
}

/* The batch on top lies there again, but what was below it is gone. */
static void other_takes_two_and_puts_one_back(void)
{
	const uint64_t top = take();

	others_value = take();
	/* In the batch that was on top, not the one that was below. */
	assert_true(stack_pop(&depot, &depot.empty) != 0);
	put(top);
}

static void other_puts(void)
{
	put(9);
}

/* takes - with the other after the nth load; false: there is no nth. */
static bool takes(unsigned nth, void (*others)(void), unsigned *met)
{
	uint64_t value;
	bool came;

	depot_begin();
	put(1);
	put(2);
	others_value = 0;
	other = others;
	loads_left = nth;
	*met = 0;
	value = take();
	came = loads_left == 0;
	loads_left = 0;
	/* Whatever is there, each once. */
	for (; value != 0; value = take()) {
		assert_false(*met & 1u << value);
		*met |= 1u << value;
	}
	if (others_value != 0) {
		assert_false(*met & 1u << others_value);
		*met |= 1u << others_value;
	}
	assert_int_equal(depot_pages(&depot), 0);
	depot_fini(&depot);
	return came;
}

static void a_take_that_is_interrupted_has_what_nobody_else_has(void **state)
{
	unsigned nth;
	unsigned met;

	(void)state;
	for (nth = 1; takes(nth, other_takes, &met); nth++)
		assert_int_equal(met, 1 << 1 | 1 << 2);
	assert_true(nth > 2);
	for (nth = 1; takes(nth, other_puts, &met); nth++)
		assert_int_equal(met, 1 << 1 | 1 << 2 | 1 << 9);
	assert_true(nth > 2);
}

static void a_take_whose_top_came_back_begins_again(void **state)
{
	unsigned met;

	(void)state;
	/* After the look at the top, and after the one at its link. */
	assert_true(takes(1, other_takes_two_and_puts_one_back, &met));
	assert_int_equal(met, 1 << 1 | 1 << 2);
	assert_true(takes(2, other_takes_two_and_puts_one_back, &met));
	assert_int_equal(met, 1 << 1 | 1 << 2);
}

static void other_puts_and_counts(void)
{
	const uint64_t value = 9;

	others_count += depot_put(&depot, CLASS, &value, 1);
}

/* One batch is left, and two want it. */
static void the_last_batch_is_had_once(void **state)
{
	const uint64_t value = 7;

	(void)state;
	for (unsigned nth = 1; nth <= 3; nth++) {
		depot_begin();
		for (unsigned i = 1; i < DEPOT_BATCHES_MAX; i++)
			put(1);
		others_count = 0;
		other = other_puts_and_counts;
		loads_left = nth;
		others_count += depot_put(&depot, CLASS, &value, 1);
		assert_int_equal(loads_left, 0);
		assert_int_equal(others_count, 1);
		assert_int_equal(depot_pages(&depot),
				 DEPOT_BATCHES_MAX * class_pages(CLASS));
		/* Who is refused does not move the count for ever. */
		for (unsigned i = 0; i < 3; i++)
			assert_false(depot_put(&depot, CLASS, &value, 1));
		assert_true(load_relaxed(&depot.fresh) <=
			    DEPOT_BATCHES_MAX + 1);
		depot_fini(&depot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_take_that_is_interrupted_has_what_nobody_else_has),
		cmocka_unit_test(a_take_whose_top_came_back_begins_again),
		cmocka_unit_test(the_last_batch_is_had_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
