/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/message.h"
#include "common/placement.h"
#include "common/quota.h"

/* Two packages of two cores with two hardware threads each. */
#define MACHINE "package:2 core:2 pu:2"

enum { CPUS = 8, ROOM = 32 };

static int plan(const char *pin, unsigned threads, bool oversubscribe,
		int *cpus)
{
	struct placement *placement = placement_make(MACHINE);
	const struct placement_request request = { pin, threads,
						   oversubscribe };

	assert_non_null(placement);

	const int error = placement_plan(placement, &request, cpus);

	placement_free(placement);
	return error;
}

static void compact_fills_a_core_before_the_next(void **state)
{
	(void)state;
	int cpus[ROOM];

	assert_int_equal(plan("compact", 5, false, cpus), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(cpus[i], i);
}

static void scatter_uses_each_package_before_the_next_core(void **state)
{
	(void)state;
	int cpus[ROOM];

	assert_int_equal(plan("scatter", 2, false, cpus), 0);
	assert_int_equal(cpus[0] / 4, 0);
	assert_int_equal(cpus[1] / 4, 1);
	assert_int_equal(plan("scatter", 4, false, cpus), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(cpus[i] / 2, i);
}

static void scatter_uses_every_cpu_once(void **state)
{
	(void)state;
	int cpus[ROOM];
	unsigned seen = 0;

	assert_int_equal(plan("scatter", CPUS, false, cpus), 0);
	for (int i = 0; i < CPUS; i++)
		seen |= 1u << cpus[i];
	assert_int_equal(seen, 0xff);
}

static void none_pins_nobody(void **state)
{
	(void)state;
	int cpus[ROOM];

	assert_int_equal(plan("none", 2, false, cpus), 0);
	assert_int_equal(cpus[0], PLACEMENT_ANY);
	assert_int_equal(cpus[1], PLACEMENT_ANY);
}

static void a_list_is_taken_in_its_order(void **state)
{
	(void)state;
	int cpus[ROOM];

	assert_int_equal(plan("6,2-3", 3, false, cpus), 0);
	assert_int_equal(cpus[0], 6);
	assert_int_equal(cpus[1], 2);
	assert_int_equal(cpus[2], 3);
}

static void a_cpu_that_is_not_there_is_refused(void **state)
{
	(void)state;
	int cpus[ROOM];

	assert_int_equal(plan("0,8", 1, false, cpus), -EINVAL);
	assert_non_null(strstr(message_text(), "CPU 8"));
}

static void threads_never_wrap_round_in_silence(void **state)
{
	(void)state;
	int cpus[ROOM];

	assert_int_equal(plan("compact", CPUS + 1, false, cpus), -EINVAL);
	assert_int_equal(plan("0,1", 3, false, cpus), -EINVAL);
	assert_non_null(strstr(message_text(), "--oversubscribe"));
	assert_int_equal(plan("compact", CPUS + 1, true, cpus), 0);
	assert_int_equal(cpus[CPUS], 0);
	assert_int_equal(plan("scatter", CPUS + 1, true, cpus), 0);
	assert_int_equal(cpus[CPUS], cpus[0]);
	assert_int_equal(plan("0,1", 3, true, cpus), 0);
	assert_int_equal(cpus[2], 0);
}

static void a_policy_that_does_not_exist_is_refused(void **state)
{
	(void)state;
	int cpus[ROOM];

	assert_int_equal(plan("compactly", 1, false, cpus), -EINVAL);
	assert_false(placement_is_pin("3-1"));
	assert_false(placement_is_pin("1,,2"));
	assert_false(placement_is_pin("1,"));
	assert_false(placement_is_pin(""));
	assert_true(placement_is_pin("0,2,4-6"));
}

static void this_machine_gives_the_cpus_that_may_be_used(void **state)
{
	(void)state;
	struct placement *placement = placement_make(NULL);
	const struct placement_request request = { "compact", 1, false };
	int cpu = PLACEMENT_ANY;
	cpu_set_t set;

	assert_non_null(placement);
	assert_int_equal(placement_cpus(placement), placement_allowed_cpus());
	assert_int_equal(placement_plan(placement, &request, &cpu), 0);
	assert_int_equal(placement_bind(placement, cpu), 0);
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	assert_int_equal(CPU_COUNT(&set), 1);
	assert_true(CPU_ISSET((size_t)cpu, &set));
	placement_free(placement);
	assert_int_equal(placement_allowed_cpus(), 1);
}

static void a_quota_is_cpus_of_time(void **state)
{
	(void)state;
	assert_true(quota_read("150000 100000\n") == 1.5);
	assert_true(quota_read("max 100000\n") == 0);
	assert_true(quota_read("-1 100000") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compact_fills_a_core_before_the_next),
		cmocka_unit_test(
			scatter_uses_each_package_before_the_next_core),
		cmocka_unit_test(scatter_uses_every_cpu_once),
		cmocka_unit_test(none_pins_nobody),
		cmocka_unit_test(a_list_is_taken_in_its_order),
		cmocka_unit_test(a_cpu_that_is_not_there_is_refused),
		cmocka_unit_test(threads_never_wrap_round_in_silence),
		cmocka_unit_test(a_policy_that_does_not_exist_is_refused),
		cmocka_unit_test(a_quota_is_cpus_of_time),
		/* Last: it pins this process. */
		cmocka_unit_test(this_machine_gives_the_cpus_that_may_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
