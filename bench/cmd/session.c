/* SPDX-License-Identifier: MIT */
#include "cmd/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/beside.h"
#include "cmd/line_modes.h"
#include "cmd/say.h"

enum {
	RETRIES = 2,
	TRIED_MIN = 30, /* samples that tell whether the machine is busy */
	COMMAND_BYTES = 4096,
};

int session_init(struct session *session, const struct plan *plan,
		 const struct result *result, const char *path)
{
	bool *is_over = calloc(plan->cell_count, sizeof(*is_over));

	if (!is_over)
		return -ENOMEM;
	*session = (struct session){
		.plan = plan,
		.path = path,
		.result = *result,
		.is_over = is_over,
	};

	const int err = beside_gbench(session->gbench);

	if (err)
		free(is_over);
	return err;
}

void session_fini(struct session *session)
{
	for (size_t i = 0; i < session->sample_count; i++)
		sample_fini(&session->samples[i]);
	free(session->samples);
	free(session->is_over);
	result_fini(&session->result);
}

/* The words that make this very sample again, for a shell. */
static void command_text(const struct session *session, const struct cell *cell,
			 char text[COMMAND_BYTES])
{
	char *words[SAMPLE_WORDS_MAX];
	const size_t count = sample_command(session->gbench, cell, words);
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && used < COMMAND_BYTES; i++)
		used += (size_t)snprintf(text + used, COMMAND_BYTES - used,
					 "%s%s", i ? " " : "", words[i]);
	sample_command_free(words);
}

static void say_bad(const struct session *session, const struct sample *sample)
{
	const struct cell *cell = &sample->cell;
	char command[COMMAND_BYTES];

	progress_clear(&session->progress);
	say("%s: workload %s, api %s, strategy %s, lock %s, %u thread%s, seed "
	    "%" PRIu64 ": %s",
	    sample_outcome_name(sample->outcome), cell->workload, cell->api,
	    cell->strategy, cell->lock, cell->threads,
	    cell->threads == 1 ? "" : "s", cell->seed, sample->why);
	/* What is too slow is no mistake that is to be looked for. */
	if (sample->outcome == SAMPLE_TOO_SLOW)
		return;
	command_text(session, cell, command);
	say_plain("  again: %s", command);
}

static void counts_make(struct session *session)
{
	session->failed_count = 0;
	session->invalid_count = 0;
	session->measured_count = 0;
	for (size_t i = 0; i < session->sample_count; i++) {
		const struct sample *sample = &session->samples[i];

		if (sample->outcome == SAMPLE_FAILED)
			session->failed_count++;
		if (sample->outcome == SAMPLE_INVALID)
			session->invalid_count++;
		if (sample->outcome == SAMPLE_MEASURED &&
		    !plan_is_floor(&sample->cell))
			session->measured_count++;
	}
}

static int sample_keep(struct session *session, const struct sample *sample,
		       unsigned round)
{
	struct sample *samples = reallocarray(
		session->samples, session->sample_count + 1, sizeof(*samples));

	if (!samples)
		return -ENOMEM;
	session->samples = samples;

	const int err = result_add(&session->result, sample, round);

	if (err)
		return err;
	samples[session->sample_count++] = *sample;
	return 0;
}

/*
 * S4.  Judges anew all that stand with this sample's cell, for the median may
 * have gone to another mode.
 */
static int session_judge(struct session *session, const struct cell *cell)
{
	const size_t count = session->sample_count;
	bool *is_changed = calloc(count + 1, sizeof(*is_changed));
	int err = is_changed ? 0 : -ENOMEM;

	if (!err)
		err = line_modes_judge(cell, session->samples, count,
				       is_changed);
	for (size_t i = 0; i < count && !err; i++) {
		if (is_changed[i])
			err = result_judge(&session->result, i,
					   &session->samples[i]);
	}
	free(is_changed);
	counts_make(session);
	return err;
}

/* Where more than half is spoilt, trying again only takes three times as long.
 */
static bool is_busy(const struct session *session)
{
	return session->sample_count >= TRIED_MIN &&
	       session->invalid_count > session->sample_count / 2;
}

/* How often a cell was taken in a round, and whether one of them is valid. */
static unsigned taken_in(const struct session *session, size_t index,
			 unsigned round, bool *has_valid)
{
	unsigned taken = 0;

	*has_valid = false;
	for (size_t i = 0; i < session->sample_count; i++) {
		const struct sample *sample = &session->samples[i];

		if (sample->cell_index != index || sample->cell.round != round)
			continue;
		taken++;
		*has_valid |= sample->outcome == SAMPLE_MEASURED;
	}
	return taken;
}

/*
 * S1: one sample and, where the machine spoilt it, up to RETRIES more; or what
 * is left of them where there were some.
 */
static int cell_run(struct session *session, size_t index, unsigned round)
{
	struct cell cell = session->plan->cells[index];

	cell.round = round;
	cell.seed = plan_seed(session->plan, round);

	bool has_valid;
	unsigned taken = taken_in(session, index, round, &has_valid);

	for (; taken <= RETRIES && !has_valid; taken++) {
		struct sample sample;
		int err = sample_take(session->gbench, &cell,
				      &session->interrupt, &sample);

		if (err)
			return err;
		sample.cell_index = index;
		err = sample_keep(session, &sample, round);
		if (err) {
			sample_fini(&sample);
			return err;
		}
		err = session_judge(session, &cell);
		if (err)
			return err;
		if (sample.outcome == SAMPLE_FAILED ||
		    sample.outcome == SAMPLE_TOO_SLOW) {
			session->is_over[index] = true;
			say_bad(session, &sample);
		}
		if (session->is_over[index] || is_busy(session))
			break;
		(void)taken_in(session, index, round, &has_valid);
	}
	return 0;
}

/*
 * S4: takes again, as far as S1 goes, what seemed valid until the median went
 * to another mode.
 */
static int lost_run(struct session *session)
{
	const size_t count = session->plan->cell_count;
	const size_t all = session->plan->rounds * count;
	int err = 0;

	for (size_t i = 0; i < all && !err && !is_busy(session); i++) {
		if (!session->is_over[i % count])
			err = cell_run(session, i % count,
				       (unsigned)(i / count));
	}
	return err;
}

static int round_run(struct session *session, unsigned round, size_t *order)
{
	const size_t count = session->plan->cell_count;

	plan_order(session->plan, round, order);
	for (size_t place = 0; place < count; place++) {
		const size_t index = order[place];

		if (session->is_over[index])
			continue;
		progress_step(&session->progress, round * count + place,
			      &session->plan->cells[index]);

		const int err = cell_run(session, index, round);

		if (err)
			return err;
	}
	return 0;
}

/* S3: what there is; the run's own trouble comes first. */
static int session_write(const struct session *session, int err)
{
	if (!session->path)
		return err;

	const int write_err = result_write(&session->result, session->path);

	if (write_err)
		say("%s: %s", session->path, strerror(-write_err));
	return err ? err : write_err;
}

static int rounds_run(struct session *session)
{
	const unsigned rounds = session->plan->rounds;
	size_t *order = calloc(session->plan->cell_count, sizeof(*order));
	int err = order ? 0 : -ENOMEM;

	for (unsigned round = 0; round < rounds && !err; round++) {
		err = round_run(session, round, order);
		if (round + 1 < rounds || err)
			err = session_write(session, err);
	}
	free(order);
	if (err)
		return err;
	err = lost_run(session);
	if (err)
		return session_write(session, err);
	result_complete(&session->result);
	return session_write(session, 0);
}

int session_run(struct session *session)
{
	int err = interrupt_begin(&session->interrupt);

	if (err) {
		say("run: signals cannot be taken: %s", strerror(-err));
		return err;
	}
	err = rounds_run(session);
	progress_clear(&session->progress);
	interrupt_end(&session->interrupt);
	if (err && err != -EINTR)
		say("run: ended early: %s", strerror(-err));
	return err;
}
