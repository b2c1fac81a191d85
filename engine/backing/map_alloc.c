/* SPDX-License-Identifier: MIT */
/*
 * map_alloc.c - memory for an area: frames, a mapping, and the guard page.
 *
 * All frames are taken before the first system call, as their end is what is
 * met most.  The runs they come in form a chain through the page array, so that
 * no memory is needed for it:
 *
 *	job.runs --> pages[first].next --> pages[next].next --> FRAME_NONE
 *	             the count of each next run is in its `prev`
 */
#include <errno.h>

#include "backing/map_steps.h"
#include "base/check.h"

struct job {
	struct map *map;
	size_t page;
	size_t pages;
	struct frame_run runs; /* the first; see chain_next() */
	struct frame_run last;
	bool guarded;  /* the page behind must fault */
	size_t mapped; /* pages from `page` on that were changed so far */
};

/* chain_next - the run behind `run`; false when there is none. */
static bool chain_next(const struct job *job, struct frame_run *run)
{
	const struct page *const pages = job->map->frames->pages;

	if (pages == NULL || pages[run->first].next == FRAME_NONE)
		return false;

	const uint32_t next = pages[run->first].next;

	*run = (struct frame_run){ next, pages[next].prev };
	return true;
}

/* chain_store - the last run as it is now, with nothing behind it. */
static void chain_store(struct job *job)
{
	struct page *const pages = job->map->frames->pages;

	if (job->runs.first == job->last.first)
		job->runs = job->last;
	if (pages == NULL)
		return;
	pages[job->last.first].next = FRAME_NONE;
	pages[job->last.first].prev = job->last.count;
}

static void chain_add(struct job *job, struct frame_run run)
{
	if (job->last.count == 0) {
		job->runs = run;
		job->last = run;
	} else if (job->last.first + job->last.count == run.first) {
		job->last.count += run.count;
	} else {
		job->map->frames->pages[job->last.first].next = run.first;
		job->last = run;
	}
	chain_store(job);
}

/* chain_give - give back every run of the chain whose pages begin at `skip`. */
static void chain_give(const struct job *job, size_t skip)
{
	struct frames *const frames = job->map->frames;
	struct frame_run run = job->runs;
	size_t done = 0;
	bool more = job->last.count > 0;

	while (more) {
		struct frame_run next = run;

		/* First look on: the frames are not ours after the give. */
		more = chain_next(job, &next);
		if (done >= skip)
			frames->ops->give(frames, run);
		done += run.count;
		run = next;
	}
}

/* frames_take - frames for all pages, preferably those at their own offset. */
static int frames_take(struct job *job)
{
	struct frames *const frames = job->map->frames;
	uint32_t wanted = map_own_frame(job->map, job->page);

	for (size_t done = 0; done < job->pages;) {
		struct frame_run run;
		const int error = frames->ops->take(
			frames, wanted, (uint32_t)(job->pages - done), &run);

		if (error != 0) {
			chain_give(job, 0);
			return error;
		}
		chain_add(job, run);
		done += run.count;
		wanted = (uint32_t)(((uint64_t)run.first + run.count) %
				    frames->config.nr_frames);
	}
	return 0;
}

/* is_hidden - the page's own frame is mapped there, behind a marker. */
static bool is_hidden(const struct map *map, size_t page)
{
	return table_get(&map->table, page).kind == PTE_GUARDED;
}

/* can_open - the frames are mapped already, in their places. */
static bool can_open(const struct job *job)
{
	if (job->runs.count != job->pages ||
	    job->runs.first != map_own_frame(job->map, job->page))
		return false;
	for (size_t i = 0; i < job->pages; i++)
		if (!is_hidden(job->map, job->page + i))
			return false;
	return true;
}

/* open_pages - take the markers away; the guard page has its own already. */
static int open_pages(struct job *job)
{
	struct map *const map = job->map;

	job->mapped = job->pages;
	map_count(map, MAP_GUARD_CALLS, 1);
	const int error = map->os->guard_remove(map_address(map, job->page),
						pages_to_bytes(job->pages));

	return error != 0 ? map_refused(map, error, "MADV_GUARD_REMOVE") : 0;
}

/*
 * has_marker - the guard page is to be mapped along with the last run, and
 * marked: it then keeps neighbours in one mapping.
 */
static bool has_marker(const struct job *job)
{
	const struct map *const map = job->map;
	const size_t guard = job->page + job->pages;
	const uint64_t frame = (uint64_t)job->last.first + job->last.count;

	return job->guarded && map->has_guards &&
	       frame < map->frames->config.nr_frames &&
	       frame == map_own_frame(map, guard) && !is_hidden(map, guard);
}

static int map_guard_page(struct job *job)
{
	const int error = map_place_guard(job->map, job->page + job->pages, 1);

	return error != 0 ? map_refused(job->map, error, "MADV_GUARD_INSTALL")
			  : 0;
}

/* map_chain - one call a run; the guard page goes with the last. */
static int map_chain(struct job *job)
{
	struct frame_run run = job->runs;
	const bool marker = has_marker(job);
	bool more = true;

	while (more) {
		struct frame_run whole = run;
		const bool is_last = run.first == job->last.first;

		if (is_last && marker)
			whole.count++;

		const int error = map_run_frames(
			job->map, job->page + job->mapped, whole);

		if (error != 0)
			return map_refused(job->map, error, "mmap");
		job->mapped += whole.count;
		more = chain_next(job, &run);
	}
	return marker ? map_guard_page(job) : 0;
}

/* entries_write - the frames of the first `pages` pages, and the guard's. */
static void entries_write(struct job *job, size_t pages, enum pte_kind guard)
{
	struct page_table *const table = &job->map->table;
	struct frame_run run = job->runs;
	size_t done = 0;

	while (done < pages) {
		table_set(table, job->page + done, run.count,
			  (struct pte){ PTE_OWNED, run.first });
		done += run.count;
		if (!chain_next(job, &run))
			break;
	}
	if (job->mapped > job->pages)
		table_set(table, job->page + job->pages, 1,
			  (struct pte){ guard,
					job->last.first + job->last.count });
}

/*
 * roll_back - undo what was mapped, and give the frames back.
 *
 * If that fails too, the pages that were mapped keep their frames, as an area
 * does; a guard page that has no marker yet is somebody else's frame, and like
 * a foreign file.  map_settle() or map_unmap() will find them.
 */
static void roll_back(struct job *job)
{
	if (job->mapped == 0 ||
	    map_clear(job->map, job->page, job->mapped) == 0) {
		chain_give(job, 0);
		return;
	}

	const size_t kept = job->mapped < job->pages ? job->mapped : job->pages;

	entries_write(job, kept, PTE_FILE_FIRST);
	chain_give(job, kept);
}

int map_alloc(struct map *map, uintptr_t start, size_t pages, bool guarded)
{
	struct job job = {
		.map = map,
		.page = window_page(map->window, start),
		.pages = pages,
		.guarded = guarded,
	};

	assert(pages > 0);
	assert(is_page_aligned(start));
	assert(job.page + pages + guarded <= window_pages(map->window));

	int error = map_settle(map, job.page, pages + guarded);

	if (error == 0)
		error = frames_take(&job);
	if (error != 0)
		return error;
	error = can_open(&job) ? open_pages(&job) : map_chain(&job);
	if (error != 0) {
		roll_back(&job);
		return error;
	}
	entries_write(&job, pages, PTE_GUARDED);
	map_count(map, MAP_MAPPED_PAGES, pages);
	return 0;
}
