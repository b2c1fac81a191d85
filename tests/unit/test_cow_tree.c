/* SPDX-License-Identifier: MIT */
/*
 * test_cow_tree.c - a persistent tree agrees with an array of flags, is whole
 * after each step, and leaves its old versions alone.
 */
#include "cow_world.h"

#include "base/tsan.h"

/* One thread, mostly: the thread sanitizer need not see all of it. */
enum {
	FEW = TSAN_ENABLED ? 4 : 5,
	FULL = TSAN_ENABLED ? 1 << 14 : COW_ZONE_PAGES,
	SEVEN = 7,
	SETS = 8, /* slots whose subsets are all tried */
	STRIDE = 4,
	PAGES = 3,
	STEPS = 3000,
	BATCH_MAX = 40,
};

/* permutation - the n-th order of `count` slots. */
static void permutation(unsigned *slots, unsigned count, unsigned n)
{
	for (unsigned i = 0; i < count; i++)
		slots[i] = i;
	for (unsigned i = count; i > 1; i--) {
		const unsigned at = n % i;
		const unsigned slot = slots[i - 1];

		slots[i - 1] = slots[at];
		slots[at] = slot;
		n /= i;
	}
}

static unsigned factorial(unsigned n)
{
	return n == 0 ? 1 : n * factorial(n - 1);
}

static void add_and_remove(struct cow_world *world, unsigned count,
			   unsigned add_order, unsigned remove_order)
{
	unsigned slots[SEVEN];

	permutation(slots, count, add_order);
	for (unsigned i = 0; i < count; i++) {
		cow_world_add(world, &slots[i], 1);
		cow_world_compare(world);
	}
	permutation(slots, count, remove_order);
	for (unsigned i = 0; i < count; i++) {
		cow_world_remove(world, &slots[i], 1);
		cow_world_compare(world);
	}
}

static void every_order_of_few_areas_comes_and_goes(void **state)
{
	struct cow_world *const world = cow_world_begin(FEW, STRIDE, PAGES);
	const unsigned orders = factorial(FEW);

	(void)state;
	for (unsigned add = 0; add < orders; add++)
		for (unsigned remove = 0; remove < orders; remove++)
			add_and_remove(world, FEW, add, remove);
	cow_world_end(world);
}

/* 11 has no divisor with 5040, so that all orders of either kind occur. */
static void every_order_of_seven_areas_comes_and_goes(void **state)
{
	struct cow_world *const world = cow_world_begin(SEVEN, STRIDE, PAGES);
	const unsigned orders = factorial(SEVEN);

	(void)state;
	for (unsigned order = 0; order < orders; order++)
		add_and_remove(world, SEVEN, order, order * 11 % orders);
	cow_world_end(world);
}

static size_t slots_of(unsigned set, unsigned *slots)
{
	size_t count = 0;

	for (unsigned slot = 0; slot < SETS; slot++)
		if (set >> slot & 1)
			slots[count++] = slot;
	return count;
}

/* Each set on each set of the others, added at once and removed at once. */
static void every_batch_goes_into_every_tree(void **state)
{
	struct cow_world *const world = cow_world_begin(SETS, STRIDE, PAGES);
	unsigned there[SETS];
	unsigned batch[SETS];

	(void)state;
	for (unsigned set = 0; set < 1 << SETS; set++) {
		const size_t before = slots_of(set, there);

		cow_world_add(world, there, before);
		for (unsigned other = 0; other < 1 << SETS; other++) {
			if (other & set)
				continue;

			const size_t count = slots_of(other, batch);

			cow_world_add(world, batch, count);
			cow_world_compare(world);
			cow_world_remove(world, batch, count);
			cow_world_compare(world);
		}
		cow_world_remove(world, there, before);
	}
	cow_world_end(world);
}

/* Up to BATCH_MAX ascending slots that are (not) inside. */
static size_t batch_pick(const struct cow_world *world, uint64_t *random,
			 bool inside, unsigned *slots)
{
	const unsigned most = 1 + random_below(random, BATCH_MAX);
	const unsigned begin = random_below(random, world->slots);
	const unsigned skip = 1 + random_below(random, 8);
	size_t count = 0;

	for (unsigned slot = begin; slot < world->slots && count < most;
	     slot += 1 + random_below(random, skip))
		if (world->inside[slot] == inside)
			slots[count++] = slot;
	return count;
}

static void random_batches_agree_with_an_array(void **state)
{
	struct cow_world *const world = cow_world_begin(1024, STRIDE, PAGES);
	uint64_t random = 0x9e3779b97f4a7c15;
	unsigned slots[BATCH_MAX];

	(void)state;
	for (unsigned step = 0; step < STEPS; step++) {
		const bool adds = random_below(&random, 2);
		const size_t count = batch_pick(world, &random, !adds, slots);

		if (adds)
			cow_world_add(world, slots, count);
		else
			cow_world_remove(world, slots, count);
		cow_world_compare(world);
		for (unsigned look = 0; look < 16; look++)
			cow_world_look(world,
				       random_below(&random, 1030 * STRIDE));
	}
	cow_world_end(world);
}

static void find_is_by_containment(void **state)
{
	struct cow_world *const world = cow_world_begin(64, STRIDE, PAGES);
	static const unsigned slots[] = { 3, 4, 9, 20, 21, 63 };

	(void)state;
	cow_world_look(world, 0);
	cow_world_add(world, slots, 6);
	for (uint32_t page = 0; page < 66 * STRIDE; page++)
		cow_world_look(world, page);
	cow_world_end(world);
}

static void an_area_may_be_the_last_page_of_its_zone(void **state)
{
	struct cow_world *const world = cow_world_begin(1, 1, 1);
	struct cow_area area = { .first = COW_ZONE_PAGES - 1, .pages = 1 };

	(void)state;
	assert_int_equal(cow_zone_add(&world->zone, &world->pool, &area, 1), 0);
	rcu_enter();

	const struct cow_node *const root = cow_zone_snapshot(&world->zone);

	assert_non_null(cow_tree_find(root, area.first));
	assert_null(cow_tree_find(root, COW_ZONE_PAGES));
	assert_null(cow_tree_find(root, area.first - 1));
	rcu_leave();
	cow_zone_remove(&world->zone, &world->pool, &area, 1);
	cow_world_end(world);
}

/* versions - a tree as a walk has met it, node by node. */
struct version {
	const struct cow_node *root;
	struct cow_node nodes[64];
	size_t count;
	bool differs;
};

static void version_save(void *context, const struct cow_node *node)
{
	struct version *const version = context;

	version->nodes[version->count++] = *node;
}

static void version_compare(void *context, const struct cow_node *node)
{
	struct version *const version = context;

	if (memcmp(&version->nodes[version->count++], node, sizeof(*node)))
		version->differs = true;
}

static void every_old_version_stays_as_it_was(void **state)
{
	enum { VERSIONS = 200 };
	struct cow_world *const world = cow_world_begin(64, STRIDE, PAGES);
	struct version *const versions = calloc(VERSIONS, sizeof(*versions));
	uint64_t random = 42;
	unsigned slots[BATCH_MAX];

	(void)state;
	assert_non_null(versions);
	rcu_enter();
	for (unsigned i = 0; i < VERSIONS; i++) {
		const bool adds = random_below(&random, 2);
		const size_t count = batch_pick(world, &random, !adds, slots);

		if (adds)
			cow_world_add(world, slots, count);
		else
			cow_world_remove(world, slots, count);
		versions[i].root = cow_zone_snapshot(&world->zone);
		cow_tree_walk(versions[i].root, version_save, &versions[i]);
	}
	for (unsigned i = 0; i < VERSIONS; i++) {
		const size_t count = versions[i].count;

		versions[i].count = 0;
		cow_tree_walk(versions[i].root, version_compare, &versions[i]);
		assert_int_equal(versions[i].count, count);
		assert_false(versions[i].differs);
		assert_int_equal(cow_tree_check(versions[i].root), count);
	}
	rcu_leave();
	free(versions);
	cow_world_end(world);
}

/*
 * A zone as full as it can be, from the one end and from the other: the pool
 * aborts (Q2) if one change takes more than COW_AREA_CELLS.
 */
static void one_change_of_a_full_zone_has_cells_enough(void **state)
{
	struct cow_world *const world = cow_world_begin(1, 1, 1);
	struct cow_area area = { .pages = 1 };
	size_t areas = 0;

	(void)state;
	for (uint32_t i = 0; i < FULL; i++) {
		area.first = i % 2 ? FULL - 1 - i / 2 : i / 2;
		assert_int_equal(
			cow_zone_add(&world->zone, &world->pool, &area, 1), 0);
	}
	cow_zone_check(&world->zone, &areas);
	assert_int_equal(areas, FULL);
	for (uint32_t i = 0; i < FULL; i++) {
		area.first = i % 2 ? FULL - 1 - i / 2 : i / 2;
		cow_zone_remove(&world->zone, &world->pool, &area, 1);
	}
	cow_world_end(world);
}

struct doomed {
	struct cow_world *world;
	struct cow_area areas[2];
	size_t count;
	bool removes;
};

static void doomed_change(void *context)
{
	struct doomed *const doomed = context;
	struct cow_world *const world = doomed->world;

	if (doomed->removes)
		cow_zone_remove(&world->zone, &world->pool, doomed->areas,
				doomed->count);
	else if (cow_zone_add(&world->zone, &world->pool, doomed->areas,
			      doomed->count) != 0)
		_exit(1);
}

static void overlaps_and_absent_areas_abort(void **state)
{
	struct cow_world *const world = cow_world_begin(64, STRIDE, PAGES);
	static const unsigned slots[] = { 5, 6, 7, 8 };
	struct doomed below = { world, { { .first = 19, .pages = 2 } }, 1, 0 };
	struct doomed above = { world, { { .first = 34, .pages = 9 } }, 1, 0 };
	struct doomed twice = {
		world,
		{ { .first = 40, .pages = 2 }, { .first = 41, .pages = 1 } },
		2,
		0,
	};
	struct doomed absent = { world, { { .first = 21 } }, 1, 1 };

	(void)state;
	cow_world_add(world, slots, 4);
	assert_true(aborts_saying(doomed_change, &below, "invariant V1"));
	assert_true(aborts_saying(doomed_change, &above, "invariant V1"));
	assert_true(aborts_saying(doomed_change, &twice, "invariant V1"));
	assert_true(aborts_saying(doomed_change, &absent, "are there"));
	cow_world_end(world);
}

static void harm_check(void *context)
{
	(void)cow_tree_check(context);
}

static void check_names_what_is_broken(void **state)
{
	/* A black root, a red child with black children, a black child. */
	struct cow_node low = { .first = 1, .pages = 1, .black_height = 1 };
	struct cow_node high = { .first = 5, .pages = 1, .black_height = 1 };
	struct cow_node red = { .left = &low,
				.right = &high,
				.first = 3,
				.pages = 1,
				.black_height = 1,
				.is_red = 1 };
	struct cow_node right = { .first = 9, .pages = 1, .black_height = 1 };
	struct cow_node root = { .left = &red,
				 .right = &right,
				 .first = 7,
				 .pages = 1,
				 .black_height = 2 };

	(void)state;
	assert_int_equal(cow_tree_check(&root), 5);
	low.pages = 3;
	assert_true(aborts_saying(harm_check, &root, "invariant V1"));
	low.pages = 1;
	high.first = 8;
	assert_true(aborts_saying(harm_check, &root, "invariant V1"));
	high.first = 5;
	high.is_red = 1;
	high.black_height = 0;
	assert_true(aborts_saying(harm_check, &root, "invariant V2"));
	high.is_red = 0;
	assert_true(aborts_saying(harm_check, &root, "invariant V3"));
	high.black_height = 1;
	root.black_height = 3;
	assert_true(aborts_saying(harm_check, &root, "invariant V3"));
	root.black_height = 2;
	assert_true(aborts_saying(harm_check, &red, "invariant V4"));
	right.is_own = 1;
	assert_true(aborts_saying(harm_check, &root, "invariant V5"));
	right.is_own = 0;
	assert_int_equal(cow_tree_check(&root), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_of_few_areas_comes_and_goes),
		cmocka_unit_test(every_order_of_seven_areas_comes_and_goes),
		cmocka_unit_test(every_batch_goes_into_every_tree),
		cmocka_unit_test(random_batches_agree_with_an_array),
		cmocka_unit_test(find_is_by_containment),
		cmocka_unit_test(an_area_may_be_the_last_page_of_its_zone),
		cmocka_unit_test(every_old_version_stays_as_it_was),
		cmocka_unit_test(one_change_of_a_full_zone_has_cells_enough),
		cmocka_unit_test(overlaps_and_absent_areas_abort),
		cmocka_unit_test(check_names_what_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
