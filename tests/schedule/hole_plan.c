/* SPDX-License-Identifier: MIT */
/*
 * hole_plan.c - orders carried out.
 */
#include "schedule/hole_plan.h"

#include <errno.h>
#include <stdint.h>

#include "schedule/arena.h"
#include "schedule/run_account.h"
#include "schedule/schedule.h"
#include "va/holes.h"

static const struct hole_plan *current;
static struct holes holes;

static struct holes_request request_of(const struct hole_order *order)
{
	return (struct holes_request){
		.pages = order->pages,
		.align_pages = 1,
		.begin = order->begin,
		.end = order->end,
	};
}

/* hide - the first chunk's lane promises no room. */
static void hide(void)
{
	_Atomic(uint64_t) *const word = &holes.rooms.words[0][0];
	const struct lanes lanes = { load_relaxed(word) };

	store_relaxed(word, lanes_with_room(lanes, 0, 0).bits);
}

static void begin_order(const struct hole_order *order, int expected)
{
	const struct holes_request request = request_of(order);
	size_t first;

	if (order->deed == NOTHING)
		return;
	schedule_require(holes_take(&holes, &request, &first) == expected);
	if (expected == 0)
		account_own(first, first + request.pages);
}

void hole_plan_begin(const struct hole_plan *plan)
{
	current = plan;
	arena_begin();
	schedule_require(holes_init(&holes, &arena_os, 0, plan->pages) == 0);
	account_begin(holes.words, plan->pages / WORD, false);
	for (unsigned i = 0; i < ORDERS; i++)
		begin_order(&plan->taken[i], 0);
	begin_order(&plan->refused, -ENOMEM);
	account_settle();
	if (plan->is_hidden)
		hide();
}

static bool take(const struct hole_order *order, size_t *first)
{
	const struct holes_request request = request_of(order);
	const struct run_want want = { order->pages, 1, order->begin,
				       order->end };

	account_take_begin(&want);
	const int error = holes_take(&holes, &request, first);
	const bool may_fail = account_take_end();

	schedule_require(error == 0 || error == -ENOMEM);
	schedule_require(error == 0 || may_fail); /* H3 */
	if (error != 0)
		return false;
	schedule_require(*first >= order->begin);
	schedule_require(*first + order->pages <= order->end);
	account_own(*first, *first + order->pages); /* H1 */
	return true;
}

static void give(size_t first, size_t pages)
{
	account_give_begin(first, first + pages);
	holes_give(&holes, first, pages);
	account_give_end();
}

static void look(size_t first)
{
	size_t page;

	schedule_require(holes_next_taken(&holes, 0, &page));
	schedule_require(page <= first);
}

static void obey(const struct hole_order *order)
{
	size_t first;

	if (order->deed == GIVE)
		give(order->begin, order->pages);
	else if (!take(order, &first))
		return;
	else if (order->deed == TAKE_AND_GIVE)
		give(first, order->pages);
	else if (order->deed == TAKE_AND_LOOK)
		look(first);
}

void hole_plan_run(unsigned thread)
{
	const struct hole_order *const orders = current->orders[thread];

	for (unsigned i = 0; i < ORDERS && orders[i].deed != NOTHING; i++)
		obey(&orders[i]);
}

void hole_plan_end(void)
{
	account_end();
	/* The hints hide nothing, unless they were made to. */
	if (!current->is_hidden)
		holes_check(&holes);
}
