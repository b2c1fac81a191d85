/* SPDX-License-Identifier: MIT */
/*
 * cached_seen.h - what users see of a strategy with the cache in front: their
 * own areas, not what lies in the cache.
 *
 * A strategy without state words takes all that it gave to the cache for live.
 * So whatever it finds is looked up in the page map as well, and the copy is
 * the map's.  With state words of its own there is nothing to add.
 *
 * Each is the entry of that name in the table of va/va_cached.c; see va/va.h.
 *
 * Who may run with whom, progress: as the strategy; the look at the page map is
 * wait-free.
 */
#ifndef LFV_VA_CACHED_SEEN_H
#define LFV_VA_CACHED_SEEN_H

#include "va/va.h"

bool cached_find(struct va *va, uintptr_t address, struct va_found *found);
bool cached_find_next(struct va *va, uintptr_t address, struct va_found *found);
void cached_for_each(struct va *va, va_visit *visit, void *context);
/* cached_stats - what lies in the cache counts as pools, not as live. */
void cached_stats(struct va *va, struct va_stats *stats);

#endif
