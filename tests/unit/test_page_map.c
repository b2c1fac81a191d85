/* SPDX-License-Identifier: MIT */
/*
 * test_page_map.c - what is found, when, and with what.
 */
#include "va_world.h"

#include <pthread.h>
#include <sched.h>

#include "va/page_map.h"

#include "anon_os.h"

enum {
	PAGES = 4096,
	RACERS = 8,
	RACES = 300,
	READERS = 3,
	ROUNDS = 20000,
};

static struct page_head head_of(enum page_state state, uint64_t generation,
				uint64_t pages)
{
	return (struct page_head){ pages << PAGE_LENGTH_SHIFT |
				   generation << PAGE_STATE_BITS | state };
}

static const struct va_range window = {
	.start = WORLD_START,
	.end = WORLD_START + PAGES * PAGE_SIZE,
};

static void map_begin(struct page_map *map)
{
	assert_int_equal(page_map_init(map, &os_linux, &window, true), 0);
}

/* vm_of - told from any other by each of its parts. */
static struct vm_struct vm_of(uint64_t number)
{
	return (struct vm_struct){
		.flags = (uint32_t)number,
		.nr_pages = (uint32_t)number + 1,
		.caller = (const void *)(uintptr_t)(number + 2),
		.phys = number + 3,
		.size = number + 4,
	};
}

static bool vm_is(const struct vm_struct *vm, uint64_t number)
{
	const struct vm_struct is = vm_of(number);

	return vm->flags == is.flags && vm->nr_pages == is.nr_pages &&
	       vm->caller == is.caller && vm->phys == is.phys &&
	       vm->size == is.size;
}

static void live(struct page_map *map, uint64_t first, uint64_t pages)
{
	const struct vm_struct vm = vm_of(first);

	page_map_begin(map, first, pages);
	assert_true(page_map_publish(map, first, pages, &vm));
}

static void end(struct page_map *map, uint64_t first)
{
	struct page_head before;

	assert_true(page_map_end(map, first, &before));
	assert_true(page_head_is(before, PAGE_IDLE));
}

static void to_lazy(struct page_map *map, uint64_t first)
{
	struct page_head before;

	assert_true(page_map_to_lazy(map, first, &before));
	assert_true(page_head_is(before, PAGE_IDLE));
}

static void gone(struct page_map *map, uint64_t first)
{
	struct page_head before;

	assert_true(page_map_retract(map, first, &before));
	end(map, first);
}

/* Every page of the area leads to it, and the pages beside it do not. */
static void area_is_found(struct page_map *map, uint64_t first, uint64_t pages)
{
	struct va_found found;

	for (uint64_t page = first; page < first + pages; page++) {
		assert_true(page_map_find(map, page, &found));
		assert_int_equal(found.start, page_map_address(map, first));
		assert_int_equal(found.end,
				 page_map_address(map, first + pages));
		assert_true(vm_is(&found.vm, first));
		assert_false(found.lazy);
	}
	assert_false(first > 0 && page_map_find(map, first - 1, &found));
	assert_false(first + pages < PAGES &&
		     page_map_find(map, first + pages, &found));
}

static const struct place {
	uint64_t first;
	uint64_t pages;
} places[] = {
	{ 0, 1 },         /* the window's first page */
	{ PAGES - 1, 1 }, /* and its last */
	{ 0, PAGES },     /* all of it */
	{ 5, 9 },         /* a few */
	{ 512, 512 },     /* the very chunk */
	{ 1, 1022 },      /* above a chunk, without a whole one */
	{ 1, 1023 },      /* one chunk, and no page behind it */
	{ 512, 513 },     /* one chunk, and no page before it */
	{ 100, 1500 },    /* two chunks, and pages on both sides */
	{ PAGES - 513, 513 },
};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

static void each_page_of_an_area_leads_to_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		struct page_map map;

		map_begin(&map);
		live(&map, places[i].first, places[i].pages);
		area_is_found(&map, places[i].first, places[i].pages);
		page_map_fini(&map);
	}
}

static void entries_of_areas_that_are_gone_mislead_nobody(void **state)
{
	struct page_map map;

	(void)state;
	map_begin(&map);
	/* Each place after each: short over chunks, chunks over short. */
	for (size_t i = 0; i < PLACES * PLACES; i++) {
		const struct place *const one = &places[i / PLACES];
		const struct place *const two = &places[i % PLACES];

		live(&map, one->first, one->pages);
		gone(&map, one->first);
		live(&map, two->first, two->pages);
		area_is_found(&map, two->first, two->pages);
		gone(&map, two->first);
	}
	page_map_fini(&map);
}

static void an_area_is_found_from_publish_to_retract(void **state)
{
	const struct vm_struct vm = vm_of(8);
	struct page_head before;
	struct va_found found;
	struct page_map map;

	(void)state;
	map_begin(&map);
	assert_false(page_map_find(&map, 8, &found));
	page_map_begin(&map, 8, 4);
	assert_false(page_map_find(&map, 8, &found));
	assert_true(page_map_publish(&map, 8, 4, &vm));
	assert_true(page_map_find(&map, 11, &found));
	assert_true(page_map_retract(&map, 8, &before));
	assert_int_equal(page_head_pages(before), 4);
	assert_false(page_map_find(&map, 8, &found));
	to_lazy(&map, 8);
	assert_false(page_map_find(&map, 8, &found));
	page_map_from_lazy(&map, 8);
	assert_false(page_map_find(&map, 8, &found));
	page_map_fini(&map);
}

static void covering_tells_all_states_but_none(void **state)
{
	struct page_map map;
	struct page_head head;
	uint64_t first;

	(void)state;
	map_begin(&map);
	assert_false(page_map_covering(&map, 700, &first, &head));
	page_map_begin(&map, 100, 1500);
	assert_true(page_map_covering(&map, 700, &first, &head));
	assert_int_equal(first, 100);
	assert_true(page_head_is(head, PAGE_IDLE));
	to_lazy(&map, 100);
	assert_true(page_map_covering(&map, 1599, &first, &head));
	assert_true(page_head_is(head, PAGE_LAZY));
	assert_false(page_map_covering(&map, 1600, &first, &head));
	page_map_from_lazy(&map, 100);
	assert_false(page_map_covering(&map, 700, &first, &head));
	page_map_fini(&map);
}

static void only_an_idle_area_is_published(void **state)
{
	const struct vm_struct vm = vm_of(1);
	const struct vm_struct other = vm_of(2);
	struct page_head before;
	struct va_found found;
	struct page_map map;

	(void)state;
	map_begin(&map);
	assert_false(page_map_publish(&map, 1, 1, &vm));
	page_map_begin(&map, 1, 1);
	assert_false(page_map_publish(&map, 1, 2, &other));
	assert_true(page_map_publish(&map, 1, 1, &vm));
	assert_false(page_map_publish(&map, 1, 1, &other));
	assert_true(page_map_find(&map, 1, &found));
	assert_true(vm_is(&found.vm, 1));
	assert_true(page_map_retract(&map, 1, &before));
	to_lazy(&map, 1);
	assert_false(page_map_publish(&map, 1, 1, &vm));
	page_map_fini(&map);
}

static void the_second_of_two_frees_is_refused(void **state)
{
	struct page_head before;
	struct page_map map;

	(void)state;
	map_begin(&map);
	assert_false(page_map_retract(&map, 3, &before));
	assert_false(page_map_retract_once(&map, 3, &before));
	live(&map, 3, 2);
	assert_true(page_map_retract(&map, 3, &before));
	assert_false(page_map_retract(&map, 3, &before));
	assert_false(page_map_retract_once(&map, 3, &before));
	end(&map, 3);
	live(&map, 3, 2);
	assert_true(page_map_retract_once(&map, 3, &before));
	assert_int_equal(page_head_pages(before), 2);
	assert_false(page_map_retract_once(&map, 3, &before));
	assert_false(page_map_retract(&map, 3, &before));
	to_lazy(&map, 3);
	assert_false(page_map_retract(&map, 3, &before));
	page_map_fini(&map);
}

static void an_area_has_begun_when_it_was_published(void **state)
{
	struct page_map map;

	(void)state;
	map_begin(&map);
	page_map_begin(&map, 3, 2);
	assert_false(page_map_has_begun(&map, 3));
	end(&map, 3);
	live(&map, 3, 2);
	assert_true(page_map_has_begun(&map, 3));
	assert_false(page_map_has_begun(&map, 4));
	gone(&map, 3);
	assert_true(page_map_has_begun(&map, 3));
	page_map_fini(&map);
}

static void only_an_idle_area_ends_or_is_lazy(void **state)
{
	struct page_head before;
	struct page_map map;

	(void)state;
	map_begin(&map);
	assert_false(page_map_end(&map, 3, &before));
	assert_false(page_map_to_lazy(&map, 3, &before));
	live(&map, 3, 2);
	assert_false(page_map_end(&map, 3, &before));
	assert_false(page_map_to_lazy(&map, 3, &before));
	area_is_found(&map, 3, 2);
	assert_true(page_map_retract(&map, 3, &before));
	assert_true(page_map_to_lazy(&map, 3, &before));
	assert_int_equal(page_head_pages(before), 2);
	assert_false(page_map_to_lazy(&map, 3, &before));
	assert_false(page_map_end(&map, 3, &before));
	page_map_from_lazy(&map, 3);
	page_map_begin(&map, 3, 5);
	assert_true(page_map_end(&map, 3, &before));
	assert_int_equal(page_head_pages(before), 5);
	assert_false(page_map_end(&map, 3, &before));
	page_map_fini(&map);
}

static void begin_twice(void *map)
{
	page_map_begin(map, 3, 2);
	page_map_begin(map, 3, 2);
}

static void unlazy_an_idle_one(void *map)
{
	page_map_begin(map, 3, 2);
	page_map_from_lazy(map, 3);
}

static void
a_change_by_whom_it_does_not_belong_to_ends_the_process(void **state)
{
	struct page_map map;

	(void)state;
	map_begin(&map);
	assert_true(aborts_saying(begin_twice, &map, "none_to_idle"));
	assert_true(aborts_saying(unlazy_an_idle_one, &map, "lazy_to_none"));
	page_map_fini(&map);
}

static struct os counted;

static int map_make(void *map)
{
	return page_map_init(map, &counted, &window, true);
}

static int bare_map_make(void *map)
{
	return page_map_init(map, &counted, &window, false);
}

static void map_unmake(void *map)
{
	page_map_fini(map);
}

static void a_map_that_cannot_be_made_leaves_nothing(void **state)
{
	struct page_map map;

	(void)state;
	counted = anon_os();
	assert_int_equal(anon_sweep(map_make, map_unmake, &map), 3);
	assert_int_equal(anon_sweep(bare_map_make, map_unmake, &map), 1);
}

/* A start that all threads see at once, and one word of what went wrong. */
struct race {
	struct page_map map;
	bool (*way)(struct page_map *map, uint64_t first,
		    struct page_head *before);
	pthread_barrier_t start;
	_Atomic(unsigned) wins;
	_Atomic(unsigned) faults;
	_Atomic(bool) is_over;
};

static void *racer(void *context)
{
	struct race *const race = context;
	struct page_head before;

	for (unsigned i = 0; i < RACES; i++) {
		pthread_barrier_wait(&race->start);
		if (race->way(&race->map, 6, &before))
			atomic_fetch_add(&race->wins, 1);
		pthread_barrier_wait(&race->start);
	}
	return NULL;
}

static void race_run(struct race *race, enum page_state from)
{
	pthread_t threads[RACERS];

	map_begin(&race->map);
	race->faults = 0;
	pthread_barrier_init(&race->start, NULL, RACERS + 1);
	for (unsigned i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, racer, race),
				 0);
	for (unsigned i = 0; i < RACES; i++) {
		race->wins = 0;
		store_relaxed(&race->map.records[6].head,
			      head_of(from, i, 3).bits);
		pthread_barrier_wait(&race->start);
		pthread_barrier_wait(&race->start);
		race->faults += race->wins != 1;
	}
	for (unsigned i = 0; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(race->faults, 0);
	pthread_barrier_destroy(&race->start);
	page_map_fini(&race->map);
}

static void of_those_that_race_one_is_let_through(void **state)
{
	static struct race race;

	(void)state;
	race.way = page_map_retract_once;
	race_run(&race, PAGE_LIVE);
	race.way = page_map_end;
	race_run(&race, PAGE_IDLE);
	race.way = page_map_to_lazy;
	race_run(&race, PAGE_IDLE);
}

/* A copy is of one area: its parts and its length agree. */
static void *reader(void *context)
{
	struct race *const race = context;
	struct va_found found;

	pthread_barrier_wait(&race->start);
	while (!race->is_over) {
		if (page_map_find(&race->map, 20, &found) &&
		    (!vm_is(&found.vm, found.vm.flags) ||
		     found.end - found.start !=
			     pages_to_bytes(1 + found.vm.flags % 3)))
			race->faults++;
		/* Live throughout, among what comes and goes: M3. */
		if (!page_map_find(&race->map, 530, &found) ||
		    found.start != page_map_address(&race->map, 512))
			race->faults++;
	}
	return NULL;
}

static void a_find_beside_writers_copies_one_area(void **state)
{
	static struct race race;
	pthread_t threads[READERS];

	(void)state;
	map_begin(&race.map);
	race.faults = 0;
	live(&race.map, 512, 600);
	pthread_barrier_init(&race.start, NULL, READERS + 1);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, reader, &race), 0);
	pthread_barrier_wait(&race.start);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		const struct vm_struct vm = vm_of(i);

		page_map_begin(&race.map, 20, 1 + i % 3);
		assert_true(page_map_publish(&race.map, 20, 1 + i % 3, &vm));
		if (i % 256 == 0)
			sched_yield();
		gone(&race.map, 20);
	}
	race.is_over = true;
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(race.faults, 0);
	pthread_barrier_destroy(&race.start);
	page_map_fini(&race.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_page_of_an_area_leads_to_it),
		cmocka_unit_test(entries_of_areas_that_are_gone_mislead_nobody),
		cmocka_unit_test(an_area_is_found_from_publish_to_retract),
		cmocka_unit_test(covering_tells_all_states_but_none),
		cmocka_unit_test(only_an_idle_area_is_published),
		cmocka_unit_test(the_second_of_two_frees_is_refused),
		cmocka_unit_test(an_area_has_begun_when_it_was_published),
		cmocka_unit_test(only_an_idle_area_ends_or_is_lazy),
		cmocka_unit_test(
			a_change_by_whom_it_does_not_belong_to_ends_the_process),
		cmocka_unit_test(a_map_that_cannot_be_made_leaves_nothing),
		cmocka_unit_test(of_those_that_race_one_is_let_through),
		cmocka_unit_test(a_find_beside_writers_copies_one_area),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
