/* SPDX-License-Identifier: MIT */
/*
 * purge.c - take, sort, merge, unmap, give.
 *
 * On the address plane, and for areas that `strict` has unmapped already, there
 * is nothing to unmap: the strategy's share of the work is all there is.
 */
#include "core/purge.h"

#include <stddef.h>

#include "base/check.h"
#include "core/engine.h"

void purge_init(struct purge *purge)
{
	require(pthread_mutex_init(&purge->mutex, NULL) == 0);
}

void purge_fini(struct purge *purge)
{
	require(pthread_mutex_destroy(&purge->mutex) == 0);
}

static void counter_add(_Atomic(uint64_t) *counter, uint64_t value)
{
	/* relaxed: a figure. */
	add_relaxed(counter, value);
}

/* chain_merge - two sorted chains into one; equal addresses do not occur. */
static struct vmap_area *chain_merge(struct vmap_area *one,
				     struct vmap_area *two)
{
	struct vmap_area *merged = NULL;
	struct vmap_area **end = &merged;

	while (one != NULL && two != NULL) {
		struct vmap_area **lower =
			one->va_start < two->va_start ? &one : &two;

		*end = *lower;
		end = &(*lower)->purge_next;
		*lower = *end;
	}
	*end = one != NULL ? one : two;
	return merged;
}

/* chain_cut - cut the ascending run off the front; returns what follows it. */
static struct vmap_area *chain_cut(struct vmap_area *chain)
{
	while (chain->purge_next != NULL &&
	       chain->va_start < chain->purge_next->va_start)
		chain = chain->purge_next;

	struct vmap_area *rest = chain->purge_next;

	chain->purge_next = NULL;
	return rest;
}

struct vmap_area *chain_sort(struct vmap_area *chain)
{
	/* bins[i] holds a sorted chain of about 2^i ascending runs. */
	struct vmap_area *bins[8 * sizeof(size_t)] = { NULL };
	const size_t last = sizeof(bins) / sizeof(bins[0]) - 1;

	while (chain != NULL) {
		struct vmap_area *rest = chain_cut(chain);
		size_t bin = 0;

		for (; bin < last && bins[bin] != NULL; bin++) {
			chain = chain_merge(bins[bin], chain);
			bins[bin] = NULL;
		}
		bins[bin] = chain_merge(bins[bin], chain);
		chain = rest;
	}

	struct vmap_area *sorted = NULL;

	for (size_t bin = 0; bin <= last; bin++)
		sorted = chain_merge(bins[bin], sorted);
	return sorted;
}

/*
 * runs_fill - merge the front of a sorted chain into at most PURGE_RUNS_MAX
 * runs; *rest is the first area that did not fit.
 */
static size_t runs_fill(struct map_run *runs, struct vmap_area *chain,
			struct vmap_area **rest)
{
	size_t count = 0;

	for (; chain != NULL; chain = chain->purge_next) {
		if (count > 0 && runs[count - 1].end == chain->va_start) {
			runs[count - 1].end = chain->va_end;
			continue;
		}
		if (count == PURGE_RUNS_MAX)
			break;
		runs[count++] = (struct map_run){
			.start = chain->va_start,
			.end = chain->va_end,
		};
	}
	*rest = chain;
	return count;
}

/* split - the two ways out of a purge, as chains that grow at their ends. */
struct split {
	struct vmap_area *give;
	struct vmap_area **give_end;
	struct vmap_area *keep;
	struct vmap_area **keep_end;
	int error; /* of the first run that failed */
};

/* split_runs - sort the areas before `rest` by how their runs went. */
static void split_runs(struct split *split, struct vmap_area *chain,
		       const struct vmap_area *rest, const struct map_run *run)
{
	while (chain != rest) {
		struct vmap_area *next = chain->purge_next;

		while (chain->va_start >= run->end)
			run++;
		assert(chain->va_start >= run->start);

		struct vmap_area ***end =
			run->error == 0 ? &split->give_end : &split->keep_end;

		**end = chain;
		*end = &chain->purge_next;
		if (split->error == 0)
			split->error = run->error;
		chain = next;
	}
	*split->give_end = NULL;
	*split->keep_end = NULL;
}

/* unmap_chain - unmap everything of a sorted chain, in batches of runs. */
static void unmap_chain(struct lfv *lfv, struct vmap_area *chain,
			struct split *split)
{
	struct purge *purge = &lfv->purge;

	while (chain != NULL) {
		struct vmap_area *rest;
		const size_t count = runs_fill(purge->runs, chain, &rest);
		const size_t failed = map_unmap(&lfv->map, purge->runs, count);

		counter_add(&purge->counters.runs, count - failed);
		counter_add(&purge->counters.failures, failed);
		split_runs(split, chain, rest, purge->runs);
		chain = rest;
	}
}

static void count_chain(struct purge *purge, const struct vmap_area *chain)
{
	uint64_t areas = 0;
	uint64_t pages = 0;

	for (; chain != NULL; chain = chain->purge_next) {
		areas += chain->merged > 0 ? chain->merged : 1;
		pages += area_bytes(chain) >> PAGE_SHIFT;
	}
	counter_add(&purge->counters.areas, areas);
	counter_add(&purge->counters.pages, pages);
}

static void count_time(struct purge *purge, uint64_t ns)
{
	_Atomic(uint64_t) *const max = &purge->counters.ns_max;
	/* relaxed: a figure. */
	uint64_t before = load_relaxed(max);

	/* relaxed: as above; a failure is a purge that took longer. */
	while (ns > before && !cas_relaxed(max, &before, ns)) {
	}
}

/* purge_end - how long it took, and when frees may try again; G3. */
static void purge_end(struct lfv *lfv, uint64_t began, int error)
{
	const uint64_t now = lfv->os->now_ns();

	count_time(&lfv->purge, now - began);
	/* relaxed: a time to compare with. */
	store_relaxed(&lfv->purge.retry_ns,
		      error != 0 ? now + PURGE_RETRY_NS : 0);
}

/* is_too_soon - the last purge could not unmap everything; G3. */
static bool is_too_soon(struct lfv *lfv)
{
	/* relaxed: a time to compare with. */
	const uint64_t retry_ns = load_relaxed(&lfv->purge.retry_ns);

	return retry_ns != 0 && lfv->os->now_ns() < retry_ns;
}

/* purge_locked - one purge; the caller holds the mutex (G1). */
static int purge_locked(struct lfv *lfv, enum va_purge how)
{
	struct va *va = &lfv->va;
	const uint64_t began = lfv->os->now_ns();
	struct vmap_area *chain = va->ops->purge_take(va, how);
	struct split split = { .give = chain };

	if (!lfv->choices.address_plane && chain != NULL) {
		split.give = NULL;
		split.give_end = &split.give;
		split.keep_end = &split.keep;
		unmap_chain(lfv, chain_sort(chain), &split);
	}
	counter_add(&lfv->purge.counters.purges, 1);
	count_chain(&lfv->purge, split.give);
	/* G2; an empty chain still lets `nodes` put its decayed pools away. */
	va->ops->purge_give(va, split.give, how);
	if (split.keep != NULL)
		va->ops->purge_keep(va, split.keep);

	purge_end(lfv, began, split.error);
	return split.error;
}

/* runs_count - what became of the runs, one by one. */
static void runs_count(struct purge_counters *counters,
		       const struct va_run *runs, size_t count, bool unmaps)
{
	for (size_t i = 0; i < count; i++) {
		const struct va_run *run = &runs[i];

		if (run->error != 0) {
			counter_add(&counters->failures, 1);
			continue;
		}
		counter_add(&counters->areas, run->areas);
		counter_add(&counters->pages,
			    (run->end - run->start) >> PAGE_SHIFT);
		counter_add(&counters->runs, unmaps);
	}
}

/* runs_unmap - the unmapping of a strategy that purges by itself. */
static void runs_unmap(void *context, struct va_run *runs, size_t count)
{
	struct lfv *lfv = context;
	const bool unmaps = !lfv->choices.address_plane;
	struct map_run mapped[VA_RUNS_MAX];

	assert(count <= VA_RUNS_MAX);
	for (size_t i = 0; i < count; i++)
		mapped[i] = (struct map_run){ .start = runs[i].start,
					      .end = runs[i].end };
	if (unmaps)
		(void)map_unmap(&lfv->map, mapped, count);
	for (size_t i = 0; i < count; i++)
		runs[i].error = mapped[i].error;
	runs_count(&lfv->purge.counters, runs, count, unmaps);
}

/* purge_self - by the strategy; any number of threads. */
static int purge_self(struct lfv *lfv, enum va_purge how)
{
	const struct va_unmapper unmapper = { lfv, runs_unmap };
	const uint64_t began = lfv->os->now_ns();

	/* relaxed: who looks for it too early is told so by his own purge. */
	add_relaxed(&lfv->purge.begun, 1);

	const int error = lfv->va.ops->purge(&lfv->va, how, &unmapper);

	/* release [purge-ended]: what it gave, and that it had begun; G4. */
	add_release(&lfv->purge.ended, 1);
	counter_add(&lfv->purge.counters.purges, 1);
	purge_end(lfv, began, error);
	return error;
}

int purge_run(struct lfv *lfv, enum va_purge how)
{
	if (lfv->va.ops->purge != NULL)
		return purge_self(lfv, how);
	require(pthread_mutex_lock(&lfv->purge.mutex) == 0);

	const int error = purge_locked(lfv, how);

	require(pthread_mutex_unlock(&lfv->purge.mutex) == 0);
	return error;
}

void purge_work(struct lfv *lfv, enum va_purge how)
{
	require(pthread_mutex_lock(&lfv->purge.mutex) == 0);
	if (lfv->va.ops->purge != NULL)
		(void)purge_self(lfv, how);
	else
		(void)purge_locked(lfv, how);
	require(pthread_mutex_unlock(&lfv->purge.mutex) == 0);
}

struct purge_seen purge_look(struct lfv *lfv)
{
	/* acquire [purge-ended]: what these have given. */
	const uint64_t ended = load_acquire(&lfv->purge.ended);

	/* relaxed: counts to compare with; the frames have their own order. */
	return (struct purge_seen){
		.given = load_relaxed(&lfv->purge.counters.pages),
		.unmapped =
			load_relaxed(&lfv->map.counters[MAP_UNMAPPED_PAGES]),
		.ended = ended,
	};
}

/* purges_begun - G4; never less than what an earlier look found ended. */
static uint64_t purges_begun(struct lfv *lfv)
{
	/* relaxed: [purge-ended] orders it behind the look. */
	return load_relaxed(&lfv->purge.begun);
}

bool purge_awaited(struct lfv *lfv, const struct purge_seen *seen)
{
	/* The caller's own purge is one; under the mutex there is no other. */
	if (lfv->va.ops->purge == NULL || purges_begun(lfv) == seen->ended + 1)
		return false;
	for (unsigned naps = 0; naps < PURGE_NAPS_MAX; naps++) {
		const struct purge_seen now = purge_look(lfv);

		if (now.given != seen->given || now.ended == purges_begun(lfv))
			return true;
		lfv->os->sleep_ns(PURGE_NAP_NS);
	}
	return false;
}

bool purge_gives(struct lfv *lfv, struct purge_seen *seen)
{
	(void)purge_run(lfv, VA_PURGE_FULL);

	const bool awaited = purge_awaited(lfv, seen);
	const struct purge_seen now = purge_look(lfv);
	const bool gives = awaited || now.given != seen->given ||
			   now.unmapped != seen->unmapped;

	*seen = now;
	return gives;
}

void purge_try(struct lfv *lfv, enum va_purge how)
{
	/* What could not be unmapped stays lazy and is the next one's. */
	if (is_too_soon(lfv))
		return;
	if (lfv->va.ops->purge != NULL) {
		(void)purge_self(lfv, how);
		return;
	}
	if (pthread_mutex_trylock(&lfv->purge.mutex) != 0)
		return;
	(void)purge_locked(lfv, how);
	require(pthread_mutex_unlock(&lfv->purge.mutex) == 0);
}

bool purge_is_idle(struct lfv *lfv)
{
	_Atomic(uint64_t) *const next = &lfv->purge.decay_ns;

	if (!lfv->choices.cached)
		return false;

	const uint64_t now = lfv->os->now_ns();
	/* relaxed: a time; of several threads one sets the next. */
	uint64_t due = load_relaxed(next);

	/* relaxed: as above. */
	return now >= due && cas_relaxed(next, &due, now + PURGE_DECAY_NS);
}
