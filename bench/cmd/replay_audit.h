/* SPDX-License-Identifier: MIT */
/*
 * replay_audit.h - whether the engine's books agree with the replay's, while
 * nobody else works on it.
 */
#ifndef LFV_BENCH_REPLAY_AUDIT_H
#define LFV_BENCH_REPLAY_AUDIT_H

#include "cmd/replay_world.h"

/*
 * replay_audit_claim - claim what lives, for a replay that was not looked at:
 * an overlap that lasted to the end is met.
 */
void replay_audit_claim(struct replay_world *world, struct replay_tally *tally);

/*
 * replay_audit_live - a walk of the engine meets each live slot, with its very
 * pages, and nothing else; then the engine checks itself.
 */
void replay_audit_live(struct replay_world *world, struct replay_tally *tally);

/*
 * replay_audit_clear - free all, purge; the engine is as it was made.  Says how
 * many pages the purge had to bring back: lazy ones and those in pools.
 */
uint64_t replay_audit_clear(struct replay_world *world,
			    struct replay_tally *tally);

#endif
