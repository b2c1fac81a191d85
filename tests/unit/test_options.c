/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/percpu.h"
#include "engine_fixture.h"

static void refused(const struct lfv_options *options, const char *because)
{
	errno = 0;
	assert_null(lfv_create(options));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(lfv_last_error(), because));
}

static void an_unknown_strategy_is_named_with_the_known_ones(void **state)
{
	struct lfv_options options = TEST_OPTIONS;

	(void)state;
	options.strategy = "augmentd";
	refused(&options, "\"augmentd\"");
	refused(&options, " augmented");
}

static void an_unknown_word_of_each_axis_is_refused(void **state)
{
	struct lfv_options lock = TEST_OPTIONS;
	struct lfv_options cache = TEST_OPTIONS;
	struct lfv_options frames = TEST_OPTIONS;
	struct lfv_options mapping = TEST_OPTIONS;
	struct lfv_options flush = TEST_OPTIONS;
	struct lfv_options worker = TEST_OPTIONS;
	struct lfv_options percpu = TEST_OPTIONS;

	(void)state;
	lock.lock = "nolock";
	cache.cache = "l1";
	frames.frames = "slub";
	mapping.mapping = "eager";
	flush.flush = "all";
	worker.worker = "two";
	percpu.percpu = "lock";
	refused(&lock, "unknown lock");
	refused(&cache, "unknown cache");
	refused(&frames, "unknown frames");
	refused(&mapping, "unknown mapping");
	refused(&flush, "unknown flush");
	refused(&worker, "unknown worker");
	refused(&percpu, "unknown percpu");
}

static void list_with_lazy_is_refused_with_the_reason(void **state)
{
	struct lfv_options options = TEST_OPTIONS;

	(void)state;
	options.strategy = "linux-2.4";
	options.mapping = "lazy";
	refused(&options, "use strict");
}

static void keep_without_the_cache_is_refused_with_the_reason(void **state)
{
	struct lfv_options options = TEST_OPTIONS;

	(void)state;
	options.mapping = "keep";
	options.strategy = "lockfree";
	options.cache = "none";
	refused(&options, "use cache percpu");
	/* Without a word on it, as the strategy's default is. */
	options.strategy = "augmented";
	options.cache = NULL;
	refused(&options, "use cache percpu");
	options.cache = "percpu";
	assert_int_equal(lfv_options_check(&options, NULL), 0);
	options.strategy = "lockfree";
	options.cache = NULL;
	assert_int_equal(lfv_options_check(&options, NULL), 0);
}

static void lockfree_has_the_cache_unless_told(void **state)
{
	struct lfv_options options = TEST_OPTIONS;
	struct lfv_options resolved;

	(void)state;
	options.strategy = "lockfree";
	assert_int_equal(lfv_options_check(&options, &resolved), 0);
	assert_string_equal(resolved.cache, "percpu");
	assert_string_equal(resolved.mapping, "lazy");
	assert_string_equal(resolved.percpu, "auto");
	options.cache = "none";
	assert_int_equal(lfv_options_check(&options, &resolved), 0);
	assert_string_equal(resolved.cache, "none");
	options.strategy = "nodes";
	options.cache = NULL;
	assert_int_equal(lfv_options_check(&options, &resolved), 0);
	assert_string_equal(resolved.cache, "none");
}

static void a_magazine_has_2_to_128_numbers(void **state)
{
	struct lfv_options options = TEST_OPTIONS;

	(void)state;
	options.magazine = 1;
	refused(&options, "magazine is 1");
	options.magazine = 129;
	refused(&options, "magazine is 129");
	options.magazine = 2;
	assert_int_equal(lfv_options_check(&options, NULL), 0);
	options.magazine = 128;
	assert_int_equal(lfv_options_check(&options, NULL), 0);
}

static int no_fence(void)
{
	return -EINVAL;
}

static int fail_test(void)
{
	fail_msg("%s", "the fence was asked for");
	return -EINVAL;
}

static void rseq_is_refused_where_it_does_not_work_and_auto_is_not(void **state)
{
	struct lfv_options options = TEST_OPTIONS;
	struct choices choices;
	struct os os = os_linux;

	(void)state;
	os.fence_register = no_fence;
	options.percpu = "rseq";
	options.cache = "percpu";
	assert_int_equal(choices_resolve(&choices, &options, &os), -EOPNOTSUPP);
	assert_non_null(strstr(lfv_last_error(), "use auto"));
	options.percpu = "auto";
	assert_int_equal(choices_resolve(&choices, &options, &os), 0);
	assert_ptr_equal(choices.percpu, &percpu_cas);
	options.percpu = "cas";
	assert_int_equal(choices_resolve(&choices, &options, &os_linux), 0);
	assert_ptr_equal(choices.percpu, &percpu_cas);
}

static void nothing_is_probed_where_there_are_no_stocks(void **state)
{
	struct lfv_options options = TEST_OPTIONS;
	struct choices choices;
	struct os os = os_linux;

	(void)state;
	os.fence_register = fail_test;
	options.cache = "none";
	assert_int_equal(choices_resolve(&choices, &options, &os), 0);
	options.percpu = "rseq";
	assert_int_equal(choices_resolve(&choices, &options, &os), 0);
	assert_ptr_equal(choices.percpu, &percpu_cas);
}

/* As on a machine of four CPUs. */
static int four_cpus(const char *path, char *text, size_t bytes)
{
	if (strcmp(path, "/sys/devices/system/cpu/possible") != 0)
		return -ENOENT;
	(void)snprintf(text, bytes, "0-3\n");
	return 0;
}

static void rseq_is_refused_where_cpus_would_share_stocks(void **state)
{
	struct lfv_options options = TEST_OPTIONS;
	struct choices choices;
	struct os os = os_linux;

	(void)state;
	os.read_text = four_cpus;
	options.cache = "percpu";
	options.percpu = "rseq";
	options.cpus = 4;
	if (choices_resolve(&choices, &options, &os) == -EOPNOTSUPP)
		skip();
	assert_int_equal(choices_resolve(&choices, &options, &os), 0);
	options.cpus = 3;
	assert_int_equal(choices_resolve(&choices, &options, &os), -EINVAL);
	assert_non_null(strstr(lfv_last_error(), "use cpus 4 or more"));
	options.percpu = "auto";
	assert_int_equal(choices_resolve(&choices, &options, &os), 0);
	options.percpu = "rseq";
	options.cpus = 0;
	assert_int_equal(choices_resolve(&choices, &options, &os), 0);
}

static void an_alias_chooses_the_strategy(void **state)
{
	struct lfv_options options = TEST_OPTIONS;
	struct lfv_options resolved;

	(void)state;
	options.strategy = "linux-6.1";
	assert_int_equal(lfv_options_check(&options, &resolved), 0);
	assert_string_equal(resolved.strategy, "augmented");
}

static void list_is_strict_unless_told(void **state)
{
	struct lfv_options options = TEST_OPTIONS;
	struct lfv_options resolved;

	(void)state;
	options.strategy = "list";
	assert_int_equal(lfv_options_check(&options, &resolved), 0);
	assert_string_equal(resolved.mapping, "strict");
}

static void numbers_out_of_range_are_refused(void **state)
{
	struct lfv_options nodes = TEST_OPTIONS;
	struct lfv_options memory = TEST_OPTIONS;
	struct lfv_options small = TEST_OPTIONS;
	struct lfv_options large = TEST_OPTIONS;
	struct lfv_options other = TEST_OPTIONS;

	(void)state;
	nodes.strategy = "augmented";
	nodes.nodes = 129;
	memory.memory_bytes = 1;
	small.window_bytes = 64 * MIB;
	large.window_bytes = 32 * TIB;
	other.struct_bytes--;
	refused(&nodes, "nodes is 129");
	refused(&memory, "memory_bytes is 1");
	refused(&small, "window");
	refused(&large, "window");
	refused(&other, "LFV_OPTIONS_INIT");
}

static void every_axis_has_choices_and_an_end(void **state)
{
	struct lfv_choice choice;

	(void)state;
	for (int axis = LFV_AXIS_STRATEGY; axis <= LFV_AXIS_PERCPU; axis++) {
		assert_true(lfv_choice_at((enum lfv_axis)axis, 0, &choice));
		assert_non_null(choice.summary);
		assert_false(lfv_choice_at((enum lfv_axis)axis, 64, &choice));
	}
}

static void no_options_are_all_defaults(void **state)
{
	struct lfv_options resolved;

	(void)state;
	assert_int_equal(lfv_options_check(NULL, &resolved), 0);
	assert_string_equal(resolved.strategy, "lockfree");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_options_are_all_defaults),
		cmocka_unit_test(
			an_unknown_strategy_is_named_with_the_known_ones),
		cmocka_unit_test(an_unknown_word_of_each_axis_is_refused),
		cmocka_unit_test(list_with_lazy_is_refused_with_the_reason),
		cmocka_unit_test(
			keep_without_the_cache_is_refused_with_the_reason),
		cmocka_unit_test(lockfree_has_the_cache_unless_told),
		cmocka_unit_test(a_magazine_has_2_to_128_numbers),
		cmocka_unit_test(
			rseq_is_refused_where_it_does_not_work_and_auto_is_not),
		cmocka_unit_test(nothing_is_probed_where_there_are_no_stocks),
		cmocka_unit_test(rseq_is_refused_where_cpus_would_share_stocks),
		cmocka_unit_test(an_alias_chooses_the_strategy),
		cmocka_unit_test(list_is_strict_unless_told),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(every_axis_has_choices_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
