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
 * With ops->strict_reuse (`list`) free leads from live to hole at once.
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
 * with themselves, save that the core runs one purge at a time.
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
	int node; /* preferred NUMA node, or -1; no strategy here looks */
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
	struct va_hooks hooks;
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
};

/* How thorough a purge is: the pools' decay of `nodes`. */
enum va_purge { VA_PURGE_DECAY, VA_PURGE_FULL };

typedef void va_visit(void *context, const struct va_found *found);

struct va;

struct va_ops {
	const char *name;           /* as in --strategy=NAME */
	const char *variant;        /* "2.4.0", "4.19", ...: in every result */
	const char *const *aliases; /* NULL-terminated: "linux-4.19" */
	const char *summary;        /* one line, for `lfv-bench list` */
	bool lock_free;             /* a promise that is tested */
	bool deterministic; /* the kernel's very addresses, single-threaded */
	bool strict_reuse;  /* a freed range is a hole at once: no purge */
	bool busted;        /* breaks A2: every check must see it */
	bool retries;       /* purges once and tries again when none fits */
	bool vfree_finds;   /* its vfree looks the area up before removing it */
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
	void (*check)(struct va *va);
	void (*stats)(struct va *va, struct va_stats *stats);
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

#endif
