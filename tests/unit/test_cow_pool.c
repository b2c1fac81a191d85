/* SPDX-License-Identifier: MIT */
/*
 * test_cow_pool.c - each cell is in one place, counts are exact, and what was
 * counted out is there.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "va_world.h"

#include "base/tsan.h"
#include "va/cow_pool.h"

enum {
	THREADS = 8,
	ROUNDS = 4000,
	BUNDLE_ROUNDS = TSAN_ENABLED ? 10000 : 100000,
	MANY = 100000,
};

/* The kernel of these tests: gives so many mappings more. */
static atomic_int mappings_left = INT32_MAX;

static void *mmap_some(size_t bytes)
{
	if (atomic_fetch_sub(&mappings_left, 1) <= 0)
		return NULL;
	return os_linux.mmap_anon(bytes);
}

static struct os some_os(void)
{
	struct os os = os_linux;

	os.mmap_anon = mmap_some;
	return os;
}

static struct cow_pool_stats stats_of(const struct cow_pool *pool)
{
	struct cow_pool_stats stats;

	cow_pool_stats(pool, &stats);
	return stats;
}

static void pool_begin(struct cow_pool *pool, const struct os *os)
{
	atomic_store(&mappings_left, INT32_MAX);
	assert_int_equal(cow_pool_init(pool, os, UINT64_MAX), 0);
}

/* take_cells - exactly so many, counted out, chained. */
static struct cow_cell *take_cells(struct cow_pool *pool, uint64_t count)
{
	struct cow_cell *chain = NULL;
	uint64_t taken = 0;

	assert_true(cow_pool_count_out(pool, count));
	while (taken < count) {
		uint32_t cells;
		struct cow_cell *bundle = cow_pool_take(pool, &cells);

		for (; bundle != NULL && taken < count; taken++, cells--) {
			struct cow_cell *const next = bundle->next;

			bundle->next = chain;
			chain = bundle;
			bundle = next;
		}
		if (bundle != NULL)
			cow_pool_give(pool, bundle, cells);
	}
	return chain;
}

static void give_cells(struct cow_pool *pool, struct cow_cell *chain)
{
	uint64_t count = 0;

	while (chain != NULL) {
		struct cow_cell *const next = chain->next;

		chain->next = NULL;
		cow_pool_give(pool, chain, 1);
		chain = next;
		count++;
	}
	cow_pool_count_in(pool, count);
}

static void cells_go_out_and_come_back(void **state)
{
	struct cow_pool pool;

	(void)state;
	pool_begin(&pool, &os_linux);
	cow_pool_check(&pool, 0, 0);

	struct cow_cell *const chain = take_cells(&pool, 1000);

	cow_pool_check(&pool, 1000, 0);
	give_cells(&pool, chain);
	cow_pool_check(&pool, 0, 0);
	cow_pool_fini(&pool);
}

static int compare_pointers(const void *a, const void *b)
{
	const uintptr_t left = (uintptr_t) * (void *const *)a;
	const uintptr_t right = (uintptr_t) * (void *const *)b;

	return (left > right) - (left < right);
}

static void a_grown_pool_has_each_cell_once(void **state)
{
	struct cow_pool pool;
	void **const cells = calloc(MANY, sizeof(*cells));
	size_t count = 0;

	(void)state;
	assert_non_null(cells);
	pool_begin(&pool, &os_linux);

	struct cow_cell *const chain = take_cells(&pool, MANY);

	for (struct cow_cell *cell = chain; cell != NULL; cell = cell->next)
		cells[count++] = cell;
	assert_int_equal(count, MANY);
	qsort(cells, count, sizeof(*cells), compare_pointers);
	for (size_t i = 1; i < count; i++)
		assert_ptr_not_equal(cells[i - 1], cells[i]);
	assert_true(stats_of(&pool).cells > MANY);
	give_cells(&pool, chain);
	cow_pool_fini(&pool);
	free(cells);
}

static void a_bundle_comes_back_whole(void **state)
{
	struct cow_pool pool;
	uint32_t cells = 0;

	(void)state;
	pool_begin(&pool, &os_linux);
	assert_true(cow_pool_count_out(&pool, COW_CARVE_CELLS));

	struct cow_cell *const bundle = cow_pool_take(&pool, &cells);

	assert_int_equal(cells, COW_CARVE_CELLS);
	cow_pool_give(&pool, bundle, cells);
	assert_ptr_equal(cow_pool_take(&pool, &cells), bundle);
	assert_int_equal(cells, COW_CARVE_CELLS);
	cow_pool_give(&pool, bundle, cells);
	cow_pool_count_in(&pool, COW_CARVE_CELLS);
	cow_pool_fini(&pool);
}

/* Or a thread that slept over both would not see that anything happened. */
static void the_same_bundle_on_top_is_another_top(void **state)
{
	struct cow_pool pool;
	uint32_t cells = 0;

	(void)state;
	pool_begin(&pool, &os_linux);
	assert_true(cow_pool_count_out(&pool, 1));
	cow_pool_give(&pool, cow_pool_take(&pool, &cells), COW_CARVE_CELLS);

	const uint64_t top = load_relaxed(&pool.top);
	struct cow_cell *const bundle = cow_pool_take(&pool, &cells);

	cow_pool_give(&pool, bundle, cells);
	assert_int_not_equal(load_relaxed(&pool.top), top);
	assert_int_equal((uint32_t)load_relaxed(&pool.top), bundle->self);
	cow_pool_count_in(&pool, 1);
	cow_pool_fini(&pool);
}

static void a_refused_mapping_fails_the_count_and_nothing_else(void **state)
{
	const struct os os = some_os();
	struct cow_pool pool;

	(void)state;
	atomic_store(&mappings_left, 0);
	assert_int_equal(cow_pool_init(&pool, &os, UINT64_MAX), -ENOMEM);
	pool_begin(&pool, &os);

	const uint64_t spare = stats_of(&pool).spare;

	atomic_store(&mappings_left, 0);
	assert_false(cow_pool_count_out(&pool, spare + 1));
	cow_pool_check(&pool, 0, 0);

	/* To the last cell: nothing is mapped, and nothing is missing. */
	struct cow_cell *const chain = take_cells(&pool, spare);

	assert_int_equal(stats_of(&pool).spare, 0);
	assert_false(cow_pool_count_out(&pool, 1));
	give_cells(&pool, chain);
	atomic_store(&mappings_left, 1);
	assert_true(cow_pool_count_out(&pool, spare + 1));
	cow_pool_count_in(&pool, spare + 1);
	cow_pool_fini(&pool);
}

/* A ticket over `cells` - 1 cells more. */
static struct cow_cell *ticket_make(struct cow_pool *pool, uint32_t cells)
{
	struct cow_cell *const ticket = take_cells(pool, cells);

	ticket->ticket.cells = cells;
	ticket->own_next = NULL;
	return ticket;
}

static void retired_cells_are_held_until_the_reader_leaves(void **state)
{
	struct cow_pool pool;
	struct cow_cell *tickets;

	(void)state;
	assert_int_equal(
		cow_pool_init(&pool, &os_linux, 70 * sizeof(struct cow_cell)),
		0);
	rcu_enter();
	tickets = ticket_make(&pool, 40);
	cow_pool_retire(&pool, tickets);
	assert_int_equal(stats_of(&pool).held_bytes,
			 40 * sizeof(struct cow_cell));
	assert_false(cow_pool_is_full(&pool));
	tickets = ticket_make(&pool, 20);
	tickets->own_next = ticket_make(&pool, 10);
	cow_pool_retire(&pool, tickets);
	assert_int_equal(stats_of(&pool).held_bytes,
			 70 * sizeof(struct cow_cell));
	assert_true(cow_pool_is_full(&pool));
	rcu_leave();
	rcu_wait();
	assert_int_equal(stats_of(&pool).held_bytes, 0);
	assert_false(cow_pool_is_full(&pool));
	cow_pool_retire(&pool, ticket_make(&pool, 10));
	assert_int_equal(stats_of(&pool).held_bytes_most,
			 70 * sizeof(struct cow_cell));
	cow_pool_fini(&pool);
}

struct harm {
	struct cow_pool pool;
	struct cow_cell *chain;
};

static void harm_check(void *context)
{
	struct harm *const harm = context;

	cow_pool_check(&harm->pool, 0, 0);
}

static void harm_give_twice(void *context)
{
	struct harm *const harm = context;
	struct cow_cell *const again = harm->chain->next;

	give_cells(&harm->pool, harm->chain);
	again->next = NULL;
	cow_pool_give(&harm->pool, again, 1);
	cow_pool_check(&harm->pool, 0, 0);
}

static void harm_forget_count(void *context)
{
	struct harm *const harm = context;

	give_cells(&harm->pool, harm->chain);
	cow_pool_count_in(&harm->pool, 1);
	cow_pool_check(&harm->pool, 0, 0);
}

static void check_sees_lost_and_doubled_cells(void **state)
{
	struct harm *const harm = calloc(1, sizeof(*harm));

	(void)state;
	assert_non_null(harm);
	pool_begin(&harm->pool, &os_linux);
	harm->chain = take_cells(&harm->pool, 10);
	assert_true(aborts_saying(harm_check, harm, "invariant Q1"));
	assert_true(aborts_saying(harm_give_twice, harm, "invariant Q1"));
	assert_true(aborts_saying(harm_forget_count, harm, "invariant Q2"));
	give_cells(&harm->pool, harm->chain);
	cow_pool_fini(&harm->pool);
	free(harm);
}

struct crowd {
	struct cow_pool pool;
	_Atomic(unsigned) conflicts;
};

struct member {
	struct crowd *crowd;
	unsigned id;
	uint64_t random;
};

/* Mark what is ours, let others run, and find our marks. */
static void hold_once(struct member *member)
{
	struct cow_pool *const pool = &member->crowd->pool;
	const uint64_t count = 1 + random_below(&member->random, 100);
	struct cow_cell *const chain = take_cells(pool, count);

	for (struct cow_cell *cell = chain; cell != NULL; cell = cell->next)
		cell->node.pages = member->id;
	if (random_below(&member->random, 8) == 0)
		(void)sched_yield();
	for (struct cow_cell *cell = chain; cell != NULL; cell = cell->next)
		if (cell->node.pages != member->id)
			atomic_fetch_add(&member->crowd->conflicts, 1);
	give_cells(pool, chain);
}

static void *hold_often(void *context)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		hold_once(context);
	return NULL;
}

/*
 * A few bundles, over and over: a thread that is put aside between its look at
 * the top and its exchange finds the same top again, over another bundle.
 */
static void *hold_bundles(void *context)
{
	struct member *const member = context;
	struct cow_pool *const pool = &member->crowd->pool;

	for (unsigned round = 0; round < BUNDLE_ROUNDS; round++) {
		uint32_t cells;

		if (!cow_pool_count_out(pool, 1))
			abort();

		struct cow_cell *const bundle = cow_pool_take(pool, &cells);

		cow_pool_give(pool, bundle, cells);
		cow_pool_count_in(pool, 1);
	}
	return NULL;
}

static void crowd_run(void *(*body)(void *context))
{
	struct crowd *const crowd = calloc(1, sizeof(*crowd));
	struct member members[THREADS];
	pthread_t threads[THREADS];

	assert_non_null(crowd);
	pool_begin(&crowd->pool, &os_linux);
	for (unsigned i = 0; i < THREADS; i++) {
		members[i] = (struct member){ crowd, i, 42 + i };
		assert_int_equal(
			pthread_create(&threads[i], NULL, body, &members[i]),
			0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(crowd->conflicts, 0);
	cow_pool_fini(&crowd->pool);
	free(crowd);
}

static void a_cell_has_one_owner_among_threads(void **state)
{
	(void)state;
	crowd_run(hold_often);
}

static void a_bundle_has_one_owner_among_threads(void **state)
{
	(void)state;
	crowd_run(hold_bundles);
}

/* All at once want more than there is: all get it. */
static void *grow_once(void *context)
{
	struct member *const member = context;
	struct cow_pool *const pool = &member->crowd->pool;

	give_cells(pool, take_cells(pool, MANY / THREADS));
	return NULL;
}

static void threads_grow_a_pool_together(void **state)
{
	struct crowd *const crowd = calloc(1, sizeof(*crowd));
	struct member members[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	assert_non_null(crowd);
	for (unsigned round = 0; round < 20; round++) {
		pool_begin(&crowd->pool, &os_linux);
		for (unsigned i = 0; i < THREADS; i++) {
			members[i] = (struct member){ crowd, i, 42 + i };
			assert_int_equal(pthread_create(&threads[i], NULL,
							grow_once, &members[i]),
					 0);
		}
		for (unsigned i = 0; i < THREADS; i++)
			assert_int_equal(pthread_join(threads[i], NULL), 0);
		cow_pool_fini(&crowd->pool);
	}
	free(crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_go_out_and_come_back),
		cmocka_unit_test(a_grown_pool_has_each_cell_once),
		cmocka_unit_test(a_bundle_comes_back_whole),
		cmocka_unit_test(the_same_bundle_on_top_is_another_top),
		cmocka_unit_test(
			a_refused_mapping_fails_the_count_and_nothing_else),
		cmocka_unit_test(
			retired_cells_are_held_until_the_reader_leaves),
		cmocka_unit_test(check_sees_lost_and_doubled_cells),
		cmocka_unit_test(a_cell_has_one_owner_among_threads),
		cmocka_unit_test(a_bundle_has_one_owner_among_threads),
		cmocka_unit_test(threads_grow_a_pool_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
