/* SPDX-License-Identifier: MIT */
/*
 * cow_update.c - cells from the pool into the hand, into a tree, and back.
 */
#include "va/cow_update.h"

#include "base/check.h"
#include "base/list.h"

static struct cow_cell *cell_of_node(struct cow_node *node)
{
	return container_of(node, struct cow_cell, node);
}

/* hand_take - a cell; there is one by Q2. */
static struct cow_cell *hand_take(struct cow_update *update)
{
	if (update->hand == NULL) {
		uint32_t cells;

		update->hand = cow_pool_take(update->pool, &cells);
		update->hand_cells = cells;
	}

	struct cow_cell *const cell = update->hand;

	require_invariant(update->counted > 0, "Q2");
	update->hand = cell->next;
	update->hand_cells--;
	update->counted--;
	return cell;
}

static void hand_give(struct cow_update *update, struct cow_cell *cell)
{
	cell->next = update->hand;
	update->hand = cell;
	update->hand_cells++;
	update->counted++;
}

static void list_push(struct cow_cell **list, struct cow_cell *cell)
{
	cell->own_next = *list;
	*list = cell;
}

void cow_update_begin(struct cow_update *update, struct cow_pool *pool,
		      uint64_t counted)
{
	*update = (struct cow_update){ .pool = pool, .counted = counted };
}

struct cow_node *cow_update_make(struct cow_update *update)
{
	struct cow_cell *const cell = hand_take(update);

	list_push(&update->own, cell);
	cell->node = (struct cow_node){ .is_own = 1 };
	return &cell->node;
}

struct cow_node *cow_update_edit(struct cow_update *update,
				 struct cow_node *node)
{
	if (node->is_own)
		return node;

	struct cow_node *const copy = cow_update_make(update);

	*copy = *node;
	copy->is_own = 1;
	copy->old = node;
	return copy;
}

void cow_update_drop(struct cow_update *update, struct cow_node *node)
{
	struct cow_cell *const grave = hand_take(update);

	assert(!node->is_own); /* X2 */
	grave->node.old = node;
	list_push(&update->graves, grave);
}

void cow_update_seal(struct cow_update *update)
{
	for (struct cow_cell *cell = update->own; cell != NULL;
	     cell = cell->own_next)
		cell->node.is_own = 0;
}

static void list_to_hand(struct cow_update *update, struct cow_cell **list)
{
	while (*list != NULL) {
		struct cow_cell *const cell = *list;

		*list = cell->own_next;
		hand_give(update, cell);
	}
}

void cow_update_retry(struct cow_update *update)
{
	list_to_hand(update, &update->own);
	list_to_hand(update, &update->graves);
}

/* retire - under the last ticket, or a new one. */
static void retire(struct cow_update *update, struct cow_cell *cell)
{
	struct cow_cell *ticket = update->tickets;

	if (ticket == NULL || ticket->ticket.cells == COW_BUNDLE_CELLS) {
		ticket = hand_take(update);
		ticket->next = NULL;
		ticket->ticket.cells = 1;
		list_push(&update->tickets, ticket);
	}
	cell->next = ticket->next;
	ticket->next = cell;
	ticket->ticket.cells++;
}

void cow_update_retire(struct cow_update *update)
{
	struct cow_cell *next;

	for (struct cow_cell *cell = update->own; cell != NULL; cell = next) {
		next = cell->own_next;
		if (cell->node.old != NULL)
			retire(update, cell_of_node(cell->node.old));
	}
	update->own = NULL;
	for (struct cow_cell *grave = update->graves; grave != NULL;
	     grave = grave->own_next)
		retire(update, cell_of_node(grave->node.old));
	list_to_hand(update, &update->graves);
	if (update->tickets != NULL)
		cow_pool_retire(update->pool, update->tickets);
	update->tickets = NULL;
}

/* hand_cut - take up to a bundle off the hand; *cells says how many. */
static struct cow_cell *hand_cut(struct cow_update *update, uint32_t *cells)
{
	struct cow_cell *const bundle = update->hand;
	struct cow_cell *last = bundle;

	*cells = 1;
	if (update->hand_cells <= COW_BUNDLE_CELLS) {
		*cells = (uint32_t)update->hand_cells;
		update->hand = NULL;
		return bundle;
	}
	for (; *cells < COW_BUNDLE_CELLS; ++*cells)
		last = last->next;
	update->hand = last->next;
	last->next = NULL;
	return bundle;
}

void cow_update_end(struct cow_update *update)
{
	assert(update->own == NULL && update->graves == NULL);
	while (update->hand != NULL) {
		uint32_t cells;
		struct cow_cell *const bundle = hand_cut(update, &cells);

		update->hand_cells -= cells;
		cow_pool_give(update->pool, bundle, cells);
	}
	if (update->counted > 0)
		cow_pool_count_in(update->pool, update->counted);
}
