/* SPDX-License-Identifier: MIT */
#include "cmd/replay_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/flags.h"
#include "cmd/replay_place.h"
#include "cmd/say.h"
#include "common/cell_axis.h"
#include "common/quantity.h"

enum { FLAGS_MAX = 48, ROUNDS_MAX = 100000, FD_MAX = 1 << 20 };

/* An axis that acts in a replay; its help where it means something else. */
struct replay_axis {
	const char *name;
	const char *help;
};

static const struct replay_axis axes[] = {
	{ .name = "strategy" },
	{ .name = "lock" },
	{ .name = "lock-yield" },
	{ .name = "cache" },
	{ .name = "frames" },
	{ .name = "mapping" },
	{ .name = "flush" },
	{ .name = "worker" },
	{ .name = "percpu" },
	{ .name = "hardened" },
	{ .name = "nodes" },
	{ .name = "cpus" },
	{ .name = "api" },
	{ .name = "va-size" },
	{ .name = "window" },
	{ .name = "pin" },
	{ .name = "cell-limit",
	  .help = "no figure of speed where 100 ms take longer" },
};

static const struct flag own_flags[] = {
	{ "snapshot", "FILE", "/proc/vmallocinfo from before the recording" },
	{ "no-snapshot", NULL, "not even NAME.vmallocinfo beside NAME.trace" },
	{ "parallel", NULL, "one thread for each recorded CPU" },
	{ "oversubscribe", NULL, "more threads than CPUs: preemption" },
	{ "rounds", "N", "samples of each cell (1)" },
	{ "o", "FILE", "where the result goes (JSON, results/README.md)" },
	{ "json", NULL, "the result on stdout in place of the tables" },
	{ "quiet", NULL, "no plan, no progress" },
	{ "help", NULL, "this" },
	{ "output", "FILE", NULL },
	{ "sample-fd", "N", NULL }, /* how the process of a sample is begun */
	{ "h", NULL, NULL },
};

static const char columns_help[] =
	"preloads moved  areas live before that the strategy would not put "
	"where they were\n"
	"same place      allocations that got the address that the recorded "
	"kernel chose\n"
	"span            highest end - lowest start, without what lay at the "
	"window's far end\n"
	"highest         the highest end of a recorded area, from the "
	"window's start\n"
	"largest hole    of what is free within the span, at the end\n"
	"retained        freed, but of no use yet: lazy areas and pools\n"
	"worst op        by step, the least of three replays; the worst of "
	"these\n"
	"waits           of frees for their allocation on another CPU; their "
	"time is not in ns/op\n";

enum {
	AXES = sizeof(axes) / sizeof(axes[0]),
	OWN_FLAGS = sizeof(own_flags) / sizeof(own_flags[0]),
};

static void table_fill(struct flag table[FLAGS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < AXES; i++) {
		const struct cell_axis *axis = cell_axis_find(axes[i].name);
		const bool is_alias = strcmp(axis->name, axes[i].name) != 0;
		const char *help = axes[i].help ? axes[i].help : axis->summary;

		table[count++] = (struct flag){
			axes[i].name,
			axis->value,
			is_alias ? NULL : help,
		};
	}
	for (size_t i = 0; i < OWN_FLAGS; i++)
		table[count++] = own_flags[i];
	table[count] = (struct flag){ NULL, NULL, NULL };
}

static void print_help(const struct flag *table)
{
	printf("usage: lfv-bench replay FILE [FILES] [FLAGS]\n\n"
	       "Replays recorded vmalloc traffic of a kernel on each strategy "
	       "and tells whether\nevery answer was right, how far the "
	       "addresses spread, what stayed retained,\nand what it cost.  "
	       "FILE is the text of tracefs, `perf script` or `trace-cmd\n"
	       "report`, plain or .gz; - is the standard input.  The areas "
	       "that were live before\ncome from a copy of /proc/vmallocinfo: "
	       "NAME.vmallocinfo beside NAME.trace is\ntaken by itself.\n\n");
	flags_help(table);
	printf("\nThe default strategies are those that `lfv-bench run` "
	       "compares.\nRecord with `trace-cmd record -e vmalloc` or "
	       "`perf record -e 'vmalloc:*'`.\n\n");
	fputs(columns_help, stdout);
}

static int number_read(const char *name, const char *text, uint64_t most,
		       uint64_t *value)
{
	if (quantity_read_number(text, value) == 0 && *value > 0 &&
	    *value <= most)
		return 0;
	say("replay: --%s is '%s': a number from 1 to %llu is expected", name,
	    text, (unsigned long long)most);
	return -EINVAL;
}

static int axis_set(struct replay_options *options, const char *name,
		    const char *text)
{
	if (cell_lists_set(&options->lists, name, text) == 0)
		return 0;
	say("replay: %s", cell_message());
	return -EINVAL;
}

static int option_set(struct replay_options *options, const char *name,
		      const char *value)
{
	uint64_t number = 0;
	int err = 0;

	if (strcmp(name, "snapshot") == 0) {
		options->snapshot = value;
	} else if (strcmp(name, "no-snapshot") == 0) {
		options->no_snapshot = true;
	} else if (strcmp(name, "parallel") == 0) {
		options->parallel = true;
	} else if (strcmp(name, "rounds") == 0) {
		err = number_read(name, value, ROUNDS_MAX, &number);
		options->rounds = (unsigned)number;
	} else if (strcmp(name, "sample-fd") == 0) {
		err = number_read(name, value, FD_MAX, &number);
		options->sample_fd = (int)number;
	} else if (strcmp(name, "o") == 0 || strcmp(name, "output") == 0) {
		options->output = value;
	} else if (strcmp(name, "json") == 0) {
		options->json = true;
	} else if (strcmp(name, "quiet") == 0) {
		options->quiet = true;
	} else {
		err = axis_set(options, name, value ? value : "on");
	}
	return err;
}

static int file_add(struct replay_options *options, const char *path)
{
	if (options->file_count == REPLAY_FILES_MAX) {
		say("replay: more than %d files", REPLAY_FILES_MAX);
		return -EINVAL;
	}
	options->files[options->file_count++] = path;
	return 0;
}

static int options_check(const struct replay_options *options)
{
	if (options->sample_fd >= 0)
		return 0;
	if (options->file_count == 0) {
		say("replay: which FILE?  `lfv-bench replay --help` says how "
		    "one is made");
		return -EINVAL;
	}
	if (options->snapshot && options->no_snapshot) {
		say("replay: --snapshot and --no-snapshot contradict each "
		    "other");
		return -EINVAL;
	}
	if (options->snapshot && options->file_count > 1) {
		say("replay: --snapshot belongs to one recording, but %zu "
		    "files are given",
		    options->file_count);
		return -EINVAL;
	}
	return 0;
}

/* 0 at the end; 1 after the help; -EINVAL. */
static int words_read(struct replay_options *options, struct flags *flags)
{
	const struct flag *flag;
	const char *value;
	int got;

	while ((got = flags_next(flags, &flag, &value)) > 0) {
		if (flag && flag->name[0] == 'h') {
			print_help(flags->table);
			return 1;
		}

		const int err = flag ? option_set(options, flag->name, value)
				     : file_add(options, value);

		if (err)
			return err;
	}
	return got;
}

int replay_options_read(struct replay_options *options, int argc, char **argv)
{
	struct flag table[FLAGS_MAX];
	struct flags flags;

	*options = (struct replay_options){ .rounds = 1, .sample_fd = -1 };
	table_fill(table);
	flags_init(&flags, table, argc, argv);

	int got = words_read(options, &flags);

	if (got == 0)
		got = options_check(options);
	if (got == 0 && cell_lists_compare(&options->lists) != 0) {
		say("replay: %s", cell_message());
		got = -EINVAL;
	}
	if (got != 0)
		replay_options_fini(options);
	return got;
}

void replay_options_fini(struct replay_options *options)
{
	cell_lists_fini(&options->lists);
}

/* The recording decides what the product left at a workload's defaults. */
static int cell_fit(struct cell *cell, const struct replay_options *options,
		    const struct replay_input *input,
		    const struct replay_place *place)
{
	cell->threads = options->parallel ? input->program.cpu_count : 1;
	if (cell_check(cell) != 0) {
		say("replay: %s: %s", input->name, cell_message());
		return -EINVAL;
	}
	snprintf(cell->workload, sizeof(cell->workload), "replay:%.32s",
		 input->name);
	cell->window_bytes = place->window_pages * TRACE_PAGE_BYTES;
	cell->pages_min = 0;
	cell->pages_max = 0;
	cell->align = 0;
	cell->live = 0;
	return 0;
}

static int window_plan(const struct replay_input *input, size_t asked_bytes,
		       struct replay_place *place)
{
	const int err = replay_place_make(&input->program, asked_bytes, place);

	if (err == -E2BIG)
		say("replay: %s: its arenas do not fit into the largest "
		    "window, 16 TiB",
		    input->name);
	else if (err)
		say("replay: %s: %s", input->name, strerror(-err));
	return err;
}

static int cells_fit(struct cell *cells, size_t count,
		     const struct replay_options *options,
		     const struct replay_input *input)
{
	struct replay_place *place = malloc(sizeof(*place));
	int err = place ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++) {
		err = window_plan(input, cells[i].window_bytes, place);
		if (!err)
			err = cell_fit(&cells[i], options, input, place);
	}
	free(place);
	return err;
}

int replay_options_cells(const struct replay_options *options,
			 const struct replay_input *input, struct cell **cells,
			 size_t *count)
{
	struct cell *made;
	size_t made_count;

	if (cell_product(&options->lists, &made, &made_count) != 0) {
		say("replay: %s", cell_message());
		return -EINVAL;
	}

	const int err = cells_fit(made, made_count, options, input);

	if (err) {
		free(made);
		return err;
	}
	*cells = made;
	*count = made_count;
	return 0;
}
