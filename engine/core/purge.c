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

/* counter_add - one purge runs at a time, so no read-modify-write is needed. */
static void counter_add(_Atomic(uint64_t) *counter, uint64_t value)
{
	/* relaxed: a figure; its only writer holds the purge mutex. */
	store_relaxed(counter, load_relaxed(counter) + value);
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
	/* relaxed: a figure; its only writer holds the purge mutex. */
	if (ns > load_relaxed(&purge->counters.ns_max))
		store_relaxed(&purge->counters.ns_max, ns);
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

	const uint64_t now = lfv->os->now_ns();

	count_time(&lfv->purge, now - began);
	lfv->purge.retry_ns = split.error != 0 ? now + PURGE_RETRY_NS : 0;
	return split.error;
}

int purge_run(struct lfv *lfv, enum va_purge how)
{
	require(pthread_mutex_lock(&lfv->purge.mutex) == 0);

	const int error = purge_locked(lfv, how);

	require(pthread_mutex_unlock(&lfv->purge.mutex) == 0);
	return error;
}

uint64_t purge_given(struct lfv *lfv)
{
	/* relaxed: a count to compare with; the frames have their own order. */
	return load_relaxed(&lfv->purge.counters.pages);
}

bool purge_gives(struct lfv *lfv, uint64_t *seen)
{
	(void)purge_run(lfv, VA_PURGE_FULL);

	const uint64_t given = purge_given(lfv);
	const bool gives = given != *seen;

	*seen = given;
	return gives;
}

void purge_try(struct lfv *lfv)
{
	if (pthread_mutex_trylock(&lfv->purge.mutex) != 0)
		return;
	/* What could not be unmapped stays lazy and is the next one's; G3. */
	if (lfv->purge.retry_ns == 0 ||
	    lfv->os->now_ns() >= lfv->purge.retry_ns)
		(void)purge_locked(lfv, VA_PURGE_DECAY);
	require(pthread_mutex_unlock(&lfv->purge.mutex) == 0);
}
