/* SPDX-License-Identifier: MIT */
/*
 * vs_kmalloc.c - physically contiguous memory, or only virtually so?
 *
 * --api alloc_pages takes 2^n contiguous frames and uses them through the
 * linear mapping, as kmalloc() does; --api vmalloc asks for the same size from
 * anywhere.  `fragmented` takes all frames of a small memory one by one and
 * gives every other one back: half of the memory is free, none of it
 * contiguous.  An operation is a request, refused or not; the share of those
 * refused is counted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/message.h"
#include "workload/range.h"
#include "workload/workloads.h"

static const size_t fragmented_memory_bytes = (size_t)256 << 20;

/* fragments - the frames that are kept taken. */
struct fragments {
	size_t count;
	struct lfv_page pages[];
};

static unsigned order_of(size_t pages)
{
	unsigned order = 0;

	while (((size_t)1 << order) < pages)
		order++;
	return order;
}

static bool is_contiguous(const struct bench *bench)
{
	return strcmp(bench->cell->api, API_ALLOC_PAGES) == 0;
}

static int vs_kmalloc_init(struct bench *bench)
{
	if (order_of(bench->cell->pages_min) <= LFV_MAX_ORDER)
		return 0;
	return message_set(-EINVAL,
			   "--pages %zu: contiguous frames end at %d pages",
			   bench->cell->pages_min, 1 << LFV_MAX_ORDER);
}

static int fragmented_init(struct bench *bench)
{
	bench->memory_bytes = fragmented_memory_bytes;
	return vs_kmalloc_init(bench);
}

/* Thread 0 does it for all, before any of them begins. */
static int fragmented_enter(struct bench_thread *thread)
{
	if (thread->index != 0)
		return 0;

	const size_t frames = fragmented_memory_bytes >> PAGE_SHIFT;
	struct fragments *kept =
		calloc(1, sizeof(*kept) + frames * sizeof(kept->pages[0]));
	struct lfv_page page;

	if (!kept)
		return -ENOMEM;
	thread->own = kept;
	while (kept->count < frames &&
	       lfv_alloc_pages(thread->lfv, 0, &page) == 0)
		kept->pages[kept->count++] = page;

	const size_t taken = kept->count;

	kept->count = 0;
	for (size_t i = 0; i < taken; i++) {
		page = kept->pages[i];
		if (page.frame % 2)
			kept->pages[kept->count++] = page;
		else if (lfv_free_pages(thread->lfv, page, 0))
			return -EINVAL;
	}
	return 0;
}

static bool contiguous_step(struct bench_thread *thread, unsigned order)
{
	struct lfv_page first;

	thread->requests++;
	if (lfv_alloc_pages(thread->lfv, order, &first)) {
		thread->refused++;
		return true;
	}

	const struct held held = {
		(uintptr_t)lfv_page_address(thread->lfv, first),
		thread->pages_min,
	};

	if (!held.address) {
		bench_fail(thread->bench, "no linear mapping: %s",
			   lfv_last_error());
		return false;
	}
	if (thread->touch) {
		range_write(thread, held);
		if (!range_is_written(thread, held, thread->stamp))
			return false;
	}

	const int error = lfv_free_pages(thread->lfv, first, order);

	if (error)
		range_not_freed(thread, held, error);
	return error == 0;
}

static bool mapped_step(struct bench_thread *thread)
{
	const struct held held = {
		range_try(thread, thread->pages_min, thread->align),
		thread->pages_min,
	};

	if (!held.address)
		return !bench_failed(thread->bench);
	return range_give(thread, held);
}

static uint64_t vs_kmalloc_run(struct bench_thread *thread, uint64_t n)
{
	const unsigned order = order_of(thread->pages_min);
	const bool contiguous = is_contiguous(thread->bench);

	for (uint64_t i = 0; i < n; i++) {
		if (contiguous ? !contiguous_step(thread, order)
			       : !mapped_step(thread))
			return i;
	}
	return n;
}

static void fragmented_leave(struct bench_thread *thread)
{
	struct fragments *kept = thread->own;

	if (!kept)
		return;
	for (size_t i = 0; i < kept->count; i++) {
		const int error =
			lfv_free_pages(thread->lfv, kept->pages[i], 0);

		if (error) {
			bench_fail(thread->bench, "frame %u was not freed: %s",
				   kept->pages[i].frame, lfv_last_error());
			break;
		}
	}
	free(kept);
}

const struct workload workload_vs_kmalloc = {
	.name = "vs_kmalloc",
	.init = vs_kmalloc_init,
	.run = vs_kmalloc_run,
};

const struct workload workload_vs_kmalloc_fragmented = {
	.name = "vs_kmalloc_fragmented",
	.init = fragmented_init,
	.enter = fragmented_enter,
	.run = vs_kmalloc_run,
	.leave = fragmented_leave,
};
