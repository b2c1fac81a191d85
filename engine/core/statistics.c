/* SPDX-License-Identifier: MIT */
/*
 * statistics.c - every part's figures in one struct.
 *
 * Nothing is counted twice: each part counts what it does, and this adds up.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "core/engine.h"

static void add_va(struct lfv_stats *stats, struct lfv *lfv)
{
	struct va_stats va = { 0 };

	lfv->va.ops->stats(&lfv->va, &va);
	stats->live_areas = va.live_areas;
	stats->live_pages = va.live_pages;
	stats->lazy_pages = va.lazy_pages;
	stats->lazy_max_pages = va_lazy_max_pages(lfv->va.config.cpus);
	stats->pool_pages = va.pool_pages;
	stats->holes = va.holes;
	stats->hole_pages = va.hole_pages;
	stats->hole_pages_max = va.hole_pages_max;
	stats->span_pages = (va.highest_end - va.lowest_start) >> PAGE_SHIFT;
	stats->locks_entered = va.locks_entered;
	stats->locks_waited = va.locks_waited;
	stats->held_bytes = va.held_bytes;
	stats->held_bytes_most = va.held_bytes_most;
	stats->held_bytes_max = va.held_bytes_max;
}

static void add_purge(struct lfv_stats *stats, struct lfv *lfv)
{
	struct purge_counters *counters = &lfv->purge.counters;

	/* relaxed: figures, each true for itself. */
	stats->purges = load_relaxed(&counters->purges);
	stats->purged_areas = load_relaxed(&counters->areas);
	stats->purged_pages = load_relaxed(&counters->pages);
	stats->purged_runs = load_relaxed(&counters->runs);
	stats->purge_failures = load_relaxed(&counters->failures);
	stats->purge_ns_max = load_relaxed(&counters->ns_max);
}

static void add_memory(struct lfv_stats *stats, struct lfv *lfv)
{
	struct frame_stats frames = { 0 };
	struct map_stats map = { 0 };

	lfv->frames.ops->stats(&lfv->frames, &frames);
	map_stats(&lfv->map, &map);
	stats->frames = frames.frames;
	stats->frames_free = frames.frames_free;
	stats->mappings = map.mappings;
	stats->map_calls = map.map_calls;
	stats->unmap_calls = map.unmap_calls;
	stats->guard_calls = map.guard_calls;
	stats->mapped_pages = map.mapped_pages;
	stats->unmapped_pages = map.unmapped_pages;
}

static void add_shootdowns(struct lfv_stats *stats, struct lfv *lfv)
{
	uint64_t now;

	if (!lfv->shootdowns_known || !lfv->os->tlb_shootdowns(&now))
		return;
	stats->tlb_shootdowns = now - lfv->shootdowns_before;
	stats->tlb_shootdowns_known = true;
}

int lfv_get_stats(struct lfv *lfv, struct lfv_stats *stats)
{
	const size_t bytes = stats->struct_bytes;
	const int error = engine_enter(lfv);

	if (error != 0)
		return error;
	if (bytes != sizeof(*stats))
		return error_set(-EINVAL,
				 "stats of %zu bytes, this library's have %zu: "
				 "set struct_bytes, build with this header",
				 bytes, sizeof(*stats));
	*stats = (struct lfv_stats){ .struct_bytes = bytes };
	add_va(stats, lfv);
	add_purge(stats, lfv);
	if (!lfv->choices.address_plane)
		add_memory(stats, lfv);
	add_shootdowns(stats, lfv);
	return 0;
}
