/* SPDX-License-Identifier: MIT */
/*
 * map.h - frames into the window and out again, with as few system calls and
 * kernel mappings (VMAs) as can be.
 *
 * The page table is ours: one 32-bit entry a page of the window, lazily
 * committed, telling which frame is mapped there and who owns it.  It is what
 * vmalloc_to_frame() reads, and what unmapping walks to give frames back.
 *
 *   T1  an entry is empty, or names the frame that the kernel maps there;
 *   T2  an owned frame has exactly one owned entry; borrowed ones (vmap) any
 *       number, counted in the frame's mapcount;
 *   T3  the entries of a range are written by whoever owns the range only.
 *
 * One kernel mapping a run: written pages of a shared memfd cost one TLB
 * shoot-down per VMA, however many one call unmaps.  Where markers exist
 * (MADV_GUARD_INSTALL, Linux 6.15, probed), an area whose frames lie at their
 * own page's offset is mapped with its guard page in one VMA that merges with
 * its neighbours', and the guard is a marker; elsewhere the guard is a gap.
 *
 * Flush: `remap` lays PROT_NONE over each run with one mmap; `guard` installs
 * markers over up to 1,024 runs with one process_madvise.  Never DONTNEED: the
 * next touch would bring back a frame that has another owner by then.
 *
 * Who may run with whom: any of these by any thread, on ranges it owns.
 * Errors leave the range unmapped and every frame where it was.
 */
#ifndef LFV_BACKING_MAP_H
#define LFV_BACKING_MAP_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backing/frame.h"
#include "backing/window.h"
#include "base/atomic.h"

enum map_flush { MAP_FLUSH_REMAP, MAP_FLUSH_GUARD };

/* A run of pages to unmap: [start, end), merged by the caller. */
struct map_run {
	uintptr_t start;
	uintptr_t end;
	int error; /* out: 0, or -errno: still mapped, frames still taken */
};

struct map_stats {
	uint64_t map_calls;
	uint64_t unmap_calls;
	uint64_t guard_calls;
	uint64_t mapped_pages;
	uint64_t unmapped_pages;
	uint64_t mappings; /* VMAs of ours in the window, as counted */
};

struct map {
	/* constant after init */
	const struct os *os;
	const struct window *window;
	struct frames *frames;
	enum map_flush flush;
	bool has_guards; /* probed */
	_Atomic(uint32_t) *table;
	size_t table_bytes;
	_Atomic(uint8_t) *chunks; /* `paired`: which 2 MiB are mapped whole */
	/* shared */
	alignas(FALSE_SHARING_BYTES) _Atomic(uint64_t) counters[8];
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

/* map_frames - map the caller's frames; their mapcounts rise. */
__attribute__((warn_unused_result)) int
map_frames(struct map *map, uintptr_t start, const uint32_t *frames,
	   size_t pages);

/* map_file - map a foreign file; the entries stay empty. */
__attribute__((warn_unused_result)) int
map_file(struct map *map, uintptr_t start, size_t bytes, int prot, int fd,
	 uint64_t offset);

/*
 * map_unmap - unmap each run (one call a run, or less), then give back its
 * owned frames and lower the mapcounts of borrowed ones.  A run that fails
 * stays as it was, its error set.  Returns the number of failed runs.
 *
 * How the map knows that nothing of a run is mapped (ranges alone, io mappings
 * apart) is its own affair: such a run costs no call.
 */
size_t map_unmap(struct map *map, struct map_run *runs, size_t count);

/* map_frame_at - the frame mapped at `address`, or -ENOENT. */
int map_frame_at(const struct map *map, uintptr_t address, uint32_t *frame);

void map_check(struct map *map);
void map_stats(const struct map *map, struct map_stats *stats);

#endif
