/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "cmd/flags.h"

static const struct flag table[] = {
	{ "strategy", "NAME", "which" },
	{ "dry-run", NULL, "nothing" },
	{ "o", "FILE", "where" },
	{ 0 },
};

static struct flags flags_of(char **argv)
{
	struct flags flags;
	int argc = 0;

	while (argv[argc])
		argc++;
	flags_init(&flags, table, argc, argv);
	return flags;
}

#define WALK(...)                                    \
	char *argv[] = { "run", __VA_ARGS__, NULL }; \
	struct flags flags = flags_of(argv);         \
	const struct flag *flag = NULL;              \
	const char *value = NULL;                    \
	(void)state

static void value_follows_or_is_joined(void **state)
{
	WALK("--strategy", "nodes", "--strategy=list", "strategy=rbtree");
	assert_int_equal(flags_next(&flags, &flag, &value), 1);
	assert_string_equal(value, "nodes");
	assert_int_equal(flags_next(&flags, &flag, &value), 1);
	assert_string_equal(value, "list");
	assert_int_equal(flags_next(&flags, &flag, &value), 1);
	assert_string_equal(value, "rbtree");
	assert_string_equal(flag->name, "strategy");
	assert_int_equal(flags_next(&flags, &flag, &value), 0);
}

static void underscores_are_dashes(void **state)
{
	WALK("--dry_run");
	assert_int_equal(flags_next(&flags, &flag, &value), 1);
	assert_string_equal(flag->name, "dry-run");
	assert_null(value);
}

static void a_plain_word_is_handed_on(void **state)
{
	WALK("locks");
	assert_int_equal(flags_next(&flags, &flag, &value), 1);
	assert_null(flag);
	assert_string_equal(value, "locks");
}

static void after_two_dashes_all_is_plain(void **state)
{
	WALK("--", "--dry-run");
	assert_int_equal(flags_next(&flags, &flag, &value), 1);
	assert_null(flag);
	assert_string_equal(value, "--dry-run");
}

static void an_unknown_flag_is_refused(void **state)
{
	WALK("--stratgey=nodes");
	assert_int_equal(flags_next(&flags, &flag, &value), -EINVAL);
}

static void a_missing_value_is_refused(void **state)
{
	WALK("-o");
	assert_int_equal(flags_next(&flags, &flag, &value), -EINVAL);
}

static void a_value_too_many_is_refused(void **state)
{
	WALK("--dry-run=yes");
	assert_int_equal(flags_next(&flags, &flag, &value), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_follows_or_is_joined),
		cmocka_unit_test(underscores_are_dashes),
		cmocka_unit_test(a_plain_word_is_handed_on),
		cmocka_unit_test(after_two_dashes_all_is_plain),
		cmocka_unit_test(an_unknown_flag_is_refused),
		cmocka_unit_test(a_missing_value_is_refused),
		cmocka_unit_test(a_value_too_many_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
