/* SPDX-License-Identifier: MIT */
/*
 * page_map.c - entries are written when an area is carved, read by lookups.
 */
#include "va/page_map.h"

#include <errno.h>

#include "base/check.h"
#include "base/error.h"

static size_t records_bytes(const struct page_map *map)
{
	return align_up(map->pages * sizeof(struct page_record), PAGE_SIZE);
}

static size_t owners_bytes(const struct page_map *map)
{
	return align_up(map->pages * sizeof(uint32_t), PAGE_SIZE);
}

static uint64_t chunks(const struct page_map *map)
{
	return (map->pages + MAP_CHUNK_PAGES - 1) >> MAP_CHUNK_SHIFT;
}

static size_t chunk_owners_bytes(const struct page_map *map)
{
	return align_up(chunks(map) * sizeof(uint32_t), PAGE_SIZE);
}

static int no_memory(const struct page_map *map)
{
	return error_set(-ENOMEM,
			 "no address space for the map of %llu pages: raise "
			 "RLIMIT_AS or shrink the window",
			 (unsigned long long)map->pages);
}

int page_map_init(struct page_map *map, const struct os *os,
		  const struct va_range *window, bool indexed)
{
	*map = (struct page_map){
		.os = os,
		.start = window->start,
		.pages = (window->end - window->start) >> PAGE_SHIFT,
	};
	map->records = os->mmap_anon(records_bytes(map));
	if (!map->records)
		return no_memory(map);
	if (!indexed)
		return 0;
	map->owners = os->mmap_anon(owners_bytes(map));
	map->chunk_owners = os->mmap_anon(chunk_owners_bytes(map));
	if (map->owners && map->chunk_owners)
		return 0;
	page_map_fini(map);
	return no_memory(map);
}

void page_map_fini(struct page_map *map)
{
	if (map->records)
		map->os->munmap_anon(map->records, records_bytes(map));
	if (map->owners)
		map->os->munmap_anon((void *)map->owners, owners_bytes(map));
	if (map->chunk_owners)
		map->os->munmap_anon((void *)map->chunk_owners,
				     chunk_owners_bytes(map));
	map->records = NULL;
	map->owners = NULL;
	map->chunk_owners = NULL;
}

/* owners_write - the entries of pages [from, to). */
static void owners_write(struct page_map *map, uint64_t from, uint64_t to,
			 uint64_t first)
{
	/* relaxed: [area-head] is what publishes them, when it is live. */
	for (uint64_t page = from; page < to; page++)
		store_relaxed(&map->owners[page], (uint32_t)first);
}

/* own - M1: every page of the area leads to its first. */
static void own(struct page_map *map, uint64_t first, uint64_t pages)
{
	const uint64_t end = first + pages;
	const uint64_t low = align_up(first, MAP_CHUNK_PAGES);
	const uint64_t high = end & ~(uint64_t)(MAP_CHUNK_PAGES - 1);

	if (pages <= MAP_CHUNK_PAGES) {
		owners_write(map, first, end, first);
		return;
	}
	owners_write(map, first, low, first);
	/* relaxed: as above. */
	for (uint64_t chunk = low >> MAP_CHUNK_SHIFT;
	     chunk < high >> MAP_CHUNK_SHIFT; chunk++)
		store_relaxed(&map->chunk_owners[chunk], (uint32_t)first);
	owners_write(map, high, end, first);
}

/* head_set - by the holder, to whom nobody else writes the word. */
static void head_set(struct page_map *map, uint64_t first,
		     struct page_head head)
{
	/* relaxed: in no live state, so that nothing is looked up through it;
	 * the next holder gets the number on a way that orders. */
	store_relaxed(&map->records[first].head, head.bits);
}

/* head_held - the word, by the holder. */
static struct page_head head_held(const struct page_map *map, uint64_t first)
{
	/* relaxed: the caller holds the number, and is the only writer. */
	return (struct page_head){ load_relaxed(&map->records[first].head) };
}

void page_map_begin(struct page_map *map, uint64_t first, uint64_t pages)
{
	/* A write comes first: read, new memory would fault a second time. */
	page_map_record(map, first)->next = 0;

	struct page_head head = head_held(map, first);

	assert(pages > 0 && first + pages <= map->pages);
	require(none_to_idle(&head, pages));
	if (map->owners)
		own(map, first, pages);
	head_set(map, first, head);
}

/* leave - out of idle for good: by exchange, for two frees may have raced. */
static bool leave(struct page_map *map, uint64_t first,
		  bool (*change)(struct page_head *head),
		  struct page_head *before)
{
	_Atomic(uint64_t) *const word = &map->records[first].head;
	/* relaxed: the exchange below sees whether it is still so. */
	struct page_head head = { load_relaxed(word) };

	*before = head;
	/* relaxed: as in head_set(); the caller has freed it himself. */
	return change(&head) && cas_relaxed(word, &before->bits, head.bits);
}

bool page_map_end(struct page_map *map, uint64_t first,
		  struct page_head *before)
{
	return leave(map, first, idle_to_none, before);
}

bool page_map_to_lazy(struct page_map *map, uint64_t first,
		      struct page_head *before)
{
	return leave(map, first, idle_to_lazy, before);
}

void page_map_from_lazy(struct page_map *map, uint64_t first)
{
	struct page_head head = head_held(map, first);

	require(lazy_to_none(&head));
	head_set(map, first, head);
}

/* owner_covers - whether the area that an entry names covers the page. */
static bool owner_covers(const struct page_map *map,
			 const _Atomic(uint32_t) *entry, uint64_t page,
			 uint64_t *first)
{
	/* relaxed: what it names is looked at, and M1 holds while it is live;
	 * the entry of a live area is ordered by whoever told of the address.
	 */
	const uint64_t owner = load_relaxed(entry);

	*first = owner;
	return page_head_covers(page_map_head(map, owner), owner, page);
}

bool page_map_covering(const struct page_map *map, uint64_t page,
		       uint64_t *first, struct page_head *head)
{
	if (!owner_covers(map, &map->owners[page], page, first) &&
	    !owner_covers(map, &map->chunk_owners[page >> MAP_CHUNK_SHIFT],
			  page, first))
		return false;
	*head = page_map_head(map, *first);
	return page_head_covers(*head, *first, page) &&
	       !page_head_is(*head, PAGE_NONE);
}

bool page_map_find(const struct page_map *map, uint64_t page,
		   struct va_found *found)
{
	if (page_map_look(map, page, found))
		return true;
	/* relaxed: as in owner_covers(). */
	return page_map_copy(
		map, load_relaxed(&map->chunk_owners[page >> MAP_CHUNK_SHIFT]),
		page, found);
}
