/* SPDX-License-Identifier: MIT */
/*
 * buddy.c - cutting blocks and merging them.
 */
#include "backing/buddy.h"

#include "base/check.h"
#include "base/page.h"

static uint32_t order_frames(unsigned order)
{
	return (uint32_t)1 << order;
}

static bool is_block(const struct buddy *buddy, uint32_t first, unsigned order)
{
	const struct page *const page = &buddy->pages[first];

	/* relaxed: heads come and go under the lock, which we hold. */
	const struct frame_word word = { load_relaxed(&page->word) };

	return frame_word_is(word, FRAME_HEAD, order);
}

static void block_add(struct buddy *buddy, uint32_t first, unsigned order)
{
	struct page *const page = &buddy->pages[first];
	const uint32_t head = buddy->heads[order];
	/* relaxed: the word of a free frame changes under the lock. */
	struct frame_word word = { load_relaxed(&page->word) };
	const bool was_free = free_to_head(&word, order);

	require_invariant(was_free, "B1");
	/* relaxed: as above. */
	store_relaxed(&page->word, word.bits);
	page->prev = FRAME_NONE;
	page->next = head;
	if (head != FRAME_NONE)
		buddy->pages[head].prev = first;
	buddy->heads[order] = first;
	buddy->blocks[order]++;
	buddy->free_frames += order_frames(order);
}

static void block_remove(struct buddy *buddy, uint32_t first, unsigned order)
{
	struct page *const page = &buddy->pages[first];
	/* relaxed: the word of a free frame changes under the lock. */
	struct frame_word word = { load_relaxed(&page->word) };
	const bool was_head = head_to_free(&word, order);

	require_invariant(was_head, "B1");
	if (page->prev == FRAME_NONE)
		buddy->heads[order] = page->next;
	else
		buddy->pages[page->prev].next = page->next;
	if (page->next != FRAME_NONE)
		buddy->pages[page->next].prev = page->prev;
	/* relaxed: as above. */
	store_relaxed(&page->word, word.bits);
	buddy->blocks[order]--;
	buddy->free_frames -= order_frames(order);
}

/* largest_order - of the blocks that begin at `first` and end by `end`. */
static unsigned largest_order(uint32_t first, uint32_t end)
{
	unsigned order = fls_ulong(end - first) - 1;

	if (first != 0 && order > (unsigned)__builtin_ctz(first))
		order = (unsigned)__builtin_ctz(first);
	return order < FRAME_ORDER_MAX ? order : FRAME_ORDER_MAX;
}

/*
 * add_range - free frames whose buddies outside the range are not free: what
 * is left of a block that was cut.  Ascending, so the highest goes next.
 */
static void add_range(struct buddy *buddy, uint32_t first, uint32_t end)
{
	while (first < end) {
		const unsigned order = largest_order(first, end);

		block_add(buddy, first, order);
		first += order_frames(order);
	}
}

void buddy_init(struct buddy *buddy, struct page *pages, uint32_t nr_frames)
{
	*buddy = (struct buddy){ .pages = pages, .nr_frames = nr_frames };
	for (unsigned order = 0; order < FRAME_ORDERS; order++)
		buddy->heads[order] = FRAME_NONE;
	add_range(buddy, 0, nr_frames);
}

/* find_block - the free block that holds `frame`, if one does. */
static bool find_block(const struct buddy *buddy, uint32_t frame,
		       uint32_t *first, unsigned *order)
{
	for (unsigned at = 0; at < FRAME_ORDERS; at++) {
		const uint32_t head = frame & ~(order_frames(at) - 1);

		if (is_block(buddy, head, at)) {
			*first = head;
			*order = at;
			return true;
		}
	}
	return false;
}

static void mark_taken(struct buddy *buddy, uint32_t first, uint32_t end)
{
	for (uint32_t frame = first; frame < end; frame++) {
		struct page *const page = &buddy->pages[frame];
		/* relaxed: the word of a free frame changes under the lock. */
		struct frame_word word = { load_relaxed(&page->word) };
		const bool was_free = free_to_taken(&word);

		require_invariant(was_free, "B1");
		/* relaxed: as above. */
		store_relaxed(&page->word, word.bits);
	}
}

bool buddy_take_at(struct buddy *buddy, uint32_t wanted, uint32_t count,
		   struct frame_run *run)
{
	const uint32_t room = buddy->nr_frames - wanted;
	const uint32_t limit = wanted + (count < room ? count : room);
	uint32_t frame = wanted;
	uint32_t first;
	unsigned order;

	assert(count > 0);
	assert(wanted < buddy->nr_frames);
	while (frame < limit && find_block(buddy, frame, &first, &order)) {
		const uint32_t end = first + order_frames(order);
		const uint32_t cut = end < limit ? end : limit;

		block_remove(buddy, first, order);
		add_range(buddy, first, frame);
		add_range(buddy, cut, end);
		mark_taken(buddy, frame, cut);
		frame = cut;
	}
	if (frame == wanted)
		return false;
	*run = (struct frame_run){ wanted, frame - wanted };
	return true;
}

bool buddy_take_order(struct buddy *buddy, unsigned order, uint32_t *first)
{
	unsigned from = order;

	while (from < FRAME_ORDERS && buddy->heads[from] == FRAME_NONE)
		from++;
	if (from == FRAME_ORDERS)
		return false;

	const uint32_t block = buddy->heads[from];

	block_remove(buddy, block, from);
	add_range(buddy, block + order_frames(order),
		  block + order_frames(from));
	mark_taken(buddy, block, block + order_frames(order));
	*first = block;
	return true;
}

bool buddy_take_most(struct buddy *buddy, uint32_t count, struct frame_run *run)
{
	unsigned order = fls_ulong(count) - 1;
	uint32_t first;

	assert(count > 0);
	if (order > FRAME_ORDER_MAX)
		order = FRAME_ORDER_MAX;
	while (!buddy_take_order(buddy, order, &first)) {
		if (order == 0)
			return false;
		order--;
	}
	*run = (struct frame_run){ first, order_frames(order) };
	return true;
}

/* block_give - a free block again, after its buddies have joined it. */
static void block_give(struct buddy *buddy, uint32_t first, unsigned order)
{
	while (order < FRAME_ORDER_MAX) {
		const uint32_t other = first ^ order_frames(order);

		if (other >= buddy->nr_frames || !is_block(buddy, other, order))
			break;
		block_remove(buddy, other, order);
		first &= ~order_frames(order);
		order++;
	}
	block_add(buddy, first, order);
}

static void mark_free(struct buddy *buddy, struct frame_run run)
{
	require((uint64_t)run.first + run.count <= buddy->nr_frames);
	for (uint32_t i = 0; i < run.count; i++) {
		struct page *const page = &buddy->pages[run.first + i];
		/* relaxed: the giver owns the frame, or the check fails. */
		struct frame_word word = { load_relaxed(&page->word) };
		const bool was_taken = taken_to_free(&word);

		require_invariant(was_taken, "P1");
		/* relaxed: under the lock. */
		store_relaxed(&page->word, word.bits);
	}
}

void buddy_give(struct buddy *buddy, struct frame_run run)
{
	const uint32_t end = run.first + run.count;

	mark_free(buddy, run);
	for (uint32_t first = run.first; first < end;) {
		const unsigned order = largest_order(first, end);

		block_give(buddy, first, order);
		first += order_frames(order);
	}
}

static void block_check(const struct buddy *buddy, uint32_t first,
			unsigned order)
{
	const uint32_t other = first ^ order_frames(order);

	require_invariant(is_block(buddy, first, order), "B1");
	require_invariant((first & (order_frames(order) - 1)) == 0, "B1");
	require_invariant(first + order_frames(order) <= buddy->nr_frames,
			  "B1");
	for (uint32_t i = 1; i < order_frames(order); i++) {
		/* relaxed: checks run alone. */
		const struct frame_word word = {
			load_relaxed(&buddy->pages[first + i].word),
		};

		require_invariant(frame_word_is(word, FRAME_FREE, 0), "B1");
	}
	require_invariant(order == FRAME_ORDER_MAX ||
				  other >= buddy->nr_frames ||
				  !is_block(buddy, other, order),
			  "B2");
}

static uint64_t count_free_states(const struct buddy *buddy)
{
	uint64_t count = 0;

	for (uint32_t frame = 0; frame < buddy->nr_frames; frame++) {
		/* relaxed: checks run alone. */
		const struct frame_word word = {
			load_relaxed(&buddy->pages[frame].word),
		};

		count += frame_word_is_free(word);
	}
	return count;
}

uint64_t buddy_check(const struct buddy *buddy)
{
	uint64_t frames = 0;

	for (unsigned order = 0; order < FRAME_ORDERS; order++) {
		uint64_t blocks = 0;
		uint32_t prev = FRAME_NONE;

		for (uint32_t first = buddy->heads[order]; first != FRAME_NONE;
		     first = buddy->pages[first].next) {
			block_check(buddy, first, order);
			require_invariant(buddy->pages[first].prev == prev,
					  "B1");
			prev = first;
			blocks++;
		}
		require_invariant(blocks == buddy->blocks[order], "B3");
		frames += blocks * order_frames(order);
	}
	require_invariant(frames == buddy->free_frames, "B3");
	require_invariant(frames == count_free_states(buddy), "B1");
	return frames;
}
