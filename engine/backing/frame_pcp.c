/* SPDX-License-Identifier: MIT */
/*
 * frame_pcp.c - frames in the slots of base/percpu.h, and their states.
 */
#include "backing/frame_pcp.h"

#include <errno.h>

#include "base/check.h"
#include "base/page.h"

static size_t counts_bytes(const struct frame_pcp *pcp)
{
	return align_up(pcp->map.cpu_slots * sizeof(struct pcp_count),
			PAGE_SIZE);
}

int pcp_init(struct frame_pcp *pcp, const struct frames *frames)
{
	const struct os *const os = frames->config.os;
	const struct cpu_options options = { .cpus = frames->config.cpus };
	int error = cpu_map_init(&pcp->map, &options, os);

	if (error != 0)
		return error;
	error = percpu_init(&pcp->lists, &percpu_cas, &pcp->map, PCP_FRAMES,
			    os);
	if (error != 0)
		return error;
	pcp->pages = frames->pages;
	pcp->counts = os->mmap_anon(counts_bytes(pcp));
	if (pcp->counts == NULL) {
		percpu_fini(&pcp->lists);
		return -ENOMEM;
	}
	return 0;
}

void pcp_fini(struct frame_pcp *pcp)
{
	pcp->lists.os->munmap_anon(pcp->counts, counts_bytes(pcp));
	percpu_fini(&pcp->lists);
}

static void count_add(struct frame_pcp *pcp, unsigned slot, int64_t frames)
{
	/* relaxed: a figure for statistics, summed up by nobody else. */
	add_relaxed(&pcp->counts[slot].frames, frames);
}

/* mark_cached - false: the frame is not the caller's to give. */
static bool mark_cached(struct page *page)
{
	/* relaxed: the frame is the caller's, or a mistake. */
	struct frame_word old = { load_relaxed(&page->word) };
	struct frame_word new = old;

	/* relaxed: two gives of one frame meet here, and one must see it. */
	return taken_to_cached(&new) &&
	       cas_relaxed(&page->word, &old.bits, new.bits);
}

/* mark_taken - of a frame that no list holds; false: it was not marked. */
static bool mark_taken(struct page *page)
{
	/* relaxed: the caller's alone; [percpu-value] came before. */
	struct frame_word word = { load_relaxed(&page->word) };
	const bool was_cached = cached_to_taken(&word);

	/* relaxed: as above. */
	store_relaxed(&page->word, word.bits);
	return was_cached;
}

bool pcp_push(struct frame_pcp *pcp, uint32_t frame)
{
	struct page *const page = &pcp->pages[frame];
	const unsigned slot = cpu_slot(&pcp->map, cpu_current());
	const bool was_taken = mark_cached(page);

	require_invariant(was_taken, "P1");
	if (!percpu_push(&pcp->lists, frame)) {
		(void)mark_taken(page);
		return false;
	}
	count_add(pcp, slot, 1);
	return true;
}

/* frame_of - what was taken from a list is taken. */
static uint32_t frame_of(struct frame_pcp *pcp, uint64_t value)
{
	const bool was_cached = mark_taken(&pcp->pages[value]);

	require_invariant(was_cached, "L1");
	return (uint32_t)value;
}

bool pcp_take(struct frame_pcp *pcp, uint32_t *frame)
{
	const unsigned slot = cpu_slot(&pcp->map, cpu_current());
	uint64_t value;

	if (!percpu_take(&pcp->lists, &value))
		return false;
	count_add(pcp, slot, -1);
	*frame = frame_of(pcp, value);
	return true;
}

unsigned pcp_drain(struct frame_pcp *pcp, unsigned slot, uint32_t *frames)
{
	uint64_t values[PCP_FRAMES];
	const int taken = percpu_take_all(&pcp->lists, slot, values);
	/* A list that cannot be stopped keeps its frames for its own CPU. */
	const unsigned count = taken > 0 ? (unsigned)taken : 0;

	for (unsigned i = 0; i < count; i++)
		frames[i] = frame_of(pcp, values[i]);
	count_add(pcp, slot, -(int64_t)count);
	return count;
}

uint64_t pcp_frames_cached(const struct frame_pcp *pcp)
{
	int64_t frames = 0;

	for (unsigned slot = 0; slot < pcp_slots(pcp); slot++) {
		/* relaxed: L2. */
		frames += load_relaxed(&pcp->counts[slot].frames);
	}
	return frames > 0 ? (uint64_t)frames : 0;
}

void pcp_check(const struct frame_pcp *pcp, uint64_t nr_frames)
{
	uint64_t cached = 0;

	for (uint64_t frame = 0; frame < nr_frames; frame++) {
		/* relaxed: checks run alone. */
		const struct frame_word word = {
			load_relaxed(&pcp->pages[frame].word),
		};

		cached += frame_word_is(word, FRAME_CACHED, 0);
	}
	require_invariant(cached == pcp_frames_cached(pcp), "L2");
}
