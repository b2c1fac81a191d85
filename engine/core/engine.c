/* SPDX-License-Identifier: MIT */
/*
 * engine.c - an engine is put together, and taken apart.
 *
 * The parts are made in the order of a table and unmade in reverse, so that a
 * part that cannot be made leaves nothing behind.
 */
#include "core/engine.h"

#include <errno.h>
#include <unistd.h>

#include "base/check.h"
#include "base/error.h"
#include "base/percpu.h"
#include "core/fork_guard.h"
#include "core/life.h"

/* part_* - each makes or unmakes one part of the engine. */
static int window_make(struct lfv *lfv)
{
	return window_init(&lfv->window, lfv->os, lfv->choices.window_bytes);
}

static void window_unmake(struct lfv *lfv)
{
	window_fini(&lfv->window);
}

static int begun_make(struct lfv *lfv)
{
	if (!engine_has_marks(lfv))
		return 0;
	lfv->begun_bytes = align_up(window_pages(&lfv->window), PAGE_SIZE);
	lfv->begun = lfv->os->mmap_anon(lfv->begun_bytes);
	if (lfv->begun == NULL)
		return error_set(-ENOMEM,
				 "no address space for %zu bytes of page "
				 "marks: raise RLIMIT_AS or shrink the window",
				 lfv->begun_bytes);
	return 0;
}

static void begun_unmake(struct lfv *lfv)
{
	if (lfv->begun != NULL)
		lfv->os->munmap_anon((void *)lfv->begun, lfv->begun_bytes);
}

static int frames_make(struct lfv *lfv)
{
	const struct frame_config config = {
		.os = lfv->os,
		.lock = lfv->choices.lock,
		.lock_yield = lfv->choices.lock_yield,
		.nr_frames =
			lfv->choices.frames->fixed
				? window_pages(&lfv->window)
				: bytes_to_pages(lfv->choices.memory_bytes),
		.cpus = lfv->cpus.cpus,
	};

	if (lfv->choices.address_plane)
		return 0;
	return frames_init(&lfv->frames, lfv->choices.frames, &config);
}

static void frames_unmake(struct lfv *lfv)
{
	if (!lfv->choices.address_plane)
		frames_fini(&lfv->frames);
}

static int map_make(struct lfv *lfv)
{
	if (lfv->choices.address_plane)
		return 0;
	return map_init(&lfv->map, &lfv->window, &lfv->frames,
			lfv->choices.flush);
}

static void map_unmake(struct lfv *lfv)
{
	if (!lfv->choices.address_plane)
		map_fini(&lfv->map);
}

static int purge_make(struct lfv *lfv)
{
	purge_init(&lfv->purge);
	return 0;
}

static void purge_unmake(struct lfv *lfv)
{
	purge_fini(&lfv->purge);
}

static int va_make(struct lfv *lfv)
{
	const struct choices *choices = &lfv->choices;
	const unsigned cpus = lfv->cpus.cpus;
	const unsigned nodes_max = 128;
	const unsigned nodes = cpus < nodes_max ? cpus : nodes_max;
	const bool unmaps =
		!choices->address_plane &&
		(choices->strict || choices->strategy->strict_reuse);
	const struct va_config config = {
		.os = lfv->os,
		.lock = choices->lock,
		.lock_yield = choices->lock_yield,
		.start = lfv->window.start,
		.end = lfv->window.end,
		.cpus = cpus,
		.nodes = choices->nodes != 0 ? choices->nodes : nodes,
		.cpu_map = &lfv->cpus,
		.cached = choices->cached,
		.percpu = choices->percpu,
		.magazine = choices->magazine,
		.reuse_at_once = choices->strict || choices->keep,
		.keeps = choices->keep,
		.address_plane = choices->address_plane,
		.hardened = choices->hardened,
		.held_bytes_max = choices->held_bytes_max,
		.hooks = { .context = lfv,
			   .map = life_map,
			   .unmap = unmaps ? life_unmap : NULL },
	};

	const int error = va_init(&lfv->va, choices->strategy, &config);

	/* What a free need not unmap, and may use again at once. */
	if (error == 0 && choices->cached && config.reuse_at_once && !unmaps)
		lfv->fast = lfv->va.state;
	if (lfv->fast != NULL && lfv->fast->is_plain)
		lfv->plain = lfv->fast;
	if (error == 0)
		lfv->index = va_index(&lfv->va);
	return error;
}

/* The mappings go with the window, the frames with the memfd. */
static void va_unmake(struct lfv *lfv)
{
	va_fini(&lfv->va);
}

static int guard_make(struct lfv *lfv)
{
	return fork_guard_add(lfv);
}

static int worker_make(struct lfv *lfv)
{
	return lfv->choices.has_worker ? worker_init(lfv) : 0;
}

static const struct part {
	int (*make)(struct lfv *lfv);
	void (*unmake)(struct lfv *lfv);
} parts[] = {
	{ window_make, window_unmake },    { begun_make, begun_unmake },
	{ frames_make, frames_unmake },    { map_make, map_unmake },
	{ purge_make, purge_unmake },      { va_make, va_unmake },
	{ guard_make, fork_guard_remove }, { worker_make, worker_fini },
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static void unmake(struct lfv *lfv, size_t made)
{
	while (made > 0)
		parts[--made].unmake(lfv);
}

static int make(struct lfv *lfv)
{
	for (size_t i = 0; i < PARTS; i++) {
		const int error = parts[i].make(lfv);

		if (error != 0) {
			unmake(lfv, i);
			return error;
		}
	}
	return 0;
}

static int machine_check(void)
{
	const long bytes = sysconf(_SC_PAGESIZE);

	if (bytes != (long)PAGE_SIZE)
		return error_set(-ENOSYS,
				 "pages of %ld bytes: this build is for 4096",
				 bytes);
	return 0;
}

static struct lfv *failed(int error)
{
	errno = -error;
	return NULL;
}

struct lfv *engine_create(const struct lfv_options *options,
			  const struct os *os)
{
	const struct lfv_options defaults = LFV_OPTIONS_INIT;
	struct choices choices;
	int error = machine_check();

	if (error == 0)
		error = choices_resolve(
			&choices, options != NULL ? options : &defaults, os);
	if (error != 0)
		return failed(error);

	struct lfv *lfv = os->mmap_anon(align_up(sizeof(*lfv), PAGE_SIZE));

	if (lfv == NULL)
		return failed(error_set(-ENOMEM,
					"no memory for the engine"
					" (RLIMIT_AS, vm.max_map_count)"));
	lfv->os = os;
	lfv->choices = choices;
	lfv->shootdowns_known = os->tlb_shootdowns(&lfv->shootdowns_before);

	const struct cpu_options cpus = { .cpus = choices.cpus };

	error = cpu_map_init(&lfv->cpus, &cpus, os);
	if (error != 0)
		(void)error_set(error, "cpus is %u: at most %d", choices.cpus,
				CPU_IDS_MAX);
	else
		error = make(lfv);
	if (error != 0) {
		os->munmap_anon(lfv, align_up(sizeof(*lfv), PAGE_SIZE));
		return failed(error);
	}
	return lfv;
}

int engine_enter(const struct lfv *lfv)
{
	if (lfv->is_orphan)
		return error_set(-EOWNERDEAD,
				 "this engine is the parent process's: create "
				 "one after fork()");
	return 0;
}

struct lfv *lfv_create(const struct lfv_options *options)
{
	return engine_create(options, &os_linux);
}

void lfv_destroy(struct lfv *lfv)
{
	/* A child has nothing to give back: it is cut off, and the parent's
	 * locks may be held for ever here. */
	if (lfv == NULL || lfv->is_orphan)
		return;
	unmake(lfv, PARTS);
	lfv->os->munmap_anon(lfv, align_up(sizeof(*lfv), PAGE_SIZE));
}

uintptr_t lfv_vmalloc_start(const struct lfv *lfv)
{
	return lfv->window.start;
}

uintptr_t lfv_vmalloc_end(const struct lfv *lfv)
{
	return lfv->window.end;
}

const char *lfv_last_error(void)
{
	return error_text();
}

const char *lfv_version(void)
{
	return LFV_VERSION;
}

void lfv_check(struct lfv *lfv)
{
	if (lfv->is_orphan)
		return;
	/* The caller is alone, but the worker may purge: not now. */
	require(pthread_mutex_lock(&lfv->purge.mutex) == 0);
	lfv->va.ops->check(&lfv->va);
	if (!lfv->choices.address_plane) {
		lfv->frames.ops->check(&lfv->frames);
		map_check(&lfv->map);
	}
	require(pthread_mutex_unlock(&lfv->purge.mutex) == 0);
}
