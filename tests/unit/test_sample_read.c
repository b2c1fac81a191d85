/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cmd/sample.h"

#define ROW(fields) "{\"context\":{},\"benchmarks\":[{" fields "}]}"
#define FIGURES                                             \
	"\"name\":\"x\",\"real_time\":9.5,\"lfv_ops\":2e6," \
	"\"lfv_seconds\":0.5,\"lfv_price_mappings\":3.0,"   \
	"\"lfv_latency_p99_ns\":120.0,\"lfv_purges\":7.0,"  \
	"\"lfv_overlap\":0.75"

static struct sample sample_of(const char *output)
{
	struct sample sample = {
		.price = json_object(),
		.latency = json_object(),
		.counters = json_object(),
		.cores = 2,
	};

	sample_read(&sample, output);
	return sample;
}

static void a_good_row_is_measured(void **state)
{
	struct sample sample = sample_of(ROW(FIGURES));

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_MEASURED);
	assert_int_equal(sample.ops, 2000000);
	assert_float_equal((float)sample_mops(&sample), 4.0f, 1e-6f);
	assert_float_equal((float)sample_ns_per_op(&sample), 500.0f, 1e-4f);
	sample_fini(&sample);
}

/* A lookup by one of two threads: 2e6 in half a second are 250 ns each. */
static void only_the_cores_that_count_are_counted(void **state)
{
	struct sample sample =
		sample_of(ROW(FIGURES ",\"lfv_core_ns_per_op\":250.0"));

	(void)state;
	assert_int_equal(sample.cores, 1);
	assert_float_equal((float)sample_ns_per_op(&sample), 250.0f, 1e-4f);
	assert_null(json_object_get(sample.counters, "core_ns_per_op"));
	sample_fini(&sample);
}

static void counters_go_where_their_prefix_says(void **state)
{
	struct sample sample = sample_of(ROW(FIGURES));

	(void)state;
	assert_int_equal(
		json_integer_value(json_object_get(sample.price, "mappings")),
		3);
	assert_int_equal(
		json_integer_value(json_object_get(sample.latency, "p99_ns")),
		120);
	assert_int_equal(
		json_integer_value(json_object_get(sample.counters, "purges")),
		7);
	assert_true(json_is_real(json_object_get(sample.counters, "overlap")));
	assert_int_equal(json_object_size(sample.counters), 2);
	sample_fini(&sample);
}

static void a_spoilt_row_keeps_its_figures(void **state)
{
	struct sample sample = sample_of(
		ROW(FIGURES ",\"label\":\"invalid: a thread was moved\""));

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_INVALID);
	assert_string_equal(sample.why, "a thread was moved");
	assert_int_equal(sample.ops, 2000000);
	sample_fini(&sample);
}

static void too_slow_is_no_failure(void **state)
{
	struct sample sample =
		sample_of(ROW("\"error_occurred\":true,"
			      "\"error_message\":\"too slow: 7 of 9 areas\""));

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_TOO_SLOW);
	assert_string_equal(sample.why, "7 of 9 areas");
	sample_fini(&sample);
}

static void any_other_error_is_a_failure(void **state)
{
	struct sample sample = sample_of(
		ROW(FIGURES ",\"error_message\":\"overlap of two areas\""));

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_FAILED);
	assert_string_equal(sample.why, "overlap of two areas");
	sample_fini(&sample);
}

static void newer_libraries_say_skip_message(void **state)
{
	struct sample sample = sample_of(
		ROW("\"skipped\":\"ERROR\",\"skip_message\":\"lost area\""));

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_FAILED);
	assert_string_equal(sample.why, "lost area");
	sample_fini(&sample);
}

static void no_operation_is_a_failure(void **state)
{
	struct sample sample =
		sample_of(ROW("\"lfv_ops\":0.0,\"lfv_seconds\":0.5"));

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_FAILED);
	sample_fini(&sample);
}

static void no_json_is_a_failure(void **state)
{
	struct sample sample = sample_of("{\"benchmarks\":[{");

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_FAILED);
	assert_non_null(strstr(sample.why, "not JSON"));
	sample_fini(&sample);
}

static void two_rows_are_a_failure(void **state)
{
	struct sample sample =
		sample_of("{\"benchmarks\":[{" FIGURES "},{" FIGURES "}]}");

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_FAILED);
	sample_fini(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_row_is_measured),
		cmocka_unit_test(only_the_cores_that_count_are_counted),
		cmocka_unit_test(counters_go_where_their_prefix_says),
		cmocka_unit_test(a_spoilt_row_keeps_its_figures),
		cmocka_unit_test(too_slow_is_no_failure),
		cmocka_unit_test(any_other_error_is_a_failure),
		cmocka_unit_test(newer_libraries_say_skip_message),
		cmocka_unit_test(no_operation_is_a_failure),
		cmocka_unit_test(no_json_is_a_failure),
		cmocka_unit_test(two_rows_are_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
