/* SPDX-License-Identifier: MIT */
/*
 * page_map.h - which area covers a page: an index without a tree.
 *
 *	owner:   | 7 | 7 | 7 | 7 |...  the first page of the area of each page
 *	           |
 *	           v
 *	record[7]: head, and what is mapped there (struct vm_struct)
 *
 * Arrays by page, zero and costing memory only where they were written.  The
 * state word (va/page_head.h) lies at the page that it speaks of, never in a
 * descriptor that moves.  An area above MAP_CHUNK_PAGES writes one entry for
 * each aligned chunk of that many pages, and single ones at its two ends.  (A
 * flat map of pages as index: RadixVM, EuroSys 2013; mimalloc's page map.)
 *
 *   M1  while an area is live, the entries of all its pages name its first;
 *   M2  entries and record of an area are written by whoever holds its page's
 *       number, before it is live;
 *   M3  a find hits iff a live area covers the page at one instant of the call;
 *   M4  the number of a page goes from holder to holder on a way that orders
 *       (a stock, a list, the holes): the head itself only orders what is made
 *       live before what is found or freed.
 *
 * Why M3: a hit was read in one look at a head that was live and covers the
 * page.  In a miss, no area covered the page throughout: by M1 its entry would
 * have led to its head.  So the area that covered it was freed, or made, during
 * the call, and between the areas of two owners there is an instant without.
 * The copy of what is mapped is told by `seq`, which changes when another area
 * begins at that page: then the one before was freed meanwhile, and a miss is
 * true.
 *
 * Who may run with whom: all with all, under M2; init, fini alone.
 * Progress: wait-free; a lookup is two loads and the copy, three for an area of
 * chunks.  No lock, no grace period.
 */
#ifndef LFV_VA_PAGE_MAP_H
#define LFV_VA_PAGE_MAP_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/os.h"
#include "base/page.h"
#include "va/area.h"
#include "va/page_head.h"
#include "va/va.h"
#include "va/va_range.h"

enum { MAP_CHUNK_SHIFT = 9, MAP_CHUNK_PAGES = 1 << MAP_CHUNK_SHIFT };

/*
 * page_record - of a page where areas begin, as large as Linux's struct page.
 *
 * A cache line of its own, so that neighbouring areas of two CPUs share none.
 */
struct page_record {
	alignas(CACHE_LINE_BYTES) _Atomic(uint64_t) head;
	_Atomic(uint64_t) seq; /* areas that were begun here, never wraps */
	/* what is mapped, of the area that seq tells */
	_Atomic(uint64_t) kind; /* flags, nr_pages */
	_Atomic(const void *) caller;
	_Atomic(uint64_t) phys;
	_Atomic(uintptr_t) size;
	/* the holder's of the page's number alone */
	uint64_t next; /* in a list: page + 1; 0: none */
};

static_assert(sizeof(struct page_record) == CACHE_LINE_BYTES, "one line");

struct page_map {
	/* constant after init */
	const struct os *os;
	uintptr_t start; /* address of page 0 */
	uint64_t pages;
	struct page_record *records;
	_Atomic(uint32_t) *owners;       /* NULL: records alone */
	_Atomic(uint32_t) *chunk_owners; /* by MAP_CHUNK_PAGES */
};

/* page_map_init - -ENOMEM with a message; `indexed`: with owners, for find. */
__attribute__((warn_unused_result)) int
page_map_init(struct page_map *map, const struct os *os,
	      const struct va_range *window, bool indexed);
void page_map_fini(struct page_map *map);

static inline uint64_t page_map_page(const struct page_map *map,
				     uintptr_t address)
{
	return (address - map->start) >> PAGE_SHIFT;
}

static inline uintptr_t page_map_address(const struct page_map *map,
					 uint64_t page)
{
	return map->start + (page << PAGE_SHIFT);
}

static inline struct page_record *page_map_record(const struct page_map *map,
						  uint64_t page)
{
	return &map->records[page];
}

/* page_map_head - the word as it is now. */
static inline struct page_head page_map_head(const struct page_map *map,
					     uint64_t page)
{
	/* acquire [area-head]: what its writer did before. */
	return (struct page_head){ load_acquire(&map->records[page].head) };
}

/*
 * page_map_begin - none -> idle: an area of `pages` begins at `first`, held by
 * the caller, whose claim of the pages comes before; M1, M2.
 */
void page_map_begin(struct page_map *map, uint64_t first, uint64_t pages);

/*
 * page_map_end - idle -> none: nothing begins at `first` any more; *before is
 * the area that did.
 *
 * False, and nothing done: the area is not idle, so that it has another owner:
 * two frees of it raced.  Of two of these, or one and page_map_to_lazy(), that
 * race one is refused.
 */
__attribute__((warn_unused_result)) bool
page_map_end(struct page_map *map, uint64_t first, struct page_head *before);

/*
 * page_map_publish - idle -> live: the linearization point of an allocation.
 *
 * False, and nothing done: no area of `pages` is idle there, so that what is
 * there has another owner: two frees of it raced.
 */
static inline bool page_map_publish(struct page_map *map, uint64_t first,
				    uint64_t pages, const struct vm_struct *vm)
{
	struct page_record *const record = &map->records[first];
	/* relaxed: the holder of the number is its only writer. */
	struct page_head head = { load_relaxed(&record->head) };

	if (__builtin_expect(!idle_to_live(&head, pages), 0))
		return false;
	/*
	 * relaxed: the holder is its only writer.
	 * release [area-seq]: who sees it sees the area before retracted.
	 */
	store_release(&record->seq, load_relaxed(&record->seq) + 1);
	/* release [area-vm]: who sees one of these sees that seq. */
	store_release(&record->kind, (uint64_t)vm->nr_pages << 32 | vm->flags);
	/* release [area-vm]: as above. */
	store_release(&record->caller, vm->caller);
	/* release [area-vm]: as above. */
	store_release(&record->phys, vm->phys);
	/* release [area-vm]: as above. */
	store_release(&record->size, vm->size);
	/* release [area-head]: the entries, the record, what is mapped. */
	store_release(&record->head, head.bits);
	return true;
}

/*
 * page_map_retract - live -> idle: the linearization point of a free, after
 * which the caller holds the page's number.  False: no live area begins there.
 *
 * Of two of these that race both may succeed; see page_map_retract_once().
 */
static inline bool page_map_retract(struct page_map *map, uint64_t first,
				    struct page_head *before)
{
	_Atomic(uint64_t) *const word = &map->records[first].head;
	/* acquire [area-head]: the area as its maker left it. */
	struct page_head head = { load_acquire(word) };

	*before = head;
	if (__builtin_expect(!live_to_idle(&head), 0))
		return false;
	/* relaxed: the number goes on, to whoever uses it next, on a way that
	 * orders what the user did: a stock, a list, the holes (M4). */
	store_relaxed(word, head.bits);
	return true;
}

/* page_map_retract_once - as above, but of two that race one is refused. */
static inline bool page_map_retract_once(struct page_map *map, uint64_t first,
					 struct page_head *before)
{
	_Atomic(uint64_t) *const word = &map->records[first].head;
	/* relaxed: the exchange below sees whether it is still so. */
	struct page_head head = { load_relaxed(word) };
	uint64_t seen = head.bits;
	/* acquire [area-head]: the area as it was made; else as above. */
	const bool is_ours =
		live_to_idle(&head) && cas_acquire(word, &seen, head.bits);

	*before = (struct page_head){ seen };
	return is_ours;
}

/* page_map_has_begun - an area was published at `first` at any time. */
static inline bool page_map_has_begun(const struct page_map *map,
				      uint64_t first)
{
	/* relaxed: only the name of a misuse depends on it. */
	return load_relaxed(&map->records[first].seq) != 0;
}

/* page_map_to_lazy - idle -> lazy; else as page_map_end(). */
__attribute__((warn_unused_result)) bool
page_map_to_lazy(struct page_map *map, uint64_t first,
		 struct page_head *before);
/* page_map_from_lazy - lazy -> none, by whoever took it off the list. */
void page_map_from_lazy(struct page_map *map, uint64_t first);

/* page_map_covering - the first page of what covers `page`, in any state. */
bool page_map_covering(const struct page_map *map, uint64_t page,
		       uint64_t *first, struct page_head *head);

/* page_map_copy - of the area at `first`, if it is live and covers `page`. */
static inline bool page_map_copy(const struct page_map *map, uint64_t first,
				 uint64_t page, struct va_found *found)
{
	struct page_record *const record = &map->records[first];
	/* acquire [area-seq]: the area before this one has been retracted. */
	const uint64_t seq = load_acquire(&record->seq);
	const struct page_head head = page_map_head(map, first);

	if (__builtin_expect(!page_head_is(head, PAGE_LIVE) ||
				     !page_head_covers(head, first, page),
			     0))
		return false;

	/* acquire [area-vm]: a part of another area comes with its seq. */
	const uint64_t kind = load_acquire(&record->kind);

	found->start = page_map_address(map, first);
	found->end = page_map_address(map, first + page_head_pages(head));
	found->vm.flags = (uint32_t)kind;
	found->vm.nr_pages = (uint32_t)(kind >> 32);
	/* acquire [area-vm]: as above. */
	found->vm.caller = load_acquire(&record->caller);
	/* acquire [area-vm]: as above. */
	found->vm.phys = load_acquire(&record->phys);
	/* acquire [area-vm]: as above. */
	found->vm.size = load_acquire(&record->size);
	found->lazy = false;
	found->merged = 0;
	/* relaxed: [area-vm] orders it behind the parts. */
	return load_relaxed(&record->seq) == seq;
}

/* page_map_look - the first look of page_map_find(); a miss settles nothing. */
static inline bool page_map_look(const struct page_map *map, uint64_t page,
				 struct va_found *found)
{
	/* relaxed: what it names is looked at, and M1 holds while it is live;
	 * the entry of a live area is ordered by whoever told of the address.
	 */
	const uint64_t owner = load_relaxed(&map->owners[page]);

	return page_map_copy(map, owner, page, found);
}

/* page_map_find - the live area that covers `page`; M3. */
bool page_map_find(const struct page_map *map, uint64_t page,
		   struct va_found *found);

#endif
