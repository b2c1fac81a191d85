/* SPDX-License-Identifier: MIT */
/*
 * test_depot_jolt.c - a depot under jolts: each number has one holder at a
 * time.
 *
 * Threads take a batch, hold its numbers, and put each back in a batch of its
 * own; they stop before atomic operations of the depot (jolt_points.h).  A
 * stack whose top has no tag hands a batch to two of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/os.h"
#include "linear/crew.h"
#include "va/depot.h"

enum { NUMBERS = 8, THREADS = 4, STEPS = 4000, HELD_MAX = 3 };

struct world {
	struct depot depot;
	struct gate gate;
	_Atomic(uint64_t) steps;
	_Atomic(unsigned) holders[NUMBERS];
	_Atomic(unsigned) breaches;
};

static void hold(struct world *world, const uint64_t *values, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		/* relaxed: a witness, which must order nothing. */
		if (add_relaxed(&world->holders[values[i]], 1) != 0)
			/* relaxed: a sum, read when all have ended. */
			add_relaxed(&world->breaches, 1);
	}
}

static void work(void *context, unsigned thread)
{
	struct world *const world = context;
	struct dice dice = dice_of(7, thread);
	uint64_t held[HELD_MAX * DEPOT_BATCH];
	unsigned count = 0;

	gate_start(&world->gate);
	for (unsigned i = 0; i < STEPS; i++) {
		crew_jolt(&dice, dice_one_in(&dice, 8) ? 6 : 0);
		/* relaxed: how far all are. */
		add_relaxed(&world->steps, 1);
		if (count < HELD_MAX && dice_one_in(&dice, 2)) {
			const unsigned got =
				depot_take(&world->depot, 0, held + count);

			hold(world, held + count, got);
			count += got;
		} else if (count > 0) {
			count--;
			/* relaxed: as in hold(). */
			sub_relaxed(&world->holders[held[count]], 1);
			if (!depot_put(&world->depot, 0, held + count, 1))
				add_relaxed(&world->breaches, 1);
		}
	}
}

static void a_number_has_one_holder(void **state)
{
	static struct world world;

	(void)state;
	assert_int_equal(depot_init(&world.depot, &os_linux, 1 << 20), 0);
	for (uint64_t i = 0; i < NUMBERS; i++)
		assert_true(depot_put(&world.depot, 0, &i, 1));
	gate_init(&world.gate, THREADS);
	crew_run(&(struct crew){
		.threads = THREADS,
		.work = work,
		.context = &world,
		.progress = &world.steps,
	});
	gate_fini(&world.gate);
	depot_fini(&world.depot);
	/* relaxed: all have ended. */
	assert_int_equal(load_relaxed(&world.breaches), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_has_one_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
