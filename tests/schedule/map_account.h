/* SPDX-License-Identifier: MIT */
/*
 * map_account.h - which area covers a page, for what looks it up (M3 of
 * va/page_map.h).
 *
 * An area has an id; what is mapped in it is made of the id, so that a copy
 * tells whether it is of one area.
 *
 *   L1  a hit is the whole of one area, and what its maker did is seen;
 *   L2  that area covered the page, and was live, at some instant of the call;
 *   L3  a miss: at some instant of the call no live area covered it.
 *
 * L2 and L3 are judged after each operation of any thread, where loads see the
 * newest value.
 */
#ifndef TESTS_SCHEDULE_MAP_ACCOUNT_H
#define TESTS_SCHEDULE_MAP_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "va/page_map.h"
#include "va/va.h"

enum { MAP_AREAS_MAX = 16 };

/* map_account_begin - nobody has made an area, nobody looks. */
void map_account_begin(const struct page_map *map);

/* map_account_make - what to map in an area that begins there; a new id. */
struct vm_struct map_account_make(uint64_t first, uint64_t pages);

/* map_account_own - of area `id`: what its maker did is seen. */
void map_account_own(unsigned id);

/* map_account_watch - for struct schedule_case. */
void map_account_watch(unsigned thread);

/* The calling thread looks; and has found, or has not. */
void map_account_look_begin(uint64_t page);
void map_account_look_end(bool is_found, const struct va_found *found);

#endif
