/* SPDX-License-Identifier: MIT */
#include "gbench/gbench_flags.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cell_axis.h"
#include "common/message.h"
#include "common/nearest.h"
#include "common/workload_info.h"

enum { NAME_BYTES = 64, HINT_BYTES = NEAREST_WORD_BYTES + 24 };

/* library_flag - one of Google Benchmark's. */
struct library_flag {
	const char *name;
	const char *why_not; /* NULL: it acts */
};

static const struct library_flag library_flags[] = {
	{ "benchmark_list_tests", NULL },
	{ "benchmark_filter", NULL },
	{ "benchmark_repetitions", NULL },
	{ "benchmark_enable_random_interleaving", NULL },
	{ "benchmark_report_aggregates_only", NULL },
	{ "benchmark_display_aggregates_only", NULL },
	{ "benchmark_format", NULL },
	{ "benchmark_out", NULL },
	{ "benchmark_out_format", NULL },
	{ "benchmark_color", NULL },
	{ "benchmark_counters_tabular", NULL },
	{ "benchmark_context", NULL },
	{ "benchmark_time_unit", NULL },
	{ "v", NULL },
	{ "benchmark_min_time", "each case is one timed run: use --duration" },
	{ "benchmark_min_warmup_time",
	  "the warm-up is half of --duration, at most 40 ms" },
	{ "benchmark_perf_counters",
	  "it counts the thread that waits, not those that work: use perf" },
	{ "benchmark_dry_run", "use --benchmark_list_tests" },
};

enum { LIBRARY_FLAGS = sizeof(library_flags) / sizeof(library_flags[0]) };

static const struct library_flag *library_flag_find(const char *name)
{
	for (size_t i = 0; i < LIBRARY_FLAGS; i++) {
		if (strcmp(library_flags[i].name, name) == 0)
			return &library_flags[i];
	}
	return NULL;
}

static int flag_unknown(const char *name)
{
	struct nearest nearest;
	char hint[HINT_BYTES];

	nearest_begin(&nearest, name);
	for (size_t i = 0; cell_axis_at(i); i++)
		nearest_offer(&nearest, cell_axis_at(i)->name);
	for (size_t i = 0; i < LIBRARY_FLAGS; i++)
		nearest_offer(&nearest, library_flags[i].name);
	nearest_offer(&nearest, "help");
	nearest_offer(&nearest, "list-workloads");
	return message_set(-EINVAL, "--%s: no such flag%s; --help lists them",
			   name, nearest_hint(&nearest, hint, sizeof(hint)));
}

static void library_flag_take(struct gbench_flags *flags,
			      const struct library_flag *flag, char *argument,
			      const char *inside)
{
	if (flag->why_not)
		fprintf(stderr, "lfv-gbench: --%s has no effect: %s\n",
			flag->name, flag->why_not);
	else
		flags->argv[flags->argc++] = argument;
	if (inside && strcmp(flag->name, "benchmark_out") == 0)
		flags->out = inside;
}

/* walk - where the reading of the arguments is. */
struct walk {
	int argc;
	char **argv;
	int at;
};

static const char *value_next(struct walk *walk, const char *inside)
{
	if (inside)
		return inside;
	if (walk->at + 1 < walk->argc)
		return walk->argv[++walk->at];
	return NULL;
}

static int axis_take(struct gbench_flags *flags, struct walk *walk,
		     const char *name, const char *inside)
{
	const struct cell_axis *axis = cell_axis_find(name);
	const char *value;

	/* A switch without a value is on. */
	if (axis && axis->kind == CELL_AXIS_SWITCH && !inside)
		value = "on";
	else
		value = value_next(walk, inside);
	if (!value)
		return message_set(-EINVAL, "--%s: %s is expected", name,
				   axis ? axis->value : "a value");

	const int error = cell_lists_set(&flags->lists, name, value);

	if (error && axis && axis->kind == CELL_AXIS_WORKLOAD)
		return message_set(error, "%s; --list-workloads names them",
				   message_text());
	return error;
}

static int flag_read(struct gbench_flags *flags, struct walk *walk)
{
	char *argument = walk->argv[walk->at];
	const size_t dashes = strspn(argument, "-");
	const char *word = argument + dashes;
	const size_t letters = strcspn(word, "=");
	const char *inside = word[letters] ? word + letters + 1 : NULL;
	char name[NAME_BYTES];

	if (dashes > 2 || letters == 0 || letters >= sizeof(name) ||
	    (dashes == 0 && !inside))
		return message_set(-EINVAL,
				   "'%s' is no flag: --NAME=VALUE is expected",
				   argument);
	memcpy(name, word, letters);
	name[letters] = '\0';
	if (strcmp(name, "help") == 0 || strcmp(name, "h") == 0) {
		flags->help = true;
		return 0;
	}
	if (strcmp(name, "list-workloads") == 0) {
		flags->list_workloads = true;
		return 0;
	}

	const struct library_flag *library = library_flag_find(name);

	if (library) {
		library_flag_take(flags, library, argument, inside);
		return 0;
	}
	if (!cell_axis_find(name) && strcmp(name, "run_test_mask") != 0)
		return flag_unknown(name);
	return axis_take(flags, walk, name, inside);
}

int gbench_flags_read(struct gbench_flags *flags, int argc, char **argv)
{
	struct walk walk = { .argc = argc, .argv = argv, .at = 1 };

	*flags = (struct gbench_flags){
		.argv = calloc((size_t)argc + 1, sizeof(char *)),
	};
	if (!flags->argv)
		return message_set(-ENOMEM, "no memory for the flags");
	flags->argv[flags->argc++] = argv[0];
	for (; walk.at < argc; walk.at++) {
		const int error = flag_read(flags, &walk);

		if (error)
			return error;
	}
	return 0;
}

void gbench_flags_fini(struct gbench_flags *flags)
{
	cell_lists_fini(&flags->lists);
	free(flags->argv);
	flags->argv = NULL;
}

void gbench_help(void)
{
	const struct cell_axis *axis;

	printf("lfv-gbench - one timed run of each cell, as a Google Benchmark "
	       "program\n\n"
	       "usage: lfv-gbench [--AXIS=VALUE[,VALUE...]]... "
	       "[--benchmark_...]\n\n"
	       "A cell is one choice of each axis; lists make the product.  "
	       "Without flags: all\nworkloads, strategies list, rbtree, "
	       "augmented and nodes, 1 and 2 threads.\nLinux's nr_pages=N, "
	       "nr_threads=N, test_loop_count=N and run_test_mask=N are "
	       "taken\nas well, as are test_vmalloc's names of its tests.\n\n"
	       "axes:\n");
	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++)
		printf("  --%-14s %-24s %s\n", axis->name, axis->value,
		       axis->summary);
	printf("\nother:\n"
	       "  --list-workloads                        their names, one "
	       "line each\n"
	       "  --help\n"
	       "\nflags of Google Benchmark that act:\n");
	for (size_t i = 0; i < LIBRARY_FLAGS; i++) {
		if (!library_flags[i].why_not)
			printf("  --%s\n", library_flags[i].name);
	}
	printf("\nflags of Google Benchmark that have no effect here:\n");
	for (size_t i = 0; i < LIBRARY_FLAGS; i++) {
		if (library_flags[i].why_not)
			printf("  --%-26s %s\n", library_flags[i].name,
			       library_flags[i].why_not);
	}
	printf("\nexit code: 0 measured (or too slow to be), 2 flags not "
	       "understood, a filter\nwithout match or --benchmark_out that "
	       "cannot be written, 3 a check has caught\nsomething or stdout "
	       "could not be written\n");
}

void gbench_list_workloads(void)
{
	const struct workload_info *info;

	for (size_t i = 0; (info = workload_info_at(i)) != NULL; i++)
		printf("%-22s %s\n", info->name, info->summary);
}
