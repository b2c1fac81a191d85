/* SPDX-License-Identifier: MIT */
/*
 * test_replay_snapshot.c - which snapshot belongs to a recording.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/replay_snapshot.h"

static void a_trace_has_a_snapshot_of_its_name(void **state)
{
	(void)state;
	char name[PATH_MAX];

	assert_true(replay_snapshot_name("a/b.trace", false, name));
	assert_string_equal(name, "a/b.vmallocinfo");
	assert_true(replay_snapshot_name("a/b.trace", true, name));
	assert_string_equal(name, "a/b.vmallocinfo.gz");
}

static void a_compressed_trace_may_have_a_plain_snapshot(void **state)
{
	(void)state;
	char name[PATH_MAX];

	assert_true(replay_snapshot_name("b.trace.gz", false, name));
	assert_string_equal(name, "b.vmallocinfo");
}

static void other_names_have_none(void **state)
{
	(void)state;
	static const char *const names[] = { "-",           "b",
					     "b.gz",        "b.perf-script.gz",
					     "b.trace.xz",  ".trace",
					     "a/.trace.gz", "" };
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(replay_snapshot_name(names[i], false, name));
}

static void what_is_not_there_is_not_found(void **state)
{
	(void)state;
	char name[PATH_MAX];

	replay_snapshot_find("/nowhere/b.trace", name);
	assert_string_equal(name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trace_has_a_snapshot_of_its_name),
		cmocka_unit_test(a_compressed_trace_may_have_a_plain_snapshot),
		cmocka_unit_test(other_names_have_none),
		cmocka_unit_test(what_is_not_there_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
