/* SPDX-License-Identifier: MIT */
#include "workload/range.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

uintptr_t range_ask_aligned(struct bench_thread *thread, size_t pages,
			    size_t align)
{
	const struct lfv_request request = {
		.size = pages << PAGE_SHIFT,
		.align = align,
		.node = thread->zero ? 0 : -1,
		.zero = thread->zero && thread->plane == PLANE_FULL,
	};

	if (thread->plane == PLANE_ADDRESS)
		return (uintptr_t)lfv_get_vm_area_range(thread->lfv, &request);
	return (uintptr_t)lfv_vmalloc_range(thread->lfv, &request);
}

bool range_claim_whole(struct bench_thread *thread, struct held held)
{
	const uintptr_t bytes = (held.pages + 1) << PAGE_SHIFT;

	if (held.address - thread->start > thread->bytes - bytes) {
		range_misplaced(thread, held, 0);
		return false;
	}
	for (size_t i = 0; i <= held.pages; i++) {
		_Atomic(uint32_t) *word =
			range_word(thread, held.address + (i << PAGE_SHIFT));

		/* relaxed: the engine orders one owner after the other. */
		const uint32_t found = load_relaxed(word);

		if (found) {
			range_overlaps(thread, held, found);
			return false;
		}
		/* relaxed: as above. */
		store_relaxed(word, thread->stamp | RANGE_WHOLE);
	}
	return true;
}

bool range_quit_whole(struct bench_thread *thread, struct held held,
		      uint32_t stamp)
{
	for (size_t i = 0; i <= held.pages; i++) {
		_Atomic(uint32_t) *word =
			range_word(thread, held.address + (i << PAGE_SHIFT));

		/* relaxed: the engine orders one owner after the other. */
		const uint32_t found = load_relaxed(word);

		if (found != (stamp | RANGE_WHOLE)) {
			range_lost(thread, held, found);
			return false;
		}
		/* relaxed: as above. */
		store_relaxed(word, 0);
	}
	return true;
}

bool range_is_written(struct bench_thread *thread, struct held held,
		      uint32_t stamp)
{
	const uint32_t *first = (const uint32_t *)held.address;
	const uint32_t *last =
		(const uint32_t *)(held.address +
				   ((held.pages - 1) << PAGE_SHIFT));

	if (*first == stamp && *last == stamp)
		return true;
	bench_fail(thread->bench,
		   "contents: area %#" PRIxPTR " of %zu pages, written by "
		   "thread %u, holds %#x and %#x instead of %#x",
		   held.address, held.pages, stamp - 1, *first, *last, stamp);
	return false;
}

void range_misplaced(struct bench_thread *thread, struct held held,
		     size_t align)
{
	bench_fail(thread->bench,
		   "misplaced: area %#" PRIxPTR " of %zu pages, alignment %zu, "
		   "given to thread %u; the window is [%#" PRIxPTR
		   ", %#" PRIxPTR ")",
		   held.address, held.pages, align, thread->index,
		   thread->start, thread->start + thread->bytes);
}

void range_overlaps(struct bench_thread *thread, struct held held,
		    uint32_t found)
{
	bench_fail(thread->bench,
		   "overlap: area %#" PRIxPTR " of %zu pages, given to thread "
		   "%u, holds pages that thread %u still owns",
		   held.address, held.pages, thread->index,
		   (found & ~RANGE_WHOLE) - 1);
}

void range_lost(struct bench_thread *thread, struct held held, uint32_t found)
{
	if (!found) {
		bench_fail(thread->bench,
			   "overlap: area %#" PRIxPTR " of %zu pages, which "
			   "thread %u frees, has been freed by another owner",
			   held.address, held.pages, thread->index);
		return;
	}
	bench_fail(thread->bench,
		   "overlap: area %#" PRIxPTR " of %zu pages, which thread %u "
		   "frees, has become thread %u's",
		   held.address, held.pages, thread->index,
		   (found & ~RANGE_WHOLE) - 1);
}

void range_refused(struct bench_thread *thread, size_t pages)
{
	bench_fail(thread->bench, "refused: %zu pages for thread %u: %s", pages,
		   thread->index, lfv_last_error());
}

void range_not_freed(struct bench_thread *thread, struct held held, int error)
{
	bench_fail(thread->bench,
		   "not freed: area %#" PRIxPTR " of %zu pages by thread %u: "
		   "%s: %s",
		   held.address, held.pages, thread->index, strerror(-error),
		   lfv_last_error());
}
