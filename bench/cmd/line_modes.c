/* SPDX-License-Identifier: MIT */
#include "cmd/line_modes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/stats.h"
#include "common/line_rule.h"
#include "common/row.h"

/* M3: 0 where the sample has no say. */
static double time_of(const struct sample *sample)
{
	const char *key = &ROW_LINE_TRANSFER[strlen(ROW_PREFIX)];

	if (sample->outcome != SAMPLE_MEASURED && !sample->is_off_mode)
		return 0;
	return json_number_value(json_object_get(sample->counters, key));
}

bool line_modes_same(const struct cell *one, const struct cell *other)
{
	return one->threads == other->threads &&
	       strcmp(one->pin, other->pin) == 0;
}

/* Their times, or with a reference those apart from it; says how many. */
static size_t times_of(const struct cell *cell, const struct sample *samples,
		       size_t count, double reference_ns, double *times)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		const double ns = time_of(&samples[i]);

		if (ns > 0 && line_modes_same(cell, &samples[i].cell) &&
		    (reference_ns <= 0 || line_is_apart(ns, reference_ns)))
			times[found++] = ns;
	}
	return found;
}

int line_mode_of(const struct cell *cell, const struct sample *samples,
		 size_t count, struct line_mode *mode)
{
	double *times = calloc(count + 1, sizeof(*times));
	struct line_mode made = { 0 };

	if (!times)
		return -ENOMEM;
	made.known = times_of(cell, samples, count, 0, times);
	made.reference_ns = stats_median_low(times, made.known);
	if (made.known > 0) {
		made.apart = times_of(cell, samples, count, made.reference_ns,
				      times);
		made.apart_ns = stats_median_low(times, made.apart);
	}
	free(times);
	*mode = made;
	return 0;
}

/* M2, M4; true when the outcome changed. */
static bool sample_judge(struct sample *sample, double reference_ns)
{
	const double ns = time_of(sample);
	const bool was_off = sample->is_off_mode;

	sample->is_off_mode = line_is_apart(ns, reference_ns);
	if (sample->is_off_mode) {
		sample->outcome = SAMPLE_INVALID;
		snprintf(sample->why, sizeof(sample->why),
			 "a cache line between the CPUs took %.0f ns, the "
			 "median is %.0f ns: the host had moved them",
			 ns, reference_ns);
	} else if (was_off) {
		sample->outcome = SAMPLE_MEASURED;
		sample->why[0] = '\0';
	}
	/* The reference that it is apart from may be another one now. */
	return sample->is_off_mode || was_off;
}

int line_modes_judge(const struct cell *cell, struct sample *samples,
		     size_t count, bool *is_changed)
{
	struct line_mode mode;
	const int err = line_mode_of(cell, samples, count, &mode);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		if (line_modes_same(cell, &samples[i].cell) &&
		    sample_judge(&samples[i], mode.reference_ns))
			is_changed[i] = true;
	}
	return 0;
}
