/* SPDX-License-Identifier: MIT */
/*
 * arena.h - anonymous memory for the code under test, without a system call.
 *
 *   A1  every schedule gets the same addresses, and finds zeros there: of each
 *       block the first ARENA_TOUCHED bytes are cleared, and a case reads no
 *       others before it has written them.
 */
#ifndef TESTS_SCHEDULE_ARENA_H
#define TESTS_SCHEDULE_ARENA_H

#include "base/os.h"

enum { ARENA_TOUCHED = 64 << 10, ARENA_BLOCKS_MAX = 64 };

/* arena_os - maps from the arena, unmaps nothing, and can do nothing else. */
extern const struct os arena_os;

/* arena_begin - all that was mapped is forgotten. */
void arena_begin(void);

/* arena_block - what the call `index` of mmap_anon since then returned. */
void *arena_block(unsigned index);

#endif
