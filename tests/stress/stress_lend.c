/* SPDX-License-Identifier: MIT */
/*
 * stress_lend.c - frames are freed while others map them.
 *
 * Owners allocate and free blocks; mappers map frames that they have no right
 * to: the one that the owner has last told of, or any.  Whatever the outcome,
 * each call succeeds or is refused by name, no frame is given away under a
 * mapping (P3), and when all have gone every frame is free.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "../unit/engine_fixture.h"
#include "base/tsan.h"

enum {
	THREADS = 4,
	ROUNDS = 4000,       /* of mapping and unmapping */
	LONG_FACTOR = 8,     /* with LFV_TEST_LONG */
	BARE_ROUNDS = 60000, /* without system calls */
	BARE_ORDER = 7,      /* looks at many mapcounts, the told one first */
	TSAN_DIVISOR = 4,
	FRAMES = 256,
	LAST_ORDER = 3,
	LINGER_SPINS = 32, /* at most, so that free and mapping meet */
};

struct lender;

struct lending {
	struct lfv *lfv;
	unsigned owners; /* of the threads, the first ones */
	unsigned rounds; /* of each owner */
	void (*own)(struct lender *self);
	void (*map)(struct lender *self);
	_Atomic(unsigned) owners_left;
	_Atomic(uint32_t) told;
	_Atomic(unsigned) given; /* the frame told of, so many times */
	_Atomic(unsigned) mapped;
	_Atomic(unsigned) errors;
};

struct lender {
	pthread_t thread;
	struct lending *lending;
	unsigned number;
	uint32_t random;
};

static void count(_Atomic(unsigned) *counter)
{
	/* relaxed: a sum, read when the threads are joined. */
	add_relaxed(counter, 1);
}

static uint32_t next_random(struct lender *self)
{
	self->random = self->random * 1664525u + 1013904223u;
	return self->random >> 16;
}

static void linger(struct lender *self)
{
	for (unsigned spin = next_random(self) % LINGER_SPINS; spin > 0; spin--)
		cpu_relax();
}

static void tell(struct lending *lending, uint32_t frame)
{
	/* relaxed: a number; whether it may be mapped is what is tested. */
	store_relaxed(&lending->told, frame);
}

/* wait_unmapped - mappers who never stop would keep a frame for ever. */
static void wait_unmapped(struct lending *lending)
{
	tell(lending, FRAME_NONE);
	(void)sched_yield();
}

static uint32_t frame_told(struct lending *lending)
{
	/* relaxed: as it was told, or as it was before. */
	return load_relaxed(&lending->told);
}

static void own_block(struct lender *self, unsigned order)
{
	struct lending *const lending = self->lending;
	struct lfv_page block;
	int error = lfv_alloc_pages(lending->lfv, order, &block);

	if (error != 0) {
		count(&lending->errors);
		return;
	}
	tell(lending, block.frame);
	linger(self);
	while ((error = lfv_free_pages(lending->lfv, block, order)) == -EBUSY)
		wait_unmapped(lending);
	if (error != 0)
		count(&lending->errors);
}

static void own_frame(struct lender *self)
{
	own_block(self, 0);
}

static void own_any(struct lender *self)
{
	own_block(self, next_random(self) % (LAST_ORDER + 1));
}

static void map_page(struct lending *lending, struct lfv_page page)
{
	void *const area = lfv_vmap(lending->lfv, &page, 1);

	if (area == NULL) {
		if (errno != EINVAL)
			count(&lending->errors);
		return;
	}
	count(&lending->mapped);
	if (lfv_vunmap(lending->lfv, area) != 0)
		count(&lending->errors);
}

static void map_told(struct lender *self)
{
	struct lending *const lending = self->lending;

	map_page(lending, (struct lfv_page){ frame_told(lending) });
}

static void map_any(struct lender *self)
{
	const uint32_t frame = next_random(self) % FRAMES;

	map_page(self->lending, (struct lfv_page){ frame });
}

/* As own_frame(), of the frames themselves: no system call widens the gap. */
static void own_bare(struct lender *self)
{
	struct lending *const lending = self->lending;
	struct frames *const frames = &lending->lfv->frames;
	uint32_t frame;
	int error = frames->ops->take_order(frames, BARE_ORDER, &frame);

	if (error != 0) {
		count(&lending->errors);
		return;
	}
	tell(lending, frame);
	linger(self);
	while ((error = frames_give_order(frames, frame, BARE_ORDER)) == -EBUSY)
		wait_unmapped(lending);
	if (error != 0)
		count(&lending->errors);
	count(&lending->given);
}

static unsigned times_given(struct lending *lending)
{
	/* relaxed: who maps the frame has met its last loan [frame-lent]. */
	return load_relaxed(&lending->given);
}

/*
 * The only owner counts a give before he lends again.  So a mapper knows the
 * number of gives before the loan he has met, and it stays while he maps.
 */
static void map_bare(struct lender *self)
{
	struct lending *const lending = self->lending;
	struct frames *const frames = &lending->lfv->frames;
	const uint32_t frame = frame_told(lending);

	if (frame == FRAME_NONE)
		return;
	linger(self);
	if (!frames_try_map(frames, frame))
		return;

	const unsigned given = times_given(lending);

	linger(self);
	if (times_given(lending) != given)
		count(&lending->errors);
	frames_unmap(frames, frame);
	count(&lending->mapped);
}

/* has_work - a test in which nothing was mapped would tell nothing. */
static bool has_work(struct lending *lending, unsigned round)
{
	/* relaxed: a sum, of which any value above 0 will do. */
	return round < lending->rounds || load_relaxed(&lending->mapped) == 0;
}

static void *lend_body(void *argument)
{
	struct lender *const self = argument;
	struct lending *const lending = self->lending;

	if (self->number >= lending->owners) {
		/* relaxed: only says when to stop. */
		while (load_relaxed(&lending->owners_left) > 0)
			lending->map(self);
		return NULL;
	}
	for (unsigned round = 0; has_work(lending, round); round++)
		lending->own(self);
	/* relaxed: only says when to stop. */
	sub_relaxed(&lending->owners_left, 1);
	return NULL;
}

static unsigned scaled(unsigned rounds)
{
	if (getenv("LFV_TEST_LONG") != NULL)
		rounds *= LONG_FACTOR;
	return TSAN_ENABLED ? rounds / TSAN_DIVISOR : rounds;
}

static void run(struct lending *lending)
{
	struct lender lenders[THREADS];

	lending->rounds = scaled(lending->rounds);
	/* relaxed: the threads are created behind it. */
	store_relaxed(&lending->owners_left, lending->owners);
	for (unsigned i = 0; i < THREADS; i++) {
		lenders[i].lending = lending;
		lenders[i].number = i;
		lenders[i].random = i + 1;
		assert_int_equal(pthread_create(&lenders[i].thread, NULL,
						lend_body, &lenders[i]),
				 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(lenders[i].thread, NULL), 0);
}

static void lend_from(const char *frames, const char *mapping,
		      struct lending lending)
{
	struct lfv_options options = TEST_OPTIONS;

	options.frames = frames;
	options.mapping = mapping;
	options.memory_bytes = FRAMES * PAGE_SIZE;
	lending.lfv = engine_make(&options);
	run(&lending);
	/* relaxed: the threads are joined. */
	assert_int_equal(load_relaxed(&lending.errors), 0);
	assert_int_equal(lfv_purge(lending.lfv), 0);
	assert_int_equal(engine_stats(lending.lfv).frames_free, FRAMES);
	lfv_check(lending.lfv);
	lfv_destroy(lending.lfv);
}

static void lend(const char *mapping, struct lending lending)
{
	lend_from("buddy", mapping, lending);
	lend_from("bitmap", mapping, lending);
}

static void a_frame_is_freed_while_others_map_it(void **state)
{
	(void)state;
	lend("strict", (struct lending){
			       .owners = 1,
			       .rounds = ROUNDS,
			       .own = own_frame,
			       .map = map_told,
		       });
}

static void a_free_that_purges_meets_others_who_map(void **state)
{
	(void)state;
	lend("lazy", (struct lending){
			     .owners = 1,
			     .rounds = ROUNDS,
			     .own = own_frame,
			     .map = map_told,
		     });
}

static void blocks_of_any_order_come_and_go_under_wild_maps(void **state)
{
	(void)state;
	lend("strict", (struct lending){
			       .owners = THREADS - 1,
			       .rounds = ROUNDS,
			       .own = own_any,
			       .map = map_any,
		       });
}

static void what_is_mapped_is_not_given_until_it_is_unmapped(void **state)
{
	(void)state;
	lend("strict", (struct lending){
			       .owners = 1,
			       .rounds = BARE_ROUNDS,
			       .own = own_bare,
			       .map = map_bare,
		       });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_freed_while_others_map_it),
		cmocka_unit_test(a_free_that_purges_meets_others_who_map),
		cmocka_unit_test(
			blocks_of_any_order_come_and_go_under_wild_maps),
		cmocka_unit_test(
			what_is_mapped_is_not_given_until_it_is_unmapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
