/* SPDX-License-Identifier: MIT */
#include "cmd/replay_sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/child.h"
#include "cmd/plan.h"

/* A step of any strategy that takes longer on average hangs, rather. */
static const uint64_t STEP_NS_MAX = 300 * 1000;

static const double NS_PER_S = 1e9;

enum { FD_WORD_BYTES = 32 };

static uint64_t limit_ns(const struct replay_input *input,
			 const struct cell *cell)
{
	return sample_limit_ns(cell) + input->program.step_count * STEP_NS_MAX;
}

static void fail(struct sample *sample, const char *what)
{
	sample->outcome = SAMPLE_FAILED;
	snprintf(sample->why, sizeof(sample->why), "%s", what);
}

/* What a process that wrote no sample came to. */
static void judge_end(struct sample *sample, struct child_end *end,
		      uint64_t limit)
{
	char what[SAMPLE_WHY_BYTES];

	end->tail[strcspn(end->tail, "\n")] = '\0';
	if (end->overran)
		snprintf(what, sizeof(what), "hang: killed after %.1f s",
			 (double)limit / NS_PER_S);
	else if (end->signal)
		snprintf(what, sizeof(what), "crash: SIG%s (%s)%s%.200s",
			 sigabbrev_np(end->signal), strsignal(end->signal),
			 end->tail[0] ? ": " : "", end->tail);
	else
		snprintf(what, sizeof(what),
			 "ended with %d and no sample: "
			 "%.200s",
			 end->exit_code, end->tail);
	fail(sample, what);
}

static void object_take(json_t **to, json_t *root, const char *name)
{
	json_t *object = json_object_get(root, name);

	if (json_is_object(object))
		json_object_update(*to, object);
}

static bool output_read(struct sample *sample, const char *output)
{
	json_t *root = output ? json_loads(output, 0, NULL) : NULL;

	if (!json_is_object(root)) {
		json_decref(root);
		return false;
	}
	sample->ops =
		(uint64_t)json_integer_value(json_object_get(root, "ops"));
	sample->seconds = json_number_value(json_object_get(root, "seconds"));
	object_take(&sample->price, root, "price");
	object_take(&sample->latency, root, "latency");
	object_take(&sample->counters, root, "counters");
	if (json_is_true(json_object_get(root, "failed")))
		fail(sample, json_string_value(json_object_get(root, "why")));
	json_decref(root);
	return true;
}

static void judge(struct sample *sample, struct child_end *end, uint64_t limit)
{
	const bool ended = !end->overran && !end->signal;

	if (!ended || !output_read(sample, end->output))
		judge_end(sample, end, limit);
	else if (end->exit_code != 0 && sample->outcome != SAMPLE_FAILED)
		judge_end(sample, end, limit);
}

static int sample_begin(struct sample *sample, const struct cell *cell)
{
	const unsigned cpus = plan_usable_cpus(cell);

	*sample = (struct sample){
		.cell = *cell,
		.op = "alloc or free",
		.cores = cell->threads < cpus ? cell->threads : cpus,
		.price = json_object(),
		.latency = json_object(),
		.counters = json_object(),
	};
	if (sample->price && sample->latency && sample->counters)
		return 0;
	sample_fini(sample);
	return -ENOMEM;
}

int replay_sample_take(const struct replay_input *input,
		       const struct cell *cell, struct interrupt *interrupt,
		       struct sample *sample)
{
	const uint64_t limit = limit_ns(input, cell);
	char self[] = "/proc/self/exe";
	char verb[] = "replay";
	char fd[FD_WORD_BYTES];
	char *words[] = { self, verb, fd, NULL };
	struct sample taken;
	struct child_end end;

	snprintf(fd, sizeof(fd), "--sample-fd=%d", input->fd);

	int err = replay_input_give(input, cell);

	if (!err)
		err = sample_begin(&taken, cell);
	if (err)
		return err;
	err = child_run(words, limit, interrupt, &end);
	if (!err && end.broken_off) {
		free(end.output);
		err = -EINTR;
	}
	if (err) {
		sample_fini(&taken);
		return err;
	}
	judge(&taken, &end, limit);
	free(end.output);
	*sample = taken;
	return 0;
}
