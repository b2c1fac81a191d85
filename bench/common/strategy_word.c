/* SPDX-License-Identifier: MIT */
#include "common/strategy_word.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cell_axis.h"
#include "common/message.h"
#include "common/nearest.h"
#include "lfv/lfv.h"

static_assert(CELL_LISTS_MAX <= 8 * sizeof(uint32_t), "a bit for each axis");

/* What makes an engine, and may differ from row to row. */
static bool is_of_row(const struct cell_axis *axis)
{
	return axis->named && (axis->kind == CELL_AXIS_CHOICE ||
			       axis->kind == CELL_AXIS_SWITCH ||
			       axis->kind == CELL_AXIS_COUNT);
}

/* axis_set_add - false: it is there already. */
static bool axis_set_add(struct axis_set *set, const struct cell_axis *axis)
{
	const uint32_t bit = UINT32_C(1) << (axis - cell_axis_at(0));
	const bool is_new = (set->bits & bit) == 0;

	set->bits |= bit;
	return is_new;
}

enum { AXES_BYTES = 200, HINT_BYTES = NEAREST_WORD_BYTES + 24 };

/* row_axes - the names of all that a row may have for itself. */
static const char *row_axes(char text[AXES_BYTES])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; cell_axis_at(i) && used < AXES_BYTES; i++) {
		const struct cell_axis *axis = cell_axis_at(i);

		if (is_of_row(axis) && strcmp(axis->name, "strategy") != 0)
			used += (size_t)snprintf(text + used, AXES_BYTES - used,
						 "%s%s", used ? ", " : "",
						 axis->name);
	}
	return text;
}

static int no_such_axis(const char *name)
{
	struct nearest nearest;
	char hint[HINT_BYTES];
	char axes[AXES_BYTES];

	nearest_begin(&nearest, name);
	for (size_t i = 0; cell_axis_at(i); i++) {
		if (is_of_row(cell_axis_at(i)))
			nearest_offer(&nearest, cell_axis_at(i)->name);
	}
	return message_set(-EINVAL,
			   "--strategy: '+%.40s=': no such factor of the "
			   "engine; it is one of %s%s",
			   name, row_axes(axes),
			   nearest_hint(&nearest, hint, sizeof(hint)));
}

static int choice_set(struct cell *cell, char *choice, struct axis_set *own)
{
	char *equals = strchr(choice, '=');
	char axes[AXES_BYTES];

	if (!equals)
		return message_set(-EINVAL,
				   "--strategy: '+%s': +AXIS=VALUE is "
				   "expected, as in lockfree+mapping=keep",
				   choice);
	*equals = '\0';

	const struct cell_axis *axis = cell_axis_find(choice);

	if (strcmp(choice, "strategy") == 0)
		return message_set(-EINVAL,
				   "--strategy: '+strategy=': the strategy is "
				   "what stands before the plus");
	if (!axis)
		return no_such_axis(choice);
	if (!is_of_row(axis))
		return message_set(-EINVAL,
				   "--strategy: '+%s=': --%s is of all rows; a "
				   "row of its own is made by %s",
				   choice, choice, row_axes(axes));
	if (!axis_set_add(own, axis))
		return message_set(-EINVAL,
				   "--strategy: '+%s=': it stands there twice",
				   choice);
	return cell_axis_set(cell, choice, equals + 1);
}

int strategy_word_set(struct cell *cell, const char *word, size_t letters,
		      struct axis_set *own)
{
	char text[CELL_AXIS_TEXT_BYTES];

	if (letters >= sizeof(text))
		return message_set(-EINVAL,
				   "--strategy: '%.40s...' is too "
				   "long",
				   word);
	memcpy(text, word, letters);
	text[letters] = '\0';

	char *rest = text;
	int error = cell_axis_set(cell, "strategy", strsep(&rest, "+"));

	while (rest && !error)
		error = choice_set(cell, strsep(&rest, "+"), own);
	return error;
}

static bool exists(const char *strategy)
{
	struct lfv_choice choice;

	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		if (strcmp(choice.name, strategy) == 0)
			return true;
	}
	return false;
}

void strategy_rows(bool keep, char *list, size_t bytes)
{
	static const struct {
		const char *strategy;
		const char *own;
	} rows[] = {
		{ "list", "" },
		{ "rbtree", "" },
		{ "augmented", "" },
		{ "nodes", "" },
		{ "rcu", "" },
		{ "lockfree", "" },
		{ "lockfree", "+mapping=keep" },
	};
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!exists(rows[i].strategy) || (rows[i].own[0] && !keep))
			continue;
		used += (size_t)snprintf(list + used, bytes - used, "%s%s%s",
					 used ? "," : "", rows[i].strategy,
					 rows[i].own);
		assert(used < bytes);
	}
}
