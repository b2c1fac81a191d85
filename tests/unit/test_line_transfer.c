/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/line_rule.h"
#include "harness/bench_clock.h"
#include "harness/line_transfer.h"

/* Two threads on a busy machine may need a turn to meet. */
enum { TURNS = 200 };

static void *return_main(void *argument)
{
	line_return(argument);
	return NULL;
}

static uint64_t probe(void)
{
	static struct line_transfer line;
	pthread_t other;

	memset(&line, 0, sizeof(line));
	assert_int_equal(pthread_create(&other, NULL, return_main, &line), 0);

	const uint64_t ns = line_serve(&line);

	assert_int_equal(pthread_join(other, NULL), 0);
	return ns;
}

static void two_threads_know_how_long_a_line_takes(void **state)
{
	uint64_t ns = 0;

	(void)state;
	for (unsigned turn = 0; turn < TURNS && ns == 0; turn++)
		ns = probe();
	assert_in_range(ns, 1, LINE_LIMIT_NS / LINE_ROUND_TRIPS);
}

static void a_server_alone_gives_up(void **state)
{
	static struct line_transfer line;

	(void)state;
	assert_int_equal(line_serve(&line), 0);
}

/* Leaves in the second batch. */
static void *leave_main(void *argument)
{
	struct line_transfer *line = argument;

	for (unsigned trip = 0; trip < LINE_ROUND_TRIPS + 1; trip++) {
		/* relaxed: as in line_return(). */
		while (load_relaxed(&line->ball) != 2 * trip + 1)
			if (load_relaxed(&line->ball) > 2 * trip + 1)
				return NULL;
		/* relaxed: as above. */
		store_relaxed(&line->ball, 2 * trip + 2);
	}
	return NULL;
}

static void who_leaves_early_leaves_nothing_known(void **state)
{
	static struct line_transfer line;
	pthread_t other;

	(void)state;
	assert_int_equal(pthread_create(&other, NULL, leave_main, &line), 0);
	assert_int_equal(line_serve(&line), 0);
	assert_int_equal(pthread_join(other, NULL), 0);
}

static void a_returner_alone_gives_up(void **state)
{
	static struct line_transfer line;

	(void)state;
	line_return(&line);
	/* relaxed: nobody else is there. */
	assert_int_equal(load_relaxed(&line.ball), 0);
}

static void who_comes_when_all_is_over_leaves_at_once(void **state)
{
	static struct line_transfer line;

	(void)state;
	assert_int_equal(line_serve(&line), 0);

	/* relaxed: nobody else is there. */
	const unsigned over = load_relaxed(&line.ball);

	line_return(&line);
	/* relaxed: as above. */
	assert_int_equal(load_relaxed(&line.ball), over);
}

static void the_mean_is_of_what_is_known(void **state)
{
	(void)state;
	assert_int_equal(line_mean_ns(80, 90), 85);
	assert_int_equal(line_mean_ns(0, 90), 90);
	assert_int_equal(line_mean_ns(80, 0), 80);
	assert_int_equal(line_mean_ns(0, 0), 0);
}

static void apart_is_more_than_half_as_much_again(void **state)
{
	(void)state;
	assert_false(line_is_apart(80, 120));
	assert_true(line_is_apart(80, 121));
	assert_true(line_is_apart(121, 80));
	assert_false(line_is_apart(0, 80));
	assert_false(line_is_apart(80, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_threads_know_how_long_a_line_takes),
		cmocka_unit_test(a_server_alone_gives_up),
		cmocka_unit_test(who_leaves_early_leaves_nothing_known),
		cmocka_unit_test(a_returner_alone_gives_up),
		cmocka_unit_test(who_comes_when_all_is_over_leaves_at_once),
		cmocka_unit_test(the_mean_is_of_what_is_known),
		cmocka_unit_test(apart_is_more_than_half_as_much_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
