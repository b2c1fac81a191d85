/* SPDX-License-Identifier: MIT */
/*
 * cached_seen.c - lookups and walks through a cache in front.
 */
#include "va/cached_seen.h"

#include "va/cached.h"

/* seen - what the strategy found at `address` is a user's; the copy is ours. */
static bool seen(const struct cached *self, uintptr_t address,
		 struct va_found *found)
{
	return page_map_copy(self->map, page_map_page(self->map, found->start),
			     page_map_page(self->map, address), found);
}

bool cached_find(struct va *va, uintptr_t address, struct va_found *found)
{
	struct cached *const self = va->state;
	struct va *const inner = &self->inner;

	return inner->ops->find(inner, address, found) &&
	       (self->back || seen(self, address, found));
}

bool cached_find_next(struct va *va, uintptr_t address, struct va_found *found)
{
	struct cached *const self = va->state;
	struct va *const inner = &self->inner;

	while (inner->ops->find_next(inner, address, found)) {
		const uintptr_t end = found->end;

		if (address < found->start)
			address = found->start;

		/* Above: a shorter area may have begun there meanwhile. */
		if (self->back || seen(self, address, found))
			return true;
		address = end;
	}
	return false;
}

/* walk - shows a strategy's walk only what is a user's, or lazy. */
struct walk {
	const struct cached *self;
	va_visit *visit;
	void *context;
};

static void walk_visit(void *context, const struct va_found *found)
{
	const struct walk *const walk = context;
	struct va_found copy = *found;

	if (copy.lazy || seen(walk->self, copy.start, &copy))
		walk->visit(walk->context, &copy);
}

void cached_for_each(struct va *va, va_visit *visit, void *context)
{
	struct cached *const self = va->state;
	struct va *const inner = &self->inner;
	struct walk walk = { self, visit, context };

	if (self->back)
		inner->ops->for_each(inner, visit, context);
	else
		inner->ops->for_each(inner, walk_visit, &walk);
}

/* census - of the users' areas among the strategy's. */
static void census_visit(void *context, const struct va_found *found)
{
	struct va_stats *const stats = context;

	if (found->lazy)
		return;
	stats->live_areas++;
	stats->live_pages += (found->end - found->start) >> PAGE_SHIFT;
	if (stats->lowest_start == 0 || found->start < stats->lowest_start)
		stats->lowest_start = found->start;
	if (found->end > stats->highest_end)
		stats->highest_end = found->end;
}

void cached_stats(struct va *va, struct va_stats *stats)
{
	struct cached *const self = va->state;
	struct va *const inner = &self->inner;
	struct va_stats users = { 0 };

	inner->ops->stats(inner, stats);
	if (self->back)
		return;
	cached_for_each(va, census_visit, &users);
	/* Users may have come between the two counts. */
	if (stats->live_pages > users.live_pages)
		stats->pool_pages += stats->live_pages - users.live_pages;
	stats->live_areas = users.live_areas;
	stats->live_pages = users.live_pages;
	stats->lowest_start = users.lowest_start;
	stats->highest_end = users.highest_end;
}
