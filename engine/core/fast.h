/* SPDX-License-Identifier: MIT */
/*
 * fast.h - the way of nearly all calls where a freed area is used again at
 * once: from the stock of this CPU, and back to it.
 *
 * The same steps as in engine_alloc() and engine_free(), with everything that a
 * request might ask for taken out: what does not fit in here is answered with
 * "no", before anything has changed, and goes the long way.  There all misuse
 * gets its name.
 *
 * `fast` is NULL in an engine without a cache, with a policy that a free must
 * obey, and in a forked child; `index` in an engine that finds areas by
 * anything but a page map, and in a forked child.
 *
 * Progress: wait-free.  No system call, no lock, and, with sections of their
 * own (base/percpu.h), no atomic read-modify-write.
 */
#ifndef LFV_CORE_FAST_H
#define LFV_CORE_FAST_H

#include "core/engine.h"
#include "va/cached.h"

/* With the guard page it has a class. */
#define FAST_BYTES_MAX pages_to_bytes(CLASS_PAGES_MAX - 1)

/* fast_alloc - an area of `size` bytes and its guard page, or NULL. */
static inline void *fast_alloc(struct lfv *lfv, size_t size,
			       const struct vm_struct *vm)
{
	struct cached *const cached = lfv->fast;
	uint64_t first;

	if (__builtin_expect(cached == NULL || size - 1 >= FAST_BYTES_MAX, 0))
		return NULL;
	/* The page above rounds the size up and is the guard. */
	if (!cached_take(cached, ((size - 1) >> PAGE_SHIFT) + 2, &first) ||
	    !page_map_publish(cached->map, first, vm))
		return NULL;
	return (void *)page_map_address(cached->map, first);
}

/* fast_free - true: the live area that begins at `address` is freed. */
static inline bool fast_free(struct lfv *lfv, const void *address)
{
	struct cached *const cached = lfv->fast;
	struct page_head head;

	if (__builtin_expect(cached == NULL, 0))
		return false;

	const uintptr_t offset = (uintptr_t)address - cached->map->start;
	const uint64_t first = offset >> PAGE_SHIFT;

	if (__builtin_expect(
		    !is_page_aligned(offset) || first >= cached->map->pages, 0))
		return false;
	if (!cached_retract(cached, first, &head))
		return false;
	if (__builtin_expect(
		    !cached_is_whole(cached, first) ||
			    !cached_give(cached, first, page_head_pages(head)),
		    0))
		engine_settle(lfv, first, page_head_pages(head));
	return true;
}

/* fast_find - the live area that covers `address`; false: look the long way. */
static inline bool fast_find(const struct lfv *lfv, const void *address,
			     struct va_found *found)
{
	const struct page_map *const index = lfv->index;

	if (__builtin_expect(index == NULL, 0))
		return false;

	const uint64_t page = ((uintptr_t)address - index->start) >> PAGE_SHIFT;

	return page < index->pages && page_map_find(index, page, found);
}

#endif
