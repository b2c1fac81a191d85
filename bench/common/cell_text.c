/* SPDX-License-Identifier: MIT */
/*
 * cell_text.c - a factor from text and back: one reader and one writer for
 * each kind of axis.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cell_axis.h"
#include "common/message.h"
#include "common/nearest.h"
#include "common/placement.h"
#include "common/quantity.h"
#include "common/workload_info.h"
#include "lfv/lfv.h"

enum { HINT_BYTES = NEAREST_WORD_BYTES + 24 };

static void *field(struct cell *cell, const struct cell_axis *axis)
{
	return (char *)cell + axis->offset;
}

static const void *field_of(const struct cell *cell,
			    const struct cell_axis *axis)
{
	return (const char *)cell + axis->offset;
}

static void word_set(char *word, const char *text)
{
	(void)snprintf(word, CELL_WORD_BYTES, "%s", text);
}

static int refused(const struct cell_axis *axis, const char *text,
		   const char *hint)
{
	return message_set(-EINVAL, "--%s is '%s': %s is expected%s",
			   axis->name, text, axis->value, hint);
}

/* What a value of this kind looks like, where a word does not tell. */
static const char *example_of(const struct cell_axis *axis)
{
	if (axis->kind == CELL_AXIS_TIME)
		return ": 100ms, 5s, 2min";
	if (axis->kind == CELL_AXIS_BYTES)
		return ": 4096, 64K, 128M, 1T";
	return "";
}

static void limit_write(const struct cell_axis *axis, uint64_t limit,
			char text[QUANTITY_BYTES])
{
	if (axis->kind == CELL_AXIS_TIME)
		quantity_write_ns(limit, text);
	else if (axis->kind == CELL_AXIS_BYTES)
		quantity_write_bytes(limit, text);
	else
		(void)snprintf(text, QUANTITY_BYTES, "%" PRIu64, limit);
}

static int out_of_range(const struct cell_axis *axis, const char *text)
{
	char least[QUANTITY_BYTES];
	char most[QUANTITY_BYTES];

	limit_write(axis, axis->least, least);
	limit_write(axis, axis->most, most);
	if (!axis->most)
		return message_set(-EINVAL,
				   "--%s is '%s': at least %s is expected",
				   axis->name, text, least);
	return message_set(-EINVAL, "--%s is '%s': %s to %s is expected",
			   axis->name, text, least, most);
}

static int workload_set(struct cell *cell, const struct cell_axis *axis,
			const char *text)
{
	const struct workload_info *info = workload_info_find(text);

	if (info) {
		word_set(cell->workload, info->name);
		(void)snprintf(cell->api, CELL_WORD_BYTES, "%.*s",
			       (int)strcspn(info->apis, " "), info->apis);
		if (info->touch)
			word_set(cell->touch, info->touch);
		return 0;
	}

	struct nearest nearest;
	char hint[HINT_BYTES];

	nearest_begin(&nearest, text);
	for (size_t i = 0; workload_info_at(i); i++)
		nearest_offer(&nearest, workload_info_at(i)->name);
	return message_set(-EINVAL, "--%s: no workload is called '%s'%s",
			   axis->name, text,
			   nearest_hint(&nearest, hint, sizeof(hint)));
}

static int choice_set(struct cell *cell, const struct cell_axis *axis,
		      const char *text)
{
	const enum lfv_axis of = (enum lfv_axis)axis->choice;
	struct lfv_choice choice;
	struct nearest nearest;
	char hint[HINT_BYTES];

	nearest_begin(&nearest, text);
	for (size_t i = 0; lfv_choice_at(of, i, &choice); i++) {
		nearest_offer(&nearest, choice.name);
		if (strcmp(choice.name, text) != 0 &&
		    !word_in_list(choice.aliases, text))
			continue;
		word_set(field(cell, axis), choice.name);
		if (of == LFV_AXIS_STRATEGY)
			word_set(cell->variant,
				 choice.variant ? choice.variant : "");
		return 0;
	}
	return message_set(-EINVAL, "--%s: no %s is called '%s'%s", axis->name,
			   axis->name, text,
			   nearest_hint(&nearest, hint, sizeof(hint)));
}

static int one_of_set(struct cell *cell, const struct cell_axis *axis,
		      const char *text)
{
	if (text[0] && word_in_list(axis->words, text)) {
		word_set(field(cell, axis), text);
		return 0;
	}

	struct nearest nearest;
	char hint[HINT_BYTES];
	char words[CELL_AXIS_TEXT_BYTES];
	char *rest;

	(void)snprintf(words, sizeof(words), "%s", axis->words);
	nearest_begin(&nearest, text);
	for (char *word = strtok_r(words, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest))
		nearest_offer(&nearest, word);
	return refused(axis, text, nearest_hint(&nearest, hint, sizeof(hint)));
}

static int switch_set(struct cell *cell, const struct cell_axis *axis,
		      const char *text)
{
	bool *on = field(cell, axis);

	if (word_in_list("on yes true 1", text) || !text[0])
		*on = true;
	else if (word_in_list("off no false 0", text))
		*on = false;
	else
		return refused(axis, text, "");
	return 0;
}

static int number_read(const struct cell_axis *axis, const char *text,
		       uint64_t *value)
{
	uint64_t number = 0;
	int error;

	if (axis->kind == CELL_AXIS_TIME)
		error = quantity_read_ns(text, &number);
	else if (axis->kind == CELL_AXIS_BYTES)
		error = quantity_read_bytes(text, &number);
	else
		error = quantity_read_number(text, &number);
	if (error && text[0] == '-' && axis->most)
		return out_of_range(axis, text);
	if (error)
		return refused(axis, text, example_of(axis));
	if (number < axis->least || (axis->most && number > axis->most))
		return out_of_range(axis, text);
	if (axis->power_of_two && (number & (number - 1)))
		return message_set(-EINVAL,
				   "--%s is '%s': a power of two is expected",
				   axis->name, text);
	*value = number;
	return 0;
}

static int number_set(struct cell *cell, const struct cell_axis *axis,
		      const char *text)
{
	uint64_t value = 0;
	const int error = number_read(axis, text, &value);

	if (error)
		return error;
	switch (axis->kind) {
	case CELL_AXIS_COUNT:
	case CELL_AXIS_THREADS:
		*(unsigned *)field(cell, axis) = (unsigned)value;
		break;
	case CELL_AXIS_NUMBER:
	case CELL_AXIS_BYTES:
		*(size_t *)field(cell, axis) = value;
		break;
	default:
		*(uint64_t *)field(cell, axis) = value;
		break;
	}
	return 0;
}

static int threads_set(struct cell *cell, const struct cell_axis *axis,
		       const char *text)
{
	if (strcmp(text, "cpus") != 0)
		return number_set(cell, axis, text);
	cell->threads = placement_allowed_cpus();
	return 0;
}

static int pages_set(struct cell *cell, const struct cell_axis *axis,
		     const char *text)
{
	char low[QUANTITY_BYTES];
	const char *dash = strchr(text, '-');
	const size_t letters = dash ? (size_t)(dash - text) : strlen(text);
	uint64_t least = 0;
	uint64_t most = 0;

	if (letters >= sizeof(low))
		return refused(axis, text, "");
	memcpy(low, text, letters);
	low[letters] = '\0';
	if (quantity_read_number(low, &least) ||
	    quantity_read_number(dash ? dash + 1 : low, &most) || !least ||
	    least > most || most > UINT32_MAX)
		return refused(axis, text, ", from 1 to 4294967295 and A <= B");
	cell->pages_min = least;
	cell->pages_max = most;
	return 0;
}

static int pin_set(struct cell *cell, const struct cell_axis *axis,
		   const char *text)
{
	if (strlen(text) >= sizeof(cell->pin) || !placement_is_pin(text))
		return refused(axis, text, "");
	(void)snprintf(cell->pin, sizeof(cell->pin), "%s", text);
	return 0;
}

static int (*const setters[])(struct cell *, const struct cell_axis *,
			      const char *) = {
	[CELL_AXIS_WORKLOAD] = workload_set, [CELL_AXIS_CHOICE] = choice_set,
	[CELL_AXIS_WORD] = one_of_set,       [CELL_AXIS_SWITCH] = switch_set,
	[CELL_AXIS_COUNT] = number_set,      [CELL_AXIS_THREADS] = threads_set,
	[CELL_AXIS_NUMBER] = number_set,     [CELL_AXIS_U64] = number_set,
	[CELL_AXIS_BYTES] = number_set,      [CELL_AXIS_TIME] = number_set,
	[CELL_AXIS_PAGES] = pages_set,       [CELL_AXIS_PIN] = pin_set,
};

int cell_axis_set(struct cell *cell, const char *name, const char *text)
{
	const struct cell_axis *axis = cell_axis_find(name);

	if (axis)
		return setters[axis->kind](cell, axis, text);

	struct nearest nearest;
	char hint[HINT_BYTES];

	nearest_begin(&nearest, name);
	for (size_t i = 0; cell_axis_at(i); i++)
		nearest_offer(&nearest, cell_axis_at(i)->name);
	return message_set(-EINVAL, "--%s: no such flag%s", name,
			   nearest_hint(&nearest, hint, sizeof(hint)));
}

static void pages_text(const struct cell *cell, char text[CELL_AXIS_TEXT_BYTES])
{
	if (!cell->pages_min)
		text[0] = '\0';
	else if (cell->pages_min == cell->pages_max)
		(void)snprintf(text, CELL_AXIS_TEXT_BYTES, "%zu",
			       cell->pages_min);
	else
		(void)snprintf(text, CELL_AXIS_TEXT_BYTES, "%zu-%zu",
			       cell->pages_min, cell->pages_max);
}

static uint64_t number_of(const struct cell *cell, const struct cell_axis *axis)
{
	switch (axis->kind) {
	case CELL_AXIS_COUNT:
	case CELL_AXIS_THREADS:
		return *(const unsigned *)field_of(cell, axis);
	case CELL_AXIS_NUMBER:
	case CELL_AXIS_BYTES:
		return *(const size_t *)field_of(cell, axis);
	default:
		return *(const uint64_t *)field_of(cell, axis);
	}
}

static void number_text(const struct cell *cell, const struct cell_axis *axis,
			char text[CELL_AXIS_TEXT_BYTES])
{
	const uint64_t value = number_of(cell, axis);

	text[0] = '\0';
	if (!value)
		return;
	if (axis->kind == CELL_AXIS_BYTES)
		quantity_write_bytes(value, text);
	else if (axis->kind == CELL_AXIS_TIME)
		quantity_write_ns(value, text);
	else
		(void)snprintf(text, CELL_AXIS_TEXT_BYTES, "%" PRIu64, value);
}

void cell_axis_text(const struct cell *cell, const struct cell_axis *axis,
		    char text[CELL_AXIS_TEXT_BYTES])
{
	switch (axis->kind) {
	case CELL_AXIS_WORKLOAD:
	case CELL_AXIS_CHOICE:
	case CELL_AXIS_WORD:
	case CELL_AXIS_PIN:
		(void)snprintf(text, CELL_AXIS_TEXT_BYTES, "%s",
			       (const char *)field_of(cell, axis));
		break;
	case CELL_AXIS_SWITCH:
		(void)snprintf(text, CELL_AXIS_TEXT_BYTES, "%s",
			       *(const bool *)field_of(cell, axis) ? "on"
								   : "off");
		break;
	case CELL_AXIS_PAGES:
		pages_text(cell, text);
		break;
	default:
		number_text(cell, axis, text);
		break;
	}
}
