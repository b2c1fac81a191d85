/* SPDX-License-Identifier: MIT */
/*
 * map_stats.c - what the page table tells to whoever walks it.
 */
#include "backing/map_steps.h"
#include "base/check.h"

/*
 * placement - what decides whether two neighbours share a kernel mapping.
 *
 * Distances of page and frame are compared modulo what an entry can hold; they
 * are equal for a whole kernel mapping and cannot come out equal by chance but
 * 4 TiB apart.
 */
struct placement {
	enum { BARE, OURS, FOREIGN, FOREIGN_FIRST } kind;
	uint32_t distance;
};

static struct placement placement_of(size_t page, struct pte pte)
{
	if (pte.kind == PTE_EMPTY)
		return (struct placement){ BARE, 0 };
	if (pte.kind == PTE_FILE_FIRST)
		return (struct placement){ FOREIGN_FIRST, 0 };
	if (pte.kind == PTE_FILE)
		return (struct placement){ FOREIGN, 0 };
	return (struct placement){
		OURS,
		(pte.frame - (uint32_t)page) & PTE_FRAME_MASK,
	};
}

/* pte_at - without a look at memory that was never written. */
static struct pte pte_at(const struct page_table *table, size_t page)
{
	return table_is_touched(table, page)
		       ? table_get(table, page)
		       : (struct pte){ .kind = PTE_EMPTY };
}

/* is_joined - `right`, behind `left`, lies in the same kernel mapping. */
static bool is_joined(struct placement left, struct placement right)
{
	if (right.kind == FOREIGN)
		return left.kind == FOREIGN || left.kind == FOREIGN_FIRST;
	return right.kind != FOREIGN_FIRST && left.kind == right.kind &&
	       left.distance == right.distance;
}

static struct placement placement_at(const struct map *map, size_t page)
{
	return placement_of(page, pte_at(&map->table, page));
}

static bool is_border(const struct map *map, size_t page)
{
	return !is_joined(placement_at(map, page - 1), placement_at(map, page));
}

/*
 * edge_gain - borders more in front of `page` when all on one side of it is
 * bare, and `outer` is the page on the other; none at the window's ends.
 */
static int edge_gain(const struct map *map, size_t page, size_t outer)
{
	if (page == 0 || page == map->table.pages)
		return 0;
	return (placement_at(map, outer).kind != BARE) - is_border(map, page);
}

bool map_is_cut_by(const struct map *map, size_t page, size_t pages)
{
	const size_t end = page + pages;
	int gain = edge_gain(map, page, page - 1) + edge_gain(map, end, end);

	/* Of several mappings that lie within, one bare one is left. */
	while (gain > 0 && ++page < end)
		gain -= is_border(map, page);
	return gain > 0;
}

/* next_page - the page behind, or past a chunk that was never touched. */
static size_t next_page(const struct page_table *table, size_t page)
{
	return table_is_touched(table, page)
		       ? page + 1
		       : (page | (TABLE_CHUNK_PAGES - 1)) + 1;
}

static uint64_t mappings_count(const struct map *map)
{
	const struct page_table *const table = &map->table;
	struct placement left = placement_of(0, pte_at(table, 0));
	uint64_t mappings = 1;

	for (size_t page = 1; page < table->pages;
	     page = next_page(table, page)) {
		const struct placement right =
			placement_of(page, pte_at(table, page));

		mappings += !is_joined(left, right);
		left = right;
	}
	return mappings;
}

static uint64_t counter_get(const struct map *map, enum map_counter counter)
{
	/* relaxed: a figure; it orders nothing. */
	return load_relaxed(&map->counters[counter]);
}

void map_stats(const struct map *map, struct map_stats *stats)
{
	*stats = (struct map_stats){
		.map_calls = counter_get(map, MAP_MAP_CALLS),
		.unmap_calls = counter_get(map, MAP_UNMAP_CALLS),
		.guard_calls = counter_get(map, MAP_GUARD_CALLS),
		.mapped_pages = counter_get(map, MAP_MAPPED_PAGES),
		.unmapped_pages = counter_get(map, MAP_UNMAPPED_PAGES),
		.mappings = mappings_count(map),
	};
}

/* census - what the entries say of the frames. */
struct census {
	const struct map *map;
	_Atomic(uint8_t) *owned; /* by frame: has an owned entry */
	uint64_t borrowed;
};

static void census_add(struct census *census, struct pte pte)
{
	const struct frames *const frames = census->map->frames;

	if (!pte_has_frame(pte) || pte.kind == PTE_GUARDED)
		return;
	require_invariant(pte.frame < frames->config.nr_frames, "T1");
	require_invariant(frames->ops->is_taken(frames, pte.frame), "T2");
	if (pte.kind == PTE_BORROWED) {
		census->borrowed++;
		return;
	}
	/* relaxed: checks run alone. */
	require_invariant(swap_relaxed(&census->owned[pte.frame], 1) == 0,
			  "T2");
}

static uint64_t mapcounts_sum(const struct frames *frames)
{
	uint64_t sum = 0;

	for (uint64_t frame = 0; frame < frames->config.nr_frames; frame++) {
		/* relaxed: checks run alone. */
		sum += load_relaxed(&frames->pages[frame].mapcount);
	}
	return sum;
}

/* In `paired` an owned entry names its own page's frame: nothing to count. */
void map_check(struct map *map)
{
	if (map->frames->ops->fixed)
		return;

	const size_t bytes = align_up(map->frames->config.nr_frames, PAGE_SIZE);
	struct census census = {
		.map = map,
		.owned = map->os->mmap_anon(bytes),
	};

	require(census.owned != NULL);
	for (size_t page = 0; page < map->table.pages;
	     page = next_page(&map->table, page))
		census_add(&census, pte_at(&map->table, page));
	require_invariant(census.borrowed == mapcounts_sum(map->frames), "T2");
	map->os->munmap_anon(census.owned, bytes);
}
