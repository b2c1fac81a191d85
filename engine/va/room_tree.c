/* SPDX-License-Identifier: MIT */
/*
 * room_tree.c - lanes raised, settled, touched and searched.
 */
#include "va/room_tree.h"

#include <errno.h>

#include "base/page.h"

/* How many words hold that many lanes. */
static size_t lanes_words(size_t lanes)
{
	return (lanes + LANES - 1) >> LANES_SHIFT;
}

static unsigned lane_of(size_t index)
{
	return (unsigned)index & (LANES - 1);
}

static _Atomic(uint64_t) *word_of(const struct room_tree *tree, unsigned level,
				  size_t index)
{
	assert(level < tree->levels && index < tree->lanes[level]);
	return &tree->words[level][index >> LANES_SHIFT];
}

static struct lanes lanes_read(const struct room_tree *tree, unsigned level,
			       size_t index)
{
	/* seq_cst [room-lane]: S2 above the chunks; else see lane_raise(). */
	return (struct lanes){ load_seq_cst(word_of(tree, level, index)) };
}

/* Lanes of a level's last word that stand for nothing have no room. */
static void level_end(struct room_tree *tree, unsigned level)
{
	const size_t lanes = tree->lanes[level];
	struct lanes last = { 0 };

	if (lane_of(lanes) == 0)
		return;
	for (unsigned lane = lane_of(lanes); lane < LANES; lane++)
		last = lanes_with_room(last, lane, 0);
	/* relaxed: nobody else has the tree yet. */
	store_relaxed(word_of(tree, level, lanes - 1), last.bits);
}

int room_init(struct room_tree *tree, const struct os *os, size_t chunks)
{
	size_t words = 0;
	size_t lanes = chunks;

	assert(chunks > 0);
	*tree = (struct room_tree){ .os = os };
	do {
		assert(tree->levels < ROOM_LEVELS_MAX);
		tree->lanes[tree->levels++] = lanes;
		lanes = lanes_words(lanes);
		words += lanes;
	} while (lanes > 1);
	tree->bytes = align_up(words * sizeof(uint64_t), PAGE_SIZE);
	tree->memory = os->mmap_anon(tree->bytes);
	if (tree->memory == NULL)
		return -ENOMEM;

	_Atomic(uint64_t) *level_words = tree->memory;

	for (unsigned level = 0; level < tree->levels; level++) {
		tree->words[level] = level_words;
		level_words += lanes_words(tree->lanes[level]);
		level_end(tree, level);
	}
	return 0;
}

void room_fini(struct room_tree *tree)
{
	if (tree->memory != NULL)
		tree->os->munmap_anon(tree->memory, tree->bytes);
	tree->memory = NULL;
}

void room_touch(struct room_tree *tree, size_t chunk)
{
	if (room_is_touched(tree, chunk))
		return;
	for (unsigned level = tree->levels; level-- > 0;) {
		const size_t index = chunk >> (level * LANES_SHIFT);

		/* release [room-touched]: R3, the lanes above come first. */
		(void)or_release(word_of(tree, level, index),
				 lanes_touch_mask(lane_of(index)));
	}
}

unsigned room_get(const struct room_tree *tree, size_t chunk)
{
	return lanes_room(lanes_read(tree, 0, chunk), lane_of(chunk));
}

/* lane_raise - in this word alone; lock-free. */
static void lane_raise(struct room_tree *tree, unsigned level, size_t index,
		       unsigned room)
{
	_Atomic(uint64_t) *const word = word_of(tree, level, index);
	const unsigned lane = lane_of(index);
	/* seq_cst [room-lane]: G2, after the hole or the lane below. */
	struct lanes old = { load_seq_cst(word) };
	struct lanes new;

	do {
		if (lanes_room(old, lane) >= room)
			return;
		new = lanes_with_room(old, lane, room);
		/* seq_cst [room-lane]: G1 for the lane above. */
	} while (!cas_seq_cst(word, &old.bits, new.bits));
}

/* Raise a lane and all above it: none is too low when this returns. */
static void lanes_raise(struct room_tree *tree, unsigned level, size_t index,
			unsigned room)
{
	for (; level < tree->levels; level++) {
		lane_raise(tree, level, index, room);
		index >>= LANES_SHIFT;
	}
}

void room_raise(struct room_tree *tree, size_t chunk, unsigned room)
{
	lanes_raise(tree, 0, chunk, room);
}

static void lane_settle(struct room_tree *tree, unsigned level, size_t index,
			struct room_measure measure)
{
	const unsigned lane = lane_of(index);
	struct lanes old = lanes_read(tree, level, index);
	const unsigned room = measure.room(measure.context, index);

	if (room >= lanes_room(old, lane))
		return;

	const struct lanes new = lanes_with_room(old, lane, room);

	/* seq_cst [room-lane]: S1, before the second measure. */
	if (!cas_seq_cst(word_of(tree, level, index), &old.bits, new.bits))
		return;

	const unsigned again = measure.room(measure.context, index);

	if (again > room)
		lanes_raise(tree, level, index, again);
}

void room_settle(struct room_tree *tree, size_t chunk,
		 struct room_measure measure)
{
	lane_settle(tree, 0, chunk, measure);
}

/* room_level - the words of one level, measured for the lanes above them. */
struct room_level {
	const struct room_tree *tree;
	unsigned level;
};

static unsigned word_room(const void *context, size_t index)
{
	const struct room_level *const below = context;

	return lanes_best(
		lanes_read(below->tree, below->level, index << LANES_SHIFT));
}

/* No lane of the word that `index` begins has what the lane above promises. */
static void word_settle(struct room_tree *tree, unsigned level, size_t index)
{
	const struct room_level below = { tree, level };

	assert(lane_of(index) == 0);
	if (level + 1 < tree->levels)
		lane_settle(tree, level + 1, index >> LANES_SHIFT,
			    (struct room_measure){ word_room, &below });
}

/* lane_place - where a search is; level == tree->levels: at the end. */
struct lane_place {
	unsigned level;
	size_t index;
};

/* Go to the first wanted lane of this word; false: it has none from here on. */
static bool place_find(const struct room_tree *tree, struct lane_place *place,
		       struct lanes_wanted wanted)
{
	const unsigned from = lane_of(place->index);
	const unsigned lane = lanes_find(
		lanes_read(tree, place->level, place->index), from, wanted);

	if (lane == LANES)
		return false;
	place->index += lane - from;
	return true;
}

/* From a lane above the chunks to the first of the eight it stands for. */
static void place_down(struct lane_place *place)
{
	place->level--;
	place->index <<= LANES_SHIFT;
}

/* From the rest of this word to the lane behind the one above it. */
static void place_up(const struct room_tree *tree, struct lane_place *place)
{
	place->level++;
	place->index = (place->index >> LANES_SHIFT) + 1;
	if (place->level < tree->levels &&
	    place->index >= tree->lanes[place->level])
		place->level = tree->levels;
}

size_t room_find(struct room_tree *tree, size_t chunk, unsigned room)
{
	const struct lanes_wanted wanted = { .room = room };
	struct lane_place place = { 0, chunk };

	assert(room > 0 && chunk < room_chunks(tree));
	while (place.level < tree->levels) {
		if (!place_find(tree, &place, wanted)) {
			if (lane_of(place.index) == 0)
				word_settle(tree, place.level, place.index);
			place_up(tree, &place);
		} else if (place.level == 0) {
			return place.index;
		} else {
			place_down(&place);
		}
	}
	return room_chunks(tree);
}

size_t room_next_touched(const struct room_tree *tree, size_t chunk)
{
	const struct lanes_wanted wanted = { .touched = true };
	struct lane_place place = { 0, chunk };

	assert(chunk < room_chunks(tree));
	while (place.level < tree->levels) {
		if (!place_find(tree, &place, wanted))
			place_up(tree, &place);
		else if (place.level == 0)
			return place.index;
		else
			place_down(&place);
	}
	return room_chunks(tree);
}

/* What a lane says against the word below it. */
static void word_check(const struct room_tree *tree, unsigned level,
		       size_t index)
{
	const struct lanes above = lanes_read(tree, level + 1, index);
	const struct lanes lanes =
		lanes_read(tree, level, index << LANES_SHIFT);
	const struct lanes_wanted touched = { .touched = true };

	require_invariant(
		lanes_room(above, lane_of(index)) >= lanes_best(lanes), "R2");
	require_invariant(lanes_is_touched(above, lane_of(index)) ||
				  lanes_find(lanes, 0, touched) == LANES,
			  "R3");
}

void room_check(const struct room_tree *tree)
{
	for (unsigned level = 0; level + 1 < tree->levels; level++)
		for (size_t i = 0; i < tree->lanes[level + 1]; i++)
			word_check(tree, level, i);
}
