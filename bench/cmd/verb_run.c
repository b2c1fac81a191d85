/* SPDX-License-Identifier: MIT */
/*
 * verb_run.c - lfv-bench run: measure cells against each other.
 *
 * What is not asked for is at its default, and one factor varies: the strategy
 * (strategy_word.h has the rows), unless another one of the engine is given.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/line_modes.h"
#include "cmd/run_options.h"
#include "cmd/say.h"
#include "cmd/session.h"
#include "cmd/table.h"
#include "cmd/verb.h"
#include "common/cell_axis.h"

enum { SIGNAL_END = 128 }; /* what shells add to a signal's number */

static void print_command(char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		const bool plain = strpbrk(words[i], " '\"$\\*?()[]") == NULL;

		printf("%s%s%s%s", i ? " " : "", plain ? "" : "'", words[i],
		       plain ? "" : "'");
	}
	putchar('\n');
}

static int dry_run(const struct session *session)
{
	const struct plan *plan = session->plan;
	size_t *order = calloc(plan->cell_count, sizeof(*order));

	for (unsigned round = 0; order && round < plan->rounds; round++) {
		plan_order(plan, round, order);
		for (size_t place = 0; place < plan->cell_count; place++) {
			struct cell cell = plan->cells[order[place]];
			char *words[SAMPLE_WORDS_MAX];

			cell.round = round;
			cell.seed = plan_seed(plan, round);
			sample_command(session->gbench, &cell, words);
			print_command(words);
			sample_command_free(words);
		}
	}
	free(order);
	return order ? VERB_OK : VERB_FAILED;
}

static void say_plan(const struct plan *plan, const struct run_options *options)
{
	char time[PROGRESS_TIME_BYTES];
	const struct cell_axis *axis;

	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		if (options->lists.texts[i])
			say_plain("%-9s %s", axis->name,
				  options->lists.texts[i]);
	}
	progress_time(plan_ns(plan), time);
	say_plain("%zu cells, %u round%s of them, about %s; seed %" PRIu64,
		  plan->cell_count, plan->rounds, plan->rounds == 1 ? "" : "s",
		  time, plan->seed);
}

static void print_result(const struct session *session,
			 const struct run_options *options)
{
	const struct table_input input = {
		.plan = session->plan,
		.samples = session->samples,
		.sample_count = session->sample_count,
	};

	if (options->json) {
		json_dumpf(session->result.root, stdout, RESULT_FORMAT);
		putchar('\n');
	} else if (table_print(&input, stdout) != 0) {
		say("run: no memory for the tables");
	}
	fflush(stdout);
}

/* The last one's reason is as good as any: a busy machine has one. */
static void say_spoilt(const struct session *session)
{
	for (size_t i = session->sample_count; i-- > 0;) {
		const struct sample *sample = &session->samples[i];

		if (sample->outcome != SAMPLE_INVALID)
			continue;
		say("run: the machine spoilt %zu of %zu samples, which are in "
		    "no median; the last: %s",
		    session->invalid_count, session->sample_count, sample->why);
		return;
	}
}

/* Whether no sample before this one uses the same CPUs. */
static bool is_first_of_mode(const struct session *session, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (line_modes_same(&session->samples[i].cell,
				    &session->samples[index].cell))
			return false;
	}
	return true;
}

static void say_modes(const struct session *session)
{
	for (size_t i = 0; i < session->sample_count; i++) {
		const struct cell *cell = &session->samples[i].cell;
		struct line_mode mode;

		if (!is_first_of_mode(session, i) ||
		    line_mode_of(cell, session->samples, session->sample_count,
				 &mode) != 0 ||
		    mode.apart == 0)
			continue;
		say("run: the host moved the CPUs: a cache line between them "
		    "took %.0f ns, but %.0f ns in %zu of %zu samples at %u "
		    "threads, pin %s, which are in no median",
		    mode.reference_ns, mode.apart_ns, mode.apart, mode.known,
		    cell->threads, cell->pin);
	}
}

static bool has_valid(const struct session *session, size_t index)
{
	for (size_t i = 0; i < session->sample_count; i++) {
		if (session->samples[i].cell_index == index &&
		    session->samples[i].outcome == SAMPLE_MEASURED)
			return true;
	}
	return false;
}

static void say_empty(const struct session *session)
{
	const size_t cells = session->plan->cell_count;
	size_t empty = 0;

	for (size_t i = 0; i < cells; i++)
		empty += !has_valid(session, i);
	if (empty > 0)
		say("run: %zu of %zu cells have no valid sample", empty, cells);
}

static int session_end(const struct session *session, int err)
{
	say_spoilt(session);
	say_modes(session);
	if (session->failed_count > 0)
		say("run: %zu sample%s failed", session->failed_count,
		    session->failed_count == 1 ? "" : "s");
	if (err == -EINTR) {
		say("run: broken off after %zu samples%s",
		    session->sample_count,
		    session->path ? ", which are kept" : "");
		return SIGNAL_END + session->interrupt.signal;
	}
	say_empty(session);
	if (err || session->failed_count > 0)
		return VERB_FAILED;
	if (session->measured_count == 0) {
		say("run: nothing could be measured");
		return VERB_NOTHING;
	}
	return VERB_OK;
}

static int measure(struct session *session, const struct run_options *options)
{
	const struct plan *plan = session->plan;

	if (!options->quiet)
		say_plan(plan, options);
	progress_begin(&session->progress, plan->rounds * plan->cell_count,
		       options->quiet);

	const int err = session_run(session);

	print_result(session, options);
	return session_end(session, err);
}

static int path_check(const char *path)
{
	const int err = path ? result_try_path(path) : 0;

	if (err)
		say("run: -o %s cannot be written: %s", path,
		    result_path_why(err));
	return err;
}

static int plan_run(const struct plan *plan, const struct run_options *options,
		    int argc, char **argv)
{
	struct result result;
	struct session session;

	if (result_init(&result, plan, argc, argv) != 0) {
		say("run: no memory");
		return VERB_FAILED;
	}
	if (session_init(&session, plan, &result, options->output) != 0) {
		result_fini(&result);
		return VERB_NOTHING;
	}

	const int end = options->dry_run ? dry_run(&session)
					 : measure(&session, options);

	session_fini(&session);
	return end;
}

int verb_run(int argc, char **argv)
{
	struct run_options options;
	struct plan plan;
	const int read = run_options_read(&options, argc, argv);

	if (read != 0)
		return read < 0 ? VERB_USAGE : VERB_OK;

	int end = VERB_USAGE;

	if (path_check(options.output) == 0 &&
	    run_options_plan(&options, &plan) == 0) {
		end = plan_run(&plan, &options, argc, argv);
		plan_fini(&plan);
	}
	run_options_fini(&options);
	return end;
}
