/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - operations put to an engine, and their answers as a history.
 *
 * Only the public interface is used, so that whatever lies in front of a
 * strategy is judged with it.  The engine is one of the address plane, in which
 * all but a few pages are taken by a blocker for ever: even requests for the
 * whole window meet at these pages, and run out of them.
 *
 * An area's mark is the size that was asked for, which a lookup tells: it lies
 * `tag` bytes below whole pages.
 */
#ifndef LFV_TESTS_RECORDER_H
#define LFV_TESTS_RECORDER_H

#include "lfv/lfv.h"
#include "linear/history.h"

enum { TAGS = 4096, ALIGN_PAGES_MAX = 8 };

/* recorder - an engine and the pages of it that are played with. */
struct recorder {
	struct lfv *lfv;
	struct history_clock clock;
	uintptr_t base;           /* of page 0; in no window */
	struct page_range window; /* in pages from there */
	struct page_range part;   /* not blocked */
};

/*
 * recorder_init - an engine of these options, with `pages` unblocked pages; 0:
 * the whole window.  False: lfv_last_error() says why not.
 */
bool recorder_init(struct recorder *recorder, const struct lfv_options *options,
		   uint32_t pages);

void recorder_fini(struct recorder *recorder);

/*
 * recorder_run - carry out an operation: what it asks is filled in, the stamps
 * and the answer are written here.  An OP_ALLOC within the whole part asks for
 * the whole window, as most callers of an allocator do.
 */
void recorder_run(struct recorder *recorder, struct op *op);

/*
 * recorder_clear - free every area of the part; alone.  False: some are left.
 */
bool recorder_clear(struct recorder *recorder);

#endif
