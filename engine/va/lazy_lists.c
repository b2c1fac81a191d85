/* SPDX-License-Identifier: MIT */
/*
 * lazy_lists.c - push, take all, sort.
 */
#include "va/lazy_lists.h"

#include <errno.h>

#include "base/check.h"
#include "base/error.h"

/* A list is summed up with the others each time it has grown by a step. */
enum { LAZY_STEPS_MIN = 16, LAZY_STEPS_MAX = 128 };

struct lazy_list {
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) head; /* page + 1 */
	_Atomic(uint64_t) pushed;                            /* pages, ever */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) settled; /* likewise */
};

static size_t lists_bytes(const struct cpu_map *cpus)
{
	return align_up(cpus->cpu_slots * sizeof(struct lazy_list), PAGE_SIZE);
}

/* step_pages - what a list may grow by unseen. */
static uint64_t step_pages(unsigned lists, uint64_t limit_pages)
{
	const unsigned steps = lists < LAZY_STEPS_MIN   ? LAZY_STEPS_MIN
			       : lists > LAZY_STEPS_MAX ? LAZY_STEPS_MAX
							: lists;

	return limit_pages / steps + 1;
}

int lazy_init(struct lazy_lists *lazy, const struct os *os,
	      const struct cpu_map *cpus, struct page_map *map,
	      uint64_t limit_pages)
{
	*lazy = (struct lazy_lists){
		.os = os,
		.cpus = cpus,
		.map = map,
		.limit_pages = limit_pages,
		.step_pages = step_pages(cpus->cpu_slots, limit_pages),
		.lists = os->mmap_anon(lists_bytes(cpus)),
	};
	if (!lazy->lists)
		return error_set(-ENOMEM, "no memory for the purge lists"
					  " (RLIMIT_AS, vm.max_map_count)");
	return 0;
}

void lazy_fini(struct lazy_lists *lazy)
{
	if (lazy->lists)
		lazy->os->munmap_anon(lazy->lists, lists_bytes(lazy->cpus));
	lazy->lists = NULL;
}

static struct lazy_list *own_list(const struct lazy_lists *lazy)
{
	return &lazy->lists[cpu_slot(lazy->cpus, cpu_current())];
}

uint64_t lazy_pushed(const struct lazy_lists *lazy)
{
	uint64_t pushed = 0;

	/* acquire [lazy-pushed]: the push itself, whoever takes next. */
	for (unsigned slot = 0; slot < lazy->cpus->cpu_slots; slot++)
		pushed += load_acquire(&lazy->lists[slot].pushed);
	return pushed;
}

uint64_t lazy_pages(const struct lazy_lists *lazy)
{
	const uint64_t pushed = lazy_pushed(lazy);
	uint64_t settled = 0;

	/* relaxed: figures, which may have overtaken each other. */
	for (unsigned slot = 0; slot < lazy->cpus->cpu_slots; slot++)
		settled += load_relaxed(&lazy->lists[slot].settled);
	return pushed > settled ? pushed - settled : 0;
}

/* list_push - onto a list, not counted. */
static void list_push(struct lazy_lists *lazy, struct lazy_list *list,
		      uint64_t first)
{
	struct page_record *const record = page_map_record(lazy->map, first);
	/* relaxed: the old head is linked to, never looked into. */
	uint64_t head = load_relaxed(&list->head);

	do {
		record->next = head;
		/* release [lazy-handoff]: the area as it is, and its count. */
	} while (!cas_release(&list->head, &head, first + 1));
}

bool lazy_push(struct lazy_lists *lazy, uint64_t first)
{
	struct lazy_list *const list = own_list(lazy);
	const uint64_t step = lazy->step_pages;
	struct page_head head;

	if (!page_map_to_lazy(lazy->map, first, &head))
		return false;
	list_push(lazy, list, first);

	const uint64_t pages = page_head_pages(head);
	/* release [lazy-pushed]: the push comes before its count; L2. */
	const uint64_t before = add_release(&list->pushed, pages);

	if (before / step == (before + pages) / step)
		return false;
	return lazy_pages(lazy) > lazy->limit_pages;
}

void lazy_push_back(struct lazy_lists *lazy, uint64_t first)
{
	list_push(lazy, own_list(lazy), first);
}

/* chain_join - behind `chain`, whose last is found by walking, put `tail`. */
static uint64_t chain_join(struct page_map *map, uint64_t chain, uint64_t tail)
{
	if (chain == 0)
		return tail;

	uint64_t last = chain;

	while (page_map_record(map, last - 1)->next != 0)
		last = page_map_record(map, last - 1)->next;
	page_map_record(map, last - 1)->next = tail;
	return chain;
}

uint64_t lazy_take(struct lazy_lists *lazy)
{
	uint64_t taken = 0;

	for (unsigned slot = 0; slot < lazy->cpus->cpu_slots; slot++) {
		struct lazy_list *const list = &lazy->lists[slot];

		/* relaxed: saves the exchange on an empty list. */
		if (load_relaxed(&list->head) == 0)
			continue;
		/*
		 * acquire [lazy-handoff]: one exchange meets every push since
		 * the last take, for each push extends the release sequence of
		 * the one before.
		 */
		taken = chain_join(lazy->map, swap_acquire(&list->head, 0),
				   taken);
	}
	return taken;
}

void lazy_settle(struct lazy_lists *lazy, uint64_t pages)
{
	/* relaxed: a figure; the pages were counted before they were taken. */
	add_relaxed(&own_list(lazy)->settled, pages);
}

/* chain_merge - two ascending chains into one. */
static uint64_t chain_merge(struct page_map *map, uint64_t one, uint64_t two)
{
	uint64_t merged = 0;
	uint64_t *end = &merged;

	while (one != 0 && two != 0) {
		uint64_t *const lower = one < two ? &one : &two;

		*end = *lower;
		end = &page_map_record(map, *lower - 1)->next;
		*lower = *end;
	}
	*end = one != 0 ? one : two;
	return merged;
}

/* chain_cut - cut the ascending run off the front; returns what follows it. */
static uint64_t chain_cut(struct page_map *map, uint64_t chain)
{
	struct page_record *last = page_map_record(map, chain - 1);

	while (last->next > chain) {
		chain = last->next;
		last = page_map_record(map, chain - 1);
	}

	const uint64_t rest = last->next;

	last->next = 0;
	return rest;
}

uint64_t lazy_sort(struct page_map *map, uint64_t chain)
{
	/* bins[i] holds a sorted chain of about 2^i ascending runs. */
	uint64_t bins[8 * sizeof(uint64_t)] = { 0 };
	const size_t last = sizeof(bins) / sizeof(bins[0]) - 1;

	while (chain != 0) {
		const uint64_t rest = chain_cut(map, chain);
		size_t bin = 0;

		for (; bin < last && bins[bin] != 0; bin++) {
			chain = chain_merge(map, bins[bin], chain);
			bins[bin] = 0;
		}
		bins[bin] = chain_merge(map, bins[bin], chain);
		chain = rest;
	}

	uint64_t sorted = 0;

	for (size_t bin = 0; bin <= last; bin++)
		sorted = chain_merge(map, bins[bin], sorted);
	return sorted;
}
