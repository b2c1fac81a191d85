/* SPDX-License-Identifier: MIT */
#include "cmd/replay_session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/replay_sample.h"
#include "cmd/say.h"

static void say_input(const struct replay_input *input)
{
	const struct trace_counters *counters = &input->program.counters;

	say_plain("%s (%s): %" PRIu64 " allocations, %" PRIu64 " frees on %u "
		  "CPU%s, %" PRIu64 " areas live before%s%s",
		  input->name, trace_format_name(input->format),
		  counters->allocs, counters->frees, input->program.cpu_count,
		  input->program.cpu_count == 1 ? "" : "s", counters->preloads,
		  input->snapshot[0] ? " from " : " (no snapshot)",
		  input->snapshot);
	if (counters->lost_marks || counters->dropped ||
	    counters->unknown_frees || counters->cut_lines)
		say_plain("  the recording has holes: %" PRIu64 " marks of "
			  "lost events, %" PRIu64 " owners dropped, %" PRIu64
			  " frees of nobody's, %" PRIu64 " cut lines",
			  counters->lost_marks, counters->dropped,
			  counters->unknown_frees, counters->cut_lines);
}

static int track_read(struct replay_session *session, const char *path)
{
	const struct replay_options *options = session->options;
	const struct replay_source source = {
		.path = path,
		.snapshot = options->snapshot,
		.no_snapshot = options->no_snapshot,
	};
	struct replay_track *track = &session->tracks[session->track_count];
	const int err = replay_input_init(&track->input, &source);

	if (err)
		return err;
	session->track_count++;

	const struct trace_counters *counters = &track->input.program.counters;

	if (counters->allocs + counters->frees == 0) {
		say("replay: %s: no vmalloc event in it, nothing to replay",
		    path);
		return -ENODATA;
	}
	if (!options->quiet)
		say_input(&track->input);
	return 0;
}

/* Adds the track's cells to the plan. */
static int track_plan(struct replay_session *session,
		      struct replay_track *track)
{
	struct plan *plan = &session->plan;
	struct cell *cells;
	size_t count;
	const int err = replay_options_cells(session->options, &track->input,
					     &cells, &count);

	if (err)
		return err;

	struct cell *grown = reallocarray(plan->cells, plan->cell_count + count,
					  sizeof(*grown));

	if (grown) {
		plan->cells = grown;
		memcpy(grown + plan->cell_count, cells, count * sizeof(*cells));
		track->first_cell = plan->cell_count;
		track->cell_count = count;
		plan->cell_count += count;
	}
	free(cells);
	return grown ? 0 : -ENOMEM;
}

int replay_session_init(struct replay_session *session,
			const struct replay_options *options, int words,
			char **command)
{
	*session = (struct replay_session){
		.options = options,
		.tracks = calloc(options->file_count,
				 sizeof(struct replay_track)),
	};
	session->plan.rounds = options->rounds;

	int err = session->tracks ? 0 : -ENOMEM;

	for (size_t i = 0; i < options->file_count && !err; i++) {
		err = track_read(session, options->files[i]);
		if (!err)
			err = track_plan(session, &session->tracks[i]);
	}
	if (!err) {
		session->is_over = calloc(session->plan.cell_count,
					  sizeof(*session->is_over));
		err = session->is_over
			      ? result_init(&session->result, &session->plan,
					    words, command)
			      : -ENOMEM;
	}
	if (err)
		replay_session_fini(session);
	return err;
}

void replay_session_fini(struct replay_session *session)
{
	for (size_t i = 0; i < session->track_count; i++)
		replay_input_fini(&session->tracks[i].input);
	for (size_t i = 0; i < session->sample_count; i++)
		sample_fini(&session->samples[i]);
	free(session->tracks);
	free(session->samples);
	free(session->is_over);
	free(session->plan.cells);
	result_fini(&session->result);
}

/* A cell's name for the recording is cut; the file has the whole one. */
static int result_keep(struct replay_session *session,
		       const struct replay_track *track,
		       const struct sample *sample, unsigned round)
{
	const int err = result_add(&session->result, sample, round);

	if (err)
		return err;

	json_t *samples = session->result.samples;
	json_t *last = json_array_get(samples, json_array_size(samples) - 1);

	return json_object_set_new(
		       last, "workload",
		       json_sprintf("replay:%s", track->input.name)) == 0
		       ? 0
		       : -ENOMEM;
}

static int sample_keep(struct replay_session *session,
		       const struct replay_track *track,
		       const struct sample *sample, unsigned round)
{
	struct sample *samples = reallocarray(
		session->samples, session->sample_count + 1, sizeof(*samples));

	if (!samples)
		return -ENOMEM;
	session->samples = samples;

	const int err = result_keep(session, track, sample, round);

	if (err)
		return err;
	samples[session->sample_count++] = *sample;
	session->failed_count += sample->outcome == SAMPLE_FAILED;
	return 0;
}

static void say_failed(const struct replay_session *session,
		       const struct replay_track *track,
		       const struct sample *sample)
{
	const struct cell *cell = &sample->cell;
	const size_t file = (size_t)(track - session->tracks);

	progress_clear(&session->progress);
	say("failed: %s, strategy %s, lock %s, api %s, %u thread%s: %s",
	    track->input.name, cell->strategy, cell->lock, cell->api,
	    cell->threads, cell->threads == 1 ? "" : "s", sample->why);
	say_plain("  again: lfv-bench replay %s --strategy %s --lock %s "
		  "--api %s%s",
		  session->options->files[file], cell->strategy, cell->lock,
		  cell->api, session->options->parallel ? " --parallel" : "");
}

static int cell_run(struct replay_session *session,
		    const struct replay_track *track, size_t index,
		    unsigned round)
{
	struct cell cell = session->plan.cells[index];
	struct sample sample;

	cell.round = round;

	int err = replay_sample_take(&track->input, &cell, &session->interrupt,
				     &sample);

	if (err)
		return err;
	sample.cell_index = index;
	err = sample_keep(session, track, &sample, round);
	if (err) {
		sample_fini(&sample);
		return err;
	}
	if (sample.outcome == SAMPLE_FAILED) {
		session->is_over[index] = true;
		say_failed(session, track, &sample);
	}
	return 0;
}

static int track_run(struct replay_session *session,
		     const struct replay_track *track, unsigned round)
{
	for (size_t i = 0; i < track->cell_count; i++) {
		const size_t index =
			track->first_cell + (i + round) % track->cell_count;

		if (session->is_over[index])
			continue;
		progress_step(&session->progress,
			      round * session->plan.cell_count +
				      track->first_cell + i,
			      &session->plan.cells[index]);

		const int err = cell_run(session, track, index, round);

		if (err)
			return err;
	}
	return 0;
}

static int round_run(struct replay_session *session, unsigned round)
{
	int err = 0;

	for (size_t i = 0; i < session->track_count && !err; i++)
		err = track_run(session, &session->tracks[i], round);
	return err;
}

/* R3: the run's own trouble comes first. */
static int session_write(const struct replay_session *session, int err)
{
	const char *path = session->options->output;
	const int write_err = path ? result_write(&session->result, path) : 0;

	if (write_err)
		say("%s: %s", path, strerror(-write_err));
	return err ? err : write_err;
}

int replay_session_run(struct replay_session *session)
{
	const unsigned rounds = session->options->rounds;
	int err = interrupt_begin(&session->interrupt);

	if (err) {
		say("replay: signals cannot be taken: %s", strerror(-err));
		return err;
	}
	if (!session->options->quiet)
		say_plain("%zu cell%s, %u round%s of them",
			  session->plan.cell_count,
			  session->plan.cell_count == 1 ? "" : "s", rounds,
			  rounds == 1 ? "" : "s");
	progress_begin(&session->progress, rounds * session->plan.cell_count,
		       session->options->quiet);
	session->progress.in_lines =
		!session->options->quiet && !session->progress.shown;
	for (unsigned round = 0; round < rounds && !err; round++) {
		err = round_run(session, round);
		if (!err && round + 1 == rounds)
			result_complete(&session->result);
		err = session_write(session, err);
	}
	progress_clear(&session->progress);
	interrupt_end(&session->interrupt);
	if (err && err != -EINTR)
		say("replay: ended early: %s", strerror(-err));
	return err;
}
