/* SPDX-License-Identifier: MIT */
#include "common/cell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backing/window.h"
#include "common/cell_axis.h"
#include "common/message.h"
#include "common/placement.h"
#include "common/quantity.h"
#include "common/workload_info.h"
#include "lfv/lfv.h"

enum { PAGE_BYTES = 4096 };

static const uint64_t duration_default_ns = (uint64_t)100 * 1000 * 1000;
static const uint64_t cell_limit_default_ns = (uint64_t)10 * 1000000000;
static const size_t window_default_bytes = (size_t)64 << 30;
static const uint64_t seed_default = 1;

void cell_default(struct cell *cell)
{
	*cell = (struct cell){
		.workload = "fix_size",
		.api = API_VM_AREA,
		.strategy = "lockfree",
		.lock = "qspin",
		.lock_yield = true,
		.flush = "remap",
		.worker = "none",
		.percpu = "auto",
		.touch = "none",
		.threads = 1,
		.pin = "compact",
		.duration_ns = duration_default_ns,
		.cell_limit_ns = cell_limit_default_ns,
		.seed = seed_default,
	};

	/* The variant belongs to the name; an engine without it has none. */
	(void)cell_axis_set(cell, "strategy", cell->strategy);
}

void cell_options(const struct cell *cell, struct lfv_options *options)
{
	*options = (struct lfv_options){
		.struct_bytes = sizeof(*options),
		.strategy = cell->strategy,
		.lock = cell->lock,
		.cache = cell->cache,
		.frames = cell->frames,
		.mapping = cell->mapping,
		.flush = cell->flush,
		.worker = cell->worker,
		.percpu = cell->percpu,
		.hardened = cell->hardened,
		.window_bytes = cell->window_bytes,
		.nodes = cell->nodes,
		.cpus = cell->cpus,
		.lock_never_yields = !cell->lock_yield,
		.address_plane = strcmp(cell->api, API_VM_AREA) == 0,
	};
}

static int sizes_check(const struct cell *cell,
		       const struct workload_info *info)
{
	if (info->one_size && cell->pages_min != cell->pages_max)
		return message_set(-EINVAL,
				   "--workload %s with --pages %zu-%zu: one "
				   "size is expected; random_size has a range",
				   info->name, cell->pages_min,
				   cell->pages_max);
	if (info->own_sizes && cell->pages_min &&
	    (cell->pages_min != info->pages_min ||
	     cell->pages_max != info->pages_max))
		return message_set(-EINVAL,
				   "--workload %s with --pages: its sizes go "
				   "with its alignments",
				   info->name);
	return 0;
}

static int workload_check(const struct cell *cell)
{
	const struct workload_info *info = workload_info_find(cell->workload);

	if (!info)
		return message_set(-EINVAL, "no workload is called '%s'",
				   cell->workload);
	if (!workload_has_api(info, cell->api))
		return message_set(-EINVAL,
				   "--workload %s has no --api %s: %s is "
				   "expected",
				   info->name, cell->api, info->apis);
	if (cell->threads < info->threads_min ||
	    (info->threads_step && cell->threads % info->threads_step))
		return message_set(-EINVAL,
				   "--workload %s with --threads %u: a "
				   "multiple of %u is expected",
				   info->name, cell->threads,
				   info->threads_step);
	return sizes_check(cell, info);
}

static bool lock_is_fair(const char *name)
{
	struct lfv_choice choice;

	for (size_t i = 0; lfv_choice_at(LFV_AXIS_LOCK, i, &choice); i++) {
		if (strcmp(choice.name, name) == 0)
			return choice.fair;
	}
	return false;
}

static int threads_check(const struct cell *cell)
{
	const unsigned cpus = placement_allowed_cpus();

	if (cell->threads <= cpus)
		return 0;
	if (!cell->oversubscribe)
		return message_set(-EINVAL,
				   "--threads %u is more than the %u CPUs that "
				   "may be used: that measures preemption, not "
				   "scaling; --oversubscribe allows it",
				   cell->threads, cpus);
	if (!cell->lock_yield && lock_is_fair(cell->lock))
		return message_set(-EINVAL,
				   "--lock %s with --lock-yield off and more "
				   "threads than CPUs: each preempted waiter "
				   "stops everybody for a time slice",
				   cell->lock);
	return 0;
}

static int engine_check(const struct cell *cell, struct lfv_options *resolved)
{
	struct lfv_options options;
	const struct workload_info *info = workload_info_find(cell->workload);

	cell_options(cell, &options);
	if (lfv_options_check(&options, resolved))
		return message_set(-EINVAL, "%s", lfv_last_error());
	if (info->floor || strcmp(cell->api, API_ALLOC_PAGES) != 0 ||
	    strcmp(cell->frames, "paired") != 0)
		return 0;
	return message_set(-EINVAL, "--api alloc_pages with --frames paired: "
				    "its frames belong to addresses");
}

static int pin_check(const struct cell *cell)
{
	const struct placement_request request = {
		.pin = cell->pin,
		.threads = cell->threads,
		.oversubscribe = cell->oversubscribe,
	};

	return placement_check_pin(&request);
}

int cell_check(const struct cell *cell)
{
	struct lfv_options resolved;
	int error = workload_check(cell);

	if (!error)
		error = threads_check(cell);
	if (!error)
		error = pin_check(cell);
	if (!error)
		error = engine_check(cell, &resolved);
	return error;
}

const char *cell_release(const struct cell *cell)
{
	return strcmp(cell->variant, cell->strategy) == 0 ? "-" : cell->variant;
}

/* What one live area of each thread comes to: less than 2^57. */
static size_t live_each_bytes(const struct cell *cell)
{
	const struct workload_info *info = workload_info_find(cell->workload);
	const size_t pages = info && info->live_pages
				     ? info->live_pages
				     : (cell->pages_min + cell->pages_max) / 2;

	return cell->threads * (pages + 1) * PAGE_BYTES;
}

size_t cell_live_bytes(const struct cell *cell)
{
	return cell->live * live_each_bytes(cell);
}

/*
 * A window in which the live areas take at most two thirds: there must be
 * holes, and the lazy ones need room.
 */
static size_t window_for(const struct cell *cell)
{
	const size_t needed = cell_live_bytes(cell) / 2 * 3;
	size_t window = window_default_bytes;

	while (window < needed)
		window *= 2;
	return window;
}

/* The largest window holds so many, by the rule of window_for(). */
static int live_check(const struct cell *cell)
{
	const size_t most = WINDOW_BYTES_MAX / 3 * 2 / live_each_bytes(cell);

	if (cell->live <= most)
		return 0;
	return message_set(-EINVAL,
			   "--live %zu with --threads %u: the largest window, "
			   "16T, has room for --live %zu at these sizes",
			   cell->live, cell->threads, most);
}

static int window_check(const struct cell *cell)
{
	char window[QUANTITY_BYTES];
	char align[QUANTITY_BYTES];

	quantity_write_bytes(cell->window_bytes, window);
	if (cell->pages_max >= cell->window_bytes / PAGE_BYTES)
		return message_set(-EINVAL,
				   "--pages %zu and a guard page are more than "
				   "the window, --va-size %s",
				   cell->pages_max, window);
	if (cell->align <= cell->window_bytes)
		return 0;
	quantity_write_bytes(cell->align, align);
	return message_set(-EINVAL,
			   "--align %s is more than the window, --va-size %s",
			   align, window);
}

int cell_resolve(struct cell *cell)
{
	struct lfv_options resolved;
	int error = workload_check(cell);

	if (!error)
		error = engine_check(cell, &resolved);
	if (error)
		return error;

	const struct workload_info *info = workload_info_find(cell->workload);

	if (!cell->pages_min) {
		cell->pages_min = info->pages_min;
		cell->pages_max = info->pages_max;
	}
	if (!cell->align)
		cell->align = info->align;
	if (!cell->live)
		cell->live = info->live;
	if (!cell->window_bytes)
		cell->window_bytes = info->window_bytes;
	if (!cell->window_bytes) {
		error = live_check(cell);
		if (error)
			return error;
		cell->window_bytes = window_for(cell);
	}
	error = window_check(cell);
	if (error)
		return error;
	(void)snprintf(cell->mapping, sizeof(cell->mapping), "%s",
		       resolved.mapping);
	(void)snprintf(cell->cache, sizeof(cell->cache), "%s", resolved.cache);
	(void)snprintf(cell->frames, sizeof(cell->frames), "%s",
		       resolved.frames);
	return 0;
}

/* A floor has no engine: a name with one would seem to measure it. */
static bool is_of_engine(const struct cell_axis *axis)
{
	return axis->kind == CELL_AXIS_CHOICE ||
	       word_in_list("lock-yield nodes cpus touch va-size hardened",
			    axis->name);
}

void cell_name(const struct cell *cell, char name[CELL_NAME_BYTES])
{
	const struct workload_info *info = workload_info_find(cell->workload);
	const bool is_floor = info && info->floor;
	const struct cell_axis *axis;
	size_t used = 0;

	name[0] = '\0';
	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		char text[CELL_AXIS_TEXT_BYTES];
		int letters;

		if (!axis->named || (is_floor && is_of_engine(axis)))
			continue;
		cell_axis_text(cell, axis, text);
		if (!text[0])
			continue;
		if (axis->kind == CELL_AXIS_WORKLOAD)
			letters = snprintf(name, CELL_NAME_BYTES, "%s", text);
		else
			letters = snprintf(name + used, CELL_NAME_BYTES - used,
					   "/%s:%s", axis->name, text);
		used += (size_t)letters;
		if (used >= CELL_NAME_BYTES)
			return;
	}
}

size_t cell_arguments(const struct cell *cell, char **arguments, size_t limit)
{
	const struct cell_axis *axis;
	size_t count = 0;

	for (size_t i = 0; (axis = cell_axis_at(i)) != NULL; i++) {
		char text[CELL_AXIS_TEXT_BYTES];

		cell_axis_text(cell, axis, text);
		if (!text[0] || count == limit)
			continue;
		if (asprintf(&arguments[count], "--%s=%s", axis->name, text) >
		    0)
			count++;
	}
	return count;
}

const char *cell_message(void)
{
	return message_text();
}
