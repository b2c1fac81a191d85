/* SPDX-License-Identifier: MIT */
/* test_room_tree.c - the tree against an array of what was told of each chunk.
 */
#include "fault/fault_os.h"
#include "va/room_tree.h"
#include "va_world.h"

enum { CHUNKS = 600, STEPS = 30000 };

/* A measure that tells `first`, then, asked again, `later`. */
struct told {
	struct room_tree *tree;
	unsigned first;
	unsigned later;
	unsigned asked;
	size_t raised; /* a chunk that gets all room at the first question */
};

#define NOT_RAISED SIZE_MAX

static unsigned tell(const void *context, size_t chunk)
{
	/* A test's own, made writable by it. */
	struct told *const told = (struct told *)(uintptr_t)context;

	(void)chunk;
	if (told->asked++ > 0)
		return told->later;
	if (told->raised != NOT_RAISED)
		room_raise(told->tree, told->raised, ROOM_MAX);
	return told->first;
}

static void settle(struct room_tree *tree, size_t chunk, unsigned room)
{
	struct told told = { tree, room, room, 0, NOT_RAISED };

	room_settle(tree, chunk, (struct room_measure){ tell, &told });
}

static size_t find_plainly(const unsigned *rooms, size_t chunk, unsigned room)
{
	while (chunk < CHUNKS && rooms[chunk] < room)
		chunk++;
	return chunk;
}

static void the_first_chunk_with_room_is_found(void **state)
{
	static unsigned rooms[CHUNKS];
	struct room_tree tree;
	uint64_t random = 42;

	(void)state;
	assert_int_equal(room_init(&tree, &os_linux, CHUNKS), 0);
	for (unsigned i = 0; i < CHUNKS; i++)
		rooms[i] = ROOM_MAX;
	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned chunk = random_below(&random, CHUNKS);
		const unsigned room = random_below(&random, ROOM_MAX + 1);
		const unsigned wanted = 1 + random_below(&random, ROOM_MAX);

		if (room < rooms[chunk])
			settle(&tree, chunk, room);
		else
			room_raise(&tree, chunk, room);
		rooms[chunk] = room;
		assert_int_equal(room_get(&tree, chunk), room);
		assert_int_equal(room_find(&tree, chunk / 2, wanted),
				 find_plainly(rooms, chunk / 2, wanted));
		if (step % 64 == 0)
			room_check(&tree);
	}
	room_fini(&tree);
}

static void one_chunk_is_a_tree_too(void **state)
{
	struct room_tree tree;

	(void)state;
	assert_int_equal(room_init(&tree, &os_linux, 1), 0);
	assert_int_equal(tree.levels, 1);
	assert_int_equal(room_find(&tree, 0, ROOM_MAX), 0);
	settle(&tree, 0, 7);
	assert_int_equal(room_find(&tree, 0, 7), 0);
	assert_int_equal(room_find(&tree, 0, 8), 1);
	assert_int_equal(room_next_touched(&tree, 0), 1);
	room_touch(&tree, 0);
	assert_int_equal(room_next_touched(&tree, 0), 0);
	room_fini(&tree);
}

/* The greatest window has 2^23 chunks. */
static void the_last_chunk_of_many_is_found_at_once(void **state)
{
	const size_t chunks = (size_t)1 << 23;
	struct room_tree tree;

	(void)state;
	assert_int_equal(room_init(&tree, &os_linux, chunks), 0);
	assert_int_equal(tree.levels, ROOM_LEVELS_MAX);
	room_touch(&tree, chunks - 1);
	assert_int_equal(room_next_touched(&tree, 0), chunks - 1);
	assert_int_equal(room_find(&tree, 0, ROOM_MAX), 0);
	assert_int_equal(room_find(&tree, chunks - 1, ROOM_MAX), chunks - 1);
	settle(&tree, chunks - 1, 0);
	assert_int_equal(room_find(&tree, chunks - 1, 1), chunks);
	room_fini(&tree);
}

static void chunks_that_are_none_have_no_room(void **state)
{
	(void)state;
	for (size_t chunks = 1; chunks < 140; chunks++) {
		struct room_tree tree;

		assert_int_equal(room_init(&tree, &os_linux, chunks), 0);
		for (size_t chunk = 0; chunk < chunks; chunk++) {
			assert_int_equal(room_find(&tree, chunk, 1), chunk);
			settle(&tree, chunk, 0);
		}
		assert_int_equal(room_find(&tree, 0, 1), chunks);
		room_raise(&tree, chunks - 1, 1);
		assert_int_equal(room_find(&tree, 0, 1), chunks - 1);
		room_fini(&tree);
	}
}

static void touched_chunks_are_met_in_order(void **state)
{
	static const size_t touched[] = { 0, 1, 7, 8, 63, 64, 65, 511, 599 };
	struct room_tree tree;
	size_t at = 0;

	(void)state;
	assert_int_equal(room_init(&tree, &os_linux, CHUNKS), 0);
	assert_int_equal(room_next_touched(&tree, 0), CHUNKS);
	for (size_t i = sizeof(touched) / sizeof(*touched); i-- > 0;)
		room_touch(&tree, touched[i]);
	room_check(&tree);
	for (size_t chunk = 0; chunk < CHUNKS; chunk++) {
		if (chunk > touched[at])
			at++;
		assert_int_equal(room_next_touched(&tree, chunk), touched[at]);
		assert_int_equal(room_is_touched(&tree, chunk),
				 touched[at] == chunk);
	}
	room_fini(&tree);
}

/* What a give does between the two measures must not be lost. */
static void a_settle_measures_again(void **state)
{
	struct room_tree tree;
	struct told told = { &tree, 3, 50, 0, NOT_RAISED };

	(void)state;
	assert_int_equal(room_init(&tree, &os_linux, CHUNKS), 0);
	room_settle(&tree, 5, (struct room_measure){ tell, &told });
	assert_int_equal(told.asked, 2);
	assert_int_equal(room_get(&tree, 5), 50);
	room_check(&tree);
	room_fini(&tree);
}

static void a_settle_that_meets_a_raise_leaves_the_promise(void **state)
{
	struct room_tree tree;
	struct told told = { &tree, 3, 3, 0, 6 };

	(void)state;
	assert_int_equal(room_init(&tree, &os_linux, CHUNKS), 0);
	settle(&tree, 6, 0);
	room_settle(&tree, 5, (struct room_measure){ tell, &told });
	assert_int_equal(told.asked, 1);
	assert_int_equal(room_get(&tree, 5), ROOM_MAX);
	assert_int_equal(room_get(&tree, 6), ROOM_MAX);
	room_fini(&tree);
}

static void a_kept_promise_is_not_settled(void **state)
{
	struct room_tree tree;
	struct told told = { &tree, ROOM_MAX, 0, 0, NOT_RAISED };

	(void)state;
	assert_int_equal(room_init(&tree, &os_linux, CHUNKS), 0);
	room_settle(&tree, 5, (struct room_measure){ tell, &told });
	assert_int_equal(told.asked, 1);
	assert_int_equal(room_get(&tree, 5), ROOM_MAX);
	room_fini(&tree);
}

static void check_tree(void *context)
{
	room_check(context);
}

static void check_names_what_is_broken(void **state)
{
	struct room_tree tree;

	(void)state;
	assert_int_equal(room_init(&tree, &os_linux, CHUNKS), 0);

	struct lanes none = { 0 };

	for (unsigned lane = 0; lane < LANES; lane++)
		none = lanes_with_room(none, lane, 0);
	store_relaxed(&tree.words[1][0], none.bits);
	assert_true(aborts_saying(check_tree, &tree, "invariant R2"));
	store_relaxed(&tree.words[1][0], 0);
	room_check(&tree);
	store_relaxed(&tree.words[0][3], LANE_TOUCHED);
	assert_true(aborts_saying(check_tree, &tree, "invariant R3"));
	room_fini(&tree);
}

static void no_address_space_is_an_error(void **state)
{
	struct room_tree tree;

	(void)state;
	fault_arm(FAULT_MMAP_ANON, 1, FAULT_ONCE, 0);
	assert_int_equal(room_init(&tree, &fault_os, CHUNKS), -ENOMEM);
	fault_disarm();
	room_fini(&tree); /* nothing to give back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_chunk_with_room_is_found),
		cmocka_unit_test(one_chunk_is_a_tree_too),
		cmocka_unit_test(the_last_chunk_of_many_is_found_at_once),
		cmocka_unit_test(chunks_that_are_none_have_no_room),
		cmocka_unit_test(touched_chunks_are_met_in_order),
		cmocka_unit_test(a_settle_measures_again),
		cmocka_unit_test(
			a_settle_that_meets_a_raise_leaves_the_promise),
		cmocka_unit_test(a_kept_promise_is_not_settled),
		cmocka_unit_test(check_names_what_is_broken),
		cmocka_unit_test(no_address_space_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
