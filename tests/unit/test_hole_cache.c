/* SPDX-License-Identifier: MIT */
#include "va_world.h"

#include <sched.h>

#include "base/atomic.h"
#include "va/hole_cache.h"

#include "anon_os.h"

enum {
	CAPACITY = 8,
	BATCH = CAPACITY / 4 * 3, /* that moves */
	CLASS = 1,                /* of 2 pages */
	MANY_PAGES = 1 << 20,
	NUMBERS = 512,
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

static void fill(struct hole_cache *cache, uint64_t from, uint64_t to)
{
	for (uint64_t value = from; value < to; value++)
		assert_true(hole_cache_give(cache, CLASS, value));
}

/* What a drain brought, each number once. */
struct drained {
	unsigned count;
	unsigned times[NUMBERS];
};

static void drained_add(void *context, const uint64_t *values, unsigned count)
{
	struct drained *const drained = context;

	for (unsigned i = 0; i < count; i++)
		drained->times[values[i]]++;
	drained->count += count;
}

static void drained_once(const struct drained *drained, uint64_t from,
			 uint64_t to)
{
	for (uint64_t value = from; value < to; value++)
		assert_int_equal(drained->times[value], 1);
	assert_int_equal(drained->count, to - from);
}

static void the_number_given_last_is_taken_first(void **state)
{
	struct hole_cache cache;
	uint64_t value;

	(void)state;
	cache_begin(&cache, MANY_PAGES);
	fill(&cache, 1, 3);
	assert_true(hole_cache_take(&cache, CLASS, &value));
	assert_int_equal(value, 2);
	assert_false(hole_cache_take(&cache, CLASS + 1, &value));
	assert_true(hole_cache_take(&cache, CLASS, &value));
	assert_int_equal(value, 1);
	assert_false(hole_cache_take(&cache, CLASS, &value));
	hole_cache_fini(&cache);
}

static void a_full_stock_gives_most_to_the_depot_and_keeps_the_new(void **state)
{
	struct hole_cache cache;
	struct hole_spill spill;
	uint64_t value;

	(void)state;
	cache_begin(&cache, MANY_PAGES);
	fill(&cache, 0, CAPACITY);
	assert_false(hole_cache_give(&cache, CLASS, CAPACITY));
	assert_int_equal(give(&cache, CAPACITY, &spill), 0);
	assert_int_equal(depot_pages(&cache.depot), 2 * BATCH);
	assert_true(hole_cache_take(&cache, CLASS, &value));
	assert_int_equal(value, CAPACITY);
	hole_cache_fini(&cache);
}

static void an_empty_stock_is_refilled_with_a_batch(void **state)
{
	struct hole_cache cache;
	struct hole_spill spill;
	uint64_t value;

	(void)state;
	cache_begin(&cache, MANY_PAGES);
	assert_false(hole_cache_refill(&cache, CLASS, &value, &spill));
	fill(&cache, 0, CAPACITY);
	assert_int_equal(give(&cache, CAPACITY, &spill), 0);
	for (unsigned i = 0; i <= CAPACITY - BATCH; i++)
		assert_true(hole_cache_take(&cache, CLASS, &value));
	assert_false(hole_cache_take(&cache, CLASS, &value));
	assert_true(hole_cache_refill(&cache, CLASS, &value, &spill));
	assert_int_equal(spill.count, 0);
	assert_int_equal(depot_pages(&cache.depot), 0);
	for (unsigned i = 1; i < BATCH; i++)
		assert_true(hole_cache_take(&cache, CLASS, &value));
	assert_false(take(&cache, &value, &spill));
	hole_cache_fini(&cache);
}

static void what_the_stock_has_no_room_for_goes_back_to_the_depot(void **state)
{
	struct drained drained = { 0 };
	struct hole_cache cache;
	struct hole_spill spill;
	uint64_t value;

	(void)state;
	cache_begin(&cache, MANY_PAGES);
	fill(&cache, 0, CAPACITY);
	assert_int_equal(give(&cache, CAPACITY, &spill), 0);
	fill(&cache, CAPACITY + 1, CAPACITY + BATCH);
	/* Another thread has filled the stock meanwhile. */
	assert_true(hole_cache_refill(&cache, CLASS, &value, &spill));
	assert_int_equal(spill.count, 0);
	drained_add(&drained, &value, 1);
	hole_cache_drain(&cache, drained_add, &drained);
	drained_once(&drained, 0, CAPACITY + BATCH);
	hole_cache_fini(&cache);
}

static void what_the_depot_refuses_is_the_givers_again(void **state)
{
	struct drained drained = { 0 };
	struct hole_cache cache;
	struct hole_spill spill;

	(void)state;
	cache_begin(&cache, 2 * BATCH);
	fill(&cache, 0, CAPACITY);
	assert_int_equal(give(&cache, CAPACITY, &spill), 0);
	fill(&cache, CAPACITY + 1, CAPACITY + BATCH);
	assert_int_equal(give(&cache, CAPACITY + BATCH, &spill), BATCH);
	drained_add(&drained, spill.values, spill.count);
	hole_cache_drain(&cache, drained_add, &drained);
	drained_once(&drained, 0, CAPACITY + BATCH + 1);
	hole_cache_fini(&cache);
}

static void fresh_numbers_that_find_no_room_are_told(void **state)
{
	const uint64_t values[CAPACITY] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	struct drained drained = { 0 };
	struct hole_cache cache;

	(void)state;
	cache_begin(&cache, MANY_PAGES);
	assert_int_equal(hole_cache_batch(&cache, CLASS), CAPACITY / 2);
	assert_int_equal(hole_cache_put(&cache, CLASS, values, 0), 0);
	assert_int_equal(hole_cache_put(&cache, CLASS, values, 5), 5);
	assert_int_equal(hole_cache_put(&cache, CLASS, values + 5, 3), 3);
	assert_int_equal(hole_cache_put(&cache, CLASS, values, 3), 0);
	hole_cache_drain(&cache, drained_add, &drained);
	drained_once(&drained, 0, CAPACITY);
	hole_cache_fini(&cache);
}

static void a_stock_is_bounded_by_numbers_and_by_bytes(void **state)
{
	struct hole_cache_config config = config_of(&os_linux);
	struct hole_cache cache;

	(void)state;
	config.capacity = 0;
	config.stock_bytes_max = MIB;
	assert_int_equal(hole_cache_init(&cache, &config), 0);
	assert_int_equal(cache.stocks[class_of(1)].slots.capacity, 128);
	assert_int_equal(cache.stocks[class_of(2)].slots.capacity, 128);
	assert_int_equal(cache.stocks[class_of(3)].slots.capacity, 85);
	assert_int_equal(cache.stocks[class_of(64)].slots.capacity, 4);
	assert_int_equal(cache.stocks[class_of(128)].slots.capacity, 2);
	/* Less than two are no stock. */
	assert_int_equal(cache.stocks[class_of(512)].slots.capacity, 2);
	hole_cache_fini(&cache);
	config.stock_bytes_max = 0;
	assert_int_equal(hole_cache_init(&cache, &config), 0);
	assert_int_equal(cache.stocks[class_of(512)].slots.capacity, 128);
	hole_cache_fini(&cache);
}

static void a_closed_cache_sends_all_to_the_depot_until_it_is_open(void **state)
{
	struct hole_cache cache;
	struct hole_spill spill;
	uint64_t value;

	(void)state;
	cache_begin(&cache, MANY_PAGES);
	fill(&cache, 1, 2);
	assert_true(hole_cache_close(&cache));
	assert_true(hole_cache_close(&cache));
	assert_false(hole_cache_take(&cache, CLASS, &value));
	assert_int_equal(give(&cache, 2, &spill), 0);
	assert_int_equal(depot_pages(&cache.depot), 2);
	hole_cache_open(&cache);
	assert_false(hole_cache_give(&cache, CLASS, 3));
	assert_true(hole_cache_refill(&cache, CLASS, &value, &spill));
	assert_int_equal(value, 2);
	hole_cache_open(&cache);
	assert_true(hole_cache_take(&cache, CLASS, &value));
	assert_int_equal(value, 1);
	hole_cache_fini(&cache);
}

/* cas, but the kernel refuses the fence of one stop. */
static struct percpu_ops fenced;
static unsigned stops;
static unsigned starts;
static unsigned refused_stop;

static int stop_at_times(struct percpu *percpu, unsigned slot)
{
	return ++stops == refused_stop ? -EPERM : percpu_cas.stop(percpu, slot);
}

static void start_counted(struct percpu *percpu, unsigned slot)
{
	starts++;
	percpu_cas.start(percpu, slot);
}

static void a_close_that_is_refused_half_way_has_closed_nothing(void **state)
{
	struct hole_cache_config config = config_of(&os_linux);
	struct hole_cache cache;

	(void)state;
	fenced = percpu_cas;
	fenced.stop = stop_at_times;
	fenced.start = start_counted;
	config.percpu = &fenced;
	assert_int_equal(hole_cache_init(&cache, &config), 0);
	for (refused_stop = 1; refused_stop <= CLASSES * cache.slots;
	     refused_stop++) {
		stops = 0;
		starts = 0;
		assert_false(hole_cache_close(&cache));
		assert_int_equal(starts, refused_stop - 1);
	}
	for (unsigned size_class = 0; size_class < CLASSES; size_class++)
		assert_true(hole_cache_give(&cache, size_class, size_class));
	stops = 0;
	starts = 0;
	assert_true(hole_cache_close(&cache));
	assert_int_equal(stops, CLASSES * cache.slots);
	assert_false(hole_cache_give(&cache, CLASS, 100));
	hole_cache_open(&cache);
	assert_int_equal(starts, stops);
	assert_true(hole_cache_give(&cache, CLASS, 100));
	hole_cache_fini(&cache);
}

/* cas, but the stock is stopped when its numbers have just been taken. */
static unsigned take_many_and_stop(struct percpu *percpu, uint64_t *values,
				   unsigned count)
{
	const unsigned taken = percpu_cas.take_many(percpu, values, count);

	for (unsigned slot = 0; slot < percpu->slots.count; slot++)
		assert_int_equal(percpu_cas.stop(percpu, slot), 0);
	return taken;
}

static void a_batch_and_the_new_one_go_to_the_depot_in_two_parts(void **state)
{
	struct hole_cache_config config = config_of(&os_linux);
	struct drained drained = { 0 };
	struct hole_cache cache;
	struct hole_spill spill;

	(void)state;
	fenced = percpu_cas;
	fenced.take_many = take_many_and_stop;
	config.percpu = &fenced;
	config.capacity = 0;
	assert_int_equal(hole_cache_init(&cache, &config), 0);
	fill(&cache, 0, STOCK_CAPACITY);
	hole_cache_spill(&cache, CLASS, STOCK_CAPACITY, &spill);
	assert_int_equal(spill.count, 0);
	assert_int_equal(depot_pages(&cache.depot), 2 * (DEPOT_BATCH + 1));
	hole_cache_drain(&cache, drained_add, &drained);
	drained_once(&drained, 0, STOCK_CAPACITY + 1);
	hole_cache_fini(&cache);
}

static bool go_to(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

static void a_drain_has_every_cpus_stock_and_the_depot(void **state)
{
	struct drained drained = { 0 };
	struct hole_cache cache;
	struct hole_spill spill;
	cpu_set_t before;
	uint64_t given = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	cache_begin(&cache, MANY_PAGES);
	for (unsigned cpu = 0; cpu < cpus.cpu_slots && cpu < 8; cpu++) {
		if (!go_to(cpu))
			continue;
		for (unsigned i = 0; i < CAPACITY + 1; i++)
			assert_int_equal(give(&cache, given++, &spill), 0);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_true(given > CAPACITY);
	hole_cache_drain(&cache, drained_add, &drained);
	drained_once(&drained, 0, given);
	assert_int_equal(depot_pages(&cache.depot), 0);
	/* It is open again. */
	fill(&cache, 0, 1);
	hole_cache_fini(&cache);
}

static struct os counted;

static int cache_make(void *cache)
{
	const struct hole_cache_config config = config_of(&counted);

	return hole_cache_init(cache, &config);
}

static void cache_unmake(void *cache)
{
	hole_cache_fini(cache);
}

static void a_cache_that_cannot_be_made_leaves_nothing(void **state)
{
	struct hole_cache cache;

	(void)state;
	counted = anon_os();
	assert_int_equal(anon_sweep(cache_make, cache_unmake, &cache),
			 CLASSES + 2);
}

static int cpus_read(void **state)
{
	const struct cpu_options options = { 0 };

	(void)state;
	return cpu_map_init(&cpus, &options, &os_linux);
}

static int stay(void **state)
{
	(void)state;
	return go_to(cpu_current().value) ? 0 : -1;
}

#define ON_ONE_CPU(test) cmocka_unit_test_setup(test, stay)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drain_has_every_cpus_stock_and_the_depot),
		ON_ONE_CPU(the_number_given_last_is_taken_first),
		ON_ONE_CPU(
			a_full_stock_gives_most_to_the_depot_and_keeps_the_new),
		ON_ONE_CPU(an_empty_stock_is_refilled_with_a_batch),
		ON_ONE_CPU(
			what_the_stock_has_no_room_for_goes_back_to_the_depot),
		ON_ONE_CPU(what_the_depot_refuses_is_the_givers_again),
		ON_ONE_CPU(fresh_numbers_that_find_no_room_are_told),
		ON_ONE_CPU(a_stock_is_bounded_by_numbers_and_by_bytes),
		ON_ONE_CPU(
			a_closed_cache_sends_all_to_the_depot_until_it_is_open),
		ON_ONE_CPU(a_close_that_is_refused_half_way_has_closed_nothing),
		ON_ONE_CPU(
			a_batch_and_the_new_one_go_to_the_depot_in_two_parts),
		ON_ONE_CPU(a_cache_that_cannot_be_made_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, cpus_read, NULL);
}
