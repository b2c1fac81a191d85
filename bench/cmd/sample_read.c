/* SPDX-License-Identifier: MIT */
/*
 * sample_read.c - the row of Google Benchmark's JSON that holds a sample.
 *
 * Only common/row.h's names are read, none of the library's figures: what
 * these mean changed between its versions.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/plan.h"
#include "cmd/sample.h"
#include "common/row.h"

static const double NS_PER_S = 1e9;
static const double HALF = 0.5;

static bool begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

static void end_with(struct sample *sample, enum sample_outcome outcome,
		     const char *why)
{
	sample->outcome = outcome;
	snprintf(sample->why, sizeof(sample->why), "%s", why);
}

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

/* A whole number stays one, so that counts are written as counts. */
static json_t *number_of(const json_t *value)
{
	enum { WHOLE_BITS = 53 };
	const double number = json_number_value(value);
	const double limit = (double)(UINT64_C(1) << WHOLE_BITS);

	if (number > -limit && number < limit &&
	    number == (double)(json_int_t)number)
		return json_integer((json_int_t)number);
	return json_real(number);
}

/* What the sample says in fields of its own is no counter as well. */
static bool is_field(const char *key)
{
	static const char *const fields[] = { ROW_OPS, ROW_SECONDS, ROW_CORE_NS,
					      ROW_PREFIX "mops",
					      ROW_PREFIX "valid" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(key, fields[i]) == 0)
			return true;
	}
	return false;
}

static void counter_keep(struct sample *sample, const char *key,
			 const json_t *value)
{
	json_t *where = sample->counters;
	const char *prefix = ROW_PREFIX;

	if (!begins_with(key, ROW_PREFIX) || !json_is_number(value) ||
	    is_field(key))
		return;
	if (begins_with(key, ROW_PRICE)) {
		where = sample->price;
		prefix = ROW_PRICE;
	} else if (begins_with(key, ROW_LATENCY)) {
		where = sample->latency;
		prefix = ROW_LATENCY;
	}
	json_object_set_new(where, key + strlen(prefix), number_of(value));
}

/*
 * In some workloads only some threads' operations count, and then only their
 * cores do; never more than there are.
 */
static void cores_read(struct sample *sample, const json_t *row)
{
	const double ns = json_number_value(json_object_get(row, ROW_CORE_NS));
	const double cores =
		ns * (double)sample->ops / (sample->seconds * NS_PER_S);

	if (cores >= HALF && cores < sample->cores)
		sample->cores = (unsigned)(cores + HALF);
}

static void figures_read(struct sample *sample, json_t *row)
{
	const char *key;
	json_t *value;

	json_object_foreach(row, key, value) counter_keep(sample, key, value);

	const double ops = json_number_value(json_object_get(row, ROW_OPS));
	const double seconds =
		json_number_value(json_object_get(row, ROW_SECONDS));

	if (ops >= 1 && seconds > 0) {
		sample->ops = (uint64_t)ops;
		sample->seconds = seconds;
		cores_read(sample, row);
	} else if (sample->outcome == SAMPLE_MEASURED) {
		end_with(sample, SAMPLE_FAILED,
			 "lfv-gbench counted no operation");
	}
}

static void row_read(struct sample *sample, json_t *row)
{
	const char *error = text_of(row, "error_message");
	const char *skipped = text_of(row, "skip_message");
	const char *label = text_of(row, "label");
	const char *why = *error ? error : skipped;

	if (begins_with(why, ROW_TOO_SLOW))
		end_with(sample, SAMPLE_TOO_SLOW, why + strlen(ROW_TOO_SLOW));
	else if (*why)
		end_with(sample, SAMPLE_FAILED, why);
	else if (begins_with(label, ROW_INVALID))
		end_with(sample, SAMPLE_INVALID, label + strlen(ROW_INVALID));
	figures_read(sample, row);
}

void sample_read(struct sample *sample, const char *output)
{
	json_error_t error;
	json_t *root = json_loads(output, 0, &error);
	json_t *rows = json_object_get(root, "benchmarks");
	const size_t count = json_array_size(rows);

	if (!root) {
		end_with(sample, SAMPLE_FAILED,
			 "what lfv-gbench wrote is not JSON");
	} else if (count != 1) {
		end_with(sample, SAMPLE_FAILED,
			 "lfv-gbench wrote no sample, or more than one");
	} else {
		row_read(sample, json_array_get(rows, 0));
	}
	json_decref(root);
}
