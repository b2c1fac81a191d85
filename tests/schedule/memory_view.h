/* SPDX-License-Identifier: MIT */
/*
 * memory_view.h - how much a thread has to have seen: one number an entry.
 *
 * Entries that were never raised are 0, and cost nothing.
 */
#ifndef TESTS_SCHEDULE_MEMORY_VIEW_H
#define TESTS_SCHEDULE_MEMORY_VIEW_H

#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "schedule/memory_model.h"

enum { VIEW_ENTRIES = MEMORY_THREADS_MAX + MEMORY_LOCATIONS_MAX };

/* First the operations of each thread, then a version of each location. */
struct view {
	unsigned entries; /* the rest is 0, and not written */
	uint16_t at[VIEW_ENTRIES];
};

static inline uint16_t view_at(const struct view *view, unsigned entry)
{
	return entry < view->entries ? view->at[entry] : 0;
}

static inline void view_grow(struct view *view, unsigned entries)
{
	while (view->entries < entries)
		view->at[view->entries++] = 0;
}

static inline void view_raise(struct view *view, unsigned entry, unsigned to)
{
	require(to <= UINT16_MAX);
	view_grow(view, entry + 1);
	if (view->at[entry] < to)
		view->at[entry] = (uint16_t)to;
}

static inline void view_join(struct view *view, const struct view *other)
{
	view_grow(view, other->entries);
	for (unsigned i = 0; i < other->entries; i++) {
		if (view->at[i] < other->at[i])
			view->at[i] = other->at[i];
	}
}

static inline void view_copy(struct view *view, const struct view *other)
{
	view->entries = other->entries;
	memcpy(view->at, other->at, other->entries * sizeof(other->at[0]));
}

#endif
