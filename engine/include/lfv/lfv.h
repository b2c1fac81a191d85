/* SPDX-License-Identifier: MIT */
/*
 * lfv.h - Linux's vmalloc as a library: address ranges, page frames and the
 * mappings between them, under every locking strategy that Linux has used, and
 * under one that has no locks.
 *
 * An engine reserves a window of addresses, [VMALLOC_START, VMALLOC_END).  An
 * area is a run of its pages with an owner, followed by an unmapped guard page
 * unless asked otherwise.  Frames are pages of a memfd; an area's frames need
 * not be contiguous.  A freed area is lazy: unmapped in batches by a purge,
 * and reusable after it; with mapping `strict` it is unmapped at once, with
 * `keep` used again whole, with its frames.
 *
 * Pointers must not be NULL where nothing else is said.
 *
 * Errors: functions that make something return NULL and set errno, all others
 * return 0 or -errno; lfv_last_error() says in words what was wrong, what was
 * expected and what to do.  Nothing is half done: a call that fails leaves
 * everything as it was.
 *
 * Threads: every function may be called by any thread at any time, except that
 * lfv_destroy() runs alone.  In a child after fork(), every call on an engine
 * of the parent answers -EOWNERDEAD.
 *
 * Order: what a thread wrote to an area before it freed it happens before
 * whoever is given the same addresses next.
 *
 * Progress: a strategy that is lock_free (struct lfv_choice) has allocations,
 * frees, lookups and purges that wait for no other thread, wherever that one
 * stands; all others block on locks.  This is said of addresses: frames `buddy`
 * have a lock, and a system call may wait for the kernel's.  And before such a
 * call fails for what another thread's purge has in its hands, it gives that
 * one a moment: some 0.1 s, if it stands still.
 */
#ifndef LFV_LFV_H
#define LFV_LFV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LFV_API      __attribute__((visibility("default")))
#define LFV_MUST_USE __attribute__((warn_unused_result))
#else
#define LFV_API
#define LFV_MUST_USE
#endif

struct lfv;

/*
 * lfv_options - how an engine is made; zero and NULL mean the default.
 *
 * Begin with LFV_OPTIONS_INIT.  The names are those of lfv_choice_at(); a pair
 * that cannot work together is refused by name.
 */
struct lfv_options {
	size_t struct_bytes;  /* sizeof(struct lfv_options) */
	const char *strategy; /* "lockfree"; aliases: "linux-4.19", ... */
	const char *lock;     /* "qspin" */
	const char *cache;    /* "percpu" for `rcu`, `lockfree`; "none" */
	const char *frames;   /* "bitmap" for `rcu`, `lockfree`; "buddy" */
	const char *mapping;  /* "lazy"; "strict" for `list` */
	const char *flush;    /* "remap" */
	const char *worker;   /* "thread" */
	size_t window_bytes;  /* 64 GiB; 128 MiB to 16 TiB */
	size_t memory_bytes;  /* a quarter of the machine's, 1 GiB at least */
	unsigned nodes;       /* vmap nodes; clamp(CPUs, 1, 128) */
	unsigned cpus; /* for lazy_max_pages, nodes, stocks; possible CPUs */
	bool lock_never_yields; /* fair locks spin on when preempted */
	bool address_plane;     /* ranges only: no memory, nothing is mapped */
	unsigned magazine;  /* areas of a size a CPU caches; 128; from 2 on */
	bool hardened;      /* of two frees that race, one is refused */
	const char *percpu; /* "auto": rseq, or cas where CPUs share stocks */
	size_t held_bytes_max; /* of `rcu`, behind its readers; 256 MiB */
};

#define LFV_OPTIONS_INIT                                    \
	{                                                   \
		.struct_bytes = sizeof(struct lfv_options), \
	}

/*
 * lfv_create - an engine with a window of its own, or NULL.
 *
 * EINVAL: an unknown name, a pair that does not work together, a window that
 * is too small or too large.  ENOMEM, EMFILE, EFBIG: a limit of the process,
 * named by lfv_last_error(); EAGAIN: no thread can be had for the worker.  NULL
 * options are all defaults.
 */
LFV_API LFV_MUST_USE struct lfv *lfv_create(const struct lfv_options *options);

/*
 * lfv_destroy - give everything back: areas still live included.
 *
 * Alone: no other call on this engine may run or follow.  NULL does nothing.
 */
LFV_API void lfv_destroy(struct lfv *lfv);

/* The window, as the kernel's VMALLOC_START and VMALLOC_END. */
LFV_API uintptr_t lfv_vmalloc_start(const struct lfv *lfv);
LFV_API uintptr_t lfv_vmalloc_end(const struct lfv *lfv);

/* Flags of an area, Linux's values. */
enum lfv_vm_flags {
	LFV_VM_IOREMAP = 0x01,  /* maps a file of the caller's */
	LFV_VM_ALLOC = 0x02,    /* lfv_vmalloc() */
	LFV_VM_MAP = 0x04,      /* lfv_vmap() */
	LFV_VM_NO_GUARD = 0x40, /* no guard page follows */
};

/*
 * lfv_request - everything that can be asked of a new area.
 *
 * size in bytes, rounded up to pages, and with a cache in front, above 16 of
 * them, by a quarter at most while there is so much (with mapping `keep` frames
 * as well as addresses); align a power of two, 0 for none; vstart and vend
 * bound the addresses, 0 for the window's own (modules use such a
 * sub-range); node is the preferred NUMA node, -1 for any; flags may hold
 * LFV_VM_NO_GUARD; zero asks for zeroed memory, where there is any.  Begin with
 * LFV_REQUEST_INIT.
 *
 * The node is checked and is a preference only: no strategy acts on it, and a
 * frame lies on the node of whoever touches it first.
 */
struct lfv_request {
	size_t size;
	size_t align;
	uintptr_t vstart;
	uintptr_t vend;
	int node;
	unsigned flags;
	bool zero;
};

#define LFV_REQUEST_INIT    \
	{                   \
		.node = -1, \
	}

/*
 * lfv_vmalloc and its forms - an area of `size` bytes, mapped readable and
 * writable.  Without zeroing the contents are whatever an earlier owner left.
 *
 * EINVAL: size 0, an alignment that is no power of two, a size beyond the
 * window.  ENOMEM: no range, no frames, or a limit of the process is met;
 * lfv_last_error() says which.
 */
LFV_API LFV_MUST_USE void *lfv_vmalloc(struct lfv *lfv, size_t size);
LFV_API LFV_MUST_USE void *lfv_vzalloc(struct lfv *lfv, size_t size);
LFV_API LFV_MUST_USE void *lfv_vmalloc_align(struct lfv *lfv, size_t size,
					     size_t align);
LFV_API LFV_MUST_USE void *lfv_vmalloc_node(struct lfv *lfv, size_t size,
					    int node);
LFV_API LFV_MUST_USE void *lfv_vmalloc_range(struct lfv *lfv,
					     const struct lfv_request *request);

/*
 * lfv_vfree - free an area by its first address.  NULL does nothing.
 *
 * -EINVAL and no change for a double free, a pointer into an area, and a
 * pointer that never began one; each is named (on the address plane a double
 * and a wild free have one name).  Of two frees of one area that race, one is
 * refused, save where the strategy is lock_free or has a cache in front and the
 * engine is not `hardened`: there the second may be caught only when the area
 * is next taken, and is not if both copies are taken at the same instant, or if
 * the second is stopped half-way until the area is live again.  A free that
 * comes after that is one of the new area, hardened or not.
 *
 * With mapping `lazy` the pages stay readable until the purge, with `keep` for
 * longer; with `strict` the first touch after the return faults.
 *
 * lfv_vunmap(), lfv_iounmap() and lfv_free_vm_area() are the same operation
 * under the names of their counterparts.
 */
LFV_API int lfv_vfree(struct lfv *lfv, const void *address);

/* lfv_page - a frame of the memfd, Linux's struct page as a value. */
struct lfv_page {
	uint32_t frame;
};

/*
 * lfv_alloc_pages - 2^order contiguous frames, order 0 to LFV_MAX_ORDER.
 *
 * -EOPNOTSUPP with frames `paired`, whose frames belong to addresses.
 * lfv_free_pages: -EBUSY while one of them is mapped by lfv_vmap(); what
 * lfv_vunmap() has freed is purged for it.  Of a free and an lfv_vmap() of the
 * same frame that race, at least one is refused.
 */
enum { LFV_MAX_ORDER = 10 };
LFV_API LFV_MUST_USE int lfv_alloc_pages(struct lfv *lfv, unsigned order,
					 struct lfv_page *first);
LFV_API int lfv_free_pages(struct lfv *lfv, struct lfv_page first,
			   unsigned order);

/*
 * lfv_page_address - the frame in the linear mapping of all memory, which is
 * made at the first call.  NULL and errno where the mapping cannot be made.
 */
LFV_API void *lfv_page_address(struct lfv *lfv, struct lfv_page page);

/*
 * lfv_vmap - map `count` frames of lfv_alloc_pages() side by side.
 *
 * A frame may be mapped any number of times.  The frames stay the caller's.
 */
LFV_API LFV_MUST_USE void *lfv_vmap(struct lfv *lfv,
				    const struct lfv_page *pages, size_t count);
LFV_API int lfv_vunmap(struct lfv *lfv, const void *address);

/*
 * lfv_ioremap - map `size` bytes of a file of the caller's from `offset`.
 *
 * Alignment as Linux's VM_IOREMAP: the size's power of two, between a page and
 * 128 pages.  prot as for mmap(2).  The caller may close `fd` afterwards.
 */
LFV_API LFV_MUST_USE void *lfv_ioremap(struct lfv *lfv, int fd, uint64_t offset,
				       size_t size, int prot);
LFV_API int lfv_iounmap(struct lfv *lfv, const void *address);

/* lfv_get_vm_area - a range alone: reserved, nothing mapped. */
LFV_API LFV_MUST_USE void *lfv_get_vm_area(struct lfv *lfv, size_t size,
					   unsigned flags);
LFV_API LFV_MUST_USE void *
lfv_get_vm_area_range(struct lfv *lfv, const struct lfv_request *request);
LFV_API int lfv_free_vm_area(struct lfv *lfv, const void *address);

/*
 * lfv_vm_info - what Linux's vmap_area and vm_struct tell, copied.
 *
 * A lookup's copy is of one instant; the area may be freed at the next.
 */
struct lfv_vm_info {
	uintptr_t va_start;
	uintptr_t va_end;   /* guard page and what was rounded up included */
	size_t size;        /* bytes that were asked for */
	unsigned flags;     /* enum lfv_vm_flags */
	unsigned nr_pages;  /* frames mapped; 0 for a range or a file */
	const void *caller; /* return address of the call that made it */
	uint64_t phys;      /* LFV_VM_IOREMAP: offset in the file */
};

/* lfv_find_vm_area - the live area that covers `address`; -ENOENT: none. */
LFV_API int lfv_find_vm_area(struct lfv *lfv, const void *address,
			     struct lfv_vm_info *info);

/*
 * lfv_for_each_vm_area - visit live areas in ascending order of their ends.
 *
 * An area that is live throughout is visited exactly once; one that is made or
 * freed meanwhile, once or not at all.  A visit that returns non-zero ends the
 * walk, and that is what is returned.  The visit may call any function here.
 */
typedef int lfv_visit(void *context, const struct lfv_vm_info *info);
LFV_API int lfv_for_each_vm_area(struct lfv *lfv, lfv_visit *visit,
				 void *context);

/* lfv_vmalloc_to_frame - the frame behind `address`; -ENOENT: none. */
LFV_API int lfv_vmalloc_to_frame(struct lfv *lfv, const void *address,
				 struct lfv_page *page);

/*
 * lfv_purge - unmap and make reusable every area freed before the call, those
 * in a cache in front included.
 *
 * Where the strategy is lock_free, what another thread's purge has in its hands
 * is that one's to unmap, maybe after this returns; and what moves through a
 * cache in front while it is emptied may stay there.
 *
 * -errno of the unmapping if some could not be: those stay lazy.
 */
LFV_API int lfv_purge(struct lfv *lfv);

/*
 * lfv_stats - counters since creation and figures of now; pages of 4 KiB.
 *
 * Figures taken while others work are each true for themselves, not together.
 */
struct lfv_stats {
	size_t struct_bytes; /* in: sizeof(struct lfv_stats) */

	/* Areas; pages include guard pages. */
	uint64_t live_areas;
	uint64_t live_pages;
	uint64_t lazy_pages;
	/* A free that takes lazy_pages past this makes a purge due. */
	uint64_t lazy_max_pages;
	/* Free, but in pools of `nodes` or in a cache in front. */
	uint64_t pool_pages;
	uint64_t holes;
	uint64_t hole_pages;
	uint64_t hole_pages_max;
	/* Highest end - lowest start of live areas. */
	uint64_t span_pages;

	/* Frames of the memfd; free ones include those in per-CPU lists. */
	uint64_t frames;
	uint64_t frames_free;
	/* Kernel mappings (VMAs) of the window, as counted. */
	uint64_t mappings;

	uint64_t purges;
	uint64_t purged_areas;
	uint64_t purged_pages;
	/* After merging: one system call each, or less. */
	uint64_t purged_runs;
	/* Ranges kept lazy since unmapping them failed. */
	uint64_t purge_failures;
	uint64_t purge_ns_max;

	/* System calls that mapped, that unmapped, that moved guards. */
	uint64_t map_calls;
	uint64_t unmap_calls;
	uint64_t guard_calls;
	uint64_t mapped_pages;
	uint64_t unmapped_pages;

	/* The strategy's locks, entered exclusively. */
	uint64_t locks_entered;
	uint64_t locks_waited;
	/* `rcu`: memory that waits until readers leave: now, at most, limit. */
	uint64_t held_bytes;
	uint64_t held_bytes_most;
	uint64_t held_bytes_max;
	/* Of the whole machine since creation, where it tells. */
	uint64_t tlb_shootdowns;
	bool tlb_shootdowns_known;
};

LFV_API int lfv_get_stats(struct lfv *lfv, struct lfv_stats *stats);

/* lfv_vmallocinfo - what /proc/vmallocinfo prints, as text or as JSON. */
enum lfv_format { LFV_TEXT, LFV_JSON };
LFV_API int lfv_vmallocinfo(struct lfv *lfv, FILE *stream,
			    enum lfv_format format);

/*
 * lfv_check - walk every structure and abort with the number of the first
 * invariant that does not hold.  Alone.
 */
LFV_API void lfv_check(struct lfv *lfv);

/* lfv_last_error - this thread's last message; made without allocation. */
LFV_API const char *lfv_last_error(void);

/* lfv_version - "MAJOR.MINOR.PATCH". */
LFV_API const char *lfv_version(void);

/* The axes on which engines differ, and the choices of each. */
enum lfv_axis {
	LFV_AXIS_STRATEGY,
	LFV_AXIS_LOCK,
	LFV_AXIS_CACHE,
	LFV_AXIS_FRAMES,
	LFV_AXIS_MAPPING,
	LFV_AXIS_FLUSH,
	LFV_AXIS_WORKER,
	LFV_AXIS_PERCPU,
};

struct lfv_choice {
	const char *name;
	const char *variant; /* the release it is the form of, or NULL */
	const char *aliases; /* space-separated, or NULL */
	const char *summary;
	bool busted;    /* breaks its contract on purpose */
	bool fair;      /* locks: first come, first served */
	bool lock_free; /* strategies: a stopped thread blocks nobody */
	bool lockless;  /* strategies: LFV_AXIS_LOCK has no say in it */
};

/* lfv_choice_at - the index-th choice of an axis; false past the last. */
LFV_API bool lfv_choice_at(enum lfv_axis axis, size_t index,
			   struct lfv_choice *choice);

/* lfv_refusal - two choices that cannot work together, and why. */
struct lfv_refusal {
	enum lfv_axis axis;
	const char *name;
	enum lfv_axis other_axis;
	const char *other_name;
	const char *why;
};

/* lfv_refusal_at - the index-th refused pair; false past the last. */
LFV_API bool lfv_refusal_at(size_t index, struct lfv_refusal *refusal);

/*
 * lfv_options_check - whether lfv_create() would refuse these choices, and the
 * choices with defaults and aliases resolved; -EINVAL as lfv_create().
 * `nodes` and `cpus` stay 0 where the machine is to be asked.
 */
LFV_API int lfv_options_check(const struct lfv_options *options,
			      struct lfv_options *resolved);

#ifdef __cplusplus
}
#endif

#endif
