/* SPDX-License-Identifier: MIT */
#include "cmd/replay_audit.h"

#include <inttypes.h>
#include <string.h>

#include "base/atomic.h"

struct audit {
	struct replay_world *world;
	struct replay_tally *tally;
	uint64_t met;
};

/* After all steps: what is found here is in no step's order. */
static size_t after_all(const struct replay_world *world)
{
	return world->load->program->step_count;
}

static const struct trace_step *begin_of(const struct replay_world *world,
					 uint32_t slot)
{
	const struct replay_load *load = world->load;

	return &load->program->steps[load->begin_steps[slot]];
}

static uintptr_t address_of(const struct replay_world *world, uint32_t slot)
{
	/* relaxed: whoever wrote it has ended. */
	return load_relaxed(&world->addresses[slot]);
}

void replay_audit_claim(struct replay_world *world, struct replay_tally *tally)
{
	const struct replay_load *load = world->load;

	for (uint32_t slot = 0; slot < load->program->slots; slot++) {
		const uintptr_t address = address_of(world, slot);

		if (!replay_is_live(address))
			continue;

		const size_t step = load->begin_steps[slot];

		/* A preload may have been moved out of its window. */
		if (step < load->first_step)
			(void)replay_world_claim(world, step, address, tally);
		else
			(void)replay_world_judge(world, step, address, tally);
	}
}

/*
 * A cache in front gives out areas of its classes: a quarter more than was
 * asked for at most (va/size_class.h).
 */
static bool is_size_of(const struct replay_world *world, uint64_t asked,
		       uint64_t pages)
{
	const bool is_cached = strcmp(world->load->cell->cache, "percpu") == 0;

	return is_cached ? pages >= asked && pages <= asked + asked / 4
			 : pages == asked;
}

static int area_meet(void *context, const struct lfv_vm_info *info)
{
	struct audit *audit = context;
	struct replay_world *world = audit->world;
	const uint64_t page =
		(info->va_start - world->start) / TRACE_PAGE_BYTES;
	const uint64_t pages =
		(info->va_end - info->va_start) / TRACE_PAGE_BYTES;
	uint32_t slot = 0;

	if (replay_claims_find(&world->claims, page, &slot) &&
	    address_of(world, slot) == info->va_start &&
	    is_size_of(world, begin_of(world, slot)->pages, pages)) {
		audit->met++;
		return 0;
	}
	replay_tally_add(audit->tally, REPLAY_UNKNOWN, after_all(world),
			 "unaccounted: at the end the engine holds 0x%zx-0x%zx,"
			 " which no slot has",
			 info->va_start, info->va_end);
	return 0;
}

void replay_audit_live(struct replay_world *world, struct replay_tally *tally)
{
	struct audit audit = { world, tally, 0 };
	uint64_t live = 0;

	for (uint32_t slot = 0; slot < world->load->program->slots; slot++)
		live += replay_is_live(address_of(world, slot));
	(void)lfv_for_each_vm_area(world->lfv, area_meet, &audit);
	if (audit.met != live)
		replay_tally_add(
			tally, REPLAY_UNKNOWN, after_all(world),
			"unaccounted: at the end %" PRIu64
			" slots live, a walk of the engine met %" PRIu64,
			live, audit.met);
	/* It would abort over what has been told already. */
	if (replay_tally_is_clean(tally))
		lfv_check(world->lfv);
}

static void slot_clear(struct replay_world *world, uint32_t slot,
		       struct replay_tally *tally)
{
	const uintptr_t address = address_of(world, slot);

	if (!replay_is_live(address))
		return;

	const struct replay_run run =
		replay_world_run(world, begin_of(world, slot), address);

	replay_claims_remove(&world->claims, &run, slot);
	/* relaxed: alone. */
	store_relaxed(&world->addresses[slot], REPLAY_FREED_SLOT);
	if (replay_world_free(world, address) != 0)
		replay_tally_add(tally, REPLAY_FAILED, after_all(world),
				 "failed: slot %" PRIu32
				 " freed at the end: %.200s",
				 slot, lfv_last_error());
}

static bool is_as_made(const struct lfv_stats *stats,
		       const struct lfv_stats *empty)
{
	return stats->live_areas == 0 && stats->live_pages == 0 &&
	       stats->lazy_pages == 0 &&
	       stats->hole_pages + stats->pool_pages == empty->hole_pages &&
	       stats->frames_free == empty->frames_free;
}

uint64_t replay_audit_clear(struct replay_world *world,
			    struct replay_tally *tally)
{
	const struct lfv_stats *empty = &world->empty;
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };
	uint64_t retained_pages = 0;

	for (uint32_t slot = 0; slot < world->load->program->slots; slot++)
		slot_clear(world, slot, tally);
	if (lfv_get_stats(world->lfv, &stats) == 0)
		retained_pages = stats.lazy_pages + stats.pool_pages;
	if (lfv_purge(world->lfv) != 0 ||
	    lfv_get_stats(world->lfv, &stats) != 0) {
		replay_tally_add(tally, REPLAY_FAILED, after_all(world),
				 "failed: the last purge: %.200s",
				 lfv_last_error());
		return retained_pages;
	}
	if (!is_as_made(&stats, empty))
		replay_tally_add(
			tally, REPLAY_UNKNOWN, after_all(world),
			"unaccounted: after all was freed and purged, %" PRIu64
			" areas live, %" PRIu64 " pages are lazy, %" PRIu64
			" of %" PRIu64 " pages are holes, %" PRIu64
			" of %" PRIu64 " frames are free",
			stats.live_areas, stats.lazy_pages,
			stats.hole_pages + stats.pool_pages, empty->hole_pages,
			stats.frames_free, empty->frames_free);
	else if (replay_tally_is_clean(tally))
		lfv_check(world->lfv);
	return retained_pages;
}
