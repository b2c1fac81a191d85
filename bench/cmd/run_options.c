/* SPDX-License-Identifier: MIT */
#include "cmd/run_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/flags.h"
#include "cmd/say.h"
#include "common/cell_axis.h"
#include "common/message.h"
#include "common/placement.h"
#include "common/quantity.h"
#include "common/workload_info.h"

enum {
	ROUNDS_USUAL = 5,
	ROUNDS_MAX = 100000,
	FLAGS_MAX = 96,
	LIST_BYTES = 256,
	ALIAS_BYTES = 512,
	LEFT_OUT_MAX = 16, /* reasons that are told */
};

/* As long as people wait for an answer without a cup of coffee. */
static const uint64_t RUN_BUDGET_NS = UINT64_C(45) * 1000 * 1000 * 1000;

static const uint64_t SEED_USUAL = 1;
static const uint64_t SEED_MAX = (UINT64_C(1) << 53) - 1;

/* A sample that ends by its operations may take this long. */
static const char LOOPS_DURATION[] = "60s";
static const char LOCKED[] = "nodes";

static const char WORKLOADS[] = "fix_size,replace,remote_free";

/* Factors that not every cell has. */
static const char *const may_idle[] = {
	"frames", "flush",      "touch",  "nodes",
	"lock",   "lock-yield", "percpu", "hardened",
};

/* Flags that are no axis, or are not what the axis of the name is. */
static const struct flag own_flags[] = {
	{ "rounds", "N", "samples of each cell; as many as fit in 45 s, to 5" },
	{ "seed", "N", "of the order and of every random number (1)" },
	{ "oversubscribe", NULL, "more threads than CPUs: preemption" },
	{ "o", "FILE", "where the result goes (JSON, results/README.md)" },
	{ "json", NULL, "the result on stdout in place of the tables" },
	{ "dry-run", NULL, "print the command of each sample, run nothing" },
	{ "quiet", NULL, "no plan, no progress" },
	{ "help", NULL, "this" },
	{ "output", "FILE", NULL },
	{ "run_test_mask", "BITS", NULL },
	{ "h", NULL, NULL },
};

/* Every axis as a flag, and its other names as hidden ones. */
struct flag_table {
	struct flag flags[FLAGS_MAX];
	size_t count;
	char names[ALIAS_BYTES];
	size_t names_used;
};

static bool is_own(const char *name)
{
	for (size_t i = 0; i < sizeof(own_flags) / sizeof(own_flags[0]); i++) {
		if (strcmp(own_flags[i].name, name) == 0)
			return true;
	}
	/* The plan numbers the rounds. */
	return strcmp(name, "round") == 0;
}

static void flag_add(struct flag_table *table, const struct flag *flag)
{
	if (table->count + 1 < FLAGS_MAX)
		table->flags[table->count++] = *flag;
}

static void aliases_add(struct flag_table *table, const struct cell_axis *axis)
{
	const char *list = axis->aliases;

	while (list && *list) {
		const size_t length = strcspn(list, " ");
		char *name = table->names + table->names_used;

		if (table->names_used + length + 1 > sizeof(table->names))
			return;
		memcpy(name, list, length);
		name[length] = '\0';
		table->names_used += length + 1;
		flag_add(table, &(struct flag){ name, axis->value, NULL });
		list += length;
		list += strspn(list, " ");
	}
}

/* Each program has its own way to list the workloads. */
static const char *help_of(const struct cell_axis *axis)
{
	return axis->kind == CELL_AXIS_WORKLOAD
		       ? "what is run; `lfv-bench list workloads` explains"
		       : axis->summary;
}

static void table_fill(struct flag_table *table)
{
	const struct cell_axis *axis;

	memset(table, 0, sizeof(*table));
	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		if (is_own(axis->name))
			continue;
		flag_add(table, &(struct flag){ axis->name, axis->value,
						help_of(axis) });
		aliases_add(table, axis);
	}
	for (size_t i = 0; i < sizeof(own_flags) / sizeof(own_flags[0]); i++)
		flag_add(table, &own_flags[i]);
}

static void print_help(const struct flag_table *table)
{
	printf("usage: lfv-bench run [FLAGS]\n\n"
	       "Measures every combination of the values given, each list "
	       "written with commas,\nand prints a table for each workload, "
	       "api and number of threads.  Alone, it\ncompares the four "
	       "generations of Linux and what is without locks in under a "
	       "minute.\nlockfree+mapping=keep is a strategy with a choice "
	       "of its own, which no list changes.\nWith another factor it "
	       "is one strategy: lockfree, or with --lock and --nodes,\nof "
	       "which lockfree has none, nodes.\n\n");
	flags_help(table->flags);
	printf("\n--threads cpus stands for 1, 2, 4, ... up to all CPUs that "
	       "may be used.\nThe kernel module's nr_pages, nr_threads, "
	       "test_loop_count and run_test_mask are\nunderstood, with or "
	       "without dashes.  LFV_GBENCH names another lfv-gbench.\n");
}

static int number_read(const char *name, const char *text, uint64_t most,
		       uint64_t *value)
{
	if (quantity_read_number(text, value) == 0 && *value > 0 &&
	    *value <= most)
		return 0;
	say("run: --%s is '%s': a number from 1 to %llu is expected", name,
	    text, (unsigned long long)most);
	return -EINVAL;
}

/* 1, 2, 4, ... and the number of CPUs itself. */
static void threads_list(char list[LIST_BYTES])
{
	const unsigned cpus = placement_allowed_cpus();
	size_t used = 0;

	for (unsigned threads = 1; threads < cpus; threads *= 2)
		used += (size_t)snprintf(list + used, LIST_BYTES - used, "%u,",
					 threads);
	snprintf(list + used, LIST_BYTES - used, "%u", cpus);
}

static int axis_set(struct run_options *options, const char *name,
		    const char *text)
{
	const struct cell_axis *axis = cell_axis_find(name);
	char list[LIST_BYTES];

	if (axis && axis->kind == CELL_AXIS_THREADS &&
	    strcmp(text, "cpus") == 0) {
		threads_list(list);
		text = list;
	}
	if (cell_lists_set(&options->lists, name, text) == 0)
		return 0;
	say("run: %s", cell_message());
	return -EINVAL;
}

static int option_set(struct run_options *options, const char *name,
		      const char *value)
{
	uint64_t rounds = 0;
	int err = 0;

	if (strcmp(name, "rounds") == 0) {
		err = number_read(name, value, ROUNDS_MAX, &rounds);
		options->rounds = (unsigned)rounds;
	} else if (strcmp(name, "seed") == 0) {
		err = number_read(name, value, SEED_MAX, &options->seed);
	} else if (strcmp(name, "o") == 0 || strcmp(name, "output") == 0) {
		options->output = value;
	} else if (strcmp(name, "json") == 0) {
		options->json = true;
	} else if (strcmp(name, "dry-run") == 0) {
		options->dry_run = true;
	} else if (strcmp(name, "quiet") == 0) {
		options->quiet = true;
	} else {
		err = axis_set(options, name, value ? value : "on");
	}
	return err;
}

int run_options_read(struct run_options *options, int argc, char **argv)
{
	struct run_options made = { .seed = SEED_USUAL };
	struct flag_table table;
	struct flags flags;
	const struct flag *flag;
	const char *value;
	int got;

	table_fill(&table);
	flags_init(&flags, table.flags, argc, argv);
	while ((got = flags_next(&flags, &flag, &value)) > 0) {
		if (flag && (strcmp(flag->name, "help") == 0 ||
			     strcmp(flag->name, "h") == 0)) {
			print_help(&table);
			run_options_fini(&made);
			return 1;
		}
		if (!flag)
			say("run: '%s' is no flag; --workload %s?", value,
			    value);
		if (!flag || option_set(&made, flag->name, value) != 0) {
			got = -EINVAL;
			break;
		}
	}
	if (got == 0 && made.json && made.dry_run) {
		say("run: --json and --dry-run contradict each other: a dry "
		    "run "
		    "has no result");
		got = -EINVAL;
	}
	if (got < 0) {
		run_options_fini(&made);
		return got;
	}
	*options = made;
	return 0;
}

void run_options_fini(struct run_options *options)
{
	cell_lists_fini(&options->lists);
}

/* Whether the user has chosen a factor of the engine to look at. */
static bool engine_is_given(const struct cell_lists *lists)
{
	const struct cell_axis *axis;

	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		if (axis->kind == CELL_AXIS_CHOICE && lists->texts[i])
			return true;
	}
	return false;
}

static bool is_given(const struct cell_lists *lists, const char *name)
{
	return lists->texts[cell_axis_find(name) - cell_axis_at(0)] != NULL;
}

/* The usual strategy has none: they are looked at on the latest that has. */
static bool locks_are_given(const struct cell_lists *lists)
{
	return is_given(lists, "lock") || is_given(lists, "lock-yield") ||
	       is_given(lists, "nodes");
}

static int defaults_set(struct run_options *options)
{
	struct cell_lists *lists = &options->lists;
	char threads[LIST_BYTES];
	int err = 0;

	threads_list(threads);
	if (is_given(lists, "loops"))
		err = cell_lists_default(lists, "duration", LOOPS_DURATION);
	if (!err && locks_are_given(lists))
		err = cell_lists_default(lists, "strategy", LOCKED);
	if (!err && !engine_is_given(lists))
		err = cell_lists_compare(lists);
	if (!err)
		err = cell_lists_default(lists, "workload", WORKLOADS);
	if (!err)
		err = cell_lists_default(lists, "threads", threads);
	return err;
}

static unsigned rounds_fit(const struct plan *plan)
{
	const uint64_t rounds = RUN_BUDGET_NS / (plan_ns(plan) + 1);

	if (rounds < 1)
		return 1;
	return rounds < ROUNDS_USUAL ? (unsigned)rounds : ROUNDS_USUAL;
}

/* left_out - what was said already: engines that differ say the same. */
struct left_out {
	char texts[LEFT_OUT_MAX][MESSAGE_BYTES];
	size_t count;
};

static void left_out_take(void *data, const char *why)
{
	struct left_out *out = data;

	for (size_t i = 0; i < out->count; i++) {
		if (strcmp(out->texts[i], why) == 0)
			return;
	}
	if (out->count < LEFT_OUT_MAX)
		snprintf(out->texts[out->count++], MESSAGE_BYTES, "%s", why);
}

static int cells_make(const struct run_options *options, struct cell **cells,
		      size_t *count)
{
	struct left_out *out = calloc(1, sizeof(*out));
	const struct cell_product_tell tell = { left_out_take, out };
	const int err =
		out ? cell_product_told(&options->lists, &tell, cells, count)
		    : message_set(-ENOMEM, "no memory for the cells");

	if (err)
		say("run: %s", message_text());
	for (size_t i = 0; !err && !options->quiet && i < out->count; i++)
		say("run: left out: %s", out->texts[i]);
	free(out);
	return err;
}

/* A factor that was asked for, and acts nowhere, would seem to do nothing. */
static void say_idle(const struct run_options *options, const char *name,
		     const struct plan *plan)
{
	const struct cell_axis *axis = cell_axis_find(name);
	char usual[CELL_AXIS_TEXT_BYTES];
	struct cell cell;

	if (!is_given(&options->lists, name))
		return;
	cell_default(&cell);
	cell_axis_text(&cell, axis, usual);
	for (size_t i = 0; i < plan->cell_count; i++) {
		if (plan_acts(&plan->cells[i], name))
			return;
	}
	if (strcmp(options->lists.texts[axis - cell_axis_at(0)], usual) != 0)
		say("run: --%s acts in none of these cells: %s", name,
		    strcmp(name, "nodes") == 0 ? "only --strategy nodes has any"
		    : word_in_list("lock lock-yield", name)
			    ? "the strategy has no lock"
		    : word_in_list("percpu hardened", name)
			    ? "they have no cache in front"
			    : "--api get_vm_area has addresses alone");
}

int run_options_plan(struct run_options *options, struct plan *plan)
{
	struct cell *cells;
	size_t count;

	if (defaults_set(options) != 0) {
		say("run: %s", cell_message());
		return -EINVAL;
	}
	if (cells_make(options, &cells, &count) != 0)
		return -EINVAL;

	const int err = plan_init(plan, cells, count);

	free(cells);
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(may_idle) / sizeof(may_idle[0]); i++)
		say_idle(options, may_idle[i], plan);
	plan->seed = options->seed;
	plan->rounds = options->rounds ? options->rounds : rounds_fit(plan);
	return 0;
}
