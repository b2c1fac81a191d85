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

/* mapped_pages - with `keep` all but the guard, for the next owner's sake. */
static size_t mapped_pages(const struct lfv *lfv, const struct va_range *range,
			   const struct va_request *request)
{
	if (!lfv->choices.keep)
		return request->vm.nr_pages;
	return ((range->end - range->start) >> PAGE_SHIFT) -
	       is_guarded(request);
}

static void zero_memory(const struct va_range *range,
			const struct va_request *request)
{
	memset((void *)range->start, 0, pages_to_bytes(request->vm.nr_pages));
}

static int map_memory(struct lfv *lfv, const struct va_range *range,
		      const struct va_request *request, bool zero)
{
	const int error = map_alloc(&lfv->map, range->start,
				    mapped_pages(lfv, range, request),
				    is_guarded(request));

	if (error == 0 && zero)
		zero_memory(range, request);
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
		return map_memory(lfv, range, request, source->zero);
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

static uint64_t returned(struct lfv *lfv)
{
	return lfv->va.ops->returned(&lfv->va);
}

/* range_ask - the strategy; `says` why it refused, if it has said so. */
static int range_ask(struct lfv *lfv, const struct va_request *request,
		     struct va_range *range, bool *says)
{
	const unsigned messages = error_count();
	const int error = lfv->va.ops->alloc(&lfv->va, request, range);

	*says = error_count() != messages;
	return error;
}

/*
 * range_ask_on - of a strategy that can tell what came back, until nothing did
 * from before the purge in front of the question to after the one behind it:
 * each turn is another thread's success, and the last one's failure is true.
 * What a purge of another's has in its hands has come back and is nowhere yet:
 * it is given a moment.
 */
static int range_ask_on(struct lfv *lfv, const struct va_request *request,
			struct va_range *range, bool *says)
{
	uint64_t now = returned(lfv);
	uint64_t before;
	struct purge_seen seen;
	int awaits = PURGE_TRIES_MAX;
	int error;

	(void)purge_run(lfv, VA_PURGE_FULL);
	do {
		before = now;
		seen = purge_look(lfv);
		error = range_ask(lfv, request, range, says);
		if (error != -ENOMEM)
			break;
		now = returned(lfv);
		(void)purge_run(lfv, VA_PURGE_FULL);
	} while (returned(lfv) != before ||
		 (awaits-- > 0 && purge_awaited(lfv, &seen)));
	return error;
}

/* range_ask_again - after a purge of all there is, as the generation does. */
static int range_ask_again(struct lfv *lfv, const struct va_request *request,
			   struct va_range *range, bool *says)
{
	const struct va_ops *ops = lfv->va.ops;

	if (ops->returned == NULL) {
		(void)purge_run(lfv, VA_PURGE_FULL);
		return range_ask(lfv, request, range, says);
	}

	const bool closed = ops->close != NULL && ops->close(&lfv->va);
	const int error = range_ask_on(lfv, request, range, says);

	if (closed)
		ops->open(&lfv->va);
	return error;
}

/* range_alloc - the range alone; purges where the generation does. */
static int range_alloc(struct lfv *lfv, const struct va_request *request,
		       struct va_range *range)
{
	bool says;
	int error = range_ask(lfv, request, range, &says);

	if (error == -ENOMEM && lfv->va.ops->retries)
		error = range_ask_again(lfv, request, range, &says);
	/* What has a message already is no lack of holes. */
	return error == -ENOMEM && !says ? no_hole(lfv, request) : error;
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
	struct purge_seen seen = purge_look(lfv);
	int error = map_once(lfv, range, request, source);

	for (int i = 0;
	     i < PURGE_TRIES_MAX && error == -ENOMEM && purge_gives(lfv, &seen);
	     i++)
		error = map_once(lfv, range, request, source);
	return error;
}

/* purge_begin - a purge is due: wake the worker, or do it. */
static void purge_begin(struct lfv *lfv)
{
	if (lfv->choices.has_worker)
		worker_wake(&lfv->worker);
	else
		purge_try(lfv, VA_PURGE_DECAY);
}

/* range_free - retire a range, and purge or have purged what is due. */
static int range_free(struct lfv *lfv, uintptr_t start)
{
	bool purge_due = false;
	const int error = lfv->va.ops->free(&lfv->va, start, &purge_due);

	if (error == 0 && purge_due)
		purge_begin(lfv);
	return error;
}

/*
 * decay - without a worker, whoever goes the long way sees to it; what a purge
 * has to unmap first fills no cache.
 */
static void decay(struct lfv *lfv)
{
	const bool fills = lfv->choices.strict || lfv->choices.keep;

	if (fills && !lfv->choices.has_worker && purge_is_idle(lfv))
		purge_try(lfv, VA_PURGE_IDLE);
}

void engine_settle(struct lfv *lfv, uint64_t first, uint64_t pages)
{
	if (cached_settle(&lfv->va, first, pages, false))
		purge_begin(lfv);
	decay(lfv);
}

/* mapping_undo - the area was made, but what it is for could not be mapped. */
static void mapping_undo(struct lfv *lfv, const struct va_range *range)
{
	if (lfv->va.ops->withdraw != NULL)
		lfv->va.ops->withdraw(&lfv->va, range);
	else
		/* Nobody else can have freed it: E4. */
		require(range_free(lfv, range->start) == 0);
}

/* fill - map what the area is for, unless it is all there from before. */
static int fill(struct lfv *lfv, const struct va_range *range,
		const struct va_request *request, const struct source *source)
{
	if (range->mapped) {
		if (source->zero)
			zero_memory(range, request);
		return 0;
	}

	const int error = map_source(lfv, range, request, source);

	if (error != 0)
		mapping_undo(lfv, range);
	return error;
}

/* begun_at - the mark of an area that begins at `start`. */
static _Atomic(uint8_t) *begun_at(struct lfv *lfv, uintptr_t start)
{
	return &lfv->begun[window_page(&lfv->window, start)];
}

/* begun_set - the area that begins at `start` is made. */
static void begun_set(struct lfv *lfv, uintptr_t start)
{
	if (lfv->begun == NULL)
		return;
	/* release [area-begun]: from here on the area can be freed (E4). */
	store_release(begun_at(lfv, start), BEGUN_LIVE);
}

/* begun_end - true for the one free that ends the area begun at `start`. */
static bool begun_end(struct lfv *lfv, uintptr_t start)
{
	uint8_t mark = BEGUN_LIVE;

	if (lfv->begun == NULL)
		return true;
	/* acquire [area-begun]: the area is mapped, its entries written. */
	return cas_acquire(begun_at(lfv, start), &mark, BEGUN_FREED); /* E4 */
}

/* publish - false: another owner has the range, ask for one again. */
static bool publish(struct lfv *lfv, const struct va_range *range,
		    const struct va_request *request)
{
	const struct va_ops *ops = lfv->va.ops;

	if (ops->publish != NULL)
		return ops->publish(&lfv->va, range, request);
	begun_set(lfv, range->start);
	return true;
}

/* make - an area that is not published yet. */
static int make(struct lfv *lfv, const struct va_request *request,
		const struct source *source, struct va_range *range)
{
	const int error = range_alloc(lfv, request, range);

	return error == 0 && source->kind != SOURCE_NONE
		       ? fill(lfv, range, request, source)
		       : error;
}

/*
 * make_exact - with `keep` the frames have been asked for by class: there may
 * be enough for what was wanted.  Else `error`, for which it failed.
 */
static int make_exact(struct lfv *lfv, const struct va_request *request,
		      const struct source *source, struct va_range *range,
		      int error)
{
	struct va_request exact = *request;

	exact.is_exact = true;
	return lfv->choices.keep && range->end - range->start > request->size
		       ? make(lfv, &exact, source, range)
		       : error;
}

int engine_alloc(struct lfv *lfv, const struct va_request *request,
		 const struct source *source, void **address)
{
	struct va_range range = { 0 };

	decay(lfv);
	do {
		int error = make(lfv, request, source, &range);

		if (error == -ENOMEM)
			error = make_exact(lfv, request, source, &range, error);
		if (error != 0)
			return error;
	} while (!publish(lfv, &range, request));
	*address = (void *)range.start;
	return 0;
}

/* knows_begins - whether it is known where areas have ever begun. */
static bool knows_begins(const struct lfv *lfv)
{
	return lfv->begun != NULL || lfv->va.ops->has_begun != NULL;
}

static bool has_begun(struct lfv *lfv, uintptr_t address)
{
	if (lfv->va.ops->has_begun != NULL)
		return lfv->va.ops->has_begun(&lfv->va, address);
	/* relaxed: only the misuse's name depends on it. */
	return load_relaxed(begun_at(lfv, address)) != BEGUN_NEVER;
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
	if (!knows_begins(lfv))
		return error_set(-EINVAL,
				 "double or wild free of 0x%zx: no live area "
				 "begins here",
				 (size_t)address);
	if (has_begun(lfv, address))
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
	int tries = PURGE_TRIES_MAX;
	int error = engine_enter(lfv);
	struct purge_seen seen;

	if (error != 0)
		return error;
	/* What another's purge has in its hands is not there for ours. */
	do {
		seen = purge_look(lfv);
		error = purge_run(lfv, VA_PURGE_FULL);
	} while (tries-- > 0 && purge_awaited(lfv, &seen));
	return error;
}
