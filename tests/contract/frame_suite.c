/* SPDX-License-Identifier: MIT */
/*
 * frame_suite.c - the contract of backing/frame.h, put to every allocator that
 * hands frames out (`paired` does not: a frame belongs to its page).
 *
 * Whoever has a frame writes its name on it, in memory that is not atomic.  So
 * a frame with two owners is seen by one of them, and ThreadSanitizer sees a
 * frame whose last owner is not known to have left it.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backing/frame_kinds.h"
#include "base/check.h"
#include "base/tsan.h"
#include "fault/fault_os.h"

enum {
	FRAMES = 6000, /* no multiple of 64 */
	THREADS = 8,
	CPUS = 2,
	HOLDS = 24, /* of each thread, at once */
	STEPS = 12000,
	ALONE_STEPS = 40000,
	AGREE_STEPS = 100,
	TSAN_DIVISOR = 6,
	RUN_MAX = 300,
	KINDS_MAX = 8,
	NAME_BYTES = 128,
	LAST_BLOCK_ORDER = 10,
	BLOCKS = FRAMES >> LAST_BLOCK_ORDER,
};

static struct frames frames;
static unsigned owners[FRAMES]; /* 0: nobody */

static void frames_make(const struct frame_ops *kind)
{
	const struct frame_config config = {
		.os = &fault_os,
		.lock = lock_kinds()[0],
		.lock_yield = true, /* more threads than CPUs */
		.nr_frames = FRAMES,
		.cpus = CPUS,
	};

	memset(owners, 0, sizeof(owners));
	assert_int_equal(frames_init(&frames, kind, &config), 0);
}

static uint64_t frames_free(void)
{
	struct frame_stats stats;

	frames.ops->stats(&frames, &stats);
	return stats.frames_free;
}

/* frames_end - all are free, and whole. */
static void frames_end(void)
{
	uint32_t first;

	frames.ops->check(&frames);
	assert_int_equal(frames_free(), FRAMES);
	frames.ops->drain(&frames);
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_int_equal(frames.ops->take_order(
					 &frames, LAST_BLOCK_ORDER, &first),
				 0);
	frames_fini(&frames);
}

/* hold - what a thread has: a run of an area, or a block that is lent. */
struct hold {
	struct frame_run run; /* count 0: nothing */
	unsigned order;
	bool is_block;
};

struct owner {
	pthread_t thread;
	unsigned name; /* from 1 */
	bool is_sure;  /* that a frame without an owner can be had */
	uint32_t seed;
	uint64_t held; /* frames */
	uint64_t wrong;
	uint64_t refused;
	struct hold holds[HOLDS];
};

static uint32_t next_random(struct owner *owner)
{
	owner->seed = owner->seed * 1664525 + 1013904223;
	return owner->seed >> 8;
}

static void sign(struct owner *owner, struct frame_run run, unsigned before,
		 unsigned after)
{
	for (uint32_t i = 0; i < run.count; i++) {
		owner->wrong += owners[run.first + i] != before;
		owners[run.first + i] = after;
	}
}

static bool is_run(struct frame_run run, uint32_t count)
{
	return run.count > 0 && run.count <= count &&
	       (uint64_t)run.first + run.count <= FRAMES;
}

/*
 * is_wanted - the run begins with the wanted frame if, and only if, that was
 * free.  It may have been given meanwhile, or lie in the list of a CPU.
 */
static bool is_wanted(const struct owner *owner, struct frame_run run,
		      uint32_t wanted)
{
	return !owner->is_sure ||
	       (owners[wanted] == 0) == (run.first == wanted);
}

static int take_run(struct owner *owner, struct hold *hold)
{
	const uint32_t wanted = next_random(owner) % FRAMES;
	const uint32_t count = next_random(owner) % 3 == 0
				       ? 1
				       : 1 + next_random(owner) % RUN_MAX;
	const int error = frames.ops->take(&frames, wanted, count, &hold->run);

	if (error == 0)
		owner->wrong += !is_run(hold->run, count) ||
				!is_wanted(owner, hold->run, wanted);
	return error;
}

static int take_block(struct owner *owner, struct hold *hold)
{
	const unsigned order = next_random(owner) % (LAST_BLOCK_ORDER + 1);
	uint32_t first;
	const int error = frames.ops->take_order(&frames, order, &first);

	if (error != 0)
		return error;
	owner->wrong += (first & ((1U << order) - 1)) != 0;
	hold->order = order;
	hold->run = (struct frame_run){ first, 1U << order };
	return 0;
}

static void hold_take(struct owner *owner, struct hold *hold)
{
	hold->is_block = next_random(owner) % 4 == 0;
	const int error = hold->is_block ? take_block(owner, hold)
					 : take_run(owner, hold);

	if (error != 0) {
		owner->wrong += error != -ENOMEM;
		owner->refused++;
		return;
	}
	owner->held += hold->run.count;
	sign(owner, hold->run, 0, owner->name);
}

/* give_pieces - a run may be given in any pieces. */
static void give_pieces(struct owner *owner, struct frame_run run)
{
	while (run.count > 0) {
		const uint32_t count = 1 + next_random(owner) % run.count;

		frames.ops->give(&frames,
				 (struct frame_run){ run.first, count });
		run.first += count;
		run.count -= count;
	}
}

static void hold_give(struct owner *owner, struct hold *hold)
{
	sign(owner, hold->run, owner->name, 0);
	owner->held -= hold->run.count;
	if (hold->is_block)
		owner->wrong += frames_give_order(&frames, hold->run.first,
						  hold->order) != 0;
	else
		give_pieces(owner, hold->run);
	hold->run.count = 0;
}

static void step(struct owner *owner)
{
	struct hold *const hold = &owner->holds[next_random(owner) % HOLDS];

	if (hold->run.count > 0)
		hold_give(owner, hold);
	else
		hold_take(owner, hold);
}

static void let_go(struct owner *owner)
{
	for (unsigned i = 0; i < HOLDS; i++)
		if (owner->holds[i].run.count > 0)
			hold_give(owner, &owner->holds[i]);
}

/* owners_agree - the allocator says of each frame what its owner does. */
static bool owners_agree(void)
{
	for (uint32_t frame = 0; frame < FRAMES; frame++)
		if (frames.ops->is_taken(&frames, frame) != (owners[frame] > 0))
			return false;
	return true;
}

static unsigned steps_of(unsigned steps)
{
	return steps / (TSAN_ENABLED ? TSAN_DIVISOR : 1);
}

static void frames_are_counted_exactly(void **state)
{
	static struct owner owner;

	frames_make(*state);
	owner = (struct owner){ .name = 1 };
	for (unsigned i = 0; i < steps_of(ALONE_STEPS); i++) {
		owner.is_sure = i % 2 == 0;
		if (owner.is_sure)
			frames.ops->drain(&frames);
		step(&owner);
		assert_int_equal(frames_free(), FRAMES - owner.held);
		if (i % AGREE_STEPS == 0)
			assert_true(owners_agree());
	}
	assert_int_equal(owner.wrong, 0);
	let_go(&owner);
	frames_end();
}

static void a_wanted_run_that_is_free_is_given(void **state)
{
	struct frame_run run;

	frames_make(*state);
	for (uint32_t first = 0; first + 130 <= FRAMES; first += 130) {
		assert_int_equal(frames.ops->take(&frames, first, 130, &run),
				 0);
		assert_int_equal(run.first, first);
		assert_int_equal(run.count, 130);
	}
	for (uint32_t first = 0; first + 130 <= FRAMES; first += 130)
		frames.ops->give(&frames, (struct frame_run){ first, 130 });
	frames_end();
}

static void the_last_frame_can_be_had(void **state)
{
	struct frame_run run;
	uint32_t first;

	frames_make(*state);
	for (uint32_t i = 0; i < FRAMES; i++) {
		assert_int_equal(frames.ops->take(&frames, i / 2, 1, &run), 0);
		assert_int_equal(run.count, 1);
		assert_int_equal(owners[run.first]++, 0);
	}
	assert_int_equal(frames.ops->take(&frames, 7, 1, &run), -ENOMEM);
	assert_int_equal(frames.ops->take_order(&frames, 0, &first), -ENOMEM);
	assert_int_equal(frames_free(), 0);
	frames.ops->check(&frames);
	for (uint32_t frame = 0; frame < FRAMES; frame++) {
		frames.ops->give(&frames, (struct frame_run){ frame, 1 });
		assert_int_equal(frames.ops->take_order(&frames, 0, &first), 0);
		assert_int_equal(first, frame);
		assert_int_equal(frames_give_order(&frames, frame, 0), 0);
		assert_int_equal(frames.ops->take(&frames, 7, 9, &run), 0);
		assert_int_equal(run.first, frame);
		assert_int_equal(run.count, 1);
	}
	for (uint32_t frame = FRAMES; frame > 0; frame--)
		frames.ops->give(&frames, (struct frame_run){ frame - 1, 1 });
	frames_end();
}

static void *owner_body(void *argument)
{
	struct owner *const owner = argument;

	for (unsigned i = 0; i < steps_of(STEPS); i++)
		step(owner);
	let_go(owner);
	return NULL;
}

static void a_frame_has_one_owner(void **state)
{
	static struct owner all[THREADS];
	uint64_t refused = 0;

	frames_make(*state);
	for (unsigned i = 0; i < THREADS; i++) {
		all[i] = (struct owner){ .name = i + 1, .seed = i };
		assert_int_equal(pthread_create(&all[i].thread, NULL,
						owner_body, &all[i]),
				 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(all[i].thread, NULL), 0);
		assert_int_equal(all[i].wrong, 0);
		assert_int_equal(all[i].held, 0);
		refused += all[i].refused;
	}
	assert_true(refused > 0); /* else the memory was too large */
	frames_end();
}

static const struct CMUnitTest checks[] = {
	cmocka_unit_test(frames_are_counted_exactly),
	cmocka_unit_test(a_wanted_run_that_is_free_is_given),
	cmocka_unit_test(the_last_frame_can_be_had),
	cmocka_unit_test(a_frame_has_one_owner),
};

enum { CHECKS = sizeof(checks) / sizeof(checks[0]) };

static size_t add_checks(struct CMUnitTest *tests)
{
	static char names[KINDS_MAX * CHECKS][NAME_BYTES];
	static const struct frame_ops *kinds[KINDS_MAX];
	size_t count = 0;

	for (size_t kind = 0; frame_allocators()[kind] != NULL; kind++) {
		require(kind < KINDS_MAX);
		kinds[kind] = frame_allocators()[kind];
		for (size_t i = 0; !kinds[kind]->fixed && i < CHECKS; i++) {
			(void)snprintf(names[count], NAME_BYTES, "%s: %s",
				       kinds[kind]->name, checks[i].name);
			tests[count] = checks[i];
			tests[count].name = names[count];
			tests[count].initial_state = (void *)kinds[kind];
			count++;
		}
	}
	return count;
}

int main(void)
{
	static struct CMUnitTest tests[KINDS_MAX * CHECKS];
	const size_t count = add_checks(tests);

	return _cmocka_run_group_tests("frame_suite", tests, count, NULL, NULL);
}
