/* SPDX-License-Identifier: MIT */
/*
 * small_window.h - the strategy `lockfree` in a window with three pages left,
 * and an account of who owns what.
 *
 *   S1  a page has one owner, who sees what the one before did (run_account.h);
 *   S2  an allocation is refused only if there was an instant without room;
 *   S3  lookups are true (map_account.h);
 *   S4  at the end every page is in an area of its owner or in a hole.
 *
 * A lazy area keeps its pages until a purge unmaps them; from there on they are
 * in the hands of the purge.
 */
#ifndef TESTS_SCHEDULE_SMALL_WINDOW_H
#define TESTS_SCHEDULE_SMALL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SMALL_PAGES = 64,
	SMALL_LEFT = 3,
	SMALL_FULL = SMALL_PAGES - SMALL_LEFT, /* those below stay taken */
};

/* area - what an allocation returned. */
struct small_area {
	uint64_t first;
	uint64_t pages;
};

/* small_begin - `is_full`: the pages that are left are a live area, too. */
void small_begin(bool reuse_at_once, bool is_full);

/* small_alloc - as many pages, live; S2. */
bool small_alloc(uint64_t pages, struct small_area *area);

/* small_give - free it, where a range may be used again at once. */
void small_give(const struct small_area *area);
/* small_leave - free it, where a purge comes first. */
void small_leave(const struct small_area *area);
/* small_free - by whom it does not belong to alone: 0 or -ENOENT. */
int small_free(uint64_t first);

void small_purge(void);
/* small_returned - as va_ops.returned. */
uint64_t small_returned(void);

/* small_look - find what covers the page; S3. */
void small_look(uint64_t page);

/* The parts of a struct schedule_case. */
void small_watch(unsigned thread);
void small_end(void);
/* small_check - the strategy's own check alone. */
void small_check(void);
/* small_end_purged - and then all that is left is purged. */
void small_end_purged(void);

#endif
