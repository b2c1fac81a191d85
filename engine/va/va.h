/* SPDX-License-Identifier: MIT */
/*
 * va.h - a strategy: how holes are found, how areas are kept, and what keeps
 * writers apart.
 *
 * Each strategy is one constant table, found by name; the core calls through
 * it and never asks which one it has.  A strategy edits ranges only: it maps
 * nothing and owns no frame.
 *
 * The life of a range, and who moves it:
 *
 *	hole --alloc--> live --free--> lazy --purge_take--> taken
 *	  ^                             ^                     |  |
 *	  |                             +-----purge_keep------+  |
 *	  +--------------------purge_give------------------------+
 *
 * With ops->strict_reuse (`list`), or where the configuration says so and the
 * strategy can, free leads from live to hole at once.  A strategy whose areas
 * are published apart (ops->publish) has one step more, on the way in: what
 * alloc() gives is the caller's, and nobody finds it, until publish().
 *
 * Between any two operations:
 *
 *   A1  each page of the window is in exactly one of: a live area, a lazy
 *       area, a taken area, a hole;
 *   A2  live areas are disjoint, inside [vstart, vend) of their request, at
 *       the alignment asked for;
 *   A3  a find hits iff a live area covers the address;
 *   A4  lazy_pages is the sum of the lazy and taken areas.
 *
 * check() walks everything and aborts with the number of the first that does
 * not hold; it runs alone.  All other operations may run with each other and
 * with themselves, save that the core runs one purge at a time where it runs
 * the purge; a strategy with a purge() of its own may run several.
 *
 * The two functions that lead down (`hooks`) are called by the strategy at the
 * point, and under the locks, where its generation of Linux did that work:
 *
 *   unmap  in free, after the area can no longer be found and before its
 *          range is lazy or a hole (`list`: inside its lock).  Where it fails
 *          the range must not become a hole: a strategy with strict_reuse
 *          keeps it, lazy and not to be found, for the next purge_take(); the
 *          others need not look, since theirs is lazy anyway;
 *   map    in ops->map only, for a strategy that maps under a lock of its own
 *          (`list`: the big kernel lock); `source` is the core's own.
 *
 * Errors: 0 or -errno.  -ENOMEM: no hole fits, the core purges and asks again
 * as that generation did; -ENOENT: no live area begins there.
 */
#ifndef LFV_VA_VA_H
#define LFV_VA_VA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/os.h"
#include "base/page.h"
#include "lock/lock.h"
#include "va/area.h"
#include "va/va_range.h"

/* va_request - a range that is asked for; bytes are page multiples. */
struct va_request {
	uintptr_t size;  /* guard page included */
	uintptr_t align; /* power of two; 1 for none, as Linux's vmalloc */
	uintptr_t vstart;
	uintptr_t vend;
	int node;      /* preferred NUMA node, or -1; no strategy here looks */
	bool is_exact; /* no more than `size`, where a cache rounds up */
	struct vm_struct vm;
};

/* va_found - a copy of what a lookup or walk met. */
struct va_found {
	uintptr_t start;
	uintptr_t end; /* guard page included */
	struct vm_struct vm;
	bool lazy;       /* freed, not purged yet; only walks meet these */
	uint32_t merged; /* lazy: how many freed areas lie in it */
};

struct va_hooks {
	void *context;
	int (*map)(void *context, const struct va_range *range,
		   const struct va_request *request, const void *source);
	int (*unmap)(void *context, const struct va_range *range);
};

/* va_config - constant for a strategy's life. */
struct va_config {
	const struct os *os;
	const struct lock_ops *lock;
	bool lock_yield;
	uintptr_t start; /* of the window */
	uintptr_t end;
	unsigned cpus;  /* as in lazy_max_pages(): fls(cpus) * 32 MiB */
	unsigned nodes; /* vmap nodes: clamp(cpus, 1, 128) unless set */
	/* for what is kept by CPU; must outlive the strategy */
	const struct cpu_map *cpu_map;
	/* the cache in front, if any, and how CPUs' stocks are kept whole */
	bool cached;
	const struct percpu_ops *percpu;
	unsigned magazine; /* numbers in a stock of the cache; 0: default */
	/* a freed range needs no purge before it is used again: `strict`... */
	bool reuse_at_once;
	/* ... and `keep`: it keeps its frames as well, if the cache takes it */
	bool keeps;
	/* ranges alone: nothing is ever mapped */
	bool address_plane;
	/* of two frees of one area that race, one is refused by the strategy */
	bool hardened;
	/* `rcu`: memory that may wait behind readers; 0: default */
	uint64_t held_bytes_max;
	struct va_hooks hooks;
};

/* va_run - freed pages that a purge unmaps with one call. */
struct va_run {
	uintptr_t start;
	uintptr_t end;
	uint64_t areas; /* that lie in it */
	int error;      /* out: 0, or -errno: it stays lazy */
};

enum { VA_RUNS_MAX = 64 };

/* va_unmapper - how a strategy that purges by itself has runs unmapped. */
struct va_unmapper {
	void *context;
	/* at most VA_RUNS_MAX ascending runs */
	void (*unmap)(void *context, struct va_run *runs, size_t count);
};

/*
 * va_stats - figures of the strategy alone; pages include guard pages.
 *
 * A snapshot taken while others work is not consistent with itself.
 */
struct va_stats {
	uint64_t live_areas;
	uint64_t live_pages;
	uint64_t lazy_pages;
	uint64_t pool_pages; /* `nodes`: in pools; still of use to their node */
	uint64_t holes;
	uint64_t hole_pages;
	uint64_t hole_pages_max; /* the largest hole */
	uint64_t highest_end;    /* highest end of a live area; 0: none */
	uint64_t lowest_start;
	uint64_t locks_entered;
	uint64_t locks_waited;
	uint64_t held_bytes; /* `rcu`: wait behind readers */
	uint64_t held_bytes_most;
	uint64_t held_bytes_max;
};

/*
 * How thorough a purge is: the pools of `nodes` decay by a quarter, and are
 * emptied; so is the cache in front, where some time has passed.
 */
enum va_purge { VA_PURGE_DECAY, VA_PURGE_IDLE, VA_PURGE_FULL };

typedef void va_visit(void *context, const struct va_found *found);

enum { VA_RELEASE_MAX = 128 };

struct va;
struct page_map;

/*
 * va_back - what a strategy with a page map offers to the cache in front of it,
 * so that one state word serves both (va/va_cached.c).  Areas are told by their
 * first page and idle (va/page_head.h).
 */
struct va_back {
	struct page_map *(*map)(struct va *va);
	/*
	 * Holes again, at once if they are unmapped; true: a purge is due.  At
	 * most VA_RELEASE_MAX, in any order; one that is not idle any more, for
	 * two frees of it raced, is passed.
	 */
	bool (*release)(struct va *va, const uint64_t *firsts, unsigned count,
			bool unmapped);
};

struct va_ops {
	const char *name;           /* as in --strategy=NAME */
	const char *variant;        /* "2.4.0", "4.19", ...: in every result */
	const char *const *aliases; /* NULL-terminated: "linux-4.19" */
	const char *summary;        /* one line, for `lfv-bench list` */
	bool lock_free;             /* a promise that is tested */
	bool lockless;              /* enters none of config.lock */
	bool deterministic; /* the kernel's very addresses, single-threaded */
	bool strict_reuse;  /* a freed range is a hole at once: no purge */
	bool busted;        /* breaks A2: every check must see it */
	bool retries;       /* purges once and tries again when none fits */
	bool vfree_finds;   /* its vfree looks the area up before removing it */
	bool cached_by_default; /* the cache in front, unless asked otherwise */
	size_t state_bytes;

	int (*init)(struct va *va);
	void (*fini)(struct va *va);
	/*
	 * alloc - find a hole and make it a live area.  Takes effect where the
	 * generation inserts into its busy index.
	 */
	int (*alloc)(struct va *va, const struct va_request *request,
		     struct va_range *range);
	/*
	 * alloc_many - up to `count` areas of `pages` pages each, anywhere in
	 * the window, by one step where that can be; how many there are.  Their
	 * first pages, counted from the window's.  NULL: one by one.
	 */
	unsigned (*alloc_many)(struct va *va, size_t pages, unsigned count,
			       uint64_t *firsts);
	/*
	 * publish - from here on the range that alloc() gave is a live area:
	 * the linearization point.  NULL: alloc does it.  False: the range has
	 * another owner, by two frees that raced; forget it and ask again.
	 */
	bool (*publish)(struct va *va, const struct va_range *range,
			const struct va_request *request);
	/*
	 * has_begun - an area has begun at `start` at any time; NULL: unknown.
	 */
	bool (*has_begun)(struct va *va, uintptr_t start);
	/* withdraw - the range that alloc() gave shall not be an area. */
	void (*withdraw)(struct va *va, const struct va_range *range);
	/*
	 * map - call hooks.map() under the lock that this generation holds
	 * meanwhile.  NULL: none, the core maps.
	 */
	int (*map)(struct va *va, const struct va_range *range,
		   const struct va_request *request, const void *source);
	/*
	 * free - retire the live area that begins at `start`.  *purge_due says
	 * that the lazy pages passed their limit with this one.
	 */
	int (*free)(struct va *va, uintptr_t start, bool *purge_due);
	/* find - the live area that covers `address`. */
	bool (*find)(struct va *va, uintptr_t address, struct va_found *found);
	/* find_next - the lowest live area that ends above `address`. */
	bool (*find_next)(struct va *va, uintptr_t address,
			  struct va_found *found);
	/*
	 * for_each - every live area and then every lazy one, each exactly
	 * once, in the order of this generation's /proc/vmallocinfo.  `visit`
	 * runs under the strategy's locks and must not call back.
	 */
	void (*for_each)(struct va *va, va_visit *visit, void *context);
	/*
	 * purge_take - detach every lazy area, linked by purge_next, in any
	 * order.  The ranges stay unusable until given back.
	 */
	struct vmap_area *(*purge_take)(struct va *va, enum va_purge how);
	/* purge_give - these ranges are holes again; frees descriptors. */
	void (*purge_give)(struct va *va, struct vmap_area *chain,
			   enum va_purge how);
	/* purge_keep - these could not be unmapped: lazy again. */
	void (*purge_keep)(struct va *va, struct vmap_area *chain);
	/*
	 * purge - take every lazy area, merge neighbours, have them unmapped
	 * and make them holes: instead of the three above, by any number of
	 * threads at once.  0, or -errno of the first run that stays lazy.
	 */
	int (*purge)(struct va *va, enum va_purge how,
		     const struct va_unmapper *unmapper);
	/*
	 * returned - moves with each free that ends, and with all that a full
	 * purge finds where a free could leave it unseen: an alloc() that fails
	 * between two full purges is right if this has not moved since before
	 * the first.  NULL: see `retries`.
	 */
	uint64_t (*returned)(struct va *va);
	/*
	 * close - what lies in front of the holes stays empty, until open().
	 * False: it cannot be.
	 */
	bool (*close)(struct va *va);
	void (*open)(struct va *va);
	void (*check)(struct va *va);
	void (*stats)(struct va *va, struct va_stats *stats);
	const struct va_back *back; /* NULL: it has no page map */
};

/*
 * va - one strategy at work over one window.
 *
 * `state` is the strategy's own, state_bytes long, aligned to
 * FALSE_SHARING_BYTES, zero before init.
 */
struct va {
	const struct va_ops *ops;
	struct va_config config;
	void *state;
};

/* va_find_ops - the strategy of that name, variant name or alias, or NULL. */
const struct va_ops *va_find_ops(const char *name);

/* va_strategies - all rows, NULL-terminated, in the order of their history. */
const struct va_ops *const *va_strategies(void);

/* va_lazy_max_pages - fls(cpus) * 32 MiB in pages, unchanged since 2.6.28. */
static inline uint64_t va_lazy_max_pages(unsigned cpus)
{
	return (uint64_t)fls_ulong(cpus) * ((32 * MIB) >> PAGE_SHIFT);
}

__attribute__((warn_unused_result)) int va_init(struct va *va,
						const struct va_ops *ops,
						const struct va_config *config);
void va_fini(struct va *va);

/* va_index - the page map that is all of the strategy's index, or NULL. */
const struct page_map *va_index(struct va *va);

#endif
