/* SPDX-License-Identifier: MIT */
#include "cmd/sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/child.h"
#include "cmd/plan.h"

/* A sample may run ten times as long as it was asked to measure, ... */
static const uint64_t OVERRUN_FACTOR = 10;
/* ... between its set-up and the reverse, which may take as long again ... */
static const uint64_t SETUP_FACTOR = 2;
/* ... and with this for its process to begin and end on a busy machine. */
static const uint64_t PROCESS_NS = UINT64_C(10) * 1000 * 1000 * 1000;

enum {
	LINE_SHOWN = 180, /* letters of a line that are worth repeating */
	WORDS_BYTES = 2 * LINE_SHOWN + 8,
};

static const double NS_PER_S = 1e9;
static const double OPS_PER_MOP = 1e6;

static const char *const outcome_names[] = {
	[SAMPLE_MEASURED] = "measured",
	[SAMPLE_INVALID] = "invalid",
	[SAMPLE_TOO_SLOW] = "too slow",
	[SAMPLE_FAILED] = "failed",
};

const char *sample_outcome_name(enum sample_outcome outcome)
{
	return outcome_names[outcome];
}

double sample_mops(const struct sample *sample)
{
	return sample->seconds > 0
		       ? (double)sample->ops / sample->seconds / OPS_PER_MOP
		       : 0;
}

double sample_ns_per_op(const struct sample *sample)
{
	return sample->ops > 0
		       ? sample->seconds * NS_PER_S * (double)sample->cores /
				 (double)sample->ops
		       : 0;
}

uint64_t sample_limit_ns(const struct cell *cell)
{
	return OVERRUN_FACTOR * cell->duration_ns +
	       SETUP_FACTOR * cell->cell_limit_ns + PROCESS_NS;
}

size_t sample_command(const char *gbench, const struct cell *cell,
		      char *words[SAMPLE_WORDS_MAX])
{
	memset(words, 0, SAMPLE_WORDS_MAX * sizeof(*words));
	words[0] = strdup(gbench);
	words[1] = strdup("--benchmark_format=json");

	const size_t count =
		cell_arguments(cell, words + 2, SAMPLE_WORDS_MAX - 3);

	for (size_t i = 0; i < count + 2; i++) {
		if (!words[i]) {
			sample_command_free(words);
			return 0;
		}
	}
	return count + 2;
}

void sample_command_free(char *words[SAMPLE_WORDS_MAX])
{
	for (size_t i = 0; i < SAMPLE_WORDS_MAX; i++) {
		free(words[i]);
		words[i] = NULL;
	}
}

static void fail(struct sample *sample, const char *what)
{
	sample->outcome = SAMPLE_FAILED;
	snprintf(sample->why, sizeof(sample->why), "%s", what);
}

/* The beginning of the last line of `text`, which loses its final newlines. */
static char *last_line(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';

	char *newline = strrchr(text, '\n');

	return newline ? newline + 1 : text;
}

/*
 * The last two lines that a program wrote: what it found, and where it was.
 * Long ones are cut; `text` is taken apart.
 */
static void last_words(char *text, char words[WORDS_BYTES])
{
	char *second = last_line(text);

	words[0] = '\0';
	if (second == text) {
		snprintf(words, WORDS_BYTES, "%s%.*s", *text ? ": " : "",
			 LINE_SHOWN, text);
		return;
	}
	second[-1] = '\0';
	snprintf(words, WORDS_BYTES, ": %.*s; %.*s", LINE_SHOWN,
		 last_line(text), LINE_SHOWN, second);
}

/* A process that did not come to its end has no figures. */
static void judge_end(struct sample *sample, struct child_end *end)
{
	char what[SAMPLE_WHY_BYTES];
	char words[WORDS_BYTES];

	last_words(end->tail, words);
	if (end->overran)
		snprintf(what, sizeof(what),
			 "hang: killed after %.1f s, tenfold of its time",
			 (double)sample_limit_ns(&sample->cell) / NS_PER_S);
	else if (end->signal)
		snprintf(what, sizeof(what), "crash: SIG%s (%s)%s",
			 sigabbrev_np(end->signal), strsignal(end->signal),
			 words);
	else
		snprintf(what, sizeof(what),
			 "lfv-gbench ended with %d and no sample%s",
			 end->exit_code, words);
	fail(sample, what);
}

/*
 * A failure found inside has its row; all other ends speak for themselves.  An
 * exit code that contradicts a good row is a failure, too: a sanitizer's, say.
 */
static void judge(struct sample *sample, struct child_end *end)
{
	const bool ended = !end->overran && !end->signal;

	if (ended && end->output && *end->output)
		sample_read(sample, end->output);
	else
		judge_end(sample, end);
	if (sample->outcome != SAMPLE_FAILED && end->exit_code != 0)
		judge_end(sample, end);
}

/* In a lookup the other threads replace areas; only the lookups count. */
static const char *op_of(const struct cell *cell)
{
	return strstr(cell->workload, "lookup") ? "lookup" : "alloc+free";
}

static unsigned cores_of(const struct cell *cell)
{
	const unsigned cpus = plan_usable_cpus(cell);

	return cell->threads < cpus ? cell->threads : cpus;
}

static int sample_init(struct sample *sample, const struct cell *cell)
{
	*sample = (struct sample){
		.cell = *cell,
		.op = op_of(cell),
		.cores = cores_of(cell),
		.price = json_object(),
		.latency = json_object(),
		.counters = json_object(),
	};
	if (sample->price && sample->latency && sample->counters)
		return 0;
	sample_fini(sample);
	return -ENOMEM;
}

void sample_fini(struct sample *sample)
{
	json_decref(sample->price);
	json_decref(sample->latency);
	json_decref(sample->counters);
	*sample = (struct sample){ 0 };
}

int sample_take(const char *gbench, const struct cell *cell,
		struct interrupt *interrupt, struct sample *sample)
{
	struct sample taken;
	struct child_end end;
	char *words[SAMPLE_WORDS_MAX];

	if (sample_command(gbench, cell, words) == 0)
		return -ENOMEM;

	int err = sample_init(&taken, cell);

	if (!err) {
		err = child_run(words, sample_limit_ns(cell), interrupt, &end);
		if (err)
			sample_fini(&taken);
	}
	sample_command_free(words);
	if (err)
		return err;
	if (end.broken_off) {
		sample_fini(&taken);
		free(end.output);
		return -EINTR;
	}
	judge(&taken, &end);
	free(end.output);
	*sample = taken;
	return 0;
}
