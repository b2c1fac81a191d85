/* SPDX-License-Identifier: MIT */
/*
 * test_hole_cache_crowd.c - eight threads take, give, drain and close one
 * cache, and each number says whose it is.
 */
#include "va_world.h"

#include <pthread.h>

#include "base/atomic.h"
#include "va/hole_cache.h"

enum {
	CAPACITY = 8,
	CLASS = 1, /* of 2 pages */
	MANY_PAGES = 1 << 20,
	CROWD = 8,
	NUMBERS_EACH = 24,
	STEPS = 8000,
};

static struct cpu_map cpus;

static struct hole_cache_config config_of(const struct os *os)
{
	return (struct hole_cache_config){
		.os = os,
		.cpus = &cpus,
		.percpu = &percpu_cas,
		.capacity = CAPACITY,
		.depot_pages_max = MANY_PAGES,
	};
}

static void cache_begin(struct hole_cache *cache, uint64_t depot_pages_max)
{
	struct hole_cache_config config = config_of(&os_linux);

	config.depot_pages_max = depot_pages_max;
	assert_int_equal(hole_cache_init(cache, &config), 0);
}

/* give - as the users of the cache do; how many were spilt. */
static unsigned give(struct hole_cache *cache, uint64_t value,
		     struct hole_spill *spill)
{
	spill->count = 0;
	if (!hole_cache_give(cache, CLASS, value))
		hole_cache_spill(cache, CLASS, value, spill);
	return spill->count;
}

static bool take(struct hole_cache *cache, uint64_t *value,
		 struct hole_spill *spill)
{
	spill->count = 0;
	return hole_cache_take(cache, CLASS, value) ||
	       hole_cache_refill(cache, CLASS, value, spill);
}

struct crowd {
	struct hole_cache cache;
	pthread_barrier_t start;
	_Atomic(unsigned) next_id;
	_Atomic(unsigned) wrong;
	_Atomic(unsigned) owner[CROWD * NUMBERS_EACH];
};

/* One thread's share, which changes hands by way of the cache. */
struct member {
	struct crowd *crowd;
	unsigned id;
	unsigned held;
	uint64_t values[CROWD * NUMBERS_EACH];
};

static void mark(struct crowd *crowd, uint64_t value, unsigned from,
		 unsigned to)
{
	/* Relaxed: the cache alone orders what the numbers stand for. */
	if (atomic_exchange_explicit(&crowd->owner[value], to,
				     memory_order_relaxed) != from)
		atomic_fetch_add(&crowd->wrong, 1);
}

static void receive(void *context, const uint64_t *values, unsigned count)
{
	struct member *const member = context;

	for (unsigned i = 0; i < count; i++) {
		mark(member->crowd, values[i], 0, member->id + 1);
		member->values[member->held++] = values[i];
	}
}

static void member_give(struct member *member)
{
	const uint64_t value = member->values[--member->held];
	struct hole_spill spill;

	mark(member->crowd, value, member->id + 1, 0);
	(void)give(&member->crowd->cache, value, &spill);
	receive(member, spill.values, spill.count);
}

static void member_take(struct member *member)
{
	struct hole_spill spill;
	uint64_t value;

	if (take(&member->crowd->cache, &value, &spill)) {
		receive(member, &value, 1);
		receive(member, spill.values, spill.count);
	}
}

static void *crowd_main(void *context)
{
	struct crowd *const crowd = context;
	struct member member = { .crowd = crowd };
	uint64_t random;

	member.id = atomic_fetch_add(&crowd->next_id, 1);
	random = 0x9e3779b97f4a7c15 + member.id;
	for (uint64_t i = 0; i < NUMBERS_EACH; i++) {
		const uint64_t value = member.id * NUMBERS_EACH + i;

		receive(&member, &value, 1);
	}
	pthread_barrier_wait(&crowd->start);
	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned what = random_below(&random, 256);

		if (what == 0) {
			const bool closed = hole_cache_close(&crowd->cache);

			hole_cache_drain(&crowd->cache, receive, &member);
			if (closed)
				hole_cache_open(&crowd->cache);
		} else if (what % 2 == 0 && member.held > 0) {
			member_give(&member);
		} else {
			member_take(&member);
		}
	}
	while (member.held > 0) {
		const unsigned held = member.held;

		member_give(&member);
		/* Full as it is, the cache keeps what it can. */
		if (member.held >= held)
			break;
	}
	for (unsigned i = 0; i < member.held; i++)
		mark(crowd, member.values[i], member.id + 1, 99);
	return NULL;
}

static void drained_mark(void *context, const uint64_t *values, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		mark(context, values[i], 0, 99);
}

/* The depot is small, so that much is spilt. */
static void no_number_is_lost_or_has_two_owners(void **state)
{
	static struct crowd crowd;
	pthread_t threads[CROWD];

	(void)state;
	cache_begin(&crowd.cache, (uint64_t)CROWD * NUMBERS_EACH);
	pthread_barrier_init(&crowd.start, NULL, CROWD);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, crowd_main, &crowd),
			0);
	for (unsigned i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	hole_cache_drain(&crowd.cache, drained_mark, &crowd);
	assert_int_equal(crowd.wrong, 0);
	for (unsigned i = 0; i < CROWD * NUMBERS_EACH; i++)
		assert_int_equal(crowd.owner[i], 99);
	pthread_barrier_destroy(&crowd.start);
	hole_cache_fini(&crowd.cache);
}

static int cpus_read(void **state)
{
	const struct cpu_options options = { 0 };

	(void)state;
	return cpu_map_init(&cpus, &options, &os_linux);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_number_is_lost_or_has_two_owners),
	};

	return cmocka_run_group_tests(tests, cpus_read, NULL);
}
