/* SPDX-License-Identifier: MIT */
/*
 * verb_list.c - lfv-bench list: everything that can be chosen, from the very
 * tables that choose it.
 *
 * Each kind of thing becomes a JSON array; the text for people is made of that.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cmd/flags.h"
#include "cmd/grid.h"
#include "cmd/metrics.h"
#include "cmd/say.h"
#include "cmd/verb.h"
#include "common/nearest.h"
#include "common/workload_info.h"
#include "lfv/lfv.h"

enum { HINT_BYTES = 96, LINE_BYTES = 128, NAMES_BYTES = 256 };

/* One thing that `list` knows. */
struct listed {
	const char *name;     /* plural, as in the JSON */
	const char *singular; /* the flag's name */
	int axis;             /* enum lfv_axis, or -1 */
	json_t *(*make)(const struct listed *listed);
	const char *columns; /* keys of the text, space-separated */
};

static json_t *words_of(const char *list)
{
	json_t *array = json_array();

	while (list && *list) {
		const size_t length = strcspn(list, " ");

		json_array_append_new(array, json_stringn(list, length));
		list += length;
		list += strspn(list, " ");
	}
	return array;
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *choices_make(const struct listed *listed)
{
	json_t *array = json_array();
	struct lfv_choice choice;
	const enum lfv_axis axis = (enum lfv_axis)listed->axis;

	for (size_t i = 0; lfv_choice_at(axis, i, &choice); i++) {
		json_t *row = json_pack(
			"{s:s, s:o, s:o, s:s, s:b}", "name", choice.name,
			"variant", text_or_null(choice.variant), "aliases",
			words_of(choice.aliases), "summary", choice.summary,
			"busted", choice.busted);

		if (axis == LFV_AXIS_LOCK)
			json_object_set_new(row, "fair",
					    json_boolean(choice.fair));
		json_array_append_new(array, row);
	}
	return array;
}

static json_t *workloads_make(const struct listed *listed)
{
	json_t *array = json_array();
	const struct workload_info *info;

	(void)listed;
	for (size_t i = 0; (info = workload_info_at(i)) != NULL; i++)
		json_array_append_new(
			array,
			json_pack("{s:s, s:o, s:o, s:s, s:b}", "name",
				  info->name, "apis", words_of(info->apis),
				  "aliases", words_of(info->aliases), "summary",
				  info->summary, "floor", info->floor));
	return array;
}

static json_t *metrics_make(const struct listed *listed)
{
	json_t *array = json_array();
	const struct metric *metric;

	(void)listed;
	for (size_t i = 0; (metric = metric_at(i)) != NULL; i++)
		json_array_append_new(
			array, json_pack("{s:s, s:s, s:s}", "name",
					 metric->name, "unit", metric->unit,
					 "summary", metric->summary));
	return array;
}

static const char *axis_name(enum lfv_axis axis);

/* What is not refused is allowed. */
static json_t *refusals_make(const struct listed *listed)
{
	json_t *array = json_array();
	struct lfv_refusal refusal;

	(void)listed;
	for (size_t i = 0; lfv_refusal_at(i, &refusal); i++)
		json_array_append_new(
			array,
			json_pack("{s:o, s:o, s:s}", "name",
				  json_sprintf("%s %s", axis_name(refusal.axis),
					       refusal.name),
				  "with",
				  json_sprintf("%s %s",
					       axis_name(refusal.other_axis),
					       refusal.other_name),
				  "why", refusal.why));
	return array;
}

static const char CHOICE_COLUMNS[] = "name variant aliases summary";

static const struct listed lists[] = {
	{ "strategies", "strategy", LFV_AXIS_STRATEGY, choices_make,
	  CHOICE_COLUMNS },
	{ "locks", "lock", LFV_AXIS_LOCK, choices_make, CHOICE_COLUMNS },
	{ "caches", "cache", LFV_AXIS_CACHE, choices_make, CHOICE_COLUMNS },
	{ "frames", "frames", LFV_AXIS_FRAMES, choices_make, CHOICE_COLUMNS },
	{ "mappings", "mapping", LFV_AXIS_MAPPING, choices_make,
	  CHOICE_COLUMNS },
	{ "flushes", "flush", LFV_AXIS_FLUSH, choices_make, CHOICE_COLUMNS },
	{ "workers", "worker", LFV_AXIS_WORKER, choices_make, CHOICE_COLUMNS },
	{ "percpus", "percpu", LFV_AXIS_PERCPU, choices_make, CHOICE_COLUMNS },
	{ "workloads", "workload", -1, workloads_make,
	  "name apis aliases summary" },
	{ "metrics", "metric", -1, metrics_make, "name unit summary" },
	{ "refused_pairs", "pairs", -1, refusals_make, "name with why" },
};

enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

static const char *axis_name(enum lfv_axis axis)
{
	for (size_t i = 0; i < LISTS; i++) {
		if (lists[i].axis == (int)axis)
			return lists[i].singular;
	}
	return "";
}

static void lists_names(char names[NAMES_BYTES])
{
	size_t used = 0;

	for (size_t i = 0; i < LISTS && used < NAMES_BYTES; i++)
		used += (size_t)snprintf(names + used, NAMES_BYTES - used,
					 " %s", lists[i].name);
}

static const struct listed *listed_find(const char *name)
{
	char hint[HINT_BYTES];
	char names[NAMES_BYTES];
	struct nearest nearest;

	nearest_begin(&nearest, name);
	for (size_t i = 0; i < LISTS; i++) {
		if (strcmp(lists[i].name, name) == 0 ||
		    strcmp(lists[i].singular, name) == 0)
			return &lists[i];
		nearest_offer(&nearest, lists[i].name);
	}
	lists_names(names);
	say("list: there is no list of '%s'%s; there are%s", name,
	    nearest_hint(&nearest, hint, sizeof(hint)), names);
	return NULL;
}

/* A word, or all words of an array. */
static void value_text(const json_t *value, char text[LINE_BYTES])
{
	size_t used = 0;
	size_t i;
	const json_t *word;

	text[0] = '\0';
	if (json_is_string(value))
		snprintf(text, LINE_BYTES, "%s", json_string_value(value));
	json_array_foreach(value, i, word)
	{
		if (used < LINE_BYTES)
			used += (size_t)snprintf(text + used, LINE_BYTES - used,
						 "%s%s", i ? " " : "",
						 json_string_value(word));
	}
}

/* The next key of a space-separated list; false at its end. */
static bool key_next(const char **keys, char key[GRID_TEXT_BYTES])
{
	const size_t length = strcspn(*keys, " ");

	if (length == 0)
		return false;
	snprintf(key, GRID_TEXT_BYTES, "%.*s", (int)length, *keys);
	*keys += length;
	*keys += strspn(*keys, " ");
	return true;
}

/* Columns that are empty in every row would only be in the way. */
static bool is_filled(const json_t *rows, const char *key)
{
	char text[LINE_BYTES];
	size_t i;
	const json_t *row;

	json_array_foreach(rows, i, row)
	{
		value_text(json_object_get(row, key), text);
		if (*text)
			return true;
	}
	return false;
}

/* The last column is a sentence: it may be as long as it likes. */
static void text_print(const struct listed *listed, const json_t *rows)
{
	const char *keys = listed->columns;
	char key[GRID_TEXT_BYTES];
	size_t i;
	const json_t *row;
	size_t widths[GRID_COLUMNS_MAX] = { 0 };
	size_t column = 0;
	char text[LINE_BYTES];

	while (key_next(&keys, key)) {
		json_array_foreach(rows, i, row)
		{
			value_text(json_object_get(row, key), text);
			if (strlen(text) > widths[column])
				widths[column] = strlen(text);
		}
		column++;
	}
	printf("%s\n", listed->name);
	json_array_foreach(rows, i, row)
	{
		keys = listed->columns;
		column = 0;
		while (key_next(&keys, key)) {
			value_text(json_object_get(row, key), text);
			if (*keys == '\0')
				printf("  %s\n", text);
			else if (is_filled(rows, key))
				printf("  %-*s", (int)widths[column], text);
			column++;
		}
	}
}

static const struct flag list_flags[] = {
	{ "json", NULL, "one JSON object of arrays" },
	{ "help", NULL, "this" },
	{ "h", NULL, NULL },
	{ 0 },
};

static void print_help(void)
{
	char names[NAMES_BYTES];

	lists_names(names);
	printf("usage: lfv-bench list [WHAT] [--json]\n\nWHAT is one of%s\n\n",
	       names);
	flags_help(list_flags);
}

static int list_print(const struct listed *only, bool json)
{
	json_t *all = json_object();
	const char *gap = "";

	for (size_t i = 0; i < LISTS; i++) {
		if (only && only != &lists[i])
			continue;

		json_t *rows = lists[i].make(&lists[i]);

		if (!json) {
			fputs(gap, stdout);
			text_print(&lists[i], rows);
			gap = "\n";
		}
		json_object_set_new(all, lists[i].name, rows);
	}
	if (json) {
		json_dumpf(all, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	json_decref(all);
	return VERB_OK;
}

int verb_list(int argc, char **argv)
{
	const struct listed *only = NULL;
	struct flags flags;
	const struct flag *flag;
	const char *value;
	bool json = false;
	int got;

	flags_init(&flags, list_flags, argc, argv);
	while ((got = flags_next(&flags, &flag, &value)) > 0) {
		if (flag && strcmp(flag->name, "json") == 0) {
			json = true;
			continue;
		}
		if (flag) {
			print_help();
			return VERB_OK;
		}
		only = listed_find(value);
		if (!only)
			return VERB_USAGE;
	}
	return got < 0 ? VERB_USAGE : list_print(only, json);
}
