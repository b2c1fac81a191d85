/* SPDX-License-Identifier: MIT */
/*
 * test_augmented.c - what both rows of generation 3 share: when an area is
 * live, what the hooks meet, and that threads keep to it.
 */
#include "va_threads.h"

#include "va/augmented.h"
#include "va/strategies.h"

static const struct va_ops *const rows[] = { &va_augmented, &va_augmented_510 };

struct unmapping {
	struct va *va;
	uintptr_t start;
	unsigned calls;
	bool found;
	uint64_t lazy_pages;
	bool range_taken;
};

/* Called in free: not to be found any more, not yet lazy. */
static int unmapping_look(void *context, const struct va_range *range)
{
	struct unmapping *const look = context;
	struct va_found found;
	struct va_stats stats;

	look->calls++;
	look->start = range->start;
	look->found = look->va->ops->find(look->va, range->start, &found);
	look->va->ops->stats(look->va, &stats);
	look->lazy_pages = stats.lazy_pages;
	look->range_taken = area_tree_find(&augmented_of(look->va)->busy,
					   range->start) != NULL;
	return 0;
}

static void unmap_meets_an_area_that_is_neither_live_nor_lazy(void **state)
{
	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct world world;
		struct unmapping look = { .va = &world.va };

		world_begin(&world, rows[row], 64, 1);
		world.va.config.hooks = (struct va_hooks){
			.context = &look,
			.unmap = unmapping_look,
		};
		assert_int_equal(world_alloc(&world, 4), 0);
		world_free(&world, 0);
		assert_int_equal(look.calls, 1);
		assert_int_equal(page_of(look.start), 0);
		assert_false(look.found);
		assert_int_equal(look.lazy_pages, 0);
		assert_true(look.range_taken);
		world_end(&world);
	}
}

static void lookups_copy_what_was_attached(void **state)
{
	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct va_request request = request_of(4, 0, 0, 64);
		struct va_found found = { 0 };
		struct world world;

		world_begin(&world, rows[row], 64, 1);
		request.vm = (struct vm_struct){
			.flags = 2, .nr_pages = 3, .phys = 5, .size = 12000
		};
		assert_int_equal(world_alloc_in(&world, &request), 0);
		assert_true(rows[row]->find(&world.va, address_of(3), &found));
		assert_int_equal(page_of(found.start), 0);
		assert_int_equal(page_of(found.end), 4);
		assert_false(found.lazy);
		assert_memory_equal(&found.vm, &request.vm, sizeof(found.vm));
		world_end(&world);
	}
}

static void area_without_its_vm_struct_is_not_live(void **state)
{
	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct va_found found = { 0 };
		struct world world;
		bool due = false;

		world_begin(&world, rows[row], 64, 1);
		assert_int_equal(world_alloc(&world, 4), 0);
		assert_int_equal(world_alloc(&world, 4), 4);

		struct vmap_area *const area = area_tree_find(
			&augmented_of(&world.va)->busy, address_of(0));

		area->state = 0; /* as between insert and attach */
		assert_false(rows[row]->find(&world.va, address_of(0), &found));
		assert_true(rows[row]->find_next(&world.va, 0, &found));
		assert_int_equal(page_of(found.start), 4);
		assert_int_equal(
			rows[row]->free(&world.va, address_of(0), &due),
			-ENOENT);
		world_end(&world);
	}
}

static void wrong_starts_are_refused(void **state)
{
	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct world world;
		bool due = false;

		world_begin(&world, rows[row], 64, 1);
		assert_int_equal(world_alloc(&world, 4), 0);
		assert_int_equal(
			rows[row]->free(&world.va, address_of(1), &due),
			-ENOENT); /* interior */
		assert_int_equal(
			rows[row]->free(&world.va, address_of(8), &due),
			-ENOENT); /* a hole */
		world_free(&world, 0);
		assert_int_equal(
			rows[row]->free(&world.va, address_of(0), &due),
			-ENOENT); /* lazy */
		world_end(&world);
	}
}

static void threads_never_share_a_page(void **state)
{
	(void)state;
	for (unsigned row = 0; row < 2; row++)
		threads_run(rows[row], 2);
}

static void lost_page_check(void *context)
{
	struct world *const world = context;
	struct augmented *const self = augmented_of(&world->va);

	area_of_link(self->busy.list.next)->va_end -= PAGE_SIZE;
	world->va.ops->check(&world->va);
}

static void wrong_sum_check(void *context)
{
	struct world *const world = context;

	add_relaxed(&augmented_of(&world->va)->lazy_pages, 1);
	world->va.ops->check(&world->va);
}

static void double_owner_check(void *context)
{
	struct world *const world = context;

	area_of_link(augmented_of(&world->va)->busy.list.next)->va_end +=
		PAGE_SIZE;
	world->va.ops->check(&world->va);
}

static void check_aborts_by_number(void **state)
{
	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct world world;

		world_begin(&world, rows[row], 64, 1);
		assert_int_equal(world_alloc(&world, 4), 0);
		assert_true(
			aborts_saying(lost_page_check, &world, "invariant A1"));
		assert_true(
			aborts_saying(wrong_sum_check, &world, "invariant A4"));
		assert_true(aborts_saying(double_owner_check, &world,
					  "invariant A2"));
		world_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			unmap_meets_an_area_that_is_neither_live_nor_lazy),
		cmocka_unit_test(lookups_copy_what_was_attached),
		cmocka_unit_test(area_without_its_vm_struct_is_not_live),
		cmocka_unit_test(wrong_starts_are_refused),
		cmocka_unit_test(threads_never_share_a_page),
		cmocka_unit_test(check_aborts_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
