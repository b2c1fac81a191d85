/* SPDX-License-Identifier: MIT */
#include "va_world.h"

#include <pthread.h>

#include "va/depot.h"

#include "anon_os.h"

enum {
	MANY_PAGES = 1 << 30,
	CLASS = 3, /* of 4 pages */
	CROWD = 8,
	BATCHES_EACH = 4,
	STEPS = 20000,
};

static void depot_begin(struct depot *depot, uint64_t pages_max)
{
	assert_int_equal(depot_init(depot, &os_linux, pages_max), 0);
}

static void batches_come_back_whole_the_last_one_first(void **state)
{
	const uint64_t one[] = { 1, 2, 3 };
	const uint64_t two[] = { 4 };
	uint64_t values[DEPOT_BATCH];
	struct depot depot;

	(void)state;
	depot_begin(&depot, MANY_PAGES);
	assert_int_equal(depot_take(&depot, CLASS, values), 0);
	assert_true(depot_put(&depot, CLASS, one, 3));
	assert_true(depot_put(&depot, CLASS, two, 1));
	assert_int_equal(depot_take(&depot, CLASS, values), 1);
	assert_int_equal(values[0], 4);
	assert_int_equal(depot_take(&depot, CLASS, values), 3);
	assert_memory_equal(values, one, sizeof(one));
	assert_int_equal(depot_take(&depot, CLASS, values), 0);
	depot_fini(&depot);
}

static void a_full_batch_comes_back_whole(void **state)
{
	uint64_t values[DEPOT_BATCH];
	uint64_t taken[DEPOT_BATCH];
	struct depot depot;

	(void)state;
	for (unsigned i = 0; i < DEPOT_BATCH; i++)
		values[i] = 1000 + i;
	depot_begin(&depot, MANY_PAGES);
	assert_true(depot_put(&depot, CLASS, values, DEPOT_BATCH));
	assert_int_equal(depot_take(&depot, CLASS, taken), DEPOT_BATCH);
	assert_memory_equal(values, taken, sizeof(values));
	depot_fini(&depot);
}

static void classes_are_apart(void **state)
{
	uint64_t values[DEPOT_BATCH];
	struct depot depot;

	(void)state;
	depot_begin(&depot, MANY_PAGES);
	for (uint64_t size_class = 0; size_class < CLASSES; size_class++)
		assert_true(depot_put(&depot, (unsigned)size_class, &size_class,
				      1));
	for (uint64_t size_class = 0; size_class < CLASSES; size_class++) {
		assert_int_equal(
			depot_take(&depot, (unsigned)size_class, values), 1);
		assert_int_equal(values[0], size_class);
	}
	depot_fini(&depot);
}

static void what_would_be_too_much_is_refused_and_not_counted(void **state)
{
	const uint64_t three[] = { 1, 2, 3 };
	uint64_t values[DEPOT_BATCH];
	struct depot depot;

	(void)state;
	depot_begin(&depot, 16);
	assert_true(depot_put(&depot, CLASS, three, 3));
	assert_int_equal(depot_pages(&depot), 12);

	const uint64_t puts = depot_puts(&depot);

	assert_false(depot_put(&depot, CLASS, three, 2));
	assert_int_equal(depot_pages(&depot), 12);
	assert_int_equal(depot_puts(&depot), puts);
	assert_true(depot_put(&depot, CLASS, three, 1));
	assert_int_equal(depot_pages(&depot), 16);
	assert_int_equal(depot_take(&depot, CLASS, values), 1);
	assert_int_equal(depot_take(&depot, CLASS, values), 3);
	assert_int_equal(depot_pages(&depot), 0);
	depot_fini(&depot);
}

static void each_put_moves_the_count_of_puts_and_no_take_does(void **state)
{
	uint64_t values[DEPOT_BATCH] = { 7 };
	struct depot depot;

	(void)state;
	depot_begin(&depot, MANY_PAGES);

	const uint64_t before = depot_puts(&depot);

	assert_true(depot_put(&depot, CLASS, values, 1));

	const uint64_t after = depot_puts(&depot);

	assert_int_not_equal(before, after);
	assert_int_equal(depot_take(&depot, CLASS, values), 1);
	assert_int_equal(depot_puts(&depot), after);
	depot_fini(&depot);
}

static void the_batches_of_a_class_are_those_put_and_not_taken(void **state)
{
	uint64_t values[DEPOT_BATCH] = { 7 };
	struct depot depot;

	(void)state;
	depot_begin(&depot, MANY_PAGES);
	assert_int_equal(depot_batches(&depot, CLASS), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_true(depot_put(&depot, CLASS, values, 1));
	assert_int_equal(depot_batches(&depot, CLASS), 3);
	assert_int_equal(depot_batches(&depot, CLASS + 1), 0);
	assert_int_equal(depot_take(&depot, CLASS, values), 1);
	assert_int_equal(depot_batches(&depot, CLASS), 2);
	depot_fini(&depot);
}

static void without_a_batch_a_put_is_refused_and_not_counted(void **state)
{
	uint64_t values[DEPOT_BATCH] = { 7 };
	struct depot depot;

	(void)state;
	depot_begin(&depot, MANY_PAGES);
	for (unsigned i = 0; i < DEPOT_BATCHES_MAX; i++)
		assert_true(depot_put(&depot, CLASS, values, 1));

	const uint64_t pages = depot_pages(&depot);

	assert_false(depot_put(&depot, CLASS, values, 1));
	assert_int_equal(depot_pages(&depot), pages);
	assert_int_equal(depot_take(&depot, CLASS, values), 1);
	assert_true(depot_put(&depot, CLASS, values, 1));
	assert_false(depot_put(&depot, CLASS, values, 1));
	depot_fini(&depot);
}

/* Who stood between his look at the top and his exchange must fail. */
static void a_stack_that_looks_as_before_has_another_word(void **state)
{
	uint64_t values[DEPOT_BATCH] = { 7 };
	struct depot depot;

	(void)state;
	depot_begin(&depot, MANY_PAGES);
	assert_true(depot_put(&depot, CLASS, values, 1));

	const uint64_t top = load_relaxed(&depot.full[CLASS].top);

	assert_int_equal(depot_take(&depot, CLASS, values), 1);

	const uint64_t empty = load_relaxed(&depot.empty.top);

	assert_true(depot_put(&depot, CLASS, values, 1));
	assert_int_not_equal(load_relaxed(&depot.full[CLASS].top), top);
	assert_int_equal(depot_take(&depot, CLASS, values), 1);
	assert_int_not_equal(load_relaxed(&depot.empty.top), empty);
	depot_fini(&depot);
}

static struct os counted;

static int depot_make(void *depot)
{
	return depot_init(depot, &counted, MANY_PAGES);
}

static void depot_unmake(void *depot)
{
	depot_fini(depot);
}

static void a_depot_that_cannot_be_made_leaves_nothing(void **state)
{
	struct depot depot;

	(void)state;
	counted = anon_os();
	assert_int_equal(anon_sweep(depot_make, depot_unmake, &depot), 1);
}

/* Each number is one thread's at a time, or in the depot. */
struct crowd {
	struct depot depot;
	pthread_barrier_t start;
	_Atomic(unsigned) next_id;
	_Atomic(unsigned) wrong;
	_Atomic(unsigned) owner[CROWD * BATCHES_EACH * DEPOT_BATCH];
};

static void own(struct crowd *crowd, const uint64_t *values, unsigned count,
		unsigned from, unsigned to)
{
	/* Relaxed: the depot alone shall order what the numbers stand for. */
	for (unsigned i = 0; i < count; i++)
		if (atomic_exchange_explicit(&crowd->owner[values[i]], to,
					     memory_order_relaxed) != from)
			atomic_fetch_add(&crowd->wrong, 1);
}

static void *crowd_main(void *context)
{
	struct crowd *const crowd = context;
	const unsigned id = atomic_fetch_add(&crowd->next_id, 1);
	uint64_t random = 0x9e3779b97f4a7c15 + id;
	uint64_t values[DEPOT_BATCH];

	pthread_barrier_wait(&crowd->start);
	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned size_class = random_below(&random, 2);
		const unsigned count =
			depot_take(&crowd->depot, size_class, values);

		own(crowd, values, count, 0, id + 1);
		own(crowd, values, count, id + 1, 0);
		if (count > 0 &&
		    !depot_put(&crowd->depot, random_below(&random, 2), values,
			       count))
			atomic_fetch_add(&crowd->wrong, 1);
	}
	return NULL;
}

static void no_number_has_two_owners(void **state)
{
	static struct crowd crowd;
	pthread_t threads[CROWD];
	uint64_t values[DEPOT_BATCH];
	unsigned left = 0;
	unsigned count;

	(void)state;
	depot_begin(&crowd.depot, MANY_PAGES);
	for (unsigned i = 0; i < CROWD * BATCHES_EACH; i++) {
		for (unsigned j = 0; j < DEPOT_BATCH; j++)
			values[j] = i * DEPOT_BATCH + j;
		assert_true(depot_put(&crowd.depot, i % 2, values,
				      1 + i % DEPOT_BATCH));
		left += 1 + i % DEPOT_BATCH;
	}
	pthread_barrier_init(&crowd.start, NULL, CROWD);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, crowd_main, &crowd),
			0);
	for (unsigned i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	for (unsigned size_class = 0; size_class < 2; size_class++) {
		while ((count = depot_take(&crowd.depot, size_class, values)) >
		       0) {
			own(&crowd, values, count, 0, 1);
			left -= count;
		}
	}
	assert_int_equal(crowd.wrong, 0);
	assert_int_equal(left, 0);
	assert_int_equal(depot_pages(&crowd.depot), 0);
	pthread_barrier_destroy(&crowd.start);
	depot_fini(&crowd.depot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_come_back_whole_the_last_one_first),
		cmocka_unit_test(a_full_batch_comes_back_whole),
		cmocka_unit_test(classes_are_apart),
		cmocka_unit_test(
			what_would_be_too_much_is_refused_and_not_counted),
		cmocka_unit_test(
			each_put_moves_the_count_of_puts_and_no_take_does),
		cmocka_unit_test(
			the_batches_of_a_class_are_those_put_and_not_taken),
		cmocka_unit_test(
			without_a_batch_a_put_is_refused_and_not_counted),
		cmocka_unit_test(a_stack_that_looks_as_before_has_another_word),
		cmocka_unit_test(a_depot_that_cannot_be_made_leaves_nothing),
		cmocka_unit_test(no_number_has_two_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
