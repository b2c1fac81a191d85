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

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/error.h"
#include "unit/map_world.h"

/*
 * Limits of the process are met in a child, which says by its exit code which
 * of its expectations was not met: 0 is none.
 */
static const struct map_world_config buddy = { .frames = "buddy" };

#define EXPECT(condition)                       \
	do {                                    \
		if (!(condition))               \
			_exit(__LINE__ & 0xff); \
	} while (0)

static void run_in_child(void (*body)(struct map_world *world))
{
	struct map_world world;
	int status;

	world_init(&world, &buddy);
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		body(&world);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	world_fini(&world);
}

/* mappings_exhaust - cut `bytes` at `base` until no more mappings are given. */
static void mappings_exhaust(char *base, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += 2 * PAGE_SIZE)
		if (mprotect(base + at, PAGE_SIZE, PROT_READ) != 0)
			return;
}

static void meet_max_map_count(struct map_world *world)
{
	const size_t bytes = (os_linux.max_map_count() + 2) * 2 * PAGE_SIZE;
	char *const base =
		mmap(NULL, bytes, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	EXPECT(base != MAP_FAILED);
	EXPECT(map_alloc(&world->map, world_page(world, 0), 4, true) == 0);
	mappings_exhaust(base, bytes);
	const int error =
		map_alloc(&world->map, world_page(world, 100), 4, true);

	EXPECT(error == -ENOMEM);
	EXPECT(strstr(error_text(), "vm.max_map_count") != NULL);
	EXPECT(munmap(base, bytes) == 0);
	EXPECT(world_mappings(world) != 0);
	EXPECT(map_alloc(&world->map, world_page(world, 100), 4, true) == 0);
	world_unmap(world, 0, 105);
	EXPECT(world_mappings(world) != 0);
}

static void address_space_limit(bool is_met)
{
	const rlim_t used = (rlim_t)os_linux.address_bytes();
	struct rlimit limit;

	EXPECT(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = is_met ? used / 2 : limit.rlim_max;
	EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void meet_address_limit(struct map_world *world)
{
	struct map_run run = {
		.start = world_page(world, 0),
		.end = world_page(world, 5),
	};
	uint32_t frame;

	EXPECT(map_alloc(&world->map, run.start, 4, true) == 0);
	address_space_limit(true);
	const int error =
		map_alloc(&world->map, world_page(world, 100), 4, true);

	EXPECT(error == -ENOMEM);
	EXPECT(strstr(error_text(), "RLIMIT_AS") != NULL);
	/* A free that cannot unmap loses nothing. */
	EXPECT(map_unmap(&world->map, &run, 1) == 1);
	EXPECT(run.error == -ENOMEM);
	EXPECT(map_frame_at(&world->map, run.start, &frame) == 0);
	address_space_limit(false);
	EXPECT(map_unmap(&world->map, &run, 1) == 0);
	EXPECT(world_frames_free(world) == 4096);
	EXPECT(world_mappings(world) != 0);
}

static void a_full_max_map_count_is_an_ordinary_error(void **state)
{
	(void)state;
	run_in_child(meet_max_map_count);
}

static void a_met_address_limit_is_an_ordinary_error(void **state)
{
	(void)state;
	run_in_child(meet_address_limit);
}

static void other_errors_are_said_in_the_system_s_words(void **state)
{
	struct map_world world;

	(void)state;
	world_init(&world, &buddy);
	fault_arm(FAULT_MAP_FILE, 1, FAULT_ONCE, -EAGAIN);
	assert_int_equal(map_alloc(&world.map, world_page(&world, 0), 1, true),
			 -EAGAIN);
	fault_disarm();
	assert_non_null(strstr(error_text(), strerror(EAGAIN)));
	world_fini(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_max_map_count_is_an_ordinary_error),
		cmocka_unit_test(a_met_address_limit_is_an_ordinary_error),
		cmocka_unit_test(other_errors_are_said_in_the_system_s_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
