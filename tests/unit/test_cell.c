/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cell.h"
#include "common/cell_axis.h"
#include "common/quantity.h"
#include "common/workload_info.h"

enum { ARGUMENTS_MAX = 64 };

static struct cell cell_usual(void)
{
	struct cell cell;

	cell_default(&cell);
	return cell;
}

static void every_axis_is_read_back_as_it_is_written(void **state)
{
	(void)state;
	struct cell cell = cell_usual();
	struct cell again = cell_usual();
	const struct cell_axis *axis;

	assert_int_equal(cell_resolve(&cell), 0);
	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		char text[CELL_AXIS_TEXT_BYTES];

		cell_axis_text(&cell, axis, text);
		if (text[0])
			assert_int_equal(
				cell_axis_set(&again, axis->name, text), 0);
	}
	assert_memory_equal(&cell, &again, sizeof(cell));
}

static void arguments_make_exactly_this_cell(void **state)
{
	(void)state;
	struct cell cell = cell_usual();
	struct cell again = cell_usual();
	char *arguments[ARGUMENTS_MAX];

	assert_int_equal(cell_axis_set(&cell, "workload", "replace"), 0);
	assert_int_equal(cell_axis_set(&cell, "threads", "2"), 0);
	assert_int_equal(cell_axis_set(&cell, "pages", "3-70"), 0);
	assert_int_equal(cell_axis_set(&cell, "pin", "0,2-4"), 0);
	assert_int_equal(cell_axis_set(&cell, "seed", "77"), 0);
	assert_int_equal(cell_axis_set(&cell, "lock-yield", "off"), 0);
	assert_int_equal(cell_resolve(&cell), 0);

	const size_t count = cell_arguments(&cell, arguments, ARGUMENTS_MAX);

	for (size_t i = 0; i < count; i++) {
		char *value = strchr(arguments[i], '=');

		*value = '\0';
		assert_int_equal(
			cell_axis_set(&again, arguments[i] + 2, value + 1), 0);
		free(arguments[i]);
	}
	assert_memory_equal(&cell, &again, sizeof(cell));
}

static void name_begins_with_the_workload_and_ends_with_threads(void **state)
{
	(void)state;
	struct cell cell = cell_usual();
	char name[CELL_NAME_BYTES];

	cell_name(&cell, name);
	assert_non_null(strstr(name,
			       "fix_size/api:get_vm_area/strategy:lockfree/"
			       "lock:qspin/"));
	assert_string_equal(strrchr(name, '/'), "/threads:1");
}

static void name_tells_every_named_axis_apart(void **state)
{
	(void)state;
	struct cell cell = cell_usual();
	char before[CELL_NAME_BYTES];
	char after[CELL_NAME_BYTES];

	cell_name(&cell, before);
	assert_int_equal(cell_axis_set(&cell, "live", "9"), 0);
	cell_name(&cell, after);
	assert_string_not_equal(before, after);
}

static void name_of_a_floor_has_no_engine(void **state)
{
	(void)state;
	struct cell cell = cell_usual();
	char name[CELL_NAME_BYTES];

	assert_int_equal(cell_axis_set(&cell, "workload", "floor"), 0);
	cell_name(&cell, name);
	assert_string_equal(name, "floor/api:none/pin:compact/threads:1");
}

static void spellings_of_the_kernel_are_accepted(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "nr_pages", "9"), 0);
	assert_int_equal(cell_axis_set(&cell, "nr_threads", "3"), 0);
	assert_int_equal(cell_axis_set(&cell, "test_loop_count", "1000"), 0);
	assert_int_equal(
		cell_axis_set(&cell, "workload", "full_fit_alloc_test"), 0);
	assert_int_equal(cell.pages_max, 9);
	assert_int_equal(cell.threads, 3);
	assert_int_equal(cell.loops, 1000);
	assert_string_equal(cell.workload, "full_fit");
}

static void misspelt_words_are_answered_with_the_nearest(void **state)
{
	(void)state;
	struct cell cell = cell_usual();
	const struct cell before = cell;

	assert_int_equal(cell_axis_set(&cell, "strategy", "augmentd"), -EINVAL);
	assert_non_null(strstr(cell_message(), "did you mean augmented?"));
	assert_int_equal(cell_axis_set(&cell, "workload", "repalce"), -EINVAL);
	assert_non_null(strstr(cell_message(), "did you mean replace?"));
	assert_int_equal(cell_axis_set(&cell, "thread", "2"), -EINVAL);
	assert_non_null(strstr(cell_message(), "did you mean threads?"));
	assert_int_equal(cell_axis_set(&cell, "api", "vmaloc"), -EINVAL);
	assert_non_null(strstr(cell_message(), "did you mean vmalloc?"));
	assert_memory_equal(&cell, &before, sizeof(cell));
}

static void aliases_choose_strategy_and_variant(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "strategy", "linux-4.19"), 0);
	assert_string_equal(cell.strategy, "rbtree");
	assert_string_equal(cell.variant, "4.19");
}

static void values_out_of_range_are_refused(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "threads", "0"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "pages", "9-3"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "pages", "0"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "align", "3000"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "nodes", "129"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "pin", "0,"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "pin", "nowhere"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "seed", "-1"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "duration", "3weeks"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "va-size", "127M"), -EINVAL);
	assert_int_equal(cell_axis_set(&cell, "va-size", "17T"), -EINVAL);
}

static void message_is(const char *name, const char *text, const char *message)
{
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, name, text), -EINVAL);
	assert_string_equal(cell_message(), message);
}

static void bounds_are_told_with_their_units(void **state)
{
	(void)state;
	message_is("duration", "0",
		   "--duration is '0': at least 1ms is "
		   "expected");
	message_is("duration", "3x",
		   "--duration is '3x': TIME is expected: "
		   "100ms, 5s, 2min");
	message_is("va-size", "64M",
		   "--va-size is '64M': 128M to 16T is "
		   "expected");
	message_is("threads", "-1", "--threads is '-1': 1 to 4096 is expected");
	message_is("pages", "5-2",
		   "--pages is '5-2': N|A-B is expected, from "
		   "1 to 4294967295 and A <= B");
}

static void resolve_refuses(const char *name, const char *text,
			    const char *message)
{
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "workload", "replace"), 0);
	assert_int_equal(cell_axis_set(&cell, name, text), 0);
	assert_int_equal(cell_resolve(&cell), -EINVAL);
	assert_non_null(strstr(cell_message(), message));
}

static void what_no_window_holds_is_refused(void **state)
{
	(void)state;
	resolve_refuses("live", "100000000", "--live 100000000 with");
	resolve_refuses("pages", "1-4000000000", "has room for --live 1 ");
	resolve_refuses("align", "128G",
			"--align 128G is more than the window");

	struct cell cell = cell_usual();

	cell.pages_min = cell.pages_max = 1 << 24;
	assert_int_equal(cell_resolve(&cell), -EINVAL);
	assert_non_null(strstr(cell_message(), "--va-size 64G"));
	cell.pages_min = cell.pages_max = (1 << 24) - 1;
	assert_int_equal(cell_resolve(&cell), 0);
}

static void a_cpu_that_may_not_be_used_is_refused(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "pin", "1048575"), 0);
	assert_int_equal(cell_check(&cell), -EINVAL);
	assert_non_null(strstr(cell_message(), "CPU 1048575 is none"));
}

static void quantities_have_units(void **state)
{
	(void)state;
	char text[QUANTITY_BYTES];
	uint64_t value = 0;

	assert_int_equal(quantity_read_bytes("256G", &value), 0);
	assert_int_equal(value, (uint64_t)256 << 30);
	assert_int_equal(quantity_read_bytes("4KiB", &value), 0);
	assert_int_equal(value, 4096);
	assert_int_equal(quantity_read_ns("100ms", &value), 0);
	assert_int_equal(value, 100000000);
	assert_int_equal(quantity_read_ns("2", &value), 0);
	assert_int_equal(value, 2000000000);
	assert_int_equal(quantity_read_bytes("99999999999T", &value), -EINVAL);
	assert_int_equal(quantity_read_number("1x", &value), -EINVAL);
	assert_int_equal(value, 2000000000);
	quantity_write_ns(90000000000, text);
	assert_string_equal(text, "90s");
	quantity_write_bytes((uint64_t)3 << 29, text);
	assert_string_equal(text, "1536M");
}

static void pairs_that_cannot_work_are_refused(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "strategy", "list"), 0);
	assert_int_equal(cell_axis_set(&cell, "mapping", "lazy"), 0);
	assert_int_equal(cell_check(&cell), -EINVAL);
	assert_non_null(strstr(cell_message(), "list"));

	cell = cell_usual();
	assert_int_equal(cell_axis_set(&cell, "workload", "remote_free"), 0);
	assert_int_equal(cell_check(&cell), -EINVAL);
	assert_non_null(strstr(cell_message(), "multiple of 2"));
}

static void sizes_that_a_workload_cannot_have_are_refused(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "pages", "1-64"), 0);
	assert_int_equal(cell_check(&cell), -EINVAL);
	assert_non_null(strstr(cell_message(), "one size"));
	assert_int_equal(cell_axis_set(&cell, "workload", "random_size"), 0);
	assert_int_equal(cell_check(&cell), 0);
	assert_int_equal(cell_axis_set(&cell, "workload", "random_size_align"),
			 0);
	assert_int_equal(cell_check(&cell), -EINVAL);
}

static void a_workload_brings_its_own_api(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "workload", "purge_storm"), 0);
	assert_string_equal(cell.api, "vmalloc");
	assert_string_equal(cell.touch, "page");
	assert_int_equal(cell_axis_set(&cell, "workload", "replace"), 0);
	assert_string_equal(cell.api, "get_vm_area");
}

static void more_threads_than_cpus_must_be_asked_for(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	cell.threads = 4000;
	assert_int_equal(cell_check(&cell), -EINVAL);
	assert_non_null(strstr(cell_message(), "--oversubscribe"));
	cell.oversubscribe = true;
	assert_int_equal(cell_check(&cell), 0);
	cell.lock_yield = false;
	assert_int_equal(cell_check(&cell), -EINVAL);
}

static void resolving_fills_in_what_was_left_open(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "workload", "replace"), 0);
	assert_int_equal(cell_axis_set(&cell, "strategy", "list"), 0);
	assert_int_equal(cell_resolve(&cell), 0);
	assert_int_equal(cell.pages_min, 1);
	assert_int_equal(cell.pages_max, 64);
	assert_int_equal(cell.live, 1024);
	assert_int_equal(cell.window_bytes, (size_t)64 << 30);
	assert_string_equal(cell.mapping, "strict");
}

static void a_million_live_areas_get_a_window_of_their_own(void **state)
{
	(void)state;
	struct cell cell = cell_usual();

	assert_int_equal(cell_axis_set(&cell, "workload", "replace"), 0);
	assert_int_equal(cell_axis_set(&cell, "live", "1000000"), 0);
	assert_int_equal(cell_resolve(&cell), 0);
	assert_int_equal(cell.window_bytes, (size_t)256 << 30);

	assert_int_equal(cell_axis_set(&cell, "workload", "long_busy_list"), 0);
	cell.pages_min = cell.pages_max = 4;
	cell.window_bytes = 0;
	assert_int_equal(cell_resolve(&cell), 0);
	assert_int_equal(cell.window_bytes, (size_t)256 << 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_axis_is_read_back_as_it_is_written),
		cmocka_unit_test(arguments_make_exactly_this_cell),
		cmocka_unit_test(
			name_begins_with_the_workload_and_ends_with_threads),
		cmocka_unit_test(name_tells_every_named_axis_apart),
		cmocka_unit_test(name_of_a_floor_has_no_engine),
		cmocka_unit_test(spellings_of_the_kernel_are_accepted),
		cmocka_unit_test(misspelt_words_are_answered_with_the_nearest),
		cmocka_unit_test(aliases_choose_strategy_and_variant),
		cmocka_unit_test(values_out_of_range_are_refused),
		cmocka_unit_test(bounds_are_told_with_their_units),
		cmocka_unit_test(what_no_window_holds_is_refused),
		cmocka_unit_test(a_cpu_that_may_not_be_used_is_refused),
		cmocka_unit_test(quantities_have_units),
		cmocka_unit_test(pairs_that_cannot_work_are_refused),
		cmocka_unit_test(sizes_that_a_workload_cannot_have_are_refused),
		cmocka_unit_test(a_workload_brings_its_own_api),
		cmocka_unit_test(more_threads_than_cpus_must_be_asked_for),
		cmocka_unit_test(resolving_fills_in_what_was_left_open),
		cmocka_unit_test(
			a_million_live_areas_get_a_window_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
