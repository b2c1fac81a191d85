/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "unit/map_world.h"

/*
 * Every system call of every operation fails once, and then with all behind it.
 *
 * After an error: the error is one of those that a limit makes, nothing of the
 * range can be lost (unmapping it brings back every frame and a bare window),
 * and the next call works.
 */
enum { FIRST_PAGE = 64, PAGES = 6, SWEEP_MAX = 64 };

static const struct map_world_config configs[] = {
	{ .frames = "buddy", .flush = MAP_FLUSH_REMAP },
	{ .frames = "buddy", .flush = MAP_FLUSH_GUARD },
	{ .frames = "buddy", .no_markers = true },
	{ .frames = "bitmap", .flush = MAP_FLUSH_REMAP },
	{ .frames = "bitmap", .flush = MAP_FLUSH_GUARD },
	{ .frames = "paired" },
};

enum { CONFIGS = sizeof(configs) / sizeof(configs[0]) };

/* trial - one operation, and what makes the state that it works on. */
struct trial {
	void (*prepare)(struct map_world *world);
	int (*work)(struct map_world *world);
	bool needs_pages; /* not with `paired` */
};

static void prepare_nothing(struct map_world *world)
{
	(void)world;
}

static int alloc(struct map_world *world)
{
	return map_alloc(&world->map, world_page(world, FIRST_PAGE), PAGES,
			 true);
}

/* What markers closed is opened by the next alloc. */
static void prepare_closed(struct map_world *world)
{
	assert_int_equal(alloc(world), 0);
	world_unmap(world, FIRST_PAGE, PAGES + 1);
}

/* Only single frames are left: an area takes a call for each. */
static void prepare_scattered(struct map_world *world)
{
	struct frames *const frames = &world->frames;
	struct frame_run run;

	while (frames->ops->take(frames, 0, FIRST_PAGE, &run) == 0)
		assert_in_range(run.count, 1, FIRST_PAGE);
	for (uint32_t i = 0; i < PAGES; i++)
		frames->ops->give(frames,
				  (struct frame_run){ FIRST_PAGE + 2 * i, 1 });
}

static void prepare_area(struct map_world *world)
{
	assert_int_equal(alloc(world), 0);
}

static int unmap(struct map_world *world)
{
	struct map_run run = {
		.start = world_page(world, FIRST_PAGE),
		.end = world_page(world, FIRST_PAGE + PAGES + 1),
	};
	const size_t failed = map_unmap(&world->map, &run, 1);

	assert_int_equal(failed, run.error != 0);
	return run.error;
}

static uint32_t lent; /* the first of 16 frames */

static int borrow(struct map_world *world)
{
	const uint32_t frames[] = { lent,      lent + 1, lent + 9,
				    lent + 10, lent + 9, lent + 3 };

	return map_frames(&world->map, world_page(world, FIRST_PAGE), frames,
			  PAGES);
}

/* The frames that borrow() maps are lent. */
static void prepare_frames(struct map_world *world)
{
	assert_int_equal(
		world->frames.ops->take_order(&world->frames, 4, &lent), 0);
}

static int foreign(struct map_world *world)
{
	const struct map_source source = {
		.fd = world->frames.fd,
		.prot = PROT_READ,
	};

	return map_file(&world->map, world_page(world, FIRST_PAGE),
			PAGES * PAGE_SIZE, &source);
}

static const struct trial trials[] = {
	{ prepare_nothing, alloc, false },  { prepare_closed, alloc, false },
	{ prepare_scattered, alloc, true }, { prepare_area, unmap, false },
	{ prepare_frames, borrow, true },   { prepare_nothing, foreign, false },
};

static bool is_limit(int error)
{
	return error == -ENOMEM;
}

/* aftermath - everything is where it was, or can be brought there. */
static void aftermath(struct map_world *world, const struct trial *trial,
		      uint64_t frames_free)
{
	/* `paired` has no frames to be counted. */
	const bool is_free = trial->work == unmap && !world->frames.ops->fixed;

	world_unmap(world, FIRST_PAGE, PAGES + 1);
	assert_int_equal(world_frames_free(world),
			 frames_free + (is_free ? PAGES : 0));
	assert_false(can_read(world_page(world, FIRST_PAGE)));
	world_check(world);
	assert_int_equal(alloc(world), 0);
	memset((void *)world_page(world, FIRST_PAGE), 1, PAGES * PAGE_SIZE);
	assert_false(can_read(world_page(world, FIRST_PAGE + PAGES)));
	world_check(world);
	world_unmap(world, FIRST_PAGE, PAGES + 1);
}

/* try_once - true when the nth call was reached. */
static bool try_once(const struct map_world_config *config,
		     const struct trial *trial, uint64_t nth,
		     enum fault_mode mode)
{
	struct map_world world;

	world_init(&world, config);
	trial->prepare(&world);
	const uint64_t frames_free = world_frames_free(&world);

	fault_arm(FAULT_ANY, nth, mode, 0);
	const int error = trial->work(&world);
	const bool was_hit = fault_was_hit();

	fault_disarm();
	if (!was_hit)
		assert_int_equal(error, 0);
	if (error != 0) {
		assert_true(is_limit(error));
		assert_string_not_equal(error_text(), "");
		aftermath(&world, trial, frames_free);
	} else if (trial->work != unmap) {
		world_unmap(&world, FIRST_PAGE, PAGES + 1);
	}
	world_fini(&world);
	return was_hit;
}

static void sweep(enum fault_mode mode)
{
	for (int i = 0; i < CONFIGS; i++) {
		for (size_t j = 0; j < sizeof(trials) / sizeof(trials[0]);
		     j++) {
			uint64_t nth = 1;

			if (trials[j].needs_pages && i == CONFIGS - 1)
				continue;
			while (try_once(&configs[i], &trials[j], nth, mode))
				nth++;
			assert_in_range(nth, 2, SWEEP_MAX);
		}
	}
}

static void any_one_call_may_fail(void **state)
{
	(void)state;
	sweep(FAULT_ONCE);
}

static void all_calls_may_fail_from_any_on(void **state)
{
	(void)state;
	sweep(FAULT_FROM_THEN_ON);
}

/* An undoing that failed is made good by the next mapping of the range. */
static void what_could_not_be_undone_is_settled_by_the_next_alloc(void **state)
{
	struct map_world world;

	(void)state;
	world_init(&world, &configs[0]);
	/* The mapping goes well, its guard fails, and so does the undoing. */
	fault_arm(FAULT_ANY, 2, FAULT_FROM_THEN_ON, 0);
	assert_int_equal(alloc(&world), -ENOMEM);
	fault_disarm();
	assert_int_equal(world_frames_free(&world), 4096 - PAGES);
	assert_int_equal(alloc(&world), 0);
	assert_int_equal(world_frames_free(&world), 4096 - PAGES);
	assert_false(can_read(world_page(&world, FIRST_PAGE + PAGES)));
	world_unmap(&world, FIRST_PAGE, PAGES + 1);
	assert_int_equal(world_frames_free(&world), 4096);
	world_fini(&world);
}

/* next_fd - the descriptor that the next open would get. */
static int next_fd(void)
{
	const int fd = dup(STDIN_FILENO);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	return fd;
}

static void a_world_that_cannot_be_made_leaves_nothing_behind(void **state)
{
	const int fd = next_fd();

	(void)state;
	for (int i = 0; i < CONFIGS; i++) {
		bool was_hit = true;

		for (uint64_t nth = 1; was_hit; nth++) {
			struct map_world world;
			const uint64_t bytes = os_linux.address_bytes();

			fault_arm(FAULT_ANY, nth, FAULT_ONCE, 0);
			const int error = world_try_init(&world, &configs[i]);

			was_hit = fault_was_hit();
			fault_disarm();
			if (error == 0) {
				world_fini(&world);
			} else {
				/* The window of 128 MiB is gone. */
				assert_in_range(os_linux.address_bytes(), 0,
						bytes + 64 * MIB);
				assert_string_not_equal(error_text(), "");
			}
			assert_int_equal(next_fd(), fd);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_one_call_may_fail),
		cmocka_unit_test(all_calls_may_fail_from_any_on),
		cmocka_unit_test(
			what_could_not_be_undone_is_settled_by_the_next_alloc),
		cmocka_unit_test(
			a_world_that_cannot_be_made_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
