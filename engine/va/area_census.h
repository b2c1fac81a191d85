/* SPDX-License-Identifier: MIT */
/*
 * area_census.h - what the strategies count and check in the same way.
 *
 * A census collects ranges from wherever a strategy keeps them and then looks
 * at all of them at once: no two may share a page, and together with the pages
 * that are with a purge they must fill the window.
 *
 * Who may run with whom: a census is taken alone, as va_ops.check() is; the
 * helpers for statistics need the lock that guards the area.
 */
#ifndef LFV_VA_AREA_CENSUS_H
#define LFV_VA_AREA_CENSUS_H

#include "va/area_tree.h"
#include "va/va.h"

struct area_range {
	uintptr_t start;
	uintptr_t end;
};

struct area_census {
	const struct va_config *config;
	struct area_range *ranges;
	size_t count;
	size_t room;
};

/* area_census_begin - an empty census; aborts when there is no memory. */
void area_census_begin(struct area_census *census,
		       const struct va_config *config);

void area_census_add(struct area_census *census, const struct vmap_area *area);

/* area_census_add_list - each area of a list; returns their pages. */
uint64_t area_census_add_list(struct area_census *census,
			      const struct list *list);

/*
 * area_census_end - abort with A2 when ranges overlap or leave the window, and
 * with A1 when they and `pages_elsewhere` do not fill it.
 */
void area_census_end(struct area_census *census, uint64_t pages_elsewhere);

static inline uint64_t area_pages(const struct vmap_area *area)
{
	return area_bytes(area) >> PAGE_SHIFT;
}

/* area_visit - show one live or lazy area to a walk. */
void area_visit(const struct vmap_area *area, bool lazy, va_visit *visit,
		void *context);

void stats_add_live(struct va_stats *stats, const struct vmap_area *area);
void stats_add_hole(struct va_stats *stats, const struct vmap_area *hole);
void stats_add_lock(struct va_stats *stats, struct lock *lock);

#endif
