/* SPDX-License-Identifier: MIT */
#include "cmd/replay_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/workload_info.h"

static size_t preloads_of(const struct trace_program *program)
{
	size_t count = 0;

	while (count < program->step_count &&
	       program->steps[count].kind == TRACE_STEP_PRELOAD)
		count++;
	return count;
}

/* L1, L2 */
static void order_fill(struct replay_load *load)
{
	const struct trace_program *program = load->program;
	size_t at = 0;

	for (unsigned lane = 0; lane < load->lanes; lane++) {
		for (size_t i = load->first_step; i < program->step_count;
		     i++) {
			if (load->lanes == 1 || program->steps[i].cpu == lane)
				load->order[at++] = (uint32_t)i;
		}
		load->lane_ends[lane] = at;
	}
}

/* L3 */
static void begins_fill(struct replay_load *load)
{
	const struct trace_program *program = load->program;

	for (size_t i = 0; i < program->step_count; i++) {
		if (program->steps[i].kind != TRACE_STEP_FREE)
			load->begin_steps[program->steps[i].slot] = (uint32_t)i;
	}
}

int replay_load_init(struct replay_load *load,
		     const struct trace_program *program,
		     const struct cell *cell)
{
	struct replay_load made = {
		.program = program,
		.cell = cell,
		.is_mapped = strcmp(cell->api, API_VMALLOC) == 0,
		.first_step = preloads_of(program),
		.lanes = cell->threads,
	};

	if (program->step_count > UINT32_MAX)
		return -E2BIG;

	const int err =
		replay_place_make(program, cell->window_bytes, &made.place);

	if (err)
		return err;
	made.begin_steps =
		calloc(program->slots + (size_t)1, sizeof(*made.begin_steps));
	made.order = calloc(program->step_count + 1, sizeof(*made.order));
	made.lane_ends = calloc(made.lanes, sizeof(*made.lane_ends));
	if (!made.begin_steps || !made.order || !made.lane_ends) {
		replay_load_fini(&made);
		return -ENOMEM;
	}
	order_fill(&made);
	begins_fill(&made);
	*load = made;
	return 0;
}

void replay_load_fini(struct replay_load *load)
{
	free(load->begin_steps);
	free(load->order);
	free(load->lane_ends);
	*load = (struct replay_load){ 0 };
}

uint64_t replay_load_live_pages_max(const struct trace_program *program)
{
	uint64_t live = 0;
	uint64_t most = 0;
	bool *is_traced = calloc(program->slots + (size_t)1, 1);

	for (size_t i = 0; is_traced && i < program->step_count; i++) {
		const struct trace_step *step = &program->steps[i];

		if (step->kind == TRACE_STEP_ALLOC) {
			is_traced[step->slot] = true;
			live += step->pages;
		} else if (is_traced[step->slot]) {
			live -= step->pages;
		}
		if (live > most)
			most = live;
	}
	free(is_traced);
	return most;
}
