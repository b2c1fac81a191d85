/* SPDX-License-Identifier: MIT */
/*
 * fix_align.c - five pages at 32 KiB, zeroed, of node 0 (test_vmalloc's
 * fix_align_alloc_test).  --align changes the alignment.
 */
#include "workload/range.h"
#include "workload/workloads.h"

static int fix_align_enter(struct bench_thread *thread)
{
	thread->zero = true;
	return bystander_enter(thread);
}

static uint64_t fix_align_run(struct bench_thread *thread, uint64_t n)
{
	return workload_fix_size.run(thread, n);
}

const struct workload workload_fix_align = {
	.name = "fix_align",
	.enter = fix_align_enter,
	.run = fix_align_run,
	.leave = live_leave,
};
