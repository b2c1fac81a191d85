/* SPDX-License-Identifier: MIT */
#include "va_world.h"

#include <pthread.h>
#include <sched.h>

#include "va/lazy_lists.h"

#include "anon_os.h"

enum {
	PAGES = 1 << 15,
	LIMIT = 1600,
	SORTED = 1000,
	CROWD = 8,
	AREAS_EACH = 500,
};

struct home {
	struct cpu_map cpus;
	struct page_map map;
	struct lazy_lists lazy;
};

/* home_begin_on - with so many lists; 0: the machine's. */
static void home_begin_on(struct home *home, uint64_t limit_pages,
			  unsigned cpus)
{
	const struct va_range window = { WORLD_START,
					 WORLD_START + PAGES * PAGE_SIZE,
					 false };
	const struct cpu_options options = { .cpus = cpus };

	assert_int_equal(cpu_map_init(&home->cpus, &options, &os_linux), 0);
	assert_int_equal(page_map_init(&home->map, &os_linux, &window, true),
			 0);
	assert_int_equal(lazy_init(&home->lazy, &os_linux, &home->cpus,
				   &home->map, limit_pages),
			 0);
}

static void home_begin(struct home *home, uint64_t limit_pages)
{
	home_begin_on(home, limit_pages, 0);
}

static void home_end(struct home *home)
{
	lazy_fini(&home->lazy);
	page_map_fini(&home->map);
}

static bool push(struct home *home, uint64_t first, uint64_t pages)
{
	page_map_begin(&home->map, first, pages);
	return lazy_push(&home->lazy, first);
}

static uint64_t chain_next(struct home *home, uint64_t chain)
{
	return page_map_record(&home->map, chain - 1)->next;
}

static unsigned chain_length(struct home *home, uint64_t chain)
{
	unsigned length = 0;

	for (; chain != 0; chain = chain_next(home, chain))
		length++;
	return length;
}

static void what_is_pushed_is_lazy_and_taken_once(void **state)
{
	struct home home;

	(void)state;
	home_begin(&home, LIMIT);
	assert_int_equal(lazy_take(&home.lazy), 0);
	(void)push(&home, 0, 4);
	assert_true(page_head_is(page_map_head(&home.map, 0), PAGE_LAZY));
	assert_int_equal(lazy_take(&home.lazy), 1);
	assert_int_equal(chain_next(&home, 1), 0);
	assert_int_equal(lazy_take(&home.lazy), 0);
	/* Two frees raced: the second has nothing to leave. */
	assert_false(lazy_push(&home.lazy, 0));
	assert_int_equal(lazy_take(&home.lazy), 0);
	assert_int_equal(lazy_pages(&home.lazy), 4);
	home_end(&home);
}

static void pages_count_from_the_push_to_the_settling(void **state)
{
	struct home home;

	(void)state;
	home_begin(&home, LIMIT);
	(void)push(&home, 0, 4);
	(void)push(&home, 4, 5);
	assert_int_equal(lazy_pages(&home.lazy), 9);
	assert_int_not_equal(lazy_take(&home.lazy), 0);
	assert_int_equal(lazy_pages(&home.lazy), 9);
	lazy_settle(&home.lazy, 5);
	assert_int_equal(lazy_pages(&home.lazy), 4);
	lazy_settle(&home.lazy, 4);
	assert_int_equal(lazy_pages(&home.lazy), 0);
	home_end(&home);
}

static void
a_push_moves_the_count_of_pushes_and_a_push_back_does_not(void **state)
{
	struct home home;

	(void)state;
	home_begin(&home, LIMIT);

	const uint64_t before = lazy_pushed(&home.lazy);

	(void)push(&home, 0, 4);

	const uint64_t after = lazy_pushed(&home.lazy);

	assert_int_not_equal(after, before);
	assert_int_equal(lazy_take(&home.lazy), 1);
	lazy_push_back(&home.lazy, 0);
	assert_int_equal(lazy_pushed(&home.lazy), after);
	assert_int_equal(lazy_pages(&home.lazy), 4);
	assert_int_equal(lazy_take(&home.lazy), 1);
	home_end(&home);
}

/* One CPU: its list is all there is, looked at each step of the limit. */
static void a_purge_is_due_above_the_limit_and_not_before(void **state)
{
	const uint64_t step = LIMIT / 16 + 1;
	struct home home;

	(void)state;
	home_begin(&home, LIMIT);
	for (uint64_t at = 0; at < LIMIT; at += 10)
		assert_false(push(&home, at, 10));

	unsigned due = 0;
	uint64_t at = LIMIT;

	while (due == 0 && at <= LIMIT + step) {
		due = push(&home, at, 10);
		at += 10;
	}
	assert_int_equal(due, 1);
	/* Each step says so again, as long as nobody purges. */
	for (; due < 3 && at < LIMIT + 4 * step; at += 10)
		due += push(&home, at, 10);
	assert_int_equal(due, 3);
	(void)lazy_take(&home.lazy);
	lazy_settle(&home.lazy, lazy_pages(&home.lazy));
	assert_false(push(&home, at, 10));
	home_end(&home);
}

/* How often one list of so many says that a purge is due, page by page. */
static unsigned due_with(unsigned cpus, uint64_t pages)
{
	struct home home;
	unsigned due = 0;

	home_begin_on(&home, LIMIT, cpus);
	for (uint64_t at = 0; at < LIMIT; at++)
		assert_false(push(&home, at, 1));
	for (uint64_t at = LIMIT; at < LIMIT + pages; at++)
		due += push(&home, at, 1);
	home_end(&home);
	return due;
}

/* So that what all have that is not summed up is about the limit. */
static void the_more_lists_the_sooner_they_are_summed_up(void **state)
{
	const uint64_t pages = 2 * (LIMIT / 16 + 1);

	(void)state;
	assert_int_equal(due_with(1, pages), 2);
	assert_int_equal(due_with(16, pages), 2);
	assert_in_range(due_with(64, pages), 7, 9);
	assert_in_range(due_with(128, pages), 14, 17);
	assert_int_equal(due_with(512, pages), due_with(128, pages));
}

static bool go_to(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

static void a_take_has_the_areas_of_all_cpus(void **state)
{
	cpu_set_t before;
	struct home home;
	unsigned pushed = 0;

	(void)state;
	home_begin(&home, LIMIT);
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (unsigned cpu = 0; cpu < home.cpus.cpu_slots; cpu++) {
		if (!go_to(cpu))
			continue;
		for (unsigned i = 0; i < 3; i++)
			(void)push(&home, pushed++, 1);
	}
	assert_int_equal(chain_length(&home, lazy_take(&home.lazy)), pushed);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	home_end(&home);
}

/* chain_make - of all pages below SORTED, in the order of `order`. */
static uint64_t chain_make(struct home *home, const uint64_t *order)
{
	uint64_t chain = 0;

	for (size_t i = SORTED; i-- > 0;) {
		page_map_record(&home->map, order[i])->next = chain;
		chain = order[i] + 1;
	}
	return chain;
}

static void sorts(struct home *home, const uint64_t *order)
{
	uint64_t chain = lazy_sort(&home->map, chain_make(home, order));

	for (uint64_t page = 0; page < SORTED; page++) {
		assert_int_equal(chain, page + 1);
		chain = chain_next(home, chain);
	}
	assert_int_equal(chain, 0);
}

static void a_chain_in_any_order_is_sorted(void **state)
{
	uint64_t order[SORTED];
	uint64_t random = 42;
	struct home home;

	(void)state;
	home_begin(&home, LIMIT);
	assert_int_equal(lazy_sort(&home.map, 0), 0);
	for (uint64_t i = 0; i < SORTED; i++)
		order[i] = i;
	sorts(&home, order);
	for (uint64_t i = 0; i < SORTED; i++)
		order[i] = SORTED - 1 - i;
	sorts(&home, order);
	for (unsigned i = SORTED - 1; i > 0; i--) {
		const unsigned other = random_below(&random, i + 1);
		const uint64_t page = order[i];

		order[i] = order[other];
		order[other] = page;
	}
	sorts(&home, order);
	home_end(&home);
}

static struct os counted;

static int lists_make(void *context)
{
	struct home *const home = context;

	return lazy_init(&home->lazy, &counted, &home->cpus, &home->map, LIMIT);
}

static void lists_unmake(void *context)
{
	lazy_fini(&((struct home *)context)->lazy);
}

static void lists_that_cannot_be_made_leave_nothing(void **state)
{
	struct home home;

	(void)state;
	home_begin(&home, LIMIT);
	lazy_fini(&home.lazy);
	counted = anon_os();
	assert_int_equal(anon_sweep(lists_make, lists_unmake, &home), 1);
	page_map_fini(&home.map);
}

struct crowd {
	struct home home;
	pthread_barrier_t start;
	_Atomic(unsigned) next_id;
	_Atomic(unsigned) taken[CROWD * AREAS_EACH];
	_Atomic(unsigned) wrong;
};

static void crowd_take(struct crowd *crowd)
{
	struct home *const home = &crowd->home;
	uint64_t chain = lazy_sort(&home->map, lazy_take(&home->lazy));

	while (chain != 0) {
		const uint64_t first = chain - 1;
		const uint64_t next = chain_next(home, chain);

		crowd->wrong += next != 0 && next <= chain;
		atomic_fetch_add(&crowd->taken[first / 2], 1);
		page_map_from_lazy(&home->map, first);
		lazy_settle(&home->lazy, 2);
		chain = next;
	}
}

static void *crowd_main(void *context)
{
	struct crowd *const crowd = context;
	const uint64_t base =
		(uint64_t)atomic_fetch_add(&crowd->next_id, 1) * AREAS_EACH;

	pthread_barrier_wait(&crowd->start);
	for (uint64_t i = base; i < base + AREAS_EACH; i++) {
		(void)push(&crowd->home, 2 * i, 2);
		if (i % 32 == 0)
			crowd_take(crowd);
	}
	return NULL;
}

static void each_area_is_taken_by_one_of_many_threads(void **state)
{
	static struct crowd crowd;
	pthread_t threads[CROWD];

	(void)state;
	home_begin(&crowd.home, LIMIT);
	pthread_barrier_init(&crowd.start, NULL, CROWD);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, crowd_main, &crowd),
			0);
	for (unsigned i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	crowd_take(&crowd);
	for (unsigned i = 0; i < CROWD * AREAS_EACH; i++)
		assert_int_equal(crowd.taken[i], 1);
	assert_int_equal(crowd.wrong, 0);
	assert_int_equal(lazy_pages(&crowd.home.lazy), 0);
	pthread_barrier_destroy(&crowd.start);
	home_end(&crowd.home);
}

/* The tests of counts stay on one CPU, as a list is one CPU's. */
static int stay(void **state)
{
	(void)state;
	return go_to(cpu_current().value) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_area_is_taken_by_one_of_many_threads),
		cmocka_unit_test(a_take_has_the_areas_of_all_cpus),
		cmocka_unit_test(what_is_pushed_is_lazy_and_taken_once),
		cmocka_unit_test(pages_count_from_the_push_to_the_settling),
		cmocka_unit_test(
			a_push_moves_the_count_of_pushes_and_a_push_back_does_not),
		cmocka_unit_test_setup(
			a_purge_is_due_above_the_limit_and_not_before, stay),
		cmocka_unit_test_setup(
			the_more_lists_the_sooner_they_are_summed_up, stay),
		cmocka_unit_test(a_chain_in_any_order_is_sorted),
		cmocka_unit_test(lists_that_cannot_be_made_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
