/* SPDX-License-Identifier: MIT */
/*
 * test_cow_zone.c - writers and readers of one zone at a time: nothing live is
 * missed, every cell comes back, a stopped reader costs memory up to the limit,
 * and a removal never fails.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "cow_world.h"

#include "base/tsan.h"

enum {
	WRITERS = 6,
	READERS = 2,
	SLOTS = 512,
	STRIDE = 8,
	PAGES = 5,
	BATCH = 5,
	ROUNDS = TSAN_ENABLED ? 1000 : 6000,
};

static struct cow_pool_stats stats_of(const struct cow_world *world)
{
	struct cow_pool_stats stats;

	cow_pool_stats(&world->pool, &stats);
	return stats;
}

static void fini_gives_back_what_is_still_there(void **state)
{
	struct cow_world *const world = cow_world_begin(SLOTS, STRIDE, PAGES);
	unsigned slots[SLOTS];

	(void)state;
	for (unsigned i = 0; i < SLOTS; i++)
		slots[i] = i;
	cow_world_add(world, slots, SLOTS);
	cow_world_compare(world);
	cow_world_end(world);
}

/* crowd - many threads at one zone; slots 0, WRITERS + 1, ... never leave. */
struct crowd {
	struct cow_world *world;
	_Atomic(unsigned) missed;
	_Atomic(unsigned) writers;
};

struct member {
	struct crowd *crowd;
	unsigned id;
	uint64_t random;
};

static bool is_permanent(unsigned slot)
{
	return slot % (WRITERS + 1) == 0;
}

/* The i-th slot of a writer: a batch of them is ascending. */
static unsigned own_slot(const struct member *member, unsigned i)
{
	return i * (WRITERS + 1) + 1 + member->id;
}

static void member_saw(struct member *member, bool right)
{
	if (!right)
		atomic_fetch_add(&member->crowd->missed, 1);
}

/* finds - that the slot is there, or is not. */
static bool finds(struct member *member, unsigned slot)
{
	const struct cow_world *const world = member->crowd->world;
	const struct cow_area area = cow_world_area(world, slot);
	bool is_there = false;

	rcu_enter();

	const struct cow_node *const root = cow_zone_snapshot(&world->zone);
	const struct cow_node *const node =
		cow_tree_find(root, area.first + PAGES - 1);

	if (node != NULL) {
		is_there = true;
		member_saw(member, node->first == area.first &&
					   node->pages == PAGES &&
					   cow_world_slot(world, node) == slot);
	}
	rcu_leave();
	return is_there;
}

static void *write_often(void *context)
{
	struct member *const member = context;
	struct cow_world *const world = member->crowd->world;
	const unsigned own = SLOTS / (WRITERS + 1) - BATCH;

	for (unsigned round = 0; round < ROUNDS; round++) {
		const unsigned count = 1 + random_below(&member->random, BATCH);
		const unsigned begin = random_below(&member->random, own);
		struct cow_area areas[BATCH];

		for (unsigned i = 0; i < count; i++)
			areas[i] = cow_world_area(world,
						  own_slot(member, begin + i));
		if (cow_zone_add(&world->zone, &world->pool, areas, count))
			abort();
		for (unsigned i = 0; i < count; i++)
			member_saw(member,
				   finds(member, own_slot(member, begin + i)));
		cow_zone_remove(&world->zone, &world->pool, areas, count);
		member_saw(member, !finds(member, own_slot(member, begin)));
	}
	atomic_fetch_sub(&member->crowd->writers, 1);
	return NULL;
}

static void count_permanent(void *context, const struct cow_node *node)
{
	if (is_permanent(node->first / STRIDE))
		++*(unsigned *)context;
}

/* Until the last writer ends: a busy machine runs one after the other. */
static void *read_often(void *context)
{
	struct member *const member = context;
	struct crowd *const crowd = member->crowd;
	const unsigned permanent = (SLOTS + WRITERS) / (WRITERS + 1);

	do {
		const unsigned slot = random_below(&member->random, permanent) *
				      (WRITERS + 1);
		unsigned seen = 0;

		member_saw(member, finds(member, slot));
		rcu_enter();

		const struct cow_node *const root =
			cow_zone_snapshot(&crowd->world->zone);

		(void)cow_tree_check(root); /* Z1 */
		cow_tree_walk(root, count_permanent, &seen);
		rcu_leave();
		member_saw(member, seen == permanent);
	} while (atomic_load(&crowd->writers) > 0);
	return NULL;
}

static void what_is_live_throughout_is_never_missed(void **state)
{
	struct crowd crowd = {
		.world = cow_world_begin(SLOTS, STRIDE, PAGES),
		.writers = WRITERS,
	};
	struct member members[WRITERS + READERS];
	pthread_t threads[WRITERS + READERS];

	(void)state;
	for (unsigned slot = 0; slot < SLOTS; slot += WRITERS + 1)
		cow_world_add(crowd.world, &slot, 1);
	for (unsigned i = 0; i < WRITERS + READERS; i++) {
		members[i] = (struct member){ &crowd, i, 1 + i };
		assert_int_equal(
			pthread_create(&threads[i], NULL,
				       i < WRITERS ? write_often : read_often,
				       &members[i]),
			0);
	}
	for (unsigned i = 0; i < WRITERS + READERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(crowd.missed, 0);
	cow_world_compare(crowd.world);
	cow_world_end(crowd.world);
}

/* reader - a thread that is stopped between enter and leave. */
struct reader {
	struct cow_world *world;
	sem_t is_inside;
	sem_t may_leave;
	size_t seen;
};

static void count_node(void *context, const struct cow_node *node)
{
	*(size_t *)context += node->pages == PAGES;
}

static void *read_slowly(void *context)
{
	struct reader *const reader = context;

	rcu_enter();

	const struct cow_node *const root =
		cow_zone_snapshot(&reader->world->zone);

	(void)sem_post(&reader->is_inside);
	while (sem_wait(&reader->may_leave) != 0)
		;
	/* All that happened meanwhile did not happen here. */
	assert_true(cow_tree_check(root) > 0);
	cow_tree_walk(root, count_node, &reader->seen);
	rcu_leave();
	return NULL;
}

static void reader_stop(struct reader *reader, pthread_t *thread,
			struct cow_world *world)
{
	*reader = (struct reader){ .world = world };
	assert_int_equal(sem_init(&reader->is_inside, 0, 0), 0);
	assert_int_equal(sem_init(&reader->may_leave, 0, 0), 0);
	assert_int_equal(pthread_create(thread, NULL, read_slowly, reader), 0);
	while (sem_wait(&reader->is_inside) != 0)
		;
}

static void reader_release(struct reader *reader, pthread_t thread,
			   size_t expected)
{
	assert_int_equal(sem_post(&reader->may_leave), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reader->seen, expected);
	(void)sem_destroy(&reader->is_inside);
	(void)sem_destroy(&reader->may_leave);
}

static void a_stopped_reader_costs_memory_up_to_the_limit(void **state)
{
	enum { HALF = SLOTS / 2, CELLS_MAX = 20000 };
	struct cow_world *const world = cow_world_begin(SLOTS, STRIDE, PAGES);
	struct cow_area area = cow_world_area(world, HALF);
	struct reader reader;
	pthread_t thread;
	uint64_t before = 0;

	(void)state;
	world->pool.held_cells_max = CELLS_MAX;
	for (unsigned slot = 0; slot < HALF; slot++)
		cow_world_add(world, &slot, 1);
	rcu_wait();
	assert_int_equal(stats_of(world).held_bytes, 0);
	reader_stop(&reader, &thread, world);

	while (cow_zone_add(&world->zone, &world->pool, &area, 1) == 0) {
		const uint64_t held = stats_of(world).held_bytes;

		/* Nothing comes back behind a reader. */
		assert_true(held > before);
		assert_true(held < 2 * CELLS_MAX * sizeof(struct cow_cell));
		before = held;
		cow_zone_remove(&world->zone, &world->pool, &area, 1);
	}
	assert_true(stats_of(world).held_bytes >=
		    CELLS_MAX * sizeof(struct cow_cell));
	assert_true(stats_of(world).held_bytes <=
		    (CELLS_MAX + 2 * COW_AREA_CELLS) * sizeof(struct cow_cell));
	assert_int_equal(cow_zone_add(&world->zone, &world->pool, &area, 1),
			 -ENOMEM);
	/* Refused is refused, and removals go on. */
	cow_world_compare(world);
	for (unsigned slot = 0; slot < HALF; slot++)
		cow_world_remove(world, &slot, 1);
	cow_world_compare(world);

	reader_release(&reader, thread, HALF);
	cow_world_settle(world);
	assert_int_equal(stats_of(world).held_bytes, 0);
	assert_int_equal(cow_zone_add(&world->zone, &world->pool, &area, 1), 0);
	world->inside[HALF] = true;
	cow_world_end(world);
}

static void *mmap_none(size_t bytes)
{
	(void)bytes;
	return NULL;
}

/* No memory from the kernel, and none from behind a reader: Z3. */
static void a_removal_never_fails(void **state)
{
	struct cow_world *const world = cow_world_begin(SLOTS, STRIDE, PAGES);
	struct os os = os_linux;
	struct reader reader;
	pthread_t thread;
	unsigned added = 0;
	struct cow_area area;

	(void)state;
	os.mmap_anon = mmap_none;
	area = cow_world_area(world, 0);
	cow_world_add(world, &added, 1);
	reader_stop(&reader, &thread, world);
	world->pool.os = &os;
	do {
		area = cow_world_area(world, ++added);
		assert_true(added < SLOTS);
	} while (cow_zone_add(&world->zone, &world->pool, &area, 1) == 0);
	assert_true(added > 10);

	/* From the middle outward, so that the ways down are long. */
	for (unsigned i = 0; i < added; i++) {
		const unsigned middle = added / 2;
		const unsigned slot =
			i % 2 ? middle - 1 - i / 2 : middle + i / 2;

		area = cow_world_area(world, slot);
		cow_zone_remove(&world->zone, &world->pool, &area, 1);
	}
	world->inside[0] = false;
	reader_release(&reader, thread, 1);
	cow_world_compare(world);
	world->pool.os = &os_linux;
	cow_world_end(world);
}

static void a_refused_batch_changes_nothing(void **state)
{
	struct cow_world *const world = cow_world_begin(SLOTS, STRIDE, PAGES);
	struct os os = os_linux;
	struct cow_area areas[SLOTS];
	unsigned slots[SLOTS];

	(void)state;
	os.mmap_anon = mmap_none;
	world->pool.os = &os;
	for (unsigned i = 0; i < SLOTS; i++) {
		areas[i] = cow_world_area(world, i);
		slots[i] = i;
	}
	assert_int_equal(cow_zone_add(&world->zone, &world->pool, areas, SLOTS),
			 -ENOMEM);
	cow_world_compare(world);
	cow_world_settle(world);
	world->pool.os = &os_linux;
	cow_world_add(world, slots, SLOTS);
	cow_world_compare(world);
	cow_world_end(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fini_gives_back_what_is_still_there),
		cmocka_unit_test(a_stopped_reader_costs_memory_up_to_the_limit),
		cmocka_unit_test(a_removal_never_fails),
		cmocka_unit_test(a_refused_batch_changes_nothing),
		cmocka_unit_test(what_is_live_throughout_is_never_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
