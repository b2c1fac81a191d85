/* SPDX-License-Identifier: MIT */
/*
 * line_transfer.h - how long a cache line takes from one thread to another and
 * back.
 *
 *	serve	1       3       5
 *		 \     / \     / \
 *	return	  `-> 2   `-> 4   `-> ...
 *
 * Two threads write one word in turn.  On real hardware the figure is a
 * property of the two CPUs.  Under a hypervisor it is one of where these lie
 * at the moment: hosts move them, and tell the guest nothing.  What contends
 * for a line costs in proportion to it, so a figure without it is of no
 * machine in particular; line_rule.h says which may be compared.
 *
 *   T1  the least of LINE_BATCHES batches counts: an interrupt, or a thread
 *       that lost its CPU, can only make a batch longer;
 *   T2  each side gives up LINE_LIMIT_NS after it came, whatever the other
 *       does: the figure is then not known;
 *   T3  the word is alone on its lines, and each side reads it in a tight loop
 *       without a pause, whose length would be measured, too.
 *
 * Who may run with whom: one server and one returner, once for each
 * line_transfer; all other threads may do what they like.
 */
#ifndef LFV_BENCH_LINE_TRANSFER_H
#define LFV_BENCH_LINE_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"

enum {
	LINE_BATCHES = 8,
	LINE_ROUND_TRIPS = 250, /* a batch */
	LINE_LIMIT_NS = 5000000,
};

/* line_transfer - one probe; all zeros at first. */
struct line_transfer {
	/* odd: served; even: returned, or not begun */
	_Alignas(FALSE_SHARING_BYTES) _Atomic(unsigned) ball;
	char rest[FALSE_SHARING_BYTES - sizeof(unsigned)];
};

/* line_serve - the round trip in whole ns; 0: not known (T2). */
uint64_t line_serve(struct line_transfer *line);

/* line_return - the other side; ends when the server does, or by T2. */
void line_return(struct line_transfer *line);

/* line_mean_ns - of two figures of which either may be 0, not known. */
uint64_t line_mean_ns(uint64_t one_ns, uint64_t other_ns);

#endif
