/* SPDX-License-Identifier: MIT */
/*
 * test_replay_world.c - answers of an engine, good and invented, as a replay
 * judges them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/replay_audit.h"
#include "cmd/replay_world.h"

#define PAGE UINT64_C(4096)

enum { WINDOW_PAGES = 1000 };

/*
 * One area from before, at page 10; two allocations, the second aligned and
 * in a window of its own; the first one's free.
 */
static struct trace_step steps[] = {
	{ .first_page = 10,
	  .pages = 3,
	  .align = 1,
	  .kind = TRACE_STEP_PRELOAD },
	{ .pages = 3, .align = 1, .slot = 1, .kind = TRACE_STEP_ALLOC },
	{ .first_page = 104,
	  .pages = 3,
	  .align = 4 * PAGE,
	  .slot = 2,
	  .window = 1,
	  .kind = TRACE_STEP_ALLOC },
	{ .pages = 3, .align = 1, .slot = 1, .kind = TRACE_STEP_FREE },
};

static struct trace_program program = {
	.steps = steps,
	.step_count = sizeof(steps) / sizeof(steps[0]),
	.slots = 3,
	.windows = {
		{ .pages = WINDOW_PAGES },
		{ .first_page = 100, .pages = 50 },
	},
	.window_count = 2,
	.arenas = { { .pages = WINDOW_PAGES, .traced = true } },
	.arena_count = 1,
	.cpu_count = 1,
};

struct scene {
	struct cell cell;
	struct replay_load load;
	struct replay_world world;
	struct replay_tally tally;
	uint64_t moved;
};

static int scene_begin(void **state)
{
	static struct scene scene;
	char why[REPLAY_WHY_BYTES];

	memset(&scene, 0, sizeof(scene));
	cell_default(&scene.cell);
	strcpy(scene.cell.strategy, "rbtree");
	*state = &scene;
	if (replay_load_init(&scene.load, &program, &scene.cell) != 0 ||
	    replay_world_init(&scene.world, &scene.load, true, why) != 0)
		return -1;
	replay_world_preload(&scene.world, &scene.tally, &scene.moved);
	return 0;
}

static int scene_end(void **state)
{
	struct scene *scene = *state;

	replay_world_fini(&scene->world);
	replay_load_fini(&scene->load);
	return 0;
}

static uintptr_t page_at(const struct scene *scene, uint64_t page)
{
	return scene->world.start + page * PAGE;
}

/* As a lane does it. */
static uintptr_t allocate(struct scene *scene, size_t step)
{
	const uintptr_t address =
		replay_world_alloc(&scene->world, &steps[step]);

	assert_true(replay_world_judge(&scene->world, step, address,
				       &scene->tally));
	scene->world.addresses[steps[step].slot] = address;
	return address;
}

static void assert_fault(const struct scene *scene, enum replay_fault fault,
			 const char *words)
{
	assert_int_equal(scene->tally.faults[fault], 1);
	assert_non_null(strstr(scene->tally.why, words));
}

static void a_preload_is_where_it_was(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(scene->moved, 0);
	assert_int_equal(scene->world.addresses[0], page_at(scene, 10));
}

static void a_preload_that_finds_its_place_taken_is_moved(void **state)
{
	struct scene *scene = *state;

	replay_world_preload(&scene->world, &scene->tally, &scene->moved);
	assert_int_equal(scene->moved, 1);
	assert_int_not_equal(scene->world.addresses[0], page_at(scene, 10));
	assert_true(replay_tally_is_clean(&scene->tally));
}

static void right_answers_are_clean_to_the_end(void **state)
{
	struct scene *scene = *state;

	allocate(scene, 1);
	assert_int_equal(allocate(scene, 2), page_at(scene, 100));
	replay_audit_live(&scene->world, &scene->tally);
	assert_int_equal(replay_audit_clear(&scene->world, &scene->tally), 9);
	assert_true(replay_tally_is_clean(&scene->tally));
}

static void an_address_outside_the_engine_is_misplaced(void **state)
{
	struct scene *scene = *state;

	assert_false(replay_world_judge(
		&scene->world, 1, scene->world.end - 2 * PAGE, &scene->tally));
	assert_fault(scene, REPLAY_MISPLACED, "outside the engine's window");
}

static void an_address_outside_its_window_is_misplaced(void **state)
{
	struct scene *scene = *state;

	assert_true(replay_world_judge(&scene->world, 2, page_at(scene, 148),
				       &scene->tally));
	assert_fault(scene, REPLAY_MISPLACED, "step 2 (alloc of 3 pages");
}

static void an_unaligned_address_is_misplaced(void **state)
{
	struct scene *scene = *state;

	assert_true(replay_world_judge(&scene->world, 2, page_at(scene, 102),
				       &scene->tally));
	assert_fault(scene, REPLAY_MISPLACED, "alignment 0x4000");
}

static void a_page_of_anothers_is_an_overlap(void **state)
{
	struct scene *scene = *state;

	assert_true(replay_world_judge(&scene->world, 1, page_at(scene, 8),
				       &scene->tally));
	assert_fault(scene, REPLAY_OVERLAP, "overlap at page 0xa");
	assert_non_null(strstr(scene->tally.why, "what slot 0 still has"));
}

static void an_overlap_that_lasted_is_met_at_the_end(void **state)
{
	struct scene *scene = *state;
	const struct replay_run all = { 0, WINDOW_PAGES };

	/* Nothing was claimed on the way. */
	replay_claims_remove(&scene->world.claims, &all, 0);
	scene->world.addresses[1] = page_at(scene, 12);
	replay_audit_claim(&scene->world, &scene->tally);
	assert_fault(scene, REPLAY_OVERLAP, "overlap at page 0xc");
}

static void a_strange_address_is_met_at_the_end(void **state)
{
	struct scene *scene = *state;
	const struct replay_run all = { 0, WINDOW_PAGES };

	replay_claims_remove(&scene->world.claims, &all, 0);
	scene->world.addresses[1] = scene->world.end;
	replay_audit_claim(&scene->world, &scene->tally);
	assert_fault(scene, REPLAY_MISPLACED, "outside the engine's window");
}

static void an_area_that_the_engine_lost_is_unaccounted(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(replay_world_free(&scene->world, allocate(scene, 1)),
			 0);
	replay_audit_live(&scene->world, &scene->tally);
	assert_fault(scene, REPLAY_UNKNOWN, "2 slots live");
}

static void an_area_of_another_size_is_not_the_slots(void **state)
{
	struct scene *scene = *state;
	const uintptr_t address = allocate(scene, 1);
	struct lfv_request request = LFV_REQUEST_INIT;

	request.size = PAGE;
	request.vstart = address;
	request.vend = address + 2 * PAGE;
	assert_int_equal(replay_world_free(&scene->world, address), 0);
	assert_int_equal(lfv_purge(scene->world.lfv), 0);
	assert_ptr_equal(lfv_get_vm_area_range(scene->world.lfv, &request),
			 (void *)address);
	replay_audit_live(&scene->world, &scene->tally);
	assert_int_equal(scene->tally.faults[REPLAY_UNKNOWN], 2);
}

/* The engine has 20 pages at the place of the last slot. */
static uint64_t unknown_of(struct scene *scene, const char *cache,
			   uint64_t asked)
{
	struct replay_tally tally = { 0 };
	const uint64_t before = steps[2].pages;

	strcpy(scene->cell.cache, cache);
	steps[2].pages = asked;
	replay_audit_live(&scene->world, &tally);
	steps[2].pages = before;
	return tally.faults[REPLAY_UNKNOWN];
}

static void a_cache_in_front_may_give_a_quarter_more(void **state)
{
	struct scene *scene = *state;
	const uintptr_t address =
		(uintptr_t)lfv_get_vm_area(scene->world.lfv, 19 * PAGE, 0);

	scene->world.addresses[2] = address;
	assert_true(
		replay_world_claim(&scene->world, 2, address, &scene->tally));
	assert_int_equal(unknown_of(scene, "percpu", 16), 0);
	assert_int_equal(unknown_of(scene, "percpu", 15), 2);
	assert_int_equal(unknown_of(scene, "percpu", 21), 2);
	assert_int_equal(unknown_of(scene, "none", 20), 0);
	assert_int_equal(unknown_of(scene, "none", 16), 2);
}

static void an_area_that_no_slot_has_is_unaccounted(void **state)
{
	struct scene *scene = *state;

	assert_non_null(lfv_get_vm_area(scene->world.lfv, PAGE, 0));
	replay_audit_live(&scene->world, &scene->tally);
	assert_fault(scene, REPLAY_UNKNOWN, "which no slot has");
}

static void what_is_left_after_all_was_freed_is_unaccounted(void **state)
{
	struct scene *scene = *state;

	assert_non_null(lfv_get_vm_area(scene->world.lfv, PAGE, 0));
	(void)replay_audit_clear(&scene->world, &scene->tally);
	assert_fault(scene, REPLAY_UNKNOWN, "1 areas live");
}

static void a_free_that_fails_at_the_end_is_told(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(
		replay_world_free(&scene->world, scene->world.addresses[0]), 0);
	(void)replay_audit_clear(&scene->world, &scene->tally);
	assert_fault(scene, REPLAY_FAILED, "slot 0 freed at the end");
}

static void the_earliest_fault_is_the_one_that_is_told(void **state)
{
	(void)state;
	struct replay_tally tally = { 0 };
	struct replay_tally other = { 0 };

	replay_tally_add(&tally, REPLAY_FAILED, 7, "seven");
	replay_tally_add(&tally, REPLAY_FAILED, 8, "eight");
	replay_tally_add(&other, REPLAY_OVERLAP, 3, "three");
	replay_tally_merge(&tally, &other);
	assert_string_equal(tally.why, "three");
	assert_int_equal(tally.faults[REPLAY_FAILED], 2);
	assert_int_equal(tally.faults[REPLAY_OVERLAP], 1);
}

#define IN_SCENE(test) \
	cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCENE(a_preload_is_where_it_was),
		IN_SCENE(a_preload_that_finds_its_place_taken_is_moved),
		IN_SCENE(right_answers_are_clean_to_the_end),
		IN_SCENE(an_address_outside_the_engine_is_misplaced),
		IN_SCENE(an_address_outside_its_window_is_misplaced),
		IN_SCENE(an_unaligned_address_is_misplaced),
		IN_SCENE(a_page_of_anothers_is_an_overlap),
		IN_SCENE(an_overlap_that_lasted_is_met_at_the_end),
		IN_SCENE(a_strange_address_is_met_at_the_end),
		IN_SCENE(an_area_that_the_engine_lost_is_unaccounted),
		IN_SCENE(an_area_of_another_size_is_not_the_slots),
		IN_SCENE(a_cache_in_front_may_give_a_quarter_more),
		IN_SCENE(an_area_that_no_slot_has_is_unaccounted),
		IN_SCENE(what_is_left_after_all_was_freed_is_unaccounted),
		IN_SCENE(a_free_that_fails_at_the_end_is_told),
		cmocka_unit_test(the_earliest_fault_is_the_one_that_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
