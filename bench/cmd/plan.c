/* SPDX-License-Identifier: MIT */
#include "cmd/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "cmd/latin.h"
#include "cmd/say.h"
#include "common/cell_axis.h"
#include "common/placement.h"
#include "common/workload_info.h"
#include "lfv/lfv.h"

static const char FLOOR[] = "floor";

/* Beside its window a sample has a warm-up of half of it, ... */
static const uint64_t WARM_UP_PART = 2;
/* ... and its process begins, sets up and ends: a first guess. */
static const uint64_t SAMPLE_OVERHEAD_NS = 90 * 1000 * 1000;

/* 2^53: the whole numbers that a reader of JSON with doubles keeps exactly. */
static const uint64_t SEED_LIMIT = UINT64_C(1) << 53;

bool plan_is_floor(const struct cell *cell)
{
	const struct workload_info *info = workload_info_find(cell->workload);

	return info && info->floor;
}

unsigned plan_usable_cpus(const struct cell *cell)
{
	const unsigned allowed = placement_allowed_cpus();
	struct id_set pinned;

	if (id_set_parse(cell->pin, CPU_IDS_MAX, &pinned) != 0)
		return allowed;

	const unsigned count = id_set_count(&pinned);

	return count > 0 && count < allowed ? count : allowed;
}

/* Two cells are the same when lfv-gbench would be told the same. */
static bool cells_equal(const struct cell *a, const struct cell *b)
{
	return strcmp(a->workload, b->workload) == 0 &&
	       strcmp(a->api, b->api) == 0 &&
	       strcmp(a->strategy, b->strategy) == 0 &&
	       strcmp(a->variant, b->variant) == 0 &&
	       strcmp(a->lock, b->lock) == 0 &&
	       a->lock_yield == b->lock_yield &&
	       strcmp(a->cache, b->cache) == 0 &&
	       strcmp(a->frames, b->frames) == 0 &&
	       strcmp(a->mapping, b->mapping) == 0 &&
	       strcmp(a->flush, b->flush) == 0 &&
	       strcmp(a->worker, b->worker) == 0 &&
	       strcmp(a->percpu, b->percpu) == 0 &&
	       a->hardened == b->hardened && a->nodes == b->nodes &&
	       a->cpus == b->cpus && a->pages_min == b->pages_min &&
	       a->pages_max == b->pages_max && a->align == b->align &&
	       a->live == b->live && strcmp(a->touch, b->touch) == 0 &&
	       a->threads == b->threads && strcmp(a->pin, b->pin) == 0 &&
	       a->window_bytes == b->window_bytes && a->loops == b->loops;
}

bool plan_compares_apis(const struct cell *cell)
{
	const struct workload_info *info = workload_info_find(cell->workload);

	return info && workload_has_api(info, API_ALLOC_PAGES);
}

/* P2: the cells that stand in one table. */
static bool cells_compared(const struct cell *a, const struct cell *b)
{
	return strcmp(a->workload, b->workload) == 0 &&
	       (strcmp(a->api, b->api) == 0 || plan_compares_apis(a)) &&
	       a->threads == b->threads && strcmp(a->pin, b->pin) == 0;
}

static void cell_add(struct plan *plan, const struct cell *cell)
{
	for (size_t i = 0; i < plan->cell_count; i++) {
		if (cells_equal(&plan->cells[i], cell))
			return;
	}

	size_t group = plan->group_count;

	for (size_t i = 0; i < plan->cell_count; i++) {
		if (cells_compared(&plan->cells[i], cell)) {
			group = plan->group_of[i];
			break;
		}
	}
	if (group == plan->group_count)
		plan->group_count++;
	plan->group_of[plan->cell_count] = group;
	plan->cells[plan->cell_count++] = *cell;
}

static bool is_lockless(const struct cell *cell)
{
	struct lfv_choice choice;

	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		if (strcmp(choice.name, cell->strategy) == 0)
			return choice.lockless;
	}
	return false;
}

/* With frames, theirs is one as well. */
static bool has_locks(const struct cell *cell)
{
	return !is_lockless(cell) || strcmp(cell->api, API_VM_AREA) != 0;
}

static bool has_state_words(const struct cell *cell)
{
	return is_lockless(cell) || strcmp(cell->cache, "none") != 0;
}

bool plan_acts(const struct cell *cell, const char *axis)
{
	if (word_in_list("frames flush touch", axis) &&
	    strcmp(cell->api, API_VM_AREA) == 0)
		return false;
	if (strcmp(axis, "nodes") == 0 && strcmp(cell->strategy, "nodes") != 0)
		return false;
	if (word_in_list("lock lock-yield", axis) && !has_locks(cell))
		return false;
	if (strcmp(axis, "percpu") == 0 && strcmp(cell->cache, "none") == 0)
		return false;
	if (strcmp(axis, "hardened") == 0 && !has_state_words(cell))
		return false;
	return !plan_is_floor(cell) ||
	       word_in_list("workload api pages align live threads pin", axis);
}

/* Factors that do not act in this cell are put at their defaults. */
static void cell_settle(struct cell *cell)
{
	static const char *const settled[] = {
		"nodes", "frames", "flush",    "touch",
		"lock",  "percpu", "hardened", "lock-yield",
	};
	struct cell usual;

	cell_default(&usual);
	for (size_t i = 0; i < sizeof(settled) / sizeof(settled[0]); i++) {
		const struct cell_axis *axis = cell_axis_find(settled[i]);
		char text[CELL_AXIS_TEXT_BYTES];

		if (plan_acts(cell, axis->name))
			continue;
		/* The strategy's own, and a count of nothing, have no text. */
		cell_axis_text(&usual, axis, text);
		if (text[0])
			(void)cell_axis_set(cell, axis->name, text);
		else if (axis->kind == CELL_AXIS_CHOICE)
			*((char *)cell + axis->offset) = '\0';
		else
			(void)cell_axis_set(cell, axis->name, "0");
	}
}

static int threads_check(const struct cell *cell)
{
	const unsigned cpus = plan_usable_cpus(cell);

	if (cell->oversubscribe || cell->threads <= cpus)
		return 0;
	say("run: --threads %u is more than the %u CPU%s that may be used: "
	    "that measures preemption, not scaling; --oversubscribe allows it",
	    cell->threads, cpus, cpus == 1 ? "" : "s");
	return -EINVAL;
}

/* The harness's own cost in this workload, or in the plainest one. */
static void floor_name(const struct cell *of, cell_word name)
{
	const int bytes =
		snprintf(name, CELL_WORD_BYTES, "%s_%s", FLOOR, of->workload);

	if (bytes >= CELL_WORD_BYTES || !workload_info_find(name))
		snprintf(name, CELL_WORD_BYTES, "%s", FLOOR);
}

static int floor_add(struct plan *plan, const struct cell *of)
{
	struct cell cell;
	cell_word name;

	if (plan_is_floor(of))
		return 0;
	floor_name(of, name);
	cell_default(&cell);
	cell.threads = of->threads;
	memcpy(cell.pin, of->pin, sizeof(cell.pin));
	cell.duration_ns = of->duration_ns;
	cell.cell_limit_ns = of->cell_limit_ns;
	cell.loops = of->loops;
	cell.oversubscribe = of->oversubscribe;
	if (cell_axis_set(&cell, "workload", name) != 0 ||
	    cell_resolve(&cell) != 0) {
		say("run: %s", cell_message());
		return -EINVAL;
	}
	cell_add(plan, &cell);
	return 0;
}

size_t plan_floor_of(const struct plan *plan, size_t index)
{
	const struct cell *of = &plan->cells[index];
	cell_word name;

	floor_name(of, name);
	for (size_t i = 0; i < plan->cell_count; i++) {
		const struct cell *cell = &plan->cells[i];

		if (strcmp(cell->workload, name) == 0 &&
		    cell->threads == of->threads &&
		    strcmp(cell->pin, of->pin) == 0)
			return i;
	}
	return plan->cell_count;
}

static int cells_take(struct plan *plan, const struct cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cell cell = cells[i];
		const int err = threads_check(&cell);

		if (err)
			return err;
		cell_settle(&cell);
		cell_add(plan, &cell);
	}
	for (size_t i = 0; i < count; i++) {
		const int err = floor_add(plan, &cells[i]);

		if (err)
			return err;
	}
	return 0;
}

int plan_init(struct plan *plan, const struct cell *cells, size_t count)
{
	if (count > PLAN_CELLS_MAX) {
		say("run: %zu cells are more than %d; vary fewer things", count,
		    PLAN_CELLS_MAX);
		return -EINVAL;
	}

	struct plan made = {
		.cells = calloc(2 * count, sizeof(*made.cells)),
		.group_of = calloc(2 * count, sizeof(*made.group_of)),
		.rounds = 1,
	};
	int err = made.cells && made.group_of ? 0 : -ENOMEM;

	if (!err)
		err = cells_take(&made, cells, count);
	if (err) {
		plan_fini(&made);
		return err;
	}
	*plan = made;
	return 0;
}

void plan_fini(struct plan *plan)
{
	free(plan->cells);
	free(plan->group_of);
	*plan = (struct plan){ 0 };
}

/* The cells of one group in this round's order; says how many. */
static size_t group_order(const struct plan *plan, size_t group, unsigned round,
			  size_t *order)
{
	size_t members[PLAN_CELLS_MAX * 2];
	size_t count = 0;

	for (size_t i = 0; i < plan->cell_count; i++) {
		if (plan->group_of[i] == group)
			members[count++] = i;
	}
	latin_row(count, round, latin_mix(plan->seed, group + 1), order);
	for (size_t place = 0; place < count; place++)
		order[place] = members[order[place]];
	return count;
}

void plan_order(const struct plan *plan, unsigned round, size_t *order)
{
	size_t groups[PLAN_CELLS_MAX * 2];
	size_t done = 0;

	latin_row(plan->group_count, round, latin_mix(plan->seed, 0), groups);
	for (size_t i = 0; i < plan->group_count; i++)
		done += group_order(plan, groups[i], round, order + done);
}

uint64_t plan_seed(const struct plan *plan, unsigned round)
{
	return latin_mix(~plan->seed, round) % SEED_LIMIT;
}

uint64_t plan_ns(const struct plan *plan)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < plan->cell_count; i++)
		ns += plan->cells[i].duration_ns +
		      plan->cells[i].duration_ns / WARM_UP_PART +
		      SAMPLE_OVERHEAD_NS;
	return ns * plan->rounds;
}
