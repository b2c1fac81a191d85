/* SPDX-License-Identifier: MIT */
/*
 * order_site.h - the places in the sources whose order is more than relaxed,
 * and a way to run as if one of them were weaker.
 *
 * A place is a line, an operation and its order.  It is noted when a schedule
 * comes by; nothing is compiled again, so every order of a source can be tried
 * in the time of a few searches (model_check_orders()).
 */
#ifndef TESTS_SCHEDULE_ORDER_SITE_H
#define TESTS_SCHEDULE_ORDER_SITE_H

#include "schedule/operation.h"

enum { ORDER_SITES_MAX = 256, ORDER_WEAKER_MAX = 2 };

struct order_site {
	enum operation_kind kind;
	memory_order order;
	const char *where;
	const char *function;
};

/* order_sites - those met so far; `count` is set. */
const struct order_site *order_sites(unsigned *count);

/* order_sites_forget - before the first case of another source. */
void order_sites_forget(void);

/*
 * order_weaker - the orders one step below the site's, as many as returned.
 *
 * seq_cst becomes what the operation can have of acquire and release; of both,
 * each alone is left; one alone becomes relaxed.
 */
unsigned order_weaker(const struct order_site *site,
		      memory_order weaker[ORDER_WEAKER_MAX]);

/* order_weaken - from now on; NULL: all as it is written. */
void order_weaken(const struct order_site *site, memory_order order);

/* order_of - of an operation that is about to run; notes its site. */
memory_order order_of(const struct operation *operation);

const char *order_name(memory_order order);
const char *operation_name(enum operation_kind kind);

#endif
