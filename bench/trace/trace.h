/* SPDX-License-Identifier: MIT */
/*
 * trace.h - recorded vmalloc traffic, and the program it makes to replay.
 *
 * Three steps, each with its own result:
 *
 *	trace_read()          text of the kernel's tracepoints  -> events
 *	trace_snapshot_read() text of /proc/vmallocinfo         -> ranges
 *	trace_resolve()       events and ranges                 -> steps
 *
 * The text is what tracefs' `trace` file, `perf script` or `trace-cmd report`
 * print; which of them is told by the content, never by the name.  It may be
 * compressed by gzip, and it may be the standard input, "-".
 *
 * A free event names an address and nothing else, an address names many areas
 * one after the other, and what was live before the recording is not in it.
 * The steps have none of these holes.  Of a resolved program holds:
 *
 *   P1  preload steps come first, in ascending order of address;
 *   P2  slots are 0 .. slots - 1; each begins once (preload or alloc), ends at
 *       most once (free), and begins before it ends;
 *   P3  in the recorded addresses no two slots that live at one step overlap;
 *   P4  time_ns never decreases from step to step;
 *   P5  a window lies inside its arena, an area inside its window.
 *
 * So a replayer needs an array of `slots` entries and no search.
 *
 * What recordings do, and what becomes of it:
 *
 *   - One event an attempt: a failed attempt makes no step.  Whoever replays
 *     retries by its own rules; the retry that succeeded is an event itself.
 *   - Events of different CPUs can be out of order: a range is allocated while
 *     its last owner still looks live.  The old owner is freed at that point.
 *     If its free event follows within TRACE_REORDER_NS it is an inversion, if
 *     not the event was lost, or the area went before the recording began: the
 *     old owner was dropped.  Both are counted.
 *   - Where events were lost, what lived before is in doubt: an allocation
 *     over it drops it without waiting for its free.
 *   - The free of an address that no one is known to own makes no step.
 *
 * The events are those of Linux 6.2 and later (system `vmalloc`).
 *
 * All functions return 0 or -errno; on failure the outcome is as it was and
 * `why` holds one line for the user, "file:line: what is wrong; expected ...".
 * Nothing here is shared between threads.
 */
#ifndef LFV_TRACE_TRACE_H
#define LFV_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The unit of sizes in steps; sizes in events are bytes. */
#define TRACE_PAGE_BYTES 4096u
/* How late the free of a range may be printed after its next allocation. */
#define TRACE_REORDER_NS 100000u
/* Distinct [vstart, vend) of one recording; real ones have two or three. */
#define TRACE_WINDOWS_MAX 64u
/* CPU numbers above are refused as damage. */
#define TRACE_CPUS_MAX 8192u
/* A line for the user. */
#define TRACE_WHY_BYTES 512u

struct trace_why {
	char text[TRACE_WHY_BYTES];
};

enum trace_format {
	TRACE_FORMAT_UNKNOWN,
	TRACE_FORMAT_TRACEFS,
	TRACE_FORMAT_PERF_SCRIPT,
	TRACE_FORMAT_TRACE_CMD,
};

enum trace_op {
	TRACE_ALLOC,
	TRACE_ALLOC_FAILED,
	TRACE_FREE,
	TRACE_PURGE,
	TRACE_LOST, /* events are missing here */
};

/* One line of a recording.  What an op does not carry is 0. */
struct trace_event {
	uint64_t time_ns; /* lost: of the event before */
	uint64_t va_start;
	uint64_t size;   /* bytes with the guard; purge, lost: how many */
	uint64_t align;  /* bytes, a power of two; 1 is any page */
	uint64_t vstart; /* window; purge: the range it flushed */
	uint64_t vend;
	int32_t pid;
	int32_t error; /* failed: a positive errno */
	uint16_t cpu;
	uint8_t op; /* enum trace_op */
};

struct trace {
	struct trace_event *events; /* in order of time */
	size_t event_count;
	size_t event_room;
	enum trace_format format;
	uint64_t lines;
	uint64_t other_events; /* of other tracepoints: skipped */
	uint64_t out_of_order; /* events that had to be moved */
	uint64_t cut_lines;    /* the last line, when it was cut off */
};

/* An area of /proc/vmallocinfo. */
struct trace_range {
	uint64_t start;
	uint64_t end; /* behind the guard */
};

struct trace_snapshot {
	struct trace_range *ranges; /* live areas, ascending by start */
	size_t range_count;
	size_t range_room;
	uint64_t lazy_areas; /* freed, not yet purged: not in ranges */
	uint64_t cut_lines;
};

/*
 * An address space of its own.  Arena 0 has the widest window: the vmalloc
 * space itself.  Windows that overlap share an arena.
 */
struct trace_arena {
	uint64_t start; /* recorded address, a multiple of the page */
	uint64_t pages;
	uint32_t window; /* its widest window */
	bool traced;     /* no: known from the snapshot alone */
};

/* What one kind of caller may allocate from: the vmalloc space, modules. */
struct trace_window {
	uint64_t first_page; /* from the start of its arena */
	uint64_t pages;
	uint32_t arena;
};

enum trace_step_kind {
	TRACE_STEP_PRELOAD, /* live before the recording */
	TRACE_STEP_ALLOC,
	TRACE_STEP_FREE,
};

/* A free carries the sizes and places of the area that it ends. */
struct trace_step {
	uint64_t time_ns;    /* since the first event; preload: 0 */
	uint64_t first_page; /* recorded place, from the start of the arena */
	uint64_t pages;      /* guard page included */
	uint64_t align;      /* bytes; preload: 1 */
	uint32_t slot;
	uint16_t cpu;   /* index of cpu_ids */
	uint8_t window; /* index of windows */
	uint8_t kind;   /* enum trace_step_kind */
};

struct trace_counters {
	uint64_t events;
	uint64_t allocs; /* that succeeded */
	uint64_t failed; /* attempts that did not */
	uint64_t frees;
	uint64_t purges;
	uint64_t purged_areas;
	uint64_t preloads;
	uint64_t inversions;
	uint64_t dropped;
	uint64_t unknown_frees;
	uint64_t lost_marks;  /* places where events are missing */
	uint64_t lost_events; /* as far as the recorder gave a number */
	uint64_t skipped;     /* events of other tracepoints */
	uint64_t cut_lines;
	uint64_t snapshot_overlaps; /* ranges that contradict each other */
};

struct trace_program {
	struct trace_step *steps;
	size_t step_count;
	size_t step_room;
	uint32_t slots;
	struct trace_window windows[TRACE_WINDOWS_MAX + 1];
	uint32_t window_count;
	struct trace_arena arenas[TRACE_WINDOWS_MAX + 1];
	uint32_t arena_count;
	uint16_t *cpu_ids; /* recorded numbers, by first appearance */
	uint32_t cpu_count;
	uint64_t duration_ns;
	struct trace_counters counters;
};

/* trace_read - the events of a file; "-" is the standard input. */
__attribute__((warn_unused_result)) int
trace_read(const char *path, struct trace_why *why, struct trace *trace);

/* trace_read_fd - the same from a descriptor, which stays the caller's. */
__attribute__((warn_unused_result)) int trace_read_fd(int fd, const char *name,
						      struct trace_why *why,
						      struct trace *trace);

void trace_fini(struct trace *trace);

const char *trace_format_name(enum trace_format format);

/*
 * trace_snapshot_read - the live areas of a copy of /proc/vmallocinfo.
 *
 * -EACCES when the kernel hid the addresses, by zeros or by hashes.
 */
__attribute__((warn_unused_result)) int
trace_snapshot_read(const char *path, struct trace_why *why,
		    struct trace_snapshot *snapshot);

__attribute__((warn_unused_result)) int
trace_snapshot_read_fd(int fd, const char *name, struct trace_why *why,
		       struct trace_snapshot *snapshot);

void trace_snapshot_fini(struct trace_snapshot *snapshot);

/*
 * trace_resolve - the steps that a recording asks for.
 *
 * `snapshot` may be NULL.  O(n log live) time; the live areas, the steps and
 * nothing else in memory.
 */
__attribute__((warn_unused_result)) int
trace_resolve(const struct trace *trace, const struct trace_snapshot *snapshot,
	      struct trace_why *why, struct trace_program *program);

void trace_program_fini(struct trace_program *program);

/* trace_program_check - walk the program, abort with the first broken P. */
void trace_program_check(const struct trace_program *program);

#endif
