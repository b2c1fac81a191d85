/* SPDX-License-Identifier: MIT */
/*
 * frame.h - page frames: pages of a memfd that play physical memory.
 *
 * Each allocator is one constant table, found by name.
 *
 *   P1  a frame is free, in a per-CPU list (free too, but one CPU's), or taken
 *       by exactly one owner;
 *   P2  frames_free is the sum of the first two;
 *   P3  a frame that is mapped by lfv_vmap() is counted in its mapcount, and
 *       lies in a lent block, which stays lent (frame_lend.c).
 *
 * Contiguous frames that lie at the offset of their own page are mapped into
 * the kernel mapping of their neighbours (backing/map.h); so take() is told
 * which frame would be best and gives that run if it is free.
 *
 * Who may run with whom: take and give by any thread; init, fini and check
 * alone.  Order: what was written to a frame before give() is seen by whom
 * take() hands it next.
 */
#ifndef LFV_BACKING_FRAME_H
#define LFV_BACKING_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backing/frame_word.h"
#include "base/atomic.h"
#include "base/os.h"
#include "lock/lock.h"

/* frame_run - contiguous frames. */
struct frame_run {
	uint32_t first;
	uint32_t count;
};

/*
 * page - what is known of one frame (Linux's struct page).
 *
 * word is the allocator's; mapcount is the mapping's; next and prev link free
 * blocks, and are the owner's while the frame is taken (as Linux's page->lru).
 */
struct page {
	_Atomic(uint32_t) mapcount; /* lfv_vmap() mappings, granted or asked */
	_Atomic(uint16_t) word;     /* struct frame_word */
	uint32_t next;              /* neighbours, as frame numbers */
	uint32_t prev;
};

/* A frame's number fits into an entry of the page table. */
#define FRAMES_MAX ((uint64_t)1 << 30)
#define FRAME_NONE UINT32_MAX
enum { FRAME_ORDER_MAX = 10 };

struct frame_config {
	const struct os *os;
	const struct lock_ops *lock;
	bool lock_yield;
	uint64_t nr_frames; /* `fixed`: as many as the window has pages */
	unsigned cpus;
};

struct frame_stats {
	uint64_t frames;
	uint64_t frames_free;
	uint64_t frames_cached; /* in per-CPU lists; part of frames_free */
	uint64_t locks_entered;
	uint64_t locks_waited;
};

struct frames;

struct frame_ops {
	const char *name;
	const char *summary;
	bool fixed; /* frame = page offset: no alloc_pages, no wanted misses */
	size_t state_bytes;
	int (*init)(struct frames *frames);
	void (*fini)(struct frames *frames);
	/*
	 * take - up to `count` contiguous frames, beginning with `wanted` if
	 * that is free, else as many as can be had; -ENOMEM: no frame is free.
	 */
	int (*take)(struct frames *frames, uint32_t wanted, uint32_t count,
		    struct frame_run *run);
	void (*give)(struct frames *frames, struct frame_run run);
	/* take_order - exactly 2^order frames, naturally aligned. */
	int (*take_order)(struct frames *frames, unsigned order,
			  uint32_t *first);
	/* drain - per-CPU lists back to the common pool. */
	void (*drain)(struct frames *frames);
	/* is_taken - by an owner; alone, and not asked with `fixed`. */
	bool (*is_taken)(const struct frames *frames, uint32_t frame);
	void (*check)(struct frames *frames);
	void (*stats)(struct frames *frames, struct frame_stats *stats);
};

/* frames - one memory: the memfd, its frame array, its allocator's state. */
struct frames {
	const struct frame_ops *ops;
	struct frame_config config;
	int fd;
	struct page *pages;     /* NULL with `fixed` */
	void *state;            /* state_bytes, zero before init */
	_Atomic(void *) linear; /* linear mapping, made at first use */
};

const struct frame_ops *frame_find_ops(const char *name);
const struct frame_ops *const *frame_allocators(void);

/* frames_init - make and seal the memfd; -errno with a message. */
__attribute__((warn_unused_result)) int
frames_init(struct frames *frames, const struct frame_ops *ops,
	    const struct frame_config *config);
void frames_fini(struct frames *frames);

/* frames_begin_lend - what take_order() is about to give; by allocators. */
void frames_begin_lend(struct frames *frames, uint32_t first, unsigned order);

/*
 * frames_give_order - give back what take_order() gave; by users of frames.
 *
 * -EINVAL: no such block is lent; -EBUSY: one of its frames is still mapped, or
 * a mapping of it is being refused at this moment.
 */
__attribute__((warn_unused_result)) int
frames_give_order(struct frames *frames, uint32_t first, unsigned order);

/*
 * frames_is_lent - the frame lies in a block of take_order() that has not been
 * given back.  A look: by the next instruction it may have been.
 */
bool frames_is_lent(const struct frames *frames, uint32_t frame);

/*
 * frames_try_map - one more mapping of the frame; false: it is not lent.
 *
 * From then on its block cannot be given back, until frames_unmap().
 */
__attribute__((warn_unused_result)) bool frames_try_map(struct frames *frames,
							uint32_t frame);
void frames_unmap(struct frames *frames, uint32_t frame);

/* frames_check_lent - P3; alone. */
void frames_check_lent(const struct frames *frames);

/* frames_linear - base of the linear mapping; -errno where none can be made. */
int frames_linear(struct frames *frames, void **base);

#endif
