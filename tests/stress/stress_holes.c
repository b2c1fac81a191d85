/* SPDX-License-Identifier: MIT */
/*
 * stress_holes.c - eight threads on one map of holes.
 *
 * Each page has a stamp that is no atomic: whoever takes the page must find it
 * empty and writes his own, and takes that away before he gives the page back.
 * Two owners of a page see each other's stamps, and the thread sanitizer sees
 * an owner to whom the last one's writes were not handed over.
 *
 * Now and then all stop, with runs in their hands, and the map is compared with
 * the stamps: later gives would cover up what is wrong then.
 *
 * A timer makes the threads yield wherever they are, some thousand times a
 * second: on a machine with few CPUs they would hardly meet inside.
 */
#include <pthread.h>
#include <sys/time.h>

#include "base/yield.h"
#include "unit/holes_world.h"

enum {
	THREADS = 8,
	PAGES = 30 * HOLE_CHUNK_PAGES + 100,
	RUNS = 24, /* of a thread, at most */
	ROUNDS = 12,
	STEPS = 4000, /* of a thread in a round */
	YIELD_US = 60,
};

#define BASE ((size_t)0x7f1234567)

struct run {
	size_t first;
	size_t pages;
};

struct crowd {
	struct holes_world *world; /* its bytes are the stamps */
	pthread_barrier_t barrier;
	_Atomic(unsigned) conflicts;
	_Atomic(unsigned) refused;
};

struct member {
	struct crowd *crowd;
	unsigned char stamp;
	uint64_t random;
	struct run runs[RUNS];
	unsigned count;
};

/* Change the stamps of a run; each must be `from`. */
static void member_stamp(struct member *member, struct run run,
			 unsigned char from, unsigned char to)
{
	unsigned char *const stamps = member->crowd->world->taken;

	for (size_t page = run.first; page < run.first + run.pages; page++) {
		if (stamps[page] != from)
			/* relaxed: read when all threads are gone. */
			(void)add_relaxed(&member->crowd->conflicts, 1);
		stamps[page] = to;
	}
}

/* Mostly a few pages, now and then up to three chunks. */
static size_t member_pages(struct member *member)
{
	static const unsigned limits[] = { 4, 16, 16, 70, 70, 300, 1500 };

	return 1 + random_below(&member->random,
				limits[random_below(&member->random, 7)]);
}

static void member_take(struct member *member)
{
	struct crowd *const crowd = member->crowd;
	const size_t align = random_below(&member->random, 4);
	const struct holes_request request = {
		.pages = member_pages(member),
		.align_pages = align ? 1 : 16,
		.end = PAGES,
	};
	struct run run = { 0, request.pages };

	if (holes_take(&crowd->world->holes, &request, &run.first) != 0) {
		/* relaxed: a count for the end. */
		(void)add_relaxed(&crowd->refused, 1);
		return;
	}
	member_stamp(member, run, 0, member->stamp);
	member->runs[member->count++] = run;
}

/* A run goes back whole, or its first pages alone. */
static void member_give(struct member *member)
{
	const unsigned i = random_below(&member->random, member->count);
	struct run *const run = &member->runs[i];
	struct run part = *run;

	if (random_below(&member->random, 4) == 0)
		part.pages =
			1 + random_below(&member->random, (unsigned)run->pages);
	member_stamp(member, part, member->stamp, 0);
	holes_give(&member->crowd->world->holes, part.first, part.pages);
	run->first += part.pages;
	run->pages -= part.pages;
	if (run->pages == 0)
		*run = member->runs[--member->count];
}

static void member_round(struct member *member)
{
	for (unsigned step = 0; step < STEPS; step++) {
		const bool take = random_below(&member->random, 2) == 0;

		if (member->count == 0 || (take && member->count < RUNS))
			member_take(member);
		else
			member_give(member);
	}
}

static void *member_main(void *context)
{
	struct member *const member = context;
	struct crowd *const crowd = member->crowd;

	for (unsigned round = 0; round < ROUNDS; round++) {
		member_round(member);
		(void)pthread_barrier_wait(&crowd->barrier);
		if (member->stamp == 1)
			holes_compare(crowd->world);
		(void)pthread_barrier_wait(&crowd->barrier);
	}
	while (member->count > 0)
		member_give(member);
	return NULL;
}

static void on_timer(int number)
{
	(void)number;
	yield_cpu();
}

/* yields_begin - for the threads that are made from now on. */
static void yields_begin(void)
{
	const struct itimerval often = {
		.it_interval.tv_usec = YIELD_US,
		.it_value.tv_usec = YIELD_US,
	};
	const struct sigaction action = {
		.sa_handler = on_timer,
		.sa_flags = SA_RESTART,
	};

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void yields_end(void)
{
	const struct itimerval never = { 0 };

	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
}

/* main_waits - the timer's signal is for the others, or for all again. */
static void main_waits(bool waits)
{
	sigset_t set;

	assert_int_equal(sigemptyset(&set), 0);
	assert_int_equal(sigaddset(&set, SIGALRM), 0);
	assert_int_equal(
		pthread_sigmask(waits ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL),
		0);
}

/* crowd_run - `body` by each of the threads, to their end. */
static void crowd_run(struct crowd *crowd, struct member *members,
		      void *(*body)(void *context))
{
	pthread_t ids[THREADS];

	assert_int_equal(pthread_barrier_init(&crowd->barrier, NULL, THREADS),
			 0);
	yields_begin();
	for (unsigned i = 0; i < THREADS; i++) {
		members[i].crowd = crowd;
		members[i].stamp = (unsigned char)(i + 1);
		members[i].random = 0x9e3779b97f4a7c15 + i;
		assert_int_equal(
			pthread_create(&ids[i], NULL, body, &members[i]), 0);
	}
	main_waits(true);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
	main_waits(false);
	yields_end();
	(void)pthread_barrier_destroy(&crowd->barrier);
}

static void no_page_has_two_owners(void **state)
{
	struct crowd crowd = { .world = holes_begin(BASE, PAGES) };
	static struct member members[THREADS];

	(void)state;
	crowd_run(&crowd, members, member_main);
	assert_int_equal(crowd.conflicts, 0);
	assert_true(crowd.refused > 0);
	assert_int_equal(holes_stats(&crowd.world->holes).holes, 1);
	assert_int_equal(holes_stats(&crowd.world->holes).free_pages, PAGES);
	holes_end(crowd.world);
}

/*
 * Windows with as many places as threads, of which each has one at most in its
 * hands: whatever the others are about to do, there is always one for whoever
 * asks.
 */
enum {
	PLACE_STEPS = 8000,
	PLACE_ALIGN = 256,
	PLACE_PAGES = 200, /* parts of four or five words */
	PLACE_FIRST = 20,
};

static void place_take(struct member *member,
		       const struct holes_request *request)
{
	struct crowd *const crowd = member->crowd;
	struct run run = { 0, request->pages };

	if (holes_take(&crowd->world->holes, request, &run.first) != 0) {
		/* relaxed: a count for the end. */
		(void)add_relaxed(&crowd->refused, 1);
		return;
	}
	member_stamp(member, run, 0, member->stamp);
	member_stamp(member, run, member->stamp, 0);
	holes_give(&crowd->world->holes, run.first, run.pages);
}

static void *page_main(void *context)
{
	const struct holes_request request = {
		.pages = 1,
		.align_pages = 1,
		.end = THREADS,
	};

	for (unsigned step = 0; step < PLACE_STEPS; step++)
		place_take(context, &request);
	return NULL;
}

static void *place_main(void *context)
{
	const struct holes_request request = {
		.pages = PLACE_PAGES,
		.align_pages = PLACE_ALIGN,
		.end = PLACE_FIRST + THREADS * PLACE_ALIGN,
	};

	for (unsigned step = 0; step < PLACE_STEPS; step++)
		place_take(context, &request);
	return NULL;
}

static void none_is_refused(struct holes_world *world,
			    void *(*body)(void *context))
{
	struct crowd crowd = { .world = world };
	static struct member members[THREADS];

	crowd_run(&crowd, members, body);
	assert_int_equal(crowd.conflicts, 0);
	assert_int_equal(crowd.refused, 0);
	holes_end(world);
}

static void a_page_is_refused_only_when_there_is_none(void **state)
{
	(void)state;
	none_is_refused(holes_begin(BASE, THREADS), page_main);
}

static void a_run_is_refused_only_when_there_is_none(void **state)
{
	(void)state;
	none_is_refused(holes_begin(PLACE_ALIGN - PLACE_FIRST,
				    PLACE_FIRST + THREADS * PLACE_ALIGN),
			place_main);
}

/*
 * A window that takes long to look through: each chunk has a free page at an
 * odd number, and a page at an even one is wanted.  There are two, the first
 * and the last, and one thread takes now this, now that one.  So one is always
 * free, but a look at both, one after the other, need not see it.
 */
enum { LONG_PAGES = 1 << 21, LONG_TAKES = 150, LONG_HOLD = 20 };

static const size_t places[] = { 0, LONG_PAGES - 2 };

struct mover {
	struct holes *holes;
	_Atomic(bool) is_over;
};

static void *mover_main(void *context)
{
	struct mover *const mover = context;
	unsigned place = 0;

	/* relaxed: a sign to end, and nothing else. */
	while (!load_relaxed(&mover->is_over)) {
		place = !place;
		if (!hole_claim(mover->holes, places[place], 1))
			continue; /* the other has it */
		for (unsigned i = 0; i < LONG_HOLD; i++)
			cpu_relax();
		holes_give(mover->holes, places[place], 1);
	}
	return NULL;
}

static void a_hole_that_moves_is_found(void **state)
{
	struct holes_world *const world = holes_begin(0, LONG_PAGES);
	struct mover mover = { .holes = &world->holes };
	const struct holes_request request = {
		.pages = 1,
		.align_pages = 2,
		.end = LONG_PAGES,
	};
	pthread_t id;
	unsigned refused = 0;
	unsigned looked = 0;

	(void)state;
	world_claim(world, 0, LONG_PAGES);
	for (size_t page = 101; page < LONG_PAGES; page += HOLE_CHUNK_PAGES)
		world_give(world, page, 1);
	for (unsigned place = 0; place < 2; place++)
		holes_give(&world->holes, places[place], 1);
	yields_begin();
	assert_int_equal(pthread_create(&id, NULL, mover_main, &mover), 0);
	while (looked < LONG_TAKES) {
		size_t page;

		if (holes_take(&world->holes, &request, &page) != 0) {
			refused++;
			looked++;
			continue;
		}
		holes_give(&world->holes, page, 1);
		if (page != places[0])
			looked++; /* at all of the window */
		else
			yield_cpu();
	}
	/* relaxed: as where it is read. */
	store_relaxed(&mover.is_over, true);
	assert_int_equal(pthread_join(id, NULL), 0);
	yields_end();
	assert_int_equal(refused, 0);
	holes_check(&world->holes);
	free(world->taken);
	holes_fini(&world->holes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_page_has_two_owners),
		cmocka_unit_test(a_page_is_refused_only_when_there_is_none),
		cmocka_unit_test(a_run_is_refused_only_when_there_is_none),
		cmocka_unit_test(a_hole_that_moves_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
