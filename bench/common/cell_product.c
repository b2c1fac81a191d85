/* SPDX-License-Identifier: MIT */
#include "common/cell_product.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cell_axis.h"
#include "common/message.h"
#include "common/quantity.h"
#include "common/strategy_word.h"
#include "common/workload_info.h"
#include "lfv/lfv.h"

enum { CELLS_MAX = 65536, LIST_BYTES = 4096 };

static size_t axis_index(const struct cell_axis *axis)
{
	return (size_t)(axis - cell_axis_at(0));
}

/*
 * The next value of a list: its length, and where the one after it begins.
 * Digits after a comma go on with a pin list.
 */
static size_t value_length(const struct cell_axis *axis, const char *list,
			   const char **next)
{
	size_t length = strcspn(list, ",");

	while (axis->kind == CELL_AXIS_PIN && list[length] == ',' &&
	       isdigit((unsigned char)list[0]) &&
	       isdigit((unsigned char)list[length + 1]))
		length += 1 + strcspn(list + length + 1, ",");
	*next = list[length] ? list + length + 1 : NULL;
	return length;
}

static bool is_strategy(const struct cell_axis *axis)
{
	return strcmp(axis->name, "strategy") == 0;
}

/* value - one of a list. */
struct value {
	const char *text;
	size_t length;
};

static int value_set(struct cell *cell, const struct cell_axis *axis,
		     struct value value, struct axis_set *own)
{
	char text[CELL_AXIS_TEXT_BYTES];

	if (is_strategy(axis))
		return strategy_word_set(cell, value.text, value.length, own);
	if (value.length >= sizeof(text))
		return message_set(-EINVAL, "--%s: '%.40s...' is too long",
				   axis->name, value.text);
	memcpy(text, value.text, value.length);
	text[value.length] = '\0';
	return cell_axis_set(cell, axis->name, text);
}

static void list_add(char list[LIST_BYTES], const char *word)
{
	const size_t used = strlen(list);

	(void)snprintf(list + used, LIST_BYTES - used, "%s%s", used ? "," : "",
		       word);
}

static void all_workloads(char list[LIST_BYTES])
{
	for (size_t i = 0; workload_info_at(i); i++)
		list_add(list, workload_info_at(i)->name);
}

static void all_choices(const struct cell_axis *axis, char list[LIST_BYTES])
{
	struct lfv_choice choice;

	for (size_t i = 0;
	     lfv_choice_at((enum lfv_axis)axis->choice, i, &choice); i++) {
		if (!choice.busted)
			list_add(list, choice.name);
	}
}

static int list_check(const struct cell_axis *axis, const char *list)
{
	struct cell cell;

	struct axis_set own = { 0 };

	cell_default(&cell);
	for (const char *text = list; text;) {
		const char *next;
		const size_t length = value_length(axis, text, &next);
		const struct value value = { text, length };
		const int error = value_set(&cell, axis, value, &own);

		if (error)
			return error;
		text = next;
	}
	return 0;
}

static int list_store(struct cell_lists *lists, const struct cell_axis *axis,
		      const char *list)
{
	const int error = list_check(axis, list);

	if (error)
		return error;

	char *copy = strdup(list);

	if (!copy)
		return message_set(-ENOMEM, "no memory for --%s", axis->name);
	free(lists->texts[axis_index(axis)]);
	lists->texts[axis_index(axis)] = copy;
	return 0;
}

/* Linux names its tests by bits. */
static int mask_set(struct cell_lists *lists, const char *text)
{
	char list[LIST_BYTES] = "";
	const struct workload_info *info;
	uint64_t mask;

	if (quantity_read_number(text, &mask))
		return message_set(-EINVAL,
				   "run_test_mask is '%s': a sum of bits is "
				   "expected",
				   text);
	for (size_t i = 0; (info = workload_info_at(i)) != NULL; i++) {
		if (mask & info->mask)
			list_add(list, info->name);
		mask &= ~(uint64_t)info->mask;
	}
	if (mask || !list[0])
		return message_set(-EINVAL,
				   "run_test_mask is '%s': the tests that "
				   "exist here are bits 1 to 64",
				   text);
	return list_store(lists, cell_axis_find("workload"), list);
}

int cell_lists_set(struct cell_lists *lists, const char *name, const char *text)
{
	const struct cell_axis *axis = cell_axis_find(name);
	char list[LIST_BYTES] = "";
	struct cell scratch;

	if (strcmp(name, "run_test_mask") == 0)
		return mask_set(lists, text);
	if (!axis) {
		cell_default(&scratch);
		return cell_axis_set(&scratch, name, text);
	}
	if (strcmp(text, "all") != 0)
		return list_store(lists, axis, text);
	if (axis->kind == CELL_AXIS_WORKLOAD)
		all_workloads(list);
	else if (axis->kind == CELL_AXIS_CHOICE)
		all_choices(axis, list);
	else
		return list_store(lists, axis, text);
	return list_store(lists, axis, list);
}

int cell_lists_default(struct cell_lists *lists, const char *name,
		       const char *text)
{
	const struct cell_axis *axis = cell_axis_find(name);

	if (axis && lists->texts[axis_index(axis)])
		return 0;
	return cell_lists_set(lists, name, text);
}

static bool is_given(const struct cell_lists *lists, const char *name)
{
	return lists->texts[axis_index(cell_axis_find(name))] != NULL;
}

int cell_lists_compare(struct cell_lists *lists)
{
	char list[LIST_BYTES];

	strategy_rows(!is_given(lists, "mapping") && !is_given(lists, "cache"),
		      list, sizeof(list));
	return cell_lists_default(lists, "strategy", list);
}

void cell_lists_fini(struct cell_lists *lists)
{
	for (size_t i = 0; i < CELL_LISTS_MAX; i++)
		free(lists->texts[i]);
	*lists = (struct cell_lists){ 0 };
}

/* product - the cells made so far. */
struct product {
	const struct cell_lists *lists;
	struct cell *cells;
	size_t count;
	const struct cell_product_tell *tell; /* or NULL */
};

/* An api or a number of threads that the workload knows nothing to do with. */
static bool is_unsuited(const struct cell *cell)
{
	const struct workload_info *info = workload_info_find(cell->workload);

	return !workload_has_api(info, cell->api) ||
	       cell->threads < info->threads_min ||
	       (info->threads_step && cell->threads % info->threads_step);
}

/* A floor row has no engine: what differs in engines alone is one cell. */
static bool is_floor_again(const struct product *product, struct cell *cell)
{
	char name[CELL_NAME_BYTES];
	char other[CELL_NAME_BYTES];
	struct cell usual;

	if (!workload_info_find(cell->workload)->floor)
		return false;
	cell_default(&usual);
	memcpy(usual.workload, cell->workload, sizeof(usual.workload));
	memcpy(usual.api, cell->api, sizeof(usual.api));
	memcpy(usual.pin, cell->pin, sizeof(usual.pin));
	usual.pages_min = cell->pages_min;
	usual.pages_max = cell->pages_max;
	usual.live = cell->live;
	usual.threads = cell->threads;
	usual.duration_ns = cell->duration_ns;
	usual.loops = cell->loops;
	usual.seed = cell->seed;
	usual.round = cell->round;
	usual.oversubscribe = cell->oversubscribe;
	*cell = usual;
	cell_name(cell, name);
	for (size_t i = 0; i < product->count; i++) {
		cell_name(&product->cells[i], other);
		if (strcmp(name, other) == 0)
			return true;
	}
	return false;
}

static int cell_add(struct product *product, const struct cell *of)
{
	struct cell cell = *of;

	if (is_unsuited(&cell)) {
		if (!cell_check(&cell))
			return -EINVAL;
		if (product->tell)
			product->tell->left_out(product->tell->data,
						message_text());
		return 0;
	}

	int error = cell_resolve(&cell);

	if (!error)
		error = cell_check(&cell);
	if (error)
		return error;
	if (is_floor_again(product, &cell))
		return 0;
	if (product->count == CELLS_MAX)
		return message_set(-EINVAL, "more than %d cells", CELLS_MAX);

	struct cell *cells =
		reallocarray(product->cells, product->count + 1, sizeof(cell));

	if (!cells)
		return message_set(-ENOMEM, "no memory for the cells");
	product->cells = cells;
	product->cells[product->count++] = cell;
	return 0;
}

/*
 * The apis of a cell: those asked for; else the one that its workload set,
 * and for a comparison of two (vs_kmalloc) both of them.
 */
static const char *list_of(const struct product *product,
			   const struct cell_axis *axis,
			   const struct cell *cell)
{
	const char *list = product->lists->texts[axis_index(axis)];

	if (list || strcmp(axis->name, "api") != 0)
		return list;
	return strcmp(cell->api, API_ALLOC_PAGES) == 0 ? API_ALLOC_PAGES
		       "," API_VMALLOC
						       : NULL;
}

/*
 * Recursion is as deep as there are axes; what a strategy's row has set by
 * itself is passed over.
 */
static int axis_expand(struct product *product, size_t index,
		       const struct cell *of, struct axis_set own)
{
	const struct cell_axis *axis = cell_axis_at(index);

	if (!axis)
		return cell_add(product, of);

	const char *list = list_of(product, axis, of);
	int error = 0;

	if (!list || (own.bits >> index & 1))
		return axis_expand(product, index + 1, of, own);
	for (const char *text = list; text && !error;) {
		struct cell cell = *of;
		struct axis_set row = own;
		const char *next;
		const size_t length = value_length(axis, text, &next);
		const struct value value = { text, length };

		error = value_set(&cell, axis, value, &row);
		if (!error)
			error = axis_expand(product, index + 1, &cell, row);
		text = next;
	}
	return error;
}

int cell_product(const struct cell_lists *lists, struct cell **cells,
		 size_t *count)
{
	return cell_product_told(lists, NULL, cells, count);
}

int cell_product_told(const struct cell_lists *lists,
		      const struct cell_product_tell *tell, struct cell **cells,
		      size_t *count)
{
	struct product product = { .lists = lists, .tell = tell };
	struct cell cell;

	cell_default(&cell);

	int error = axis_expand(&product, 0, &cell, (struct axis_set){ 0 });

	/* The message is that of the last cell that was left out. */
	if (!error && product.count == 0)
		error = -EINVAL;
	if (error) {
		free(product.cells);
		return error;
	}
	*cells = product.cells;
	*count = product.count;
	return 0;
}
