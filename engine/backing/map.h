/* SPDX-License-Identifier: MIT */
/*
 * map.h - frames into the window and out again, with as few system calls and
 * kernel mappings (VMAs) as can be.
 *
 * The page table (backing/page_table.h) is ours: one entry a page of the
 * window, telling which frame is mapped there and who owns it.  It is what
 * vmalloc_to_frame() reads, and what unmapping walks to give frames back.
 *
 *   T1  an entry is empty, or names the frame that the kernel maps there, or
 *       says that a foreign file is mapped there;
 *   T2  an owned frame has exactly one owned entry; borrowed ones (vmap) any
 *       number, counted in the frame's mapcount;
 *   T3  the entries of a range are written by whoever owns the range only.
 *
 * One kernel mapping a run: written pages of a shared memfd cost one TLB
 * shoot-down per VMA, however many one call unmaps.  A frame lies at its own
 * page's offset if it is the page's number, modulo the number of frames.  Where
 * markers exist (MADV_GUARD_INSTALL, Linux 6.15, probed), an area whose last
 * frames lie at their own offset is mapped with its guard page in one VMA that
 * merges with its neighbours', and the guard is a marker; elsewhere the guard
 * is a gap.
 *
 * Flush of such areas: `remap` lays PROT_NONE over each run with one mmap;
 * `guard` installs markers over up to 1,024 runs with one process_madvise.
 * Never DONTNEED: the next touch would bring back a frame that has another
 * owner by then.  A run in which any frame lies elsewhere is remapped in any
 * case.
 *
 * What a marker hides stays mapped: such pages have `guarded` entries, and an
 * area that gets its own frames there is opened by taking the markers away,
 * with no new mapping.  So with `guard` a range is mapped once and for all, and
 * `paired`, whose frames always are a page's own, closes its areas with markers
 * whichever flush was asked for, where there are markers.
 *
 * Errors leave the range unmapped and every frame where it was.  If the undoing
 * fails too, what could not be unmapped keeps its frames and entries, and goes
 * with the next map_unmap() or mapping of these pages: nothing is ever lost.
 *
 * Who may run with whom: any of these by any thread, on ranges it owns; the
 * entries of others may be read at any time.  Progress: no lock of ours is held
 * across a system call.
 */
#ifndef LFV_BACKING_MAP_H
#define LFV_BACKING_MAP_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backing/frame.h"
#include "backing/map_spare.h"
#include "backing/page_table.h"
#include "backing/window.h"
#include "base/atomic.h"

enum map_flush { MAP_FLUSH_REMAP, MAP_FLUSH_GUARD };

/* A run of pages to unmap: [start, end), merged by the caller. */
struct map_run {
	uintptr_t start;
	uintptr_t end;
	int error; /* out: 0, or -errno: frames still taken, try again */
};

/* map_source - where in which foreign file; prot as for mmap(2). */
struct map_source {
	int fd;
	int prot;
	uint64_t offset;
};

struct map_stats {
	uint64_t map_calls;
	uint64_t unmap_calls;
	uint64_t guard_calls;
	uint64_t mapped_pages;
	uint64_t unmapped_pages;
	uint64_t mappings; /* VMAs in the window; see map_stats() */
};

enum map_counter {
	MAP_MAP_CALLS,
	MAP_UNMAP_CALLS,
	MAP_GUARD_CALLS,
	MAP_MAPPED_PAGES,
	MAP_UNMAPPED_PAGES,
	MAP_COUNTERS,
};

struct map {
	/* constant after init */
	const struct os *os;
	const struct window *window;
	struct frames *frames;
	enum map_flush flush;
	bool has_guards; /* probed */
	struct page_table table;
	/* shared */
	struct spare spare;
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) counters[MAP_COUNTERS];
};

/* map_init - -errno with a message; -EOPNOTSUPP: `guard` without markers. */
__attribute__((warn_unused_result)) int map_init(struct map *map,
						 const struct window *window,
						 struct frames *frames,
						 enum map_flush flush);
void map_fini(struct map *map);

/*
 * map_alloc - take frames for `pages` pages at `start` and map them readable
 * and writable; `guarded`: the page behind them belongs to the range too and
 * must fault.  -ENOMEM with a message that says which limit was met.
 */
__attribute__((warn_unused_result)) int
map_alloc(struct map *map, uintptr_t start, size_t pages, bool guarded);

/*
 * map_frames - map the caller's frames; their mapcounts rise.
 *
 * -EINVAL with a message: one of them is not lent (backing/frame.h).
 */
__attribute__((warn_unused_result)) int map_frames(struct map *map,
						   uintptr_t start,
						   const uint32_t *frames,
						   size_t pages);

/*
 * map_file - map a foreign file; the entries name no frame.
 *
 * -errno of mmap(2), with a message.
 */
__attribute__((warn_unused_result)) int
map_file(struct map *map, uintptr_t start, size_t bytes,
	 const struct map_source *source);

/*
 * map_unmap - unmap each run (one call a run, or less), then give back its
 * owned frames and lower the mapcounts of borrowed ones.  Returns the number of
 * failed runs, with a message.
 *
 * A run that fails keeps its frames and entries, its error set; parts of it may
 * already fault.  A run in which nothing can be touched (ranges alone, what was
 * unmapped before) costs no call.
 */
size_t map_unmap(struct map *map, struct map_run *runs, size_t count);

/* map_frame_at - the frame mapped at `address`, or -ENOENT. */
int map_frame_at(const struct map *map, uintptr_t address, uint32_t *frame);

/* map_check - T1 and T2, as far as the frames know; alone. */
void map_check(struct map *map);

/*
 * map_stats - counters, and the number of kernel mappings of the window.
 *
 * The mappings are counted when asked for, by walking the touched part of the
 * page table; exact while nobody works.  The rule is the kernel's: neighbours
 * share a mapping iff both are PROT_NONE, or both map our memory at the same
 * distance of page and frame, markers or not; a foreign file's is its own.  (A
 * call that the kernel refuses may leave a mapping cut in three for a while.)
 */
void map_stats(const struct map *map, struct map_stats *stats);

#endif
