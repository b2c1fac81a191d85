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
 * Each is there twice.  A plain engine (cached.is_plain) asks nothing more, and
 * calls nothing, so that nothing is saved across calls; its one try of a
 * section fails when it is interrupted.  The others compare and swap.
 *
 *	lfv.plain   --no-->   lfv.fast, if that is none   --no-->   the long way
 *
 * `fast` is NULL in an engine without a cache, with a policy that a free must
 * obey, and in a forked child, `plain` as well in one that is not; `index` in
 * an engine that finds areas by anything but a page map, and in a forked child.
 *
 * Progress: wait-free.  No system call, no lock, and, where the engine is
 * plain, no atomic read-modify-write.
 */
#ifndef LFV_CORE_FAST_H
#define LFV_CORE_FAST_H

#include "core/engine.h"
#include "va/cached.h"

/* With the guard page it has a class. */
#define FAST_BYTES_MAX pages_to_bytes(CLASS_PAGES_MAX - 1)

/* So that what each caller passes is known, and little is left of it. */
#define FAST_INLINE __attribute__((always_inline))

/* fast_other - for the second look, of an engine that is not plain. */
static inline struct cached *fast_other(const struct lfv *lfv)
{
	return lfv->plain == NULL ? lfv->fast : NULL;
}

/*
 * fast_alloc - an area of `size` bytes and its guard page, or NULL.
 *
 * What two frees that raced have left here twice, and whose other copy has been
 * used, is not published: it is none, or has another length, or is not idle.
 */
static inline FAST_INLINE void *fast_alloc(struct cached *cached, bool is_plain,
					   size_t size,
					   const struct vm_struct *vm)
{
	uint64_t first;

	if (__builtin_expect(cached == NULL || size - 1 >= FAST_BYTES_MAX, 0))
		return NULL;

	/* The page above rounds the size up and is the guard. */
	const size_t pages = ((size - 1) >> PAGE_SHIFT) + 2;
	struct percpu *const stock = cached->fits[pages].stock;
	const bool is_taken = is_plain ? percpu_try_take(stock, &first)
				       : percpu_take(stock, &first);

	if (__builtin_expect(!is_taken, 0) ||
	    !page_map_publish(cached->map, first, cached->fits[pages].pages,
			      vm))
		return NULL;
	return (void *)page_map_address(cached->map, first);
}

/* fast_give - as cached_give(). */
static inline FAST_INLINE bool fast_give(struct cached *cached, bool is_plain,
					 uint64_t first, uint64_t pages)
{
	if (!is_plain)
		return cached_give(cached, first, pages);
	return __builtin_expect(pages <= CLASS_PAGES_MAX, 1) &&
	       __builtin_expect(cached->fits[pages].pages == pages, 1) &&
	       percpu_try_push(cached->fits[pages].stock, first);
}

/* fast_free - true: the live area that begins at `address` is freed. */
static inline FAST_INLINE bool fast_free(struct lfv *lfv, struct cached *cached,
					 bool is_plain, const void *address)
{
	struct page_head head;

	if (__builtin_expect(cached == NULL, 0))
		return false;

	const uintptr_t offset = (uintptr_t)address - cached->map->start;
	const uint64_t first = offset >> PAGE_SHIFT;

	if (__builtin_expect(
		    !is_page_aligned(offset) || first >= cached->map->pages, 0))
		return false;
	if (__builtin_expect(
		    !(is_plain ? page_map_retract(cached->map, first, &head)
			       : cached_retract(cached, first, &head)),
		    0))
		return false;
	if (__builtin_expect(!cached_is_whole(cached, first) ||
				     !fast_give(cached, is_plain, first,
						page_head_pages(head)),
			     0))
		engine_settle(lfv, first, page_head_pages(head));
	return true;
}

/*
 * fast_find - the live area that covers `address`; false: look the long way, as
 * for a page that its chunk leads from.
 */
static inline FAST_INLINE bool
fast_find(const struct lfv *lfv, const void *address, struct va_found *found)
{
	const struct page_map *const index = lfv->index;

	if (__builtin_expect(index == NULL, 0))
		return false;

	const uint64_t page = ((uintptr_t)address - index->start) >> PAGE_SHIFT;

	return page < index->pages && page_map_look(index, page, found);
}

#endif
