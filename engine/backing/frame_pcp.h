/* SPDX-License-Identifier: MIT */
/*
 * frame_pcp.h - per-CPU lists of single free frames (Linux's per_cpu_pages).
 *
 * What a CPU freed last is what it takes next: still in its caches, and no lock
 * is needed.  A list is refilled from, and spilled to, the allocator behind it
 * a batch at a time; that is the allocator's to do.
 *
 *   L1  a frame on a list has the state FRAME_CACHED, and no other has;
 *   L2  frames_cached is the number of frames on lists; while others work it
 *       may be early or late.
 *
 * Who may run with whom: all but init and fini, any threads on any lists.
 * Order: what was done before the push is seen after the take [percpu-value].
 */
#ifndef LFV_BACKING_FRAME_PCP_H
#define LFV_BACKING_FRAME_PCP_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "backing/frame.h"
#include "base/cpu.h"
#include "base/percpu.h"

enum { PCP_FRAMES = 64, PCP_BATCH = 32 };

/* pcp_count - one CPU's; may be negative, as frames move between CPUs. */
struct pcp_count {
	alignas(FALSE_SHARING_BYTES) _Atomic(int64_t) frames;
};

struct frame_pcp {
	/* constant after init */
	struct page *pages;
	struct cpu_map map;
	struct percpu lists;
	struct pcp_count *counts;
};

__attribute__((warn_unused_result)) int pcp_init(struct frame_pcp *pcp,
						 const struct frames *frames);
void pcp_fini(struct frame_pcp *pcp);

/* pcp_push - leave a taken frame with this CPU; false: its list is full. */
bool pcp_push(struct frame_pcp *pcp, uint32_t frame);

/* pcp_take - this CPU's newest frame; false: its list is empty. */
bool pcp_take(struct frame_pcp *pcp, uint32_t *frame);

/* pcp_drain - take all of one slot's frames, PCP_FRAMES at most; how many. */
unsigned pcp_drain(struct frame_pcp *pcp, unsigned slot, uint32_t *frames);

static inline unsigned pcp_slots(const struct frame_pcp *pcp)
{
	return pcp->map.cpu_slots;
}

uint64_t pcp_frames_cached(const struct frame_pcp *pcp);

/* pcp_check - L1 and L2; runs alone. */
void pcp_check(const struct frame_pcp *pcp, uint64_t nr_frames);

#endif
