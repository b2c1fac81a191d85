/* SPDX-License-Identifier: MIT */
/*
 * arena.c - one array, handed out from the low end up.
 */
#include "schedule/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/check.h"
#include "base/page.h"

enum { ARENA_BYTES = 56 << 20 };

static alignas(PAGE_SIZE) unsigned char arena[ARENA_BYTES];

static struct {
	size_t used;
	unsigned count;
	struct {
		unsigned char *memory;
		size_t bytes;
	} blocks[ARENA_BLOCKS_MAX];
} mapped;

static void *arena_map(size_t bytes)
{
	unsigned char *const memory = arena + mapped.used;

	require(mapped.count < ARENA_BLOCKS_MAX);
	require(bytes <= sizeof(arena) - mapped.used);
	mapped.blocks[mapped.count].memory = memory;
	mapped.blocks[mapped.count].bytes = bytes;
	mapped.count++;
	mapped.used += bytes;
	return memory;
}

static void arena_unmap(void *memory, size_t bytes)
{
	(void)memory;
	(void)bytes;
}

const struct os arena_os = {
	.mmap_anon = arena_map,
	.munmap_anon = arena_unmap,
};

void arena_begin(void)
{
	for (unsigned i = 0; i < mapped.count; i++) {
		const size_t bytes = mapped.blocks[i].bytes;

		memset(mapped.blocks[i].memory, 0,
		       bytes < ARENA_TOUCHED ? bytes : ARENA_TOUCHED);
	}
	mapped.count = 0;
	mapped.used = 0;
}

void *arena_block(unsigned index)
{
	require(index < mapped.count);
	return mapped.blocks[index].memory;
}
