/* SPDX-License-Identifier: MIT */
/*
 * test_va_lockfree_purge.c - the runs of a purge, what becomes of those that
 * fail, and several threads that purge.
 */
#include "lockfree_world.h"

enum { PAGES = 4096, SCATTERED = 200, PURGERS = 8, PURGED_EACH = 32 };

static void begin(struct world *world)
{
	const struct va_config config = world_config(PAGES);

	world_make(world, &va_lockfree, &config);
}

static void neighbours_are_unmapped_as_one_run(void **state)
{
	struct unmapped unmapped = { .stuck = NO_PAGE };
	long pages[6];
	struct world world;

	(void)state;
	begin(&world);
	for (unsigned i = 0; i < 6; i++)
		pages[i] = take(&world, 3);
	for (unsigned i = 0; i < 6; i++)
		give(&world, pages[(5 * i + 2) % 6]);
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(unmapped.calls, 1);
	assert_int_equal(unmapped.count, 1);
	assert_int_equal(unmapped.areas, 6);
	assert_int_equal(page_of(unmapped.runs[0].start), 0);
	assert_int_equal(page_of(unmapped.runs[0].end), 18);
	world_end(&world);
}

static void many_runs_are_unmapped_in_turns(void **state)
{
	struct unmapped unmapped = { .stuck = NO_PAGE };
	long pages[SCATTERED];
	struct world world;

	(void)state;
	begin(&world);
	for (unsigned i = 0; i < SCATTERED; i++)
		pages[i] = take(&world, 2);
	for (unsigned i = 0; i < SCATTERED; i += 2)
		give(&world, pages[i]);
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(unmapped.calls, 2);
	assert_int_equal(unmapped.count, SCATTERED / 2);
	assert_int_equal(unmapped.areas, SCATTERED / 2);
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	assert_int_equal(world_stats(&world).live_areas, SCATTERED / 2);
	world_end(&world);
}

static void a_run_that_fails_stays_lazy_and_the_others_are_holes(void **state)
{
	struct unmapped unmapped = { .stuck = 4 };
	struct world world;

	(void)state;
	begin(&world);
	for (long i = 0; i < 4; i++)
		assert_int_equal(take(&world, 4), 4 * i);
	for (long i = 0; i < 4; i++)
		if (i != 0 && i != 2)
			give(&world, 4 * i);

	const uint64_t returned = world.va.ops->returned(&world.va);

	assert_int_equal(purge(&world, &unmapped), -ENOMEM);
	assert_int_equal(unmapped.count, 2);
	assert_int_equal(world_stats(&world).lazy_pages, 4);
	world.va.ops->check(&world.va);
	/* It is no free that ended, so nobody asks again for its sake. */
	assert_int_equal(world.va.ops->returned(&world.va), returned);
	assert_int_equal(try_free(&world, 4), -ENOENT);
	assert_int_equal(take(&world, 4), 12);
	unmapped.stuck = NO_PAGE;
	assert_int_equal(purge(&world, &unmapped), 0);
	assert_int_equal(take(&world, 4), 4);
	world_end(&world);
}

static void two_areas_of_a_run_that_fails_are_two_again(void **state)
{
	struct unmapped unmapped = { .stuck = 0 };
	struct world world;

	(void)state;
	begin(&world);
	give(&world, take(&world, 4));
	give(&world, take(&world, 5));
	assert_int_equal(purge(&world, &unmapped), -ENOMEM);
	assert_int_equal(walk(&world).lazy, 2);
	assert_int_equal(world_stats(&world).lazy_pages, 9);
	world_end(&world);
}

static void a_purge_is_due_above_the_limit(void **state)
{
	struct va_config config = world_config(1 << 16);
	/* 32 MiB of one CPU, and a sixteenth until it is noticed. */
	const long limit = 8192;
	struct world world;
	long freed = 0;

	(void)state;
	world_make(&world, &va_lockfree, &config);
	while (!world.purge_due && freed < 2 * limit) {
		give(&world, take(&world, 64));
		freed += 64;
	}
	assert_true(freed > limit);
	assert_true(freed <= limit + limit / 16 + 64);
	purge_all(&world);
	give(&world, take(&world, 64));
	assert_false(world.purge_due);
	world_end(&world);
}

/* Purges at once: each page is unmapped once after it was freed. */
struct purge_crowd {
	struct world world;
	pthread_barrier_t start;
	_Atomic(unsigned) unmapped[PAGES]; /* since it was taken */
	_Atomic(unsigned) wrong;
};

static void crowd_unmap(void *context, struct va_run *runs, size_t count)
{
	struct purge_crowd *const crowd = context;

	for (size_t i = 0; i < count; i++)
		for (long page = page_of(runs[i].start);
		     page < page_of(runs[i].end); page++)
			if (atomic_fetch_add(&crowd->unmapped[page], 1) != 0)
				atomic_fetch_add(&crowd->wrong, 1);
	sched_yield();
}

static void crowd_use(struct purge_crowd *crowd, long page)
{
	for (long i = page; i < page + 3; i++)
		atomic_store(&crowd->unmapped[i], 0);
	if (try_free(&(struct world){ .va = crowd->world.va }, page) != 0)
		atomic_fetch_add(&crowd->wrong, 1);
}

static void *purger(void *context)
{
	struct purge_crowd *const crowd = context;
	const struct va_unmapper unmapper = { crowd, crowd_unmap };
	struct va *const va = &crowd->world.va;

	pthread_barrier_wait(&crowd->start);
	for (unsigned i = 0; i < PURGED_EACH; i++) {
		long pages[8];

		for (unsigned j = 0; j < 8; j++)
			pages[j] = take(&crowd->world, 3);
		for (unsigned j = 0; j < 8; j++)
			crowd_use(crowd, pages[j]);
		(void)va->ops->purge(va, VA_PURGE_DECAY, &unmapper);
	}
	return NULL;
}

static void many_may_purge_at_once(void **state)
{
	static struct purge_crowd crowd;
	pthread_t threads[PURGERS];

	(void)state;
	begin(&crowd.world);
	pthread_barrier_init(&crowd.start, NULL, PURGERS);
	for (unsigned i = 0; i < PURGERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, purger, &crowd), 0);
	for (unsigned i = 0; i < PURGERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd.wrong, 0);
	assert_int_equal(world_stats(&crowd.world).lazy_pages, 0);
	assert_int_equal(world_stats(&crowd.world).holes, 1);
	pthread_barrier_destroy(&crowd.start);
	world_end(&crowd.world);
}

#define ON_ONE_CPU(test) cmocka_unit_test_setup(test, world_stay)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_are_unmapped_as_one_run),
		cmocka_unit_test(many_runs_are_unmapped_in_turns),
		cmocka_unit_test(
			a_run_that_fails_stays_lazy_and_the_others_are_holes),
		cmocka_unit_test(two_areas_of_a_run_that_fails_are_two_again),
		cmocka_unit_test(many_may_purge_at_once),
		ON_ONE_CPU(a_purge_is_due_above_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
