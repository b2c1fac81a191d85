/* SPDX-License-Identifier: MIT */
/*
 * gbench_main.c - lfv-gbench: every cell of the lists is a case of Google
 * Benchmark.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cell_axis.h"
#include "common/message.h"
#include "gbench/cell_run.h"
#include "gbench/crash_line.h"
#include "gbench/gbench_flags.h"
#include "gbench/row_write.h"
#include "harness/harness.h"
#include "lfv/lfv.h"

enum { EXIT_USAGE = 2, EXIT_CAUGHT = 3 };

/* A run that ends by its operations may take this long. */
#define LOOPS_DURATION "60s"

/* gbench_cell - a case: what a Google Benchmark callback is given. */
struct gbench_cell {
	struct cell cell;
	const struct placement *placement;
};

static void case_run(struct gbench_state *state, void *data)
{
	const struct gbench_cell *of = data;
	struct cell_outcome outcome;

	cell_run(&of->cell, of->placement, &outcome);
	if (outcome.verdict == CELL_FAILED)
		fprintf(stderr, "lfv-gbench: %s\n", outcome.why);
	row_write(state, &outcome);
	cell_outcome_fini(&outcome);
}

static int complain(void)
{
	fprintf(stderr, "lfv-gbench: %s\n", message_text());
	return EXIT_USAGE;
}

/* What was not asked for: all workloads, what is compared, 1 and 2. */
static int lists_complete(struct cell_lists *lists)
{
	const unsigned cpus = placement_allowed_cpus();
	int error = cell_lists_default(lists, "workload", "all");

	if (!error)
		error = cell_lists_compare(lists);
	if (!error)
		error = cell_lists_default(lists, "threads",
					   cpus > 1 ? "1,2" : "1");
	return error;
}

static void context_set(void)
{
	gbench_context("lfv_version", lfv_version());
	gbench_context("lfv_build_type", LFV_BUILD_TYPE);
	gbench_context("lfv_compiler", LFV_COMPILER);
}

static int cells_run(struct gbench_flags *flags, struct gbench_cell *cells,
		     size_t count)
{
	struct gbench_outcome outcome;

	gbench_init(&flags->argc, flags->argv);
	context_set();
	for (size_t i = 0; i < count; i++) {
		char name[CELL_NAME_BYTES];

		cell_name(&cells[i].cell, name);
		gbench_add(name, case_run, &cells[i]);
	}
	crash_line_install();
	gbench_run(&outcome);
	if (outcome.ran == 0) {
		fprintf(stderr, "lfv-gbench: no cell has a name that "
				"--benchmark_filter matches\n");
		return EXIT_USAGE;
	}
	return outcome.failed ? EXIT_CAUGHT : EXIT_SUCCESS;
}

/* A factor that was asked for, and acts nowhere, would seem to do nothing. */
static void touch_warn(const struct cell_lists *lists, const struct cell *cells,
		       size_t count)
{
	const struct cell_axis *touch = cell_axis_find("touch");
	const char *list = lists->texts[touch - cell_axis_at(0)];

	if (!list || strcmp(list, "none") == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(cells[i].api, API_VM_AREA) != 0)
			return;
	}
	fprintf(stderr, "lfv-gbench: --touch has no effect: --api get_vm_area "
			"has addresses alone\n");
}

static int product_run(struct gbench_flags *flags,
		       const struct placement *placement)
{
	struct cell *cells;
	size_t count;

	if (lists_complete(&flags->lists) ||
	    cell_product(&flags->lists, &cells, &count))
		return complain();
	touch_warn(&flags->lists, cells, count);

	struct gbench_cell *cases = calloc(count, sizeof(*cases));

	for (size_t i = 0; cases && i < count; i++)
		cases[i] = (struct gbench_cell){ cells[i], placement };

	const int code = cases ? cells_run(flags, cases, count) : EXIT_USAGE;

	/* Threads that hang may still look at their cell. */
	if (code != EXIT_CAUGHT)
		free(cases);
	free(cells);
	return code;
}

/* Linux counts loops instead of time. */
static int loops_complete(struct cell_lists *lists)
{
	const struct cell_axis *loops = cell_axis_find("loops");

	if (!lists->texts[loops - cell_axis_at(0)])
		return 0;
	return cell_lists_default(lists, "duration", LOOPS_DURATION);
}

/* The library would end the process with a code that says nothing. */
static int out_check(const struct gbench_flags *flags)
{
	FILE *out = flags->out ? fopen(flags->out, "a") : NULL;

	if (flags->out && !out)
		return message_set(-EINVAL,
				   "--benchmark_out=%s cannot be written: %s",
				   flags->out, strerror(errno));
	return out ? fclose(out) : 0;
}

static int gbench_main(struct gbench_flags *flags)
{
	if (flags->help) {
		gbench_help();
		return EXIT_SUCCESS;
	}
	if (flags->list_workloads) {
		gbench_list_workloads();
		return EXIT_SUCCESS;
	}

	struct placement *placement = placement_make(NULL);

	if (!placement || out_check(flags) || loops_complete(&flags->lists)) {
		placement_free(placement);
		return complain();
	}

	const int code = product_run(flags, placement);

	if (code != EXIT_CAUGHT)
		placement_free(placement);
	return code;
}

/* A full disk or a closed pipe must not look like a short answer. */
static int output_end(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "lfv-gbench: stdout could not be written: the output "
			"is not whole\n");
	return code ? code : EXIT_CAUGHT;
}

int main(int argc, char **argv)
{
	struct gbench_flags flags;
	const int code = output_end(gbench_flags_read(&flags, argc, argv)
					    ? complain()
					    : gbench_main(&flags));

	gbench_flags_fini(&flags);
	/* Threads that hang must not run through destructors. */
	if (code == EXIT_CAUGHT) {
		(void)fflush(NULL);
		_Exit(code);
	}
	return code;
}
