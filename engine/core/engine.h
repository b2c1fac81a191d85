/* SPDX-License-Identifier: MIT */
/*
 * engine.h - what an lfv is made of, and the life of an area in it.
 *
 *	         lfv.h            the public functions
 *	           |
 *	  engine_alloc/free       the life of an area: range, frames, mapping
 *	   |       |       |
 *	  va.h  frame.h  map.h    a strategy, memory, the window's mappings
 *
 *   E1  an area is the core's from engine_alloc() until engine_free();
 *   E2  what is mapped in an area is unmapped, and its frames given back,
 *       before its range becomes a hole;
 *   E3  no operation waits for the worker; of purges, purge.h says which may
 *       run at once;
 *   E4  an area is freed once, and not before it is made: by whoever turns
 *       its first page's mark from live to freed [area-begun].
 *
 * Where the strategy has state words of its own (va_ops.publish), they do that:
 * an area is published when it is made.
 *
 * An engine on the address plane has ranges only: no frames, no mapping, and no
 * marks, whose lines neighbours share: there the strategy alone decides which
 * free is the first, and without state words a double and a wild free have one
 * name.
 *
 * Who may run with whom: all but init and fini with everything.
 */
#ifndef LFV_CORE_ENGINE_H
#define LFV_CORE_ENGINE_H

#include "backing/frame.h"
#include "backing/map.h"
#include "backing/window.h"
#include "base/cpu.h"
#include "base/os.h"
#include "core/options.h"
#include "core/purge.h"
#include "core/worker.h"
#include "va/cached.h"
#include "va/va.h"

struct lfv {
	/* constant after create */
	const struct os *os;
	struct choices choices;
	struct cpu_map cpus;
	struct window window;
	_Atomic(uint8_t) *begun; /* a page: enum begun; E4; or NULL */
	size_t begun_bytes;
	struct lfv *next_engine; /* guarded by the fork guard's mutex */
	uint64_t shootdowns_before;
	bool shootdowns_known;
	/* set in a forked child, before it can call anything */
	bool is_orphan;
	/* constant, but NULL in a forked child; see core/fast.h */
	struct cached *fast;
	struct cached *plain;
	const struct page_map *index;
	/* each has its own rules */
	struct va va;
	struct frames frames;
	struct map map;
	struct purge purge;
	struct worker worker;
};

/* engine_has_marks - E4 is kept by marks, not by the strategy. */
static inline bool engine_has_marks(const struct lfv *lfv)
{
	return !lfv->choices.address_plane && !lfv->choices.cached &&
	       !lfv->choices.strategy->publish;
}

/* begun - what is known of a page as the first one of areas. */
enum begun { BEGUN_NEVER, BEGUN_LIVE, BEGUN_FREED };

/* What is to be mapped in a new area. */
enum source_kind { SOURCE_NONE, SOURCE_MEMORY, SOURCE_FRAMES, SOURCE_FILE };

struct source {
	enum source_kind kind;
	bool zero;              /* SOURCE_MEMORY */
	const uint32_t *frames; /* SOURCE_FRAMES: one a page */
	int fd;                 /* SOURCE_FILE */
	int prot;
	uint64_t offset;
};

/* engine_create - as lfv_create(), with a kernel of the caller's choice. */
struct lfv *engine_create(const struct lfv_options *options,
			  const struct os *os);

/*
 * engine_alloc - make an area and map `source` in it.
 *
 * Purges once and tries again where no hole, or no frame, is left.  Takes
 * effect where the strategy inserts.  0 or -errno with a message.
 */
__attribute__((warn_unused_result)) int
engine_alloc(struct lfv *lfv, const struct va_request *request,
	     const struct source *source, void **address);

/*
 * engine_free - free the live area that begins at `address`; -EINVAL with the
 * kind of misuse.  `mapped`: by a name that looks the area up first where its
 * generation's vfree does.
 */
int engine_free(struct lfv *lfv, const void *address, bool mapped);

/*
 * engine_settle - what was a live area of `pages`, and is idle now, goes where
 * the cache in front or the strategy wants it; a purge that is due is run.
 */
void engine_settle(struct lfv *lfv, uint64_t first, uint64_t pages);

/* engine_enter - 0, or -EOWNERDEAD in a forked child. */
__attribute__((warn_unused_result)) int engine_enter(const struct lfv *lfv);

#endif
