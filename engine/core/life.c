/* SPDX-License-Identifier: MIT */
/*
 * life.c - the life of an area: range, then mapping; and back.
 *
 *	alloc   strategy finds the range --> frames are mapped --> user
 *	free    user --> strategy retires it --> lazy --> purge --> hole
 *
 * All that can fail is in alloc.  A range whose mapping fails is freed as any
 * other, since others may have met it in a walk.
 */
#include "core/life.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/error.h"
#include "core/engine.h"

/* Whether the area's last page is a guard page. */
static bool is_guarded(const struct va_request *request)
{
	return (request->vm.flags & LFV_VM_NO_GUARD) == 0;
}

static int map_memory(struct lfv *lfv, uintptr_t start,
		      const struct va_request *request, bool zero)
{
	const size_t pages = request->vm.nr_pages;
	const int error =
		map_alloc(&lfv->map, start, pages, is_guarded(request));

	if (error == 0 && zero)
		memset((void *)start, 0, pages_to_bytes(pages));
	return error;
}

int life_map(void *context, const struct va_range *range,
	     const struct va_request *request, const void *argument)
{
	struct lfv *lfv = context;
	const struct source *source = argument;

	switch (source->kind) {
	case SOURCE_NONE:
		return 0;
	case SOURCE_MEMORY:
		return map_memory(lfv, range->start, request, source->zero);
	case SOURCE_FRAMES:
		return map_frames(&lfv->map, range->start, source->frames,
				  request->vm.nr_pages);
	case SOURCE_FILE:
		return map_file(&lfv->map, range->start,
				request->size -
					(is_guarded(request) ? PAGE_SIZE : 0),
				&(struct map_source){
					.fd = source->fd,
					.prot = source->prot,
					.offset = source->offset,
				});
	}
	return -EINVAL;
}

int life_unmap(void *context, const struct va_range *range)
{
	struct lfv *lfv = context;

	if (!lfv->choices.strict || lfv->choices.address_plane)
		return 0;

	struct map_run run = { .start = range->start, .end = range->end };

	(void)map_unmap(&lfv->map, &run, 1);
	return run.error;
}

static int no_hole(const struct lfv *lfv, const struct va_request *request)
{
	const bool is_whole = request->vstart == lfv->window.start &&
			      request->vend == lfv->window.end;

	return error_set(-ENOMEM,
			 "no hole of %zu pages (guard included, aligned to "
			 "%zu) between 0x%zx and 0x%zx: free areas, or %s",
			 (size_t)request->size >> PAGE_SHIFT,
			 (size_t)request->align, (size_t)request->vstart,
			 (size_t)request->vend,
			 is_whole ? "take a larger window (window_bytes)"
				  : "ask for a wider range");
}

/* range_alloc - the range alone; purges once where the generation does. */
static int range_alloc(struct lfv *lfv, const struct va_request *request,
		       struct va_range *range)
{
	const struct va_ops *ops = lfv->va.ops;
	unsigned messages = error_count();
	int error = ops->alloc(&lfv->va, request, range);

	if (error != -ENOMEM)
		return error;
	if (ops->retries) {
		(void)purge_run(lfv, VA_PURGE_FULL);
		messages = error_count();
		error = ops->alloc(&lfv->va, request, range);
	}
	/* What has a message already is no lack of holes. */
	return error == -ENOMEM && error_count() == messages
		       ? no_hole(lfv, request)
		       : error;
}

static int map_once(struct lfv *lfv, const struct va_range *range,
		    const struct va_request *request,
		    const struct source *source)
{
	const struct va_ops *ops = lfv->va.ops;

	return ops->map != NULL ? ops->map(&lfv->va, range, request, source)
				: life_map(lfv, range, request, source);
}

/* map_source - lazy areas hold frames and kernel mappings: purge for them. */
static int map_source(struct lfv *lfv, const struct va_range *range,
		      const struct va_request *request,
		      const struct source *source)
{
	uint64_t given = purge_given(lfv);
	int error = map_once(lfv, range, request, source);

	for (int i = 0; i < PURGE_TRIES_MAX && error == -ENOMEM &&
			purge_gives(lfv, &given);
	     i++)
		error = map_once(lfv, range, request, source);
	return error;
}

/* range_free - retire a range, and purge or have purged what is due. */
static int range_free(struct lfv *lfv, uintptr_t start)
{
	bool purge_due = false;
	const int error = lfv->va.ops->free(&lfv->va, start, &purge_due);

	if (error != 0 || !purge_due)
		return error;
	if (lfv->choices.has_worker)
		worker_wake(&lfv->worker);
	else
		purge_try(lfv);
	return 0;
}

/* mapping_undo - the area was made, but what it is for could not be mapped. */
static void mapping_undo(struct lfv *lfv, uintptr_t start)
{
	/* Nobody else can have freed it: E4. */
	require(range_free(lfv, start) == 0);
}

/* begun_at - the mark of an area that begins at `start`. */
static _Atomic(uint8_t) *begun_at(struct lfv *lfv, uintptr_t start)
{
	return &lfv->begun[window_page(&lfv->window, start)];
}

/* begun_set - the area that begins at `start` is made. */
static void begun_set(struct lfv *lfv, uintptr_t start)
{
	if (lfv->choices.address_plane)
		return;
	/* release [area-begun]: from here on the area can be freed (E4). */
	store_release(begun_at(lfv, start), BEGUN_LIVE);
}

/* begun_end - true for the one free that ends the area begun at `start`. */
static bool begun_end(struct lfv *lfv, uintptr_t start)
{
	uint8_t mark = BEGUN_LIVE;

	if (lfv->choices.address_plane)
		return true;
	/* acquire [area-begun]: the area is mapped, its entries written. */
	return cas_acquire(begun_at(lfv, start), &mark, BEGUN_FREED); /* E4 */
}

int engine_alloc(struct lfv *lfv, const struct va_request *request,
		 const struct source *source, void **address)
{
	struct va_range range;
	int error = range_alloc(lfv, request, &range);

	if (error != 0)
		return error;
	if (source->kind != SOURCE_NONE) {
		error = map_source(lfv, &range, request, source);
		if (error != 0) {
			mapping_undo(lfv, range.start);
			return error;
		}
	}
	begun_set(lfv, range.start);
	*address = (void *)range.start;
	return 0;
}

/* misuse - name what is wrong with a free that met no area's start. */
static int misuse(struct lfv *lfv, uintptr_t address)
{
	struct va_found found;

	if (lfv->va.ops->find(&lfv->va, address, &found) &&
	    found.start != address)
		return error_set(-EINVAL,
				 "free of 0x%zx: inside the area 0x%zx-0x%zx; "
				 "free an area by its first address",
				 (size_t)address, (size_t)found.start,
				 (size_t)found.end);
	if (lfv->choices.address_plane)
		return error_set(-EINVAL,
				 "double or wild free of 0x%zx: no live area "
				 "begins here",
				 (size_t)address);
	/* relaxed: only the misuse's name depends on it. */
	if (load_relaxed(begun_at(lfv, address)) != BEGUN_NEVER)
		return error_set(-EINVAL,
				 "double free of 0x%zx: an area began here and "
				 "has been freed",
				 (size_t)address);
	return error_set(-EINVAL,
			 "wild free of 0x%zx: no area has ever begun here",
			 (size_t)address);
}

int engine_free(struct lfv *lfv, const void *address, bool mapped)
{
	const uintptr_t start = (uintptr_t)address;
	struct va_found found;
	int error = engine_enter(lfv);

	if (error != 0 || address == NULL)
		return error;
	if (start < lfv->window.start || start >= lfv->window.end)
		return error_set(-EINVAL,
				 "wild free of 0x%zx: outside the window "
				 "0x%zx-0x%zx",
				 (size_t)start, (size_t)lfv->window.start,
				 (size_t)lfv->window.end);
	if (!is_page_aligned(start))
		return error_set(-EINVAL,
				 "free of 0x%zx: not page aligned; free an "
				 "area by its first address",
				 (size_t)start);
	/* Where the generation's vfree looks the area up, so do we. */
	if (mapped && lfv->va.ops->vfree_finds &&
	    !lfv->va.ops->find(&lfv->va, start, &found))
		return misuse(lfv, start);
	if (!begun_end(lfv, start))
		return misuse(lfv, start);
	error = range_free(lfv, start);
	return error == -ENOENT ? misuse(lfv, start) : error;
}

int lfv_purge(struct lfv *lfv)
{
	const int error = engine_enter(lfv);

	return error != 0 ? error : purge_run(lfv, VA_PURGE_FULL);
}
