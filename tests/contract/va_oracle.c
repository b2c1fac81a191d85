/* SPDX-License-Identifier: MIT */
/*
 * va_oracle.c - one thread against a map of the window's pages.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "contract/va_suite.h"
#include "va/strategies.h"

enum {
	PAGES = 512,
	SIZE_PAGES_MAX = 12,
	CHECK_STEPS = 64, /* between two full checks */
	BREACH_BYTES = 160,
};

enum page_state { PAGE_HOLE, PAGE_LIVE, PAGE_LAZY, PAGE_TAKEN };

struct oracle {
	struct va va;
	uint64_t random;
	unsigned char pages[PAGES];
	unsigned short first[PAGES];  /* of a live page: its area's first */
	unsigned short length[PAGES]; /* of a first page: its area's pages */
	uint64_t tags[PAGES];         /* of a first page: vm.phys */
	uint64_t tag;
	unsigned live_areas;
	unsigned unmaps;
	unsigned frees;
	struct vmap_area *taken;
	bool is_reused; /* a freed range is a hole, or in the cache, at once */
	bool breached;
	char text[BREACH_BYTES];
};

static char breach_text[BREACH_BYTES];

#define BREACH(oracle, ...)                                    \
	do {                                                   \
		if (!(oracle)->breached)                       \
			snprintf((oracle)->text, BREACH_BYTES, \
				 "oracle: " __VA_ARGS__);      \
		(oracle)->breached = true;                     \
	} while (0)

#define EXPECT(oracle, condition, ...)               \
	do {                                         \
		if (!(condition))                    \
			BREACH(oracle, __VA_ARGS__); \
	} while (0)

static int unmap_count(void *context, const struct va_range *range)
{
	struct oracle *const oracle = context;

	/* What the cache gave up. */
	if (oracle->va.config.cached &&
	    oracle->pages[suite_page(range->start)] == PAGE_HOLE)
		return 0;
	EXPECT(oracle, oracle->pages[suite_page(range->start)] == PAGE_LIVE,
	       "unmap of page %u, which is not live", suite_page(range->start));
	oracle->unmaps++;
	return 0;
}

static unsigned pages_count(const struct oracle *oracle, enum page_state state)
{
	unsigned count = 0;

	for (unsigned page = 0; page < PAGES; page++)
		count += oracle->pages[page] == (unsigned char)state;
	return count;
}

static bool is_free_run(const struct oracle *oracle, unsigned page,
			unsigned pages)
{
	for (unsigned i = page; i < page + pages; i++) {
		if (i >= PAGES || oracle->pages[i] != PAGE_HOLE)
			return false;
	}
	return true;
}

/* The lowest place for a request, or PAGES. */
static unsigned lowest_fit(const struct oracle *oracle,
			   const struct va_request *request)
{
	const unsigned pages = (unsigned)(request->size >> PAGE_SHIFT);
	const unsigned vend = suite_page(request->vend);

	for (unsigned page = suite_page(request->vstart); page + pages <= vend;
	     page++) {
		if ((suite_address(page) & (request->align - 1)) == 0 &&
		    is_free_run(oracle, page, pages))
			return page;
	}
	return PAGES;
}

/* Rows that find the lowest fit, whatever it is; the rest has its reasons. */
static bool is_first_fit(const struct va_ops *ops,
			 const struct va_request *request)
{
	if (ops == &va_list_2624)
		return true;
	return (ops == &va_augmented || ops == &va_augmented_510) &&
	       request->align == 1;
}

static struct va_request request_make(struct oracle *oracle)
{
	uint64_t *const random = &oracle->random;
	struct va_request request = {
		.size = pages_to_bytes(1 + suite_below(random, SIZE_PAGES_MAX)),
		.align = 1,
		.vstart = oracle->va.config.start,
		.vend = oracle->va.config.end,
		.node = -1,
		.vm = { .phys = ++oracle->tag },
	};

	if (suite_below(random, 4) == 0)
		request.align = PAGE_SIZE << suite_below(random, 6);
	if (suite_below(random, 4) == 0) {
		const unsigned low = suite_below(random, PAGES / 2);

		request.vstart = suite_address(low);
		request.vend = suite_address(
			low + SIZE_PAGES_MAX +
			suite_below(random, PAGES / 2 - SIZE_PAGES_MAX));
	}
	return request;
}

static void alloc_account(struct oracle *oracle,
			  const struct va_request *request,
			  const struct va_range *range)
{
	const unsigned page = suite_page(range->start);
	const unsigned pages = suite_page(range->end) - page;

	EXPECT(oracle, range->end - range->start == request->size,
	       "wrong size");
	EXPECT(oracle, (range->start & (request->align - 1)) == 0,
	       "page %u is not aligned", page);
	EXPECT(oracle,
	       range->start >= request->vstart && range->end <= request->vend,
	       "page %u is outside the sub-window", page);
	if (page + pages > PAGES)
		return;
	EXPECT(oracle, is_free_run(oracle, page, pages),
	       "page %u + %u is no hole: one range, two owners", page, pages);
	for (unsigned i = page; i < page + pages; i++) {
		oracle->pages[i] = PAGE_LIVE;
		oracle->first[i] = (unsigned short)page;
	}
	oracle->length[page] = (unsigned short)pages;
	oracle->tags[page] = request->vm.phys;
	oracle->live_areas++;
}

static void step_alloc(struct oracle *oracle)
{
	struct va *const va = &oracle->va;
	const struct va_request request = request_make(oracle);
	const unsigned lowest = lowest_fit(oracle, &request);
	struct va_range range;
	const int error = suite_alloc(va, &request, &range);

	EXPECT(oracle, error == 0 || error == -ENOMEM, "alloc: error %d",
	       error);
	if (is_first_fit(va->ops, &request)) {
		const unsigned page = error ? PAGES : suite_page(range.start);

		EXPECT(oracle, page == lowest,
		       "page %u, but the lowest fit is %u", page, lowest);
	}
	if (!error)
		alloc_account(oracle, &request, &range);
}

static void step_free(struct oracle *oracle)
{
	struct va *const va = &oracle->va;
	const unsigned page = suite_below(&oracle->random, PAGES);
	const bool live =
		oracle->pages[page] == PAGE_LIVE && oracle->first[page] == page;
	bool purge_due = false;
	const int error = va->ops->free(va, suite_address(page), &purge_due);

	EXPECT(oracle, error == (live ? 0 : -ENOENT),
	       "free of page %u: error %d, area begins there: %d", page, error,
	       live);
	if (!live || error)
		return;
	for (unsigned i = page; i < page + oracle->length[page]; i++)
		oracle->pages[i] = oracle->is_reused ? PAGE_HOLE : PAGE_LAZY;
	oracle->frees++;
	oracle->live_areas--;
	/* `list` unmaps what the cache gives up once more. */
	EXPECT(oracle,
	       oracle->unmaps == oracle->frees ||
		       (va->config.cached && oracle->unmaps > oracle->frees),
	       "%u areas freed, %u unmapped", oracle->frees, oracle->unmaps);
}

static void found_compare(struct oracle *oracle, const struct va_found *found,
			  unsigned page)
{
	const unsigned first = oracle->first[page];

	EXPECT(oracle,
	       found->start == suite_address(first) &&
		       found->end ==
			       suite_address(first + oracle->length[first]) &&
		       found->vm.phys == oracle->tags[first] && !found->lazy,
	       "a lookup tells another area than the one at page %u", first);
}

static void step_find(struct oracle *oracle)
{
	struct va *const va = &oracle->va;
	unsigned page = suite_below(&oracle->random, PAGES);
	const uintptr_t address =
		suite_address(page) + suite_below(&oracle->random, PAGE_SIZE);
	struct va_found found;

	if (va->ops->find(va, address, &found)) {
		EXPECT(oracle, oracle->pages[page] == PAGE_LIVE,
		       "A3: found page %u, which is not live", page);
		found_compare(oracle, &found, page);
	} else {
		EXPECT(oracle, oracle->pages[page] != PAGE_LIVE,
		       "A3: missed page %u, which is live", page);
	}

	const bool next = va->ops->find_next(va, address, &found);

	while (page < PAGES && oracle->pages[page] != PAGE_LIVE)
		page++;
	EXPECT(oracle, next == (page < PAGES), "find_next: %d, page %u", next,
	       page);
	if (next && page < PAGES)
		found_compare(oracle, &found, page);
}

/*
 * What the cache gave up is lazy to the strategy behind it: a page that was a
 * hole to us, since it could be had, and is one again when it is purged.
 */
static bool is_given_up(const struct oracle *oracle, unsigned page)
{
	return oracle->va.config.cached && oracle->pages[page] == PAGE_HOLE;
}

/* Every other area is kept, the rest is given, in another order. */
static void purge_end(struct oracle *oracle)
{
	struct va *const va = &oracle->va;
	struct vmap_area *keep = NULL;
	struct vmap_area *give = NULL;

	while (oracle->taken) {
		struct vmap_area *const area = oracle->taken;
		const bool kept = suite_below(&oracle->random, 4) == 0;
		struct vmap_area **const chain = kept ? &keep : &give;

		for (unsigned i = suite_page(area->va_start);
		     i < suite_page(area->va_end); i++) {
			if (is_given_up(oracle, i))
				continue;
			EXPECT(oracle, oracle->pages[i] == PAGE_TAKEN,
			       "a purge took page %u, which is not lazy", i);
			oracle->pages[i] = kept ? PAGE_LAZY : PAGE_HOLE;
		}
		oracle->taken = area->purge_next;
		area->purge_next = *chain;
		*chain = area;
	}
	EXPECT(oracle, pages_count(oracle, PAGE_TAKEN) == 0,
	       "a purge did not take every lazy page");
	va->ops->purge_give(va, give,
			    suite_below(&oracle->random, 2) ? VA_PURGE_FULL
							    : VA_PURGE_DECAY);
	va->ops->purge_keep(va, keep);
}

/* One run in four could not be unmapped. */
static void oracle_unmap(void *context, struct va_run *runs, size_t count)
{
	struct oracle *const oracle = context;

	for (size_t i = 0; i < count; i++) {
		const bool kept = suite_below(&oracle->random, 4) == 0;

		EXPECT(oracle, runs[i].areas > 0, "a run of no area");
		runs[i].error = kept ? -ENOMEM : 0;
		for (unsigned page = suite_page(runs[i].start);
		     page < suite_page(runs[i].end); page++) {
			EXPECT(oracle, oracle->pages[page] == PAGE_LAZY,
			       "a purge took page %u, which is not lazy", page);
			oracle->pages[page] = kept ? PAGE_TAKEN : PAGE_HOLE;
		}
	}
}

/* A strategy that purges by itself: all that was lazy went by. */
static void step_purge_self(struct oracle *oracle)
{
	struct va *const va = &oracle->va;
	const struct va_unmapper unmapper = { oracle, oracle_unmap };

	(void)va->ops->purge(va, VA_PURGE_DECAY, &unmapper);
	EXPECT(oracle, pages_count(oracle, PAGE_LAZY) == 0,
	       "a purge did not take every lazy page");
	for (unsigned page = 0; page < PAGES; page++) {
		if (oracle->pages[page] == PAGE_TAKEN)
			oracle->pages[page] = PAGE_LAZY;
	}
}

/* What is freed between the two halves is lazy, not taken. */
static void step_purge(struct oracle *oracle)
{
	struct va *const va = &oracle->va;

	if (va->ops->purge) {
		step_purge_self(oracle);
		return;
	}
	if (oracle->taken) {
		purge_end(oracle);
		return;
	}
	oracle->taken = va->ops->purge_take(va, suite_below(&oracle->random, 2)
							? VA_PURGE_FULL
							: VA_PURGE_DECAY);
	for (unsigned page = 0; page < PAGES; page++) {
		if (oracle->pages[page] == PAGE_LAZY)
			oracle->pages[page] = PAGE_TAKEN;
	}
	if (!oracle->taken)
		purge_end(oracle);
}

/* What a walk has seen: pages and areas. */
struct walk {
	struct oracle *oracle;
	unsigned live_areas;
	unsigned live_pages;
	unsigned lazy_pages;
	unsigned char seen[PAGES];
};

static void walk_visit(void *context, const struct va_found *found)
{
	struct walk *const walk = context;
	struct oracle *const oracle = walk->oracle;
	const unsigned page = suite_page(found->start);
	const unsigned pages = suite_page(found->end) - page;

	for (unsigned i = page; i < page + pages; i++) {
		EXPECT(oracle, !walk->seen[i], "page %u is walked twice", i);
		EXPECT(oracle, (oracle->pages[i] == PAGE_LIVE) == !found->lazy,
		       "page %u is walked as what it is not", i);
		walk->seen[i] = 1;
	}
	if (found->lazy) {
		walk->lazy_pages += pages;
		return;
	}
	EXPECT(oracle, walk->lazy_pages == 0, "a live area behind lazy ones");
	found_compare(oracle, found, page);
	walk->live_areas++;
	walk->live_pages += pages;
}

static void oracle_compare(struct oracle *oracle)
{
	struct va *const va = &oracle->va;
	const unsigned live = pages_count(oracle, PAGE_LIVE);
	const unsigned lazy = pages_count(oracle, PAGE_LAZY) +
			      pages_count(oracle, PAGE_TAKEN);
	struct walk walk = { .oracle = oracle };
	struct va_stats stats;

	va->ops->for_each(va, walk_visit, &walk);
	EXPECT(oracle,
	       walk.live_areas == oracle->live_areas && walk.live_pages == live,
	       "a walk met %u live areas of %u", walk.live_areas,
	       oracle->live_areas);
	EXPECT(oracle,
	       oracle->taken || walk.lazy_pages == lazy ||
		       (va->config.cached && walk.lazy_pages > lazy),
	       "a walk met %u lazy pages of %u", walk.lazy_pages, lazy);
	va->ops->stats(va, &stats);
	EXPECT(oracle, stats.live_areas == oracle->live_areas, "live_areas");
	EXPECT(oracle, stats.live_pages == live, "live_pages");
	EXPECT(oracle,
	       stats.lazy_pages == lazy ||
		       (va->config.cached && stats.lazy_pages > lazy),
	       "A4: lazy_pages is %u, not %u", (unsigned)stats.lazy_pages,
	       lazy);
	EXPECT(oracle,
	       stats.hole_pages + stats.pool_pages + stats.lazy_pages - lazy ==
		       pages_count(oracle, PAGE_HOLE),
	       "A1: holes and pools are %u pages, not %u",
	       (unsigned)(stats.hole_pages + stats.pool_pages),
	       pages_count(oracle, PAGE_HOLE));
}

static void oracle_step(struct oracle *oracle, unsigned step)
{
	/* In turn the window fills up and empties. */
	const unsigned lean = step / 256 % 2 == 0 ? 9 : 5;
	const unsigned choice = suite_below(&oracle->random, 16);

	if (choice < lean)
		step_alloc(oracle);
	else if (choice < 12)
		for (unsigned i = 0; i < 8; i++)
			step_free(oracle);
	else if (choice < 15)
		step_find(oracle);
	else
		step_purge(oracle);
}

const char *oracle_breach(const struct suite_case *test, uint64_t seed)
{
	static struct oracle oracle;
	struct va *const va = &oracle.va;
	struct va_config config = suite_config(test, PAGES);

	memset(&oracle, 0, sizeof(oracle));
	oracle.random = seed;
	config.hooks = (struct va_hooks){
		.context = &oracle,
		.unmap = unmap_count,
	};
	oracle.is_reused = test->ops->strict_reuse ||
			   (test->reuse_at_once &&
			    (test->cached || test->ops->back != NULL));
	if (va_init(va, test->ops, &config))
		return "oracle: init failed";
	for (unsigned i = 0; i < test->steps && !oracle.breached; i++) {
		oracle_step(&oracle, i);
		if (i % CHECK_STEPS != 0 || oracle.breached)
			continue;
		oracle_compare(&oracle);
		if (!test->ops->busted)
			va->ops->check(va);
	}
	if (!va->ops->purge)
		purge_end(&oracle);
	va_fini(va);
	memcpy(breach_text, oracle.text, sizeof(breach_text));
	return oracle.breached ? breach_text : NULL;
}
