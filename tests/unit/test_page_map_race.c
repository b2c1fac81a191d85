/* SPDX-License-Identifier: MIT */
/*
 * test_page_map_race.c - somebody else comes between two steps of one.
 *
 * The page map is compiled here once more, to be interrupted at its loads.
 */
#include "interrupted.h"

#include "../../engine/va/page_map.c"
#include "va_world.h"

enum { PAGES = 2048, AREA = 8 };

static struct page_map map;
static void map_begin(void)
{
	const struct va_range window = {
		.start = WORLD_START,
		.end = WORLD_START + PAGES * PAGE_SIZE,
	};

	loads_left = 0;
	assert_int_equal(page_map_init(&map, &os_linux, &window, true), 0);
}

static void live(uint64_t pages, uint32_t number)
{
	const struct vm_struct vm = { .flags = number,
				      .nr_pages = number,
				      .caller = (void *)(uintptr_t)number,
				      .phys = number,
				      .size = number };

	page_map_begin(&map, AREA, pages);
	assert_true(page_map_publish(&map, AREA, pages, &vm));
}

static bool others_answer;

static void other_retracts(void)
{
	struct page_head before;

	others_answer = page_map_retract_once(&map, AREA, &before);
}

static void other_retracts_and_publishes(void)
{
	const struct vm_struct vm = { .flags = 2 };
	struct page_head before;

	others_answer = page_map_retract_once(&map, AREA, &before) &&
			page_map_publish(&map, AREA, 4, &vm);
}

static void other_ends(void)
{
	struct page_head before;

	others_answer = page_map_end(&map, AREA, &before);
}

static void other_makes_lazy(void)
{
	struct page_head before;

	others_answer = page_map_to_lazy(&map, AREA, &before);
}

static void other_publishes(void)
{
	const struct vm_struct vm = { .flags = 2 };

	others_answer = page_map_publish(&map, AREA, 4, &vm);
}

typedef bool way(struct page_map *map, uint64_t first,
		 struct page_head *before);

/* is_refused - the state word is changed by the other, in our midst. */
static void is_refused(way *ours, bool is_live, void (*others)(void))
{
	struct page_head before;
	struct page_head after;

	map_begin();
	live(4, 1);
	if (!is_live)
		assert_true(page_map_retract(&map, AREA, &before));
	other = others;
	others_answer = false;
	loads_left = 1;
	assert_false(ours(&map, AREA, &before));
	assert_true(others_answer);
	after = page_map_head(&map, AREA);
	/* And he finds it as he left it. */
	assert_int_equal(before.bits, after.bits);
	page_map_fini(&map);
}

static void of_two_changes_that_race_the_second_is_refused(void **state)
{
	(void)state;
	is_refused(page_map_retract_once, true, other_retracts);
	is_refused(page_map_end, false, other_ends);
	is_refused(page_map_end, false, other_makes_lazy);
	is_refused(page_map_end, false, other_publishes);
	is_refused(page_map_to_lazy, false, other_makes_lazy);
	is_refused(page_map_to_lazy, false, other_ends);
	is_refused(page_map_to_lazy, false, other_publishes);
}

/* The same length, live again: only the generation tells. */
static void a_free_that_was_stopped_does_not_end_the_next_area(void **state)
{
	(void)state;
	is_refused(page_map_retract_once, true, other_retracts_and_publishes);
}

static void other_begins_a_shorter_one(void)
{
	struct page_head before;

	assert_true(page_map_retract(&map, AREA, &before));
	assert_true(page_map_end(&map, AREA, &before));
	live(2, 2);
}

static void other_frees(void)
{
	struct page_head before;

	assert_true(page_map_retract(&map, AREA, &before));
}

/* copied - the copy is of area 1 or of area 2, with nothing of the other. */
static bool copied(const struct va_found *found)
{
	const uint32_t number = found->vm.flags;

	return found->start == page_map_address(&map, AREA) &&
	       found->vm.nr_pages == number && found->vm.phys == number &&
	       found->vm.caller == (void *)(uintptr_t)number &&
	       found->vm.size == number &&
	       found->end - found->start == pages_to_bytes(number == 1 ? 4 : 2);
}

/* find - what a find met, with the other after its nth load; false: no nth. */
static bool find(unsigned nth, uint64_t page, void (*others)(void))
{
	struct va_found found = { 0 };
	bool is_hit;
	bool came;

	map_begin();
	live(4, 1);
	other = others;
	loads_left = nth;
	is_hit = page_map_find(&map, page, &found);
	came = loads_left == 0;
	loads_left = 0;
	assert_true(!is_hit || copied(&found));
	/* Nobody came: the area was live throughout. */
	assert_true(came || is_hit);
	/* What the second area has not got is never found in it. */
	assert_true(!is_hit || page < AREA + 2 || found.vm.flags == 1);
	page_map_fini(&map);
	return came;
}

static void a_find_that_is_interrupted_copies_one_area_or_none(void **state)
{
	unsigned nth = 1;

	(void)state;
	while (find(nth, AREA + 1, other_begins_a_shorter_one))
		nth++;
	assert_true(nth > 8);
	for (nth = 1; find(nth, AREA + 3, other_begins_a_shorter_one);)
		nth++;
	assert_true(nth > 8);
	for (nth = 1; find(nth, AREA, other_frees);)
		nth++;
	assert_true(nth > 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			of_two_changes_that_race_the_second_is_refused),
		cmocka_unit_test(
			a_free_that_was_stopped_does_not_end_the_next_area),
		cmocka_unit_test(
			a_find_that_is_interrupted_copies_one_area_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
