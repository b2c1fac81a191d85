/* SPDX-License-Identifier: MIT */
/*
 * map_spare.h - a kernel mapping to give up when there may be no more.
 *
 * At vm.max_map_count the kernel refuses every mmap, also one that would leave
 * fewer mappings than before: a process that has got there could not unmap any
 * of its areas.  So the map holds a few mappings of no use.  Giving them up
 * makes room for the one call that makes room for all others, and for new ones
 * of no use.
 *
 *   N1  whoever has taken the spare is the only one who gives it up;
 *   N2  nothing is mapped without it: else what was given up for one failed
 *       call would be used up by the next area, and the way back be lost;
 *   N3  nor is a mapping cut in pieces by unmapping its middle: the spare is
 *       given up only for calls that leave no more mappings than there were.
 *
 * Who may run with whom: spare_remap_none by any thread; init and fini alone.
 * Progress: lock-free, save for the system calls; a thread that finds the spare
 * taken fails as if there were none.
 */
#ifndef LFV_BACKING_MAP_SPARE_H
#define LFV_BACKING_MAP_SPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/atomic.h"
#include "base/os.h"

struct spare {
	_Atomic(void *) mapping;
};

/* spare_init - hold a spare; without one, if the kernel has none to give. */
void spare_init(struct spare *spare, const struct os *os);
void spare_fini(struct spare *spare, const struct os *os);

/* spare_hold - true if there is one, or one can be had now; N2. */
__attribute__((warn_unused_result)) bool spare_hold(struct spare *spare,
						    const struct os *os);

/*
 * spare_remap_none - os->remap_none(), once more without the spare if the
 * kernel has no memory for it; then there is a spare again, if it can be had.
 */
int spare_remap_none(struct spare *spare, const struct os *os, void *base,
		     size_t bytes);

/* spare_cut - the same where it leaves more mappings than there were: N3. */
int spare_cut(struct spare *spare, const struct os *os, void *base,
	      size_t bytes);

#endif
