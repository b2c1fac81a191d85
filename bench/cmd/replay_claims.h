/* SPDX-License-Identifier: MIT */
/*
 * replay_claims.h - who owns each page of the window, as the replay sees it.
 *
 * The engine is not asked: the map is filled from its answers alone, one word
 * a page, and so catches an engine that contradicts itself.
 *
 *   C1  a page is claimed by one slot at most;
 *   C2  a claim is made after the allocation has returned, and taken back
 *       before the free is called: a page that is met claimed was handed out
 *       twice.
 *
 * Any thread at any time; lock-free.  The memory is committed where it is
 * touched only.
 */
#ifndef LFV_BENCH_REPLAY_CLAIMS_H
#define LFV_BENCH_REPLAY_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replay_claims {
	/* constant after init */
	uint64_t pages;
	/* shared: the slot + 1 of each page, 0 for none */
	_Atomic(uint32_t) *owners;
};

/* A run of pages of the window. */
struct replay_run {
	uint64_t first_page;
	uint64_t pages;
};

/* The first page of a run that somebody else had. */
struct replay_clash {
	uint64_t page;
	uint32_t slot;
};

__attribute__((warn_unused_result)) int
replay_claims_init(struct replay_claims *claims, uint64_t pages);
void replay_claims_fini(struct replay_claims *claims);

/*
 * replay_claims_try_add - the run is the slot's now.
 *
 * False with what was met first, when parts of it are another's; the rest is
 * claimed none the less.
 */
bool replay_claims_try_add(struct replay_claims *claims,
			   const struct replay_run *run, uint32_t slot,
			   struct replay_clash *clash);

/* replay_claims_remove - what the slot has of the run is nobody's again. */
void replay_claims_remove(struct replay_claims *claims,
			  const struct replay_run *run, uint32_t slot);

/* replay_claims_find - whose page this is; false: nobody's. */
bool replay_claims_find(const struct replay_claims *claims, uint64_t page,
			uint32_t *slot);

#endif
