/* SPDX-License-Identifier: MIT */
#include "cmd/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/row.h"

static bool price_find(const struct sample *sample, const char *key,
		       double *value)
{
	const json_t *number =
		json_object_get(sample->price, key + strlen(ROW_PRICE));

	if (!number)
		return false;
	*value = json_number_value(number);
	return true;
}

static bool counter_find(const struct sample *sample, const char *key,
			 double *value)
{
	const json_t *number = json_object_get(sample->counters, key);

	if (!number)
		return false;
	*value = json_number_value(number);
	return true;
}

static bool figure_find(const struct sample *sample, enum summary_figure figure,
			double *value)
{
	switch (figure) {
	case SUMMARY_MOPS:
		*value = sample_mops(sample);
		return true;
	case SUMMARY_NS_PER_OP:
		*value = sample_ns_per_op(sample);
		return true;
	case SUMMARY_PAGES_RETAINED:
		return price_find(sample, ROW_PRICE_PAGES, value);
	case SUMMARY_ADDRESS_SPAN:
		return price_find(sample, ROW_PRICE_SPAN, value);
	case SUMMARY_REFUSED:
		return counter_find(sample, "refused_share", value);
	default:
		return price_find(sample, ROW_PRICE_MAPPINGS, value);
	}
}

/* Which samples a figure is taken from. */
struct choice {
	size_t cell_index;
	enum sample_outcome outcome;
};

static struct stats figures_of(enum summary_figure figure, struct choice of,
			       const struct sample *samples, size_t count,
			       double *room)
{
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		if (samples[i].cell_index == of.cell_index &&
		    samples[i].outcome == of.outcome && samples[i].ops > 0 &&
		    figure_find(&samples[i], figure, &room[known]))
			known++;
	}
	return stats_of(room, known);
}

int summary_of(size_t cell_index, const struct sample *samples, size_t count,
	       struct summary *summary)
{
	double *room = calloc(count + 1, sizeof(*room));
	struct summary made = { .why = "" };

	if (!room)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct sample *sample = &samples[i];

		if (sample->cell_index != cell_index)
			continue;
		made.taken++;
		if (sample->outcome == SAMPLE_MEASURED) {
			made.valid++;
		} else {
			made.worst = sample->outcome;
			made.why = sample->why;
		}
	}
	made.is_spoilt = made.valid == 0 && made.worst == SAMPLE_INVALID;

	const struct choice of = { cell_index, made.is_spoilt
						       ? SAMPLE_INVALID
						       : SAMPLE_MEASURED };

	for (int figure = 0; figure < SUMMARY_FIGURES; figure++)
		made.figures[figure] = figures_of((enum summary_figure)figure,
						  of, samples, count, room);
	free(room);
	*summary = made;
	return 0;
}
