/* SPDX-License-Identifier: MIT */
/*
 * page_table.c - entries packed, unpacked, read and written.
 */
#include "backing/page_table.h"

#include <errno.h>

#include "base/check.h"
#include "base/error.h"
#include "base/page.h"

/* What bits 31 and 30 are for kinds with a frame. */
enum { TAG_PLAIN, TAG_GUARDED, TAG_OWNED, TAG_BORROWED };

static_assert(PTE_GUARDED - TAG_GUARDED == PTE_OWNED - TAG_OWNED &&
		      PTE_OWNED - TAG_OWNED == PTE_BORROWED - TAG_BORROWED,
	      "kinds and tags ascend together");
static_assert(PTE_EMPTY == 0, "what was never written is empty");

static uint32_t pte_pack(struct pte pte)
{
	if (!pte_has_frame(pte))
		return (uint32_t)pte.kind;
	return ((uint32_t)pte.kind - PTE_GUARDED + TAG_GUARDED)
		       << PTE_FRAME_BITS |
	       (pte.frame & PTE_FRAME_MASK);
}

static struct pte pte_unpack(uint32_t word)
{
	const uint32_t tag = word >> PTE_FRAME_BITS;

	if (tag == TAG_PLAIN)
		return (struct pte){ (enum pte_kind)word, 0 };
	return (struct pte){
		(enum pte_kind)(tag - TAG_GUARDED + PTE_GUARDED),
		word & PTE_FRAME_MASK,
	};
}

static size_t entries_bytes(const struct page_table *table)
{
	return align_up(table->pages * sizeof(uint32_t), PAGE_SIZE);
}

static size_t touched_bytes(const struct page_table *table)
{
	return align_up((table->pages >> TABLE_CHUNK_SHIFT) + 1, PAGE_SIZE);
}

int table_init(struct page_table *table, const struct os *os, size_t pages)
{
	*table = (struct page_table){ .os = os, .pages = pages };
	table->entries = os->mmap_anon(entries_bytes(table));
	table->touched = os->mmap_anon(touched_bytes(table));
	if (table->entries != NULL && table->touched != NULL)
		return 0;
	table_fini(table);
	return error_set(-ENOMEM,
			 "no address space for the page table of a window of "
			 "%zu MiB (%zu MiB): ask for a smaller window, or "
			 "raise RLIMIT_AS (ulimit -v)",
			 pages_to_bytes(pages) / MIB,
			 pages * sizeof(uint32_t) / MIB);
}

void table_fini(struct page_table *table)
{
	if (table->entries != NULL)
		table->os->munmap_anon(table->entries, entries_bytes(table));
	if (table->touched != NULL)
		table->os->munmap_anon(table->touched, touched_bytes(table));
	table->entries = NULL;
	table->touched = NULL;
}

struct pte table_get(const struct page_table *table, size_t page)
{
	assert(page < table->pages);
	/* relaxed: one word, whole; it guards nothing (see the header). */
	return pte_unpack(load_relaxed(&table->entries[page]));
}

static void touch(struct page_table *table, size_t chunk)
{
	/* relaxed: a walk that must not miss it runs after the writer. */
	if (load_relaxed(&table->touched[chunk]) == 0)
		/* relaxed: as above. */
		store_relaxed(&table->touched[chunk], 1);
}

void table_set(struct page_table *table, size_t page, size_t count,
	       struct pte first)
{
	assert(page + count <= table->pages);
	if (count == 0)
		return;
	for (size_t chunk = page >> TABLE_CHUNK_SHIFT;
	     chunk <= (page + count - 1) >> TABLE_CHUNK_SHIFT; chunk++)
		touch(table, chunk);
	for (size_t i = 0; i < count; i++) {
		const struct pte pte = {
			first.kind,
			first.frame + (uint32_t)i,
		};

		/* relaxed: as in table_get(). */
		store_relaxed(&table->entries[page + i], pte_pack(pte));
	}
}

bool table_is_touched(const struct page_table *table, size_t page)
{
	/* relaxed: as in touch(). */
	return load_relaxed(&table->touched[page >> TABLE_CHUNK_SHIFT]) != 0;
}
