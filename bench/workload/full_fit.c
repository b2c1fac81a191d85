/* SPDX-License-Identifier: MIT */
/*
 * full_fit.c - one page where all holes but the last are of one page
 * (test_vmalloc's full_fit_alloc_test).
 *
 * Each thread takes 2 * J areas and frees every other one, J being what Linux
 * would keep lazy on this machine, so that the first purge has all of them.
 */
#include "workload/range.h"
#include "workload/workloads.h"

enum { LAZY_PAGES_A_BIT = (32 << 20) >> PAGE_SHIFT };

/* fls(cpus) * 32 MiB, as lazy_max_pages(). */
static size_t lazy_max_pages(unsigned cpus)
{
	size_t bits = 0;

	for (; cpus; cpus >>= 1)
		bits++;
	return bits * LAZY_PAGES_A_BIT;
}

static size_t holes_wanted(const struct bench_thread *thread)
{
	const struct cell *cell = thread->bench->cell;
	const unsigned cpus =
		cell->cpus ? cell->cpus : placement_allowed_cpus();
	const size_t holes = cell->live ? cell->live : lazy_max_pages(cpus);

	return live_most(thread, 2 * holes) / 2;
}

static int full_fit_enter(struct bench_thread *thread)
{
	const int error = live_fill(thread, 2 * holes_wanted(thread),
				    thread->pages_min, thread->pages_min);

	if (error)
		return error;
	for (size_t i = 1; i < thread->live_count; i += 2) {
		if (!range_give(thread, thread->live[i]))
			return -1;
		thread->live[i].address = 0;
	}
	return 0;
}

static uint64_t full_fit_run(struct bench_thread *thread, uint64_t n)
{
	return workload_fix_size.run(thread, n);
}

static void full_fit_report(struct bench *bench)
{
	bench_count(bench, "live", (double)bench->threads[0].live_count / 2);
}

const struct workload workload_full_fit = {
	.name = "full_fit",
	.enter = full_fit_enter,
	.run = full_fit_run,
	.leave = live_leave,
	.report = full_fit_report,
};
