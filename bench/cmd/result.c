/* SPDX-License-Identifier: MIT */
#include "cmd/result.h"

#include <errno.h>
#include <string.h>

#include "cmd/machine.h"

static const char SCHEMA[] = "lfv-results/1";

static json_t *command_describe(int words, char **command)
{
	json_t *array = json_array();

	for (int i = 0; i < words; i++)
		json_array_append_new(array, json_string(command[i]));
	return array;
}

static json_t *plan_describe(const struct plan *plan, int words, char **command)
{
	const struct cell *cell = &plan->cells[0];

	return json_pack("{s:o, s:I, s:I, s:I, s:f, s:f, s:b}", "command",
			 command_describe(words, command), "seed",
			 (json_int_t)plan->seed, "rounds",
			 (json_int_t)plan->rounds, "cells",
			 (json_int_t)plan->cell_count, "duration_seconds",
			 (double)cell->duration_ns / 1e9, "cell_limit_seconds",
			 (double)cell->cell_limit_ns / 1e9, "complete", 0);
}

int result_init(struct result *result, const struct plan *plan, int words,
		char **command)
{
	json_t *planned = plan_describe(plan, words, command);
	json_t *samples = json_array();
	json_t *root = json_pack("{s:s, s:o, s:O, s:O}", "schema", SCHEMA,
				 "machine", machine_describe(), "plan", planned,
				 "samples", samples);

	if (!root) {
		json_decref(planned);
		json_decref(samples);
		return -ENOMEM;
	}
	*result = (struct result){ root, planned, samples };
	return 0;
}

void result_fini(struct result *result)
{
	json_decref(result->root);
	json_decref(result->plan);
	json_decref(result->samples);
	*result = (struct result){ 0 };
}

void result_complete(struct result *result)
{
	json_object_set_new(result->plan, "complete", json_true());
}

/* A factor that does not act in this cell is null, not its default. */
static json_t *word_if(bool acts, const char *word)
{
	return acts && *word ? json_string(word) : json_null();
}

static json_t *count_if(bool acts, uint64_t count)
{
	return acts ? json_integer((json_int_t)count) : json_null();
}

static json_t *pages_describe(const struct cell *cell)
{
	if (cell->pages_min == 0)
		return json_null();
	if (cell->pages_min == cell->pages_max)
		return json_sprintf("%zu", cell->pages_min);
	return json_sprintf("%zu-%zu", cell->pages_min, cell->pages_max);
}

static json_t *switch_if(bool acts, bool value)
{
	return acts ? json_boolean(value) : json_null();
}

/* What was varied. */
static json_t *factors_describe(const struct cell *cell)
{
	const bool engine = !plan_is_floor(cell);

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
		" s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
		"strategy", word_if(engine, cell->strategy), "variant",
		word_if(engine, cell->variant), "lock",
		word_if(plan_acts(cell, "lock"), cell->lock), "lock_yield",
		switch_if(plan_acts(cell, "lock-yield"), cell->lock_yield),
		"cache", word_if(engine, cell->cache), "frames",
		word_if(plan_acts(cell, "frames"), cell->frames), "mapping",
		word_if(engine, cell->mapping), "flush",
		word_if(plan_acts(cell, "flush"), cell->flush), "worker",
		word_if(engine, cell->worker), "percpu",
		word_if(plan_acts(cell, "percpu"), cell->percpu), "hardened",
		switch_if(plan_acts(cell, "hardened"), cell->hardened), "nodes",
		count_if(engine && cell->nodes > 0, cell->nodes), "workload",
		cell->workload, "api", cell->api, "pages", pages_describe(cell),
		"align", count_if(cell->align > 0, cell->align), "live",
		count_if(cell->live > 0, cell->live), "touch",
		word_if(plan_acts(cell, "touch"), cell->touch), "va_size",
		count_if(engine && cell->window_bytes > 0, cell->window_bytes),
		"cpus", count_if(engine && cell->cpus > 0, cell->cpus));
}

/* Whether it counts. */
static json_t *verdict_describe(const struct sample *sample)
{
	return json_pack("{s:s, s:b, s:o, s:b}", "outcome",
			 sample_outcome_name(sample->outcome), "valid",
			 sample->outcome == SAMPLE_MEASURED, "why_invalid",
			 word_if(true, sample->why), "off_mode",
			 sample->is_off_mode);
}

/* What came of it. */
static json_t *figures_describe(const struct sample *sample)
{
	const bool has = sample->ops > 0;
	const bool slow = json_object_size(sample->latency) == 0;

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:I, s:o, s:O, s:O}", "ops",
		count_if(has, sample->ops), "seconds",
		has ? json_real(sample->seconds) : json_null(), "mops",
		has ? json_real(sample_mops(sample)) : json_null(), "ns_per_op",
		has ? json_real(sample_ns_per_op(sample)) : json_null(),
		"cores", (json_int_t)sample->cores, "latency",
		slow ? json_null() : json_incref(sample->latency), "price",
		sample->price, "counters", sample->counters);
}

static json_t *sample_describe(const struct sample *sample, unsigned round)
{
	const struct cell *cell = &sample->cell;
	json_t *described = factors_describe(cell);
	json_t *conditions = json_pack(
		"{s:s, s:I, s:s, s:b, s:I, s:I}", "op", sample->op, "threads",
		(json_int_t)cell->threads, "pin", cell->pin, "oversubscribe",
		cell->oversubscribe, "round", (json_int_t)round, "seed",
		(json_int_t)cell->seed);
	json_t *verdict = verdict_describe(sample);
	json_t *figures = figures_describe(sample);
	const bool whole = described && conditions && verdict && figures &&
			   json_object_update(described, conditions) == 0 &&
			   json_object_update(described, verdict) == 0 &&
			   json_object_update(described, figures) == 0;

	json_decref(conditions);
	json_decref(verdict);
	json_decref(figures);
	if (whole)
		return described;
	json_decref(described);
	return NULL;
}

int result_add(struct result *result, const struct sample *sample,
	       unsigned round)
{
	json_t *described = sample_describe(sample, round);

	return described && json_array_append_new(result->samples, described) ==
				       0
		       ? 0
		       : -ENOMEM;
}

int result_judge(struct result *result, size_t index,
		 const struct sample *sample)
{
	json_t *described = json_array_get(result->samples, index);
	json_t *verdict = verdict_describe(sample);
	const int err = described && verdict
				? json_object_update(described, verdict)
				: -1;

	json_decref(verdict);
	return err ? -ENOMEM : 0;
}
