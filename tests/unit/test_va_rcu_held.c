/* SPDX-License-Identifier: MIT */
/*
 * test_va_rcu_held.c - the memory of the trees: what waits behind a stopped
 * reader, and what is done where there is no more.
 *
 * A test that is inside itself is a stopped reader: nothing that was replaced
 * comes back before it leaves.
 */
#include "rcu_world.h"

#include "base/error.h"

/* held - bytes behind readers. */
static uint64_t held(struct world *world)
{
	return world_stats(world).held_bytes;
}

static void a_purge_replaces_little_for_many(void **state)
{
	enum { COUNT = 64 };
	struct va_config config = rcu_config(ZONE);
	struct world world;

	(void)state;
	config.reuse_at_once = false;
	world_make(&world, &va_rcu, &config);
	for (long i = 0; i < 4 * COUNT; i++)
		assert_int_equal(take(&world, 4), 4 * i);
	for (long i = COUNT; i < 2 * COUNT; i++)
		give(&world, 4 * i);
	rcu_wait();
	assert_int_equal(held(&world), 0);
	rcu_enter();
	purge_all(&world);
	/* Each node that left, a few beside them, and some tickets. */
	assert_true(held(&world) > COUNT * sizeof(struct cow_cell));
	assert_true(held(&world) < 2 * COUNT * sizeof(struct cow_cell));
	rcu_leave();
	assert_int_equal(world_stats(&world).lazy_pages, 0);
	world_end(&world);
}

/* drain - a full purge of the cache; cells that were replaced by it. */
static uint64_t drain(struct world *world)
{
	rcu_wait();
	assert_int_equal(held(world), 0);
	rcu_enter();
	purge_all(world);

	const uint64_t cells = held(world) / sizeof(struct cow_cell);

	rcu_leave();
	return cells;
}

/*
 * Of 2 * COUNT areas in the tree every second one is in the stock of this CPU.
 * One by one each would replace the path to it, some 10 nodes.
 */
static void a_drained_stock_replaces_little_for_many(void **state)
{
	enum { COUNT = VA_RELEASE_MAX };
	struct va_config config = rcu_config(ZONE);
	long pages[2 * COUNT];
	struct world world;

	(void)state;
	config.cached = true;
	world_make(&world, &va_rcu, &config);
	for (long i = 0; i < 2 * COUNT; i++)
		pages[i] = take(&world, 4);
	(void)drain(&world); /* what refills have left */
	for (long i = 0; i < COUNT; i++)
		give(&world, pages[2 * i]);
	assert_int_equal(world_stats(&world).pool_pages, 4 * COUNT);

	const uint64_t cells = drain(&world);

	print_message("%.2f cells an area\n", (double)cells / COUNT);
	/* Each node that left, those between them, and some tickets. */
	assert_true(cells > COUNT);
	assert_true(cells < 3 * COUNT);
	assert_int_equal(world_stats(&world).pool_pages, 0);
	assert_int_equal(world_stats(&world).live_areas, COUNT);
	world_end(&world);
}

/* What an allocation does that waits for readers, instead of sleeping. */
static struct os waiting_os;
static unsigned waits;
static void (*on_wait)(struct world *world);
static struct world *waiting_world;

static void wait_here(uint64_t ns)
{
	(void)ns;
	waits++;
	if (on_wait != NULL)
		on_wait(waiting_world);
}

static struct va_config waiting_config(uint64_t held_bytes_max)
{
	struct va_config config = rcu_config(2 * ZONE);

	waiting_os = os_linux;
	waiting_os.sleep_ns = wait_here;
	waits = 0;
	on_wait = NULL;
	config.os = &waiting_os;
	config.held_bytes_max = held_bytes_max;
	return config;
}

/* hold_one - a reader has come, and at a limit of one cell there is no room. */
static void hold_one(struct world *world, long expected)
{
	rcu_enter();
	assert_int_equal(take(world, 4), expected);
	assert_true(held(world) > 0);
}

/* fill_memory - until an area is refused. */
static void fill_memory(struct world *world)
{
	long page;

	while ((page = take(world, 4)) != NO_PAGE)
		give(world, page);
}

static void a_stopped_reader_stops_what_is_new_and_nothing_else(void **state)
{
	enum { HELD_MAX = 1 << 20, KEPT = 100 };
	const struct va_config config = waiting_config(HELD_MAX);
	struct world world;

	(void)state;
	world_make(&world, &va_rcu, &config);
	for (long i = 0; i < KEPT; i++)
		assert_int_equal(take(&world, 4), 4 * i);
	assert_int_equal(world_stats(&world).held_bytes_max, HELD_MAX);
	rcu_wait();
	assert_int_equal(held(&world), 0);

	rcu_enter();
	fill_memory(&world);
	assert_non_null(strstr(error_text(), "readers"));
	assert_non_null(strstr(error_text(), "held_bytes_max"));
	assert_true(held(&world) >= HELD_MAX);
	assert_true(held(&world) <= HELD_MAX + HELD_MAX / 8);
	assert_int_equal(take(&world, 4), NO_PAGE);
	/* Nothing was lost by it, and all else goes on. */
	for (long i = 0; i < KEPT; i++)
		assert_int_equal(found_at(&world, 4 * i + 3), 4 * i);
	for (long i = 0; i < KEPT; i++)
		give(&world, 4 * i);
	assert_int_equal(walk(&world).live, 0);
	assert_int_equal(world_stats(&world).hole_pages, 2 * ZONE);
	rcu_leave();

	rcu_wait();
	assert_int_equal(held(&world), 0);
	assert_int_equal(take(&world, 4), 0);
	world_end(&world);
}

static void leave_at_the_third(struct world *world)
{
	(void)world;
	if (waits != 3)
		return;
	rcu_leave();
	rcu_wait();
}

static void an_allocation_waits_for_readers_that_leave(void **state)
{
	const struct va_config config = waiting_config(sizeof(struct cow_cell));
	struct world world;

	(void)state;
	world_make(&world, &va_rcu, &config);
	assert_int_equal(take(&world, 4), 0);
	hold_one(&world, 4);
	assert_int_equal(waits, 0);
	on_wait = leave_at_the_third;
	assert_int_equal(take(&world, 4), 8);
	assert_int_equal(waits, 3);
	world_end(&world);
}

enum { CROWDED_WAITS = 2 * COW_QUIET_MAX };

/*
 * Now and then the readers leave, and others come before there is anything to
 * be had of what these held.
 */
static void be_crowded(struct world *world)
{
	if (waits % (COW_QUIET_MAX / 2) != 0)
		return;
	rcu_leave();
	rcu_wait();
	if (waits == CROWDED_WAITS)
		return;
	rcu_enter();

	const long page = take(world, 4);

	assert_int_not_equal(page, NO_PAGE);
	give(world, page);
}

static void readers_that_come_and_go_refuse_nobody(void **state)
{
	const struct va_config config = waiting_config(sizeof(struct cow_cell));
	struct world world;

	(void)state;
	world_make(&world, &va_rcu, &config);
	waiting_world = &world;
	assert_int_equal(take(&world, 4), 0);
	hold_one(&world, 4);
	on_wait = be_crowded;
	assert_int_equal(take(&world, 4), 8);
	assert_int_equal(waits, CROWDED_WAITS);
	world_end(&world);
}

static void a_stopped_reader_is_waited_for_once(void **state)
{
	const struct va_config config = waiting_config(sizeof(struct cow_cell));
	struct world world;

	(void)state;
	world_make(&world, &va_rcu, &config);
	assert_int_equal(take(&world, 4), 0);
	hold_one(&world, 4);
	assert_int_equal(take(&world, 4), NO_PAGE);
	assert_int_equal(waits, COW_QUIET_MAX);
	assert_int_equal(take(&world, 4), NO_PAGE);
	assert_int_equal(waits, COW_QUIET_MAX);
	rcu_leave();
	rcu_wait();
	/* The next one that stops is another. */
	hold_one(&world, 8);
	assert_int_equal(take(&world, 4), NO_PAGE);
	assert_int_equal(waits, 2 * COW_QUIET_MAX);
	rcu_leave();
	world_end(&world);
}

static void what_no_reader_holds_is_not_waited_for(void **state)
{
	const struct va_config config = waiting_config(sizeof(struct cow_cell));
	uint64_t first;
	struct world world;

	(void)state;
	world_make(&world, &va_rcu, &config);
	assert_int_equal(take(&world, 4), 0);
	hold_one(&world, 4);
	/* Stocks for a cache are not worth it; nor is what has no hole. */
	assert_int_equal(world.va.ops->alloc_many(&world.va, 4, 1, &first), 0);
	assert_int_equal(take(&world, 2 * ZONE), NO_PAGE);
	assert_int_equal(waits, 0);
	rcu_leave();
	world_end(&world);
}

/* A crowd at a limit that each of them reaches alone. */
enum { CROWD = 16, CROWD_ROUNDS = 50 };

static void *come_and_go(void *context)
{
	/* A copy: what a free says of purges is its thread's. */
	struct world world = *(const struct world *)context;
	uintptr_t refused = 0;

	for (unsigned i = 0; i < CROWD_ROUNDS; i++) {
		const long page = take(&world, 4);

		if (page == NO_PAGE)
			refused++;
		else
			give(&world, page);
	}
	return (void *)refused;
}

static void a_crowd_is_let_through(void **state)
{
	struct va_config config = rcu_config(ZONE);
	pthread_t threads[CROWD];
	struct world world;

	(void)state;
	config.held_bytes_max = 16 * sizeof(struct cow_cell);
	world_make(&world, &va_rcu, &config);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, come_and_go, &world),
			0);
	for (unsigned i = 0; i < CROWD; i++) {
		void *refused;

		assert_int_equal(pthread_join(threads[i], &refused), 0);
		assert_null(refused);
	}
	world_end(&world);
}

static void behind_a_stopped_reader_a_purge_goes_on(void **state)
{
	struct va_config config = waiting_config(sizeof(struct cow_cell));
	struct world world;

	(void)state;
	config.reuse_at_once = false;
	world_make(&world, &va_rcu, &config);
	/* The first replaces nothing, the second the first. */
	assert_int_equal(take(&world, 4), 0);
	rcu_enter();
	assert_int_equal(take(&world, 4), 4);
	assert_int_equal(take(&world, 4), NO_PAGE);
	give(&world, 0);
	give(&world, 4);
	purge_all(&world);
	assert_int_equal(world_stats(&world).hole_pages, 2 * ZONE);
	rcu_leave();
	world_end(&world);
}

/* The second of two trees is refused: the first one's areas are made. */
static void of_a_batch_what_had_room_is_made(void **state)
{
	const struct va_config config = waiting_config(sizeof(struct cow_cell));
	uint64_t firsts[8];
	struct world world;

	(void)state;
	world_make(&world, &va_rcu, &config);
	take_at(&world, 0, ZONE - 12);
	rcu_enter();
	assert_int_equal(world.va.ops->alloc_many(&world.va, 4, 8, firsts), 3);
	assert_int_equal(firsts[2], ZONE - 4);
	assert_int_equal(world_stats(&world).hole_pages, ZONE);
	rcu_leave();
	world_end(&world);
}

static bool anon_refused;

static void *mmap_unless_refused(size_t bytes)
{
	return anon_refused ? NULL : os_linux.mmap_anon(bytes);
}

static void no_memory_for_nodes_has_a_name_of_its_own(void **state)
{
	const struct va_config config = waiting_config(0);
	struct world world;

	(void)state;
	waiting_os.mmap_anon = mmap_unless_refused;
	world_make(&world, &va_rcu, &config);
	anon_refused = true;
	/* With nothing held there is nothing to wait for. */
	do
		rcu_wait();
	while (take(&world, 1) != NO_PAGE);
	assert_int_equal(waits, 0);
	assert_non_null(strstr(error_text(), "no memory for the nodes"));
	anon_refused = false;
	assert_int_not_equal(take(&world, 1), NO_PAGE);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_purge_replaces_little_for_many),
		cmocka_unit_test_setup(a_drained_stock_replaces_little_for_many,
				       world_stay),
		cmocka_unit_test(
			a_stopped_reader_stops_what_is_new_and_nothing_else),
		cmocka_unit_test(an_allocation_waits_for_readers_that_leave),
		cmocka_unit_test(readers_that_come_and_go_refuse_nobody),
		cmocka_unit_test(a_stopped_reader_is_waited_for_once),
		cmocka_unit_test(what_no_reader_holds_is_not_waited_for),
		cmocka_unit_test(a_crowd_is_let_through),
		cmocka_unit_test(behind_a_stopped_reader_a_purge_goes_on),
		cmocka_unit_test(of_a_batch_what_had_room_is_made),
		cmocka_unit_test(no_memory_for_nodes_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
