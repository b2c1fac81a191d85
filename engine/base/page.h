/* SPDX-License-Identifier: MIT */
/*
 * page.h - pages, rounding, and the few sums that everybody needs.
 *
 * The page is 4 KiB on every machine the engine runs on with that page size;
 * lfv_create() refuses a machine whose page size differs.
 */
#ifndef LFV_BASE_PAGE_H
#define LFV_BASE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((uintptr_t)1 << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)
#define TIB ((size_t)1 << 40)

static inline bool is_power_of_two(uintptr_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static inline bool is_page_aligned(uintptr_t value)
{
	return (value & ~PAGE_MASK) == 0;
}

/* align_up - the next multiple of a power of two; wraps past the top to 0. */
static inline uintptr_t align_up(uintptr_t value, uintptr_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static inline size_t bytes_to_pages(size_t bytes)
{
	return (bytes >> PAGE_SHIFT) + ((bytes & ~PAGE_MASK) != 0);
}

static inline size_t pages_to_bytes(size_t pages)
{
	return pages << PAGE_SHIFT;
}

/* fls_ulong - position of the highest set bit, counted from 1; 0 for 0. */
static inline unsigned fls_ulong(unsigned long value)
{
	return value == 0 ? 0
			  : (unsigned)(8 * sizeof(value)) -
				    (unsigned)__builtin_clzl(value);
}

#endif
