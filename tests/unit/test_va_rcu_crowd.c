/* SPDX-License-Identifier: MIT */
/*
 * test_va_rcu_crowd.c - lookups while everything around them changes.
 */
#include "rcu_world.h"

#include "base/tsan.h"

/*
 * crowd - threads at work around a border of two zones, where an area that
 * crosses it never goes, and others do that were made by turns with it.
 */
enum {
	WRITERS = 6,
	ROUNDS = TSAN_ENABLED ? 300 : 3000,
	NEAR = 64, /* pages on either side of a border */
	PINNED = 3,
};

struct crowd {
	struct world world;
	_Atomic(unsigned) wrong;
	_Atomic(unsigned) writers;
};

static const long pinned[PINNED][2] = {
	{ ZONE - NEAR / 2, NEAR },     /* over the first border */
	{ 2 * ZONE - 1, 1 },           /* up to the second */
	{ 3 * ZONE - 8, ZONE / 2 + 8 } /* far behind the third */
};

static void expect(struct crowd *crowd, bool right)
{
	if (!right)
		atomic_fetch_add(&crowd->wrong, 1);
}

static void pinned_look(struct crowd *crowd, uint64_t *random)
{
	const long *const area = pinned[random_below(random, PINNED)];
	const long page = area[0] + random_below(random, (unsigned)area[1]);
	struct world *const world = &crowd->world;

	expect(crowd, found_at(world, page) == area[0]);
	expect(crowd, next_at(world, address_of(page)) == area[0]);
}

static void pinned_count(void *context, const struct va_found *found)
{
	for (unsigned i = 0; i < PINNED; i++)
		*(unsigned *)context += page_of(found->start) == pinned[i][0];
}

static long border_take(struct crowd *crowd, uint64_t *random)
{
	const long border = (long)(1 + random_below(random, 3)) * ZONE;
	const long pages = 1 + random_below(random, 2 * NEAR);
	const struct va_request request =
		request_of(pages, 0, border - 2 * NEAR, border + 4 * NEAR);
	const long page = try_request(&crowd->world, &request, NULL);

	if (page == NO_PAGE)
		return page;
	expect(crowd, found_at(&crowd->world, page) == page);
	expect(crowd, found_at(&crowd->world, page + pages - 1) == page);
	return page;
}

static void *border_write(void *context)
{
	struct crowd *const crowd = context;
	uint64_t random = 1 + atomic_fetch_sub(&crowd->writers, 1);

	for (unsigned round = 0; round < ROUNDS; round++) {
		const long page = border_take(crowd, &random);

		pinned_look(crowd, &random);
		if (page == NO_PAGE)
			continue;
		/* A copy: what a free says of purges is its thread's. */
		expect(crowd, try_free(&(struct world){ .va = crowd->world.va },
				       page) == 0);
	}
	return NULL;
}

static void *border_read(void *context)
{
	struct crowd *const crowd = context;
	struct va *const va = &crowd->world.va;
	uint64_t random = 99;

	while (atomic_load(&crowd->writers) < WRITERS + 1) {
		unsigned seen = 0;

		pinned_look(crowd, &random);
		va->ops->for_each(va, pinned_count, &seen);
		expect(crowd, seen == PINNED);
	}
	return NULL;
}

static void what_is_live_is_found_while_all_around_it_changes(void **state)
{
	static struct crowd crowd;
	pthread_t writers[WRITERS];
	pthread_t reader;

	(void)state;
	rcu_begin(&crowd.world, ZONES * ZONE);
	for (unsigned i = 0; i < PINNED; i++)
		take_at(&crowd.world, pinned[i][0], pinned[i][1]);
	atomic_store(&crowd.writers, WRITERS);
	for (unsigned i = 0; i < WRITERS; i++)
		assert_int_equal(
			pthread_create(&writers[i], NULL, border_write, &crowd),
			0);
	assert_int_equal(pthread_create(&reader, NULL, border_read, &crowd), 0);
	for (unsigned i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(writers[i], NULL), 0);
	atomic_store(&crowd.writers, WRITERS + 1);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_int_equal(crowd.wrong, 0);
	assert_int_equal(walk(&crowd.world).live, PINNED);
	world_end(&crowd.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_is_live_is_found_while_all_around_it_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
