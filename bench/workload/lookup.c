/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - find the area of a random page of a live set.
 *
 * Thread 0 looks up its own live set, which does not change; the other threads
 * replace theirs.  Only lookups count.
 */
#include <inttypes.h>

#include "workload/range.h"
#include "workload/workloads.h"

static int lookup_enter(struct bench_thread *thread)
{
	thread->uncounted = thread->index != 0;
	return workload_replace.enter(thread);
}

static bool lookup_is_right(struct bench_thread *thread, struct held held,
			    uintptr_t address)
{
	struct lfv_vm_info info;
	const int error =
		lfv_find_vm_area(thread->lfv, (const void *)address, &info);

	if (__builtin_expect(error == 0 && info.va_start == held.address, 1))
		return true;
	bench_fail(thread->bench,
		   "lookup: page %#" PRIxPTR " of the live area %#" PRIxPTR
		   " of %zu pages: %s %#" PRIxPTR,
		   address, held.address, held.pages,
		   error ? "nothing was found, not" : "found was",
		   error ? held.address : info.va_start);
	return false;
}

/* One page of the live set: the draw's halves choose the area and the page. */
static inline uintptr_t page_choose(const struct bench_thread *thread,
				    uint64_t draw, struct held *held)
{
	*held = thread->live[random_low(draw, thread->live_count)];
	return held->address + (random_high(draw, held->pages) << PAGE_SHIFT);
}

static uint64_t lookup_run(struct bench_thread *thread, uint64_t n)
{
	if (thread->uncounted)
		return workload_replace.run(thread, n);
	for (uint64_t i = 0; i < n; i++) {
		struct held held;
		const uintptr_t address =
			page_choose(thread, random_next(thread), &held);

		if (!lookup_is_right(thread, held, address))
			return i;
	}
	return n;
}

/* The empty lookup: everything but the question. */
static uint64_t floor_lookup_run(struct bench_thread *thread, uint64_t n)
{
	if (thread->uncounted)
		return workload_replace.run(thread, n);
	for (uint64_t i = 0; i < n; i++) {
		struct held held;
		const uintptr_t address =
			page_choose(thread, random_next(thread), &held);

		if (address - held.address >= held.pages << PAGE_SHIFT)
			return i;
		__asm__ volatile("" ::"r"(address) : "memory");
	}
	return n;
}

const struct workload workload_lookup = {
	.name = "lookup",
	.enter = lookup_enter,
	.run = lookup_run,
	.leave = live_leave,
};

const struct workload workload_floor_lookup = {
	.name = "floor_lookup",
	.enter = lookup_enter,
	.run = floor_lookup_run,
	.leave = live_leave,
};
