/* SPDX-License-Identifier: MIT */
/*
 * page_table.h - what lies behind each page of the window: one 32-bit entry a
 * page, in an array that costs memory only where it was written.
 *
 *	bits 31 30   29 .................... 0
 *	  0          0 empty, 1 first page of a foreign file, 2 others
 *	  1          frame: guarded, the page's own, behind a marker: faults
 *	  2          frame: owned, mapped there, belongs to the page
 *	  3          frame: borrowed, mapped there, counted in its mapcount
 *
 * An entry is one word: whoever reads it while its owner writes it gets the
 * old or the new one, never a mixture.  It guards nothing else: a reader that
 * may use the frame has been told of the area by its owner, in an order of
 * their own.
 *
 * `touched` tells in which 2 MiB an entry was ever written, so that walks pass
 * over the rest of a large window.
 */
#ifndef LFV_BACKING_PAGE_TABLE_H
#define LFV_BACKING_PAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/os.h"

enum {
	TABLE_CHUNK_SHIFT = 9, /* 2 MiB of pages */
	TABLE_CHUNK_PAGES = 1 << TABLE_CHUNK_SHIFT,
	PTE_FRAME_BITS = 30,
};

#define PTE_FRAME_MASK (((uint32_t)1 << PTE_FRAME_BITS) - 1)

enum pte_kind {
	PTE_EMPTY,      /* PROT_NONE */
	PTE_FILE_FIRST, /* a foreign file's mapping begins */
	PTE_FILE,       /* and goes on */
	PTE_GUARDED,
	PTE_OWNED,
	PTE_BORROWED,
};

/* pte - an entry, taken apart; `frame` is 0 for the first three kinds. */
struct pte {
	enum pte_kind kind;
	uint32_t frame;
};

struct page_table {
	/* constant after init */
	const struct os *os;
	size_t pages;
	_Atomic(uint32_t) *entries;
	_Atomic(uint8_t) *touched;
};

/* table_init - all empty; -ENOMEM with a message. */
__attribute__((warn_unused_result)) int
table_init(struct page_table *table, const struct os *os, size_t pages);
void table_fini(struct page_table *table);

struct pte table_get(const struct page_table *table, size_t page);

/*
 * table_set - `count` pages of one kind; the frames ascend from `frame` on.
 *
 * By the owner of the pages only (T3).
 */
void table_set(struct page_table *table, size_t page, size_t count,
	       struct pte first);

/* table_is_touched - false: the whole chunk that holds `page` is empty. */
bool table_is_touched(const struct page_table *table, size_t page);

/* pte_is_open - something can be read or written there. */
static inline bool pte_is_open(struct pte pte)
{
	return pte.kind != PTE_EMPTY && pte.kind != PTE_GUARDED;
}

static inline bool pte_has_frame(struct pte pte)
{
	return pte.kind >= PTE_GUARDED;
}

#endif
