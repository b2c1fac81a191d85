/* SPDX-License-Identifier: MIT */
/*
 * window.h - the reserved address range [VMALLOC_START, VMALLOC_END).
 *
 *   W1  the window is covered by mappings of ours at every instant from init
 *       to fini: it is reserved PROT_NONE, things are mapped over it, and
 *       unmapping is mapping PROT_NONE again.  A plain munmap inside would
 *       open a hole into which a stranger's mapping can fall;
 *   W2  its base is random (getrandom, not the kernel's mmap base, whose
 *       distance to libc has few bits) and aligned to WINDOW_ALIGN_BYTES, a
 *       smaller window to the largest power of two in its size.
 *
 * init and fini run alone.
 */
#ifndef LFV_BACKING_WINDOW_H
#define LFV_BACKING_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/os.h"
#include "base/page.h"

#define WINDOW_BYTES_MIN     (128 * MIB)
#define WINDOW_BYTES_DEFAULT (64 * GIB)
#define WINDOW_BYTES_MAX     (16 * TIB)
#define WINDOW_ALIGN_BYTES   GIB

struct window {
	const struct os *os;
	uintptr_t start;
	uintptr_t end;
};

/*
 * window_init - reserve `bytes`, a multiple of the page.
 *
 * With a message: -EINVAL for a size out of bounds, -ENOMEM where the limit of
 * the process (RLIMIT_AS) or the address space leaves no room for it.
 */
__attribute__((warn_unused_result)) int
window_init(struct window *window, const struct os *os, size_t bytes);
void window_fini(struct window *window);

static inline size_t window_pages(const struct window *window)
{
	return (window->end - window->start) >> PAGE_SHIFT;
}

/* window_page - the number of an address's page, counted from the start. */
static inline size_t window_page(const struct window *window, uintptr_t address)
{
	return (address - window->start) >> PAGE_SHIFT;
}

#endif
