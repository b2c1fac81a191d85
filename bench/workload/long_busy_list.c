/* SPDX-License-Identifier: MIT */
/*
 * long_busy_list.c - what many live areas cost those that come and go.
 *
 * Without --live it is test_vmalloc's long_busy_list_alloc_test: beside 15,000
 * live areas of one page a thread, 100 pages and 1 page are taken and freed.
 * With --live N: beside N live areas of 1 to 64 pages a thread, areas of
 * --pages pages (4).  An operation is one pair in both.
 */
#include <errno.h>

#include "common/message.h"
#include "workload/range.h"
#include "workload/workloads.h"

enum {
	LIVE_DEFAULT = 15000,
	LARGE_PAGES = 100,
	SMALL_PAGES = 1,
	LIVE_PAGES_MAX = 64,
	PAIR_PAGES = 4,
};

static int long_busy_list_init(struct bench *bench)
{
	if (!bench->cell->pages_min || bench->cell->live)
		return 0;
	return message_set(-EINVAL,
			   "--workload long_busy_list with --pages: without "
			   "--live its sizes are test_vmalloc's");
}

static int long_busy_list_enter(struct bench_thread *thread)
{
	const size_t live = thread->bench->cell->live;

	if (!thread->pages_min)
		thread->pages_min = PAIR_PAGES;
	if (live)
		return live_fill(thread, live, 1, LIVE_PAGES_MAX);
	return live_fill(thread, live_most(thread, LIVE_DEFAULT), 1, 1);
}

/* test_vmalloc's pair: two areas live at a time, the large one freed first. */
static uint64_t two_run(struct bench_thread *thread, uint64_t n)
{
	for (uint64_t done = 0; done < n; done += 2) {
		struct held large = { range_take(thread, LARGE_PAGES),
				      LARGE_PAGES };

		if (!large.address)
			return done;

		struct held small = { range_take(thread, SMALL_PAGES),
				      SMALL_PAGES };

		if (!small.address || !range_give(thread, large) ||
		    !range_give(thread, small))
			return done;
	}
	return n + n % 2;
}

static uint64_t long_busy_list_run(struct bench_thread *thread, uint64_t n)
{
	if (thread->bench->cell->live)
		return workload_fix_size.run(thread, n);
	return two_run(thread, n);
}

static void long_busy_list_report(struct bench *bench)
{
	bench_count(bench, "live", (double)bench->threads[0].live_count);
}

const struct workload workload_long_busy_list = {
	.name = "long_busy_list",
	.init = long_busy_list_init,
	.enter = long_busy_list_enter,
	.run = long_busy_list_run,
	.leave = live_leave,
	.report = long_busy_list_report,
};
