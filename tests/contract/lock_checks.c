/* SPDX-License-Identifier: MIT */
/*
 * lock_checks.c - sections that are held open, so that an intruder is seen.
 *
 * Two threads that do n++ pass with no lock at all: the window between the read
 * and the write is too short.  Here whoever is inside lingers, and yields.
 *
 * The data inside the sections is plain on purpose: in a ThreadSanitizer build
 * a kind that does not hand over what was written (K2) is reported as a race.
 */
#include "contract/lock_checks.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/os.h"
#include "lock/lock.h"

enum {
	FEW_THREADS = 2,
	MANY_THREADS = 8, /* more than the CPUs of a small machine */
	THREADS_MAX = 8,
	STEPS = 1500,
	WINDOW_SPINS = 20, /* between reading and writing a counter */
	WINDOW_YIELD_STEPS = 64,
	LINGER_YIELDS = 300,
	LINGER_NS_MAX = 20 * 1000 * 1000, /* others may take a yield */
	LINGER_ROUNDS = 8,
	WAIT_ROUNDS = 200,
	RECORD_WORDS = 8,
	ORDERS = 24, /* of leaving LOCK_NESTING locks */
	SHARED_SECONDS_MAX = 60,
};

/* arena - what the threads of one check share. */
struct arena {
	struct lock locks[LOCK_NESTING];
	pthread_barrier_t start;
	void (*body)(struct arena *arena);
	unsigned threads;
	/* plain: guarded by locks[0] */
	uint64_t counters[LOCK_NESTING];
	uint64_t record[RECORD_WORDS];
	/* seen from outside the locks */
	atomic_int inside;
	atomic_int inside_shared;
	atomic_int announced;
	atomic_bool waited;
	atomic_bool done;
	_Atomic(const char *) breach;
};

static void report(struct arena *arena, const char *breach)
{
	atomic_store(&arena->breach, breach);
}

static void arena_init(struct arena *arena, const struct lock_ops *kind,
		       bool yield)
{
	memset(arena, 0, sizeof(*arena));
	for (unsigned i = 0; i < LOCK_NESTING; i++)
		require(lock_init(&arena->locks[i], kind, yield) == 0);
}

static const char *arena_fini(struct arena *arena)
{
	for (unsigned i = 0; i < LOCK_NESTING; i++)
		lock_fini(&arena->locks[i]);
	return atomic_load(&arena->breach);
}

static void *thread_main(void *argument)
{
	struct arena *const arena = argument;

	(void)pthread_barrier_wait(&arena->start);
	arena->body(arena);
	return NULL;
}

static void run(struct arena *arena, unsigned threads,
		void (*body)(struct arena *arena))
{
	pthread_t ids[THREADS_MAX];

	arena->threads = threads;
	arena->body = body;
	require(pthread_barrier_init(&arena->start, NULL, threads) == 0);
	for (unsigned i = 0; i < threads; i++)
		require(pthread_create(&ids[i], NULL, thread_main, arena) == 0);
	for (unsigned i = 0; i < threads; i++)
		require(pthread_join(ids[i], NULL) == 0);
	require(pthread_barrier_destroy(&arena->start) == 0);
}

/* lingers - so many yields, but no longer than that on a busy machine. */
static bool lingers(unsigned yields, uint64_t since_ns)
{
	return yields < LINGER_YIELDS &&
	       os_linux.now_ns() - since_ns < LINGER_NS_MAX;
}

static void linger(void)
{
	const uint64_t since_ns = os_linux.now_ns();

	for (unsigned i = 0; lingers(i, since_ns); i++)
		sched_yield();
}

/* K1: whoever is inside stays long enough for another one to come in. */
static void linger_inside(struct arena *arena)
{
	struct lock_turn turn;

	for (unsigned round = 0; round < LINGER_ROUNDS; round++) {
		lock_enter(&arena->locks[0], &turn);
		if (atomic_fetch_add(&arena->inside, 1) != 0)
			report(arena, "K1: two threads inside");
		linger();
		atomic_fetch_sub(&arena->inside, 1);
		lock_leave(&arena->locks[0], &turn);
	}
}

static const char *keeps_others_out(const struct lock_ops *kind)
{
	static struct arena arena;

	arena_init(&arena, kind, true);
	run(&arena, FEW_THREADS, linger_inside);
	return arena_fini(&arena);
}

/*
 * add_slowly - an increment with a window that an intruder falls into.
 *
 * The yield now and then opens it to threads that share one CPU, too.
 */
static void add_slowly(uint64_t *counter)
{
	const uint64_t before = *counter;

	atomic_signal_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < WINDOW_SPINS; i++)
		cpu_relax();
	if (before % WINDOW_YIELD_STEPS == 0)
		sched_yield();
	atomic_signal_fence(memory_order_seq_cst);
	*counter = before + 1;
}

static void count_steps(struct arena *arena)
{
	struct lock_turn turn;

	for (unsigned step = 0; step < STEPS; step++) {
		lock_enter(&arena->locks[0], &turn);
		add_slowly(&arena->counters[0]);
		lock_leave(&arena->locks[0], &turn);
	}
}

static const char *count_with(const struct lock_ops *kind, unsigned threads,
			      bool yield)
{
	static struct arena arena;

	arena_init(&arena, kind, yield);
	run(&arena, threads, count_steps);
	if (arena.counters[0] != (uint64_t)threads * STEPS)
		report(&arena, "K1: an increment was lost");
	if (atomic_load(&arena.locks[0].entered) != (uint64_t)threads * STEPS)
		report(&arena, "K1: an entry was not counted");
	return arena_fini(&arena);
}

static const char *loses_no_increment(const struct lock_ops *kind)
{
	return count_with(kind, FEW_THREADS, false);
}

static const char *works_oversubscribed_with_yield(const struct lock_ops *kind)
{
	return count_with(kind, MANY_THREADS, true);
}

/* K2: each holder leaves a record whose words all agree. */
static void rewrite_record(struct arena *arena)
{
	struct lock_turn turn;

	for (unsigned step = 0; step < STEPS; step++) {
		lock_enter(&arena->locks[0], &turn);
		for (unsigned i = 1; i < RECORD_WORDS; i++) {
			if (arena->record[i] != arena->record[0])
				report(arena, "K2: half of a record seen");
		}
		for (unsigned i = 0; i < RECORD_WORDS; i++)
			add_slowly(&arena->record[i]);
		lock_leave(&arena->locks[0], &turn);
	}
}

static const char *hands_over_what_was_written(const struct lock_ops *kind)
{
	static struct arena arena;

	arena_init(&arena, kind, true);
	run(&arena, FEW_THREADS, rewrite_record);
	return arena_fini(&arena);
}

/* All threads are inside shared at once, or nobody comes out again. */
static void meet_inside(struct arena *arena)
{
	struct lock_turn turn;

	lock_enter_shared(&arena->locks[0], &turn);
	(void)pthread_barrier_wait(&arena->start);
	lock_leave_shared(&arena->locks[0], &turn);
}

static void linger_shared(struct arena *arena)
{
	struct lock_turn turn;

	for (unsigned round = 0; round < LINGER_ROUNDS; round++) {
		lock_enter_shared(&arena->locks[0], &turn);
		if (atomic_fetch_add(&arena->inside_shared, 1) != 0)
			report(arena, "K1: shared without a shared form");
		linger();
		atomic_fetch_sub(&arena->inside_shared, 1);
		lock_leave_shared(&arena->locks[0], &turn);
	}
}

static const char *shares_as_it_claims(const struct lock_ops *kind)
{
	static struct arena arena;

	arena_init(&arena, kind, true);
	alarm(SHARED_SECONDS_MAX);
	run(&arena, FEW_THREADS, kind->shared ? meet_inside : linger_shared);
	alarm(0);
	return arena_fini(&arena);
}

static void linger_either_way(struct arena *arena)
{
	const bool shared = atomic_fetch_add(&arena->announced, 1) % 2 == 0;
	struct lock *const lock = &arena->locks[0];
	struct lock_turn turn;

	for (unsigned round = 0; round < LINGER_ROUNDS; round++) {
		if (shared) {
			lock_enter_shared(lock, &turn);
			atomic_fetch_add(&arena->inside_shared, 1);
		} else {
			lock_enter(lock, &turn);
			atomic_fetch_add(&arena->inside, 1);
		}

		const uint64_t since_ns = os_linux.now_ns();

		for (unsigned i = 0; lingers(i, since_ns); i++) {
			if (atomic_load(&arena->inside) > 0 &&
			    atomic_load(&arena->inside_shared) > 0)
				report(arena, "K1: shared beside exclusive");
			sched_yield();
		}
		if (shared) {
			atomic_fetch_sub(&arena->inside_shared, 1);
			lock_leave_shared(lock, &turn);
		} else {
			atomic_fetch_sub(&arena->inside, 1);
			lock_leave(lock, &turn);
		}
	}
}

static const char *keeps_shared_from_exclusive(const struct lock_ops *kind)
{
	static struct arena arena;

	arena_init(&arena, kind, true);
	run(&arena, FEW_THREADS, linger_either_way);
	return arena_fini(&arena);
}

/* order_at - the n-th order of four things, by division with remainder. */
static void order_at(unsigned n, unsigned order[LOCK_NESTING])
{
	unsigned rest[LOCK_NESTING] = { 0, 1, 2, 3 };

	static_assert(LOCK_NESTING == 4 && ORDERS == 24, "24 orders of four");
	for (unsigned i = 0; i < LOCK_NESTING; i++) {
		const unsigned left = LOCK_NESTING - i;
		const unsigned pick = n % left;

		n /= left;
		order[i] = rest[pick];
		rest[pick] = rest[left - 1];
	}
}

static void nest(struct arena *arena)
{
	struct lock_turn turns[LOCK_NESTING];

	for (unsigned n = 0; n < ORDERS * LOCK_NESTING; n++) {
		unsigned order[LOCK_NESTING];

		order_at(n % ORDERS, order);
		for (unsigned i = 0; i < LOCK_NESTING; i++) {
			lock_enter(&arena->locks[i], &turns[i]);
			add_slowly(&arena->counters[i]);
		}
		for (unsigned i = 0; i < LOCK_NESTING; i++)
			lock_leave(&arena->locks[order[i]], &turns[order[i]]);
	}
}

static const char *
nests_four_and_leaves_in_any_order(const struct lock_ops *kind)
{
	static struct arena arena;

	arena_init(&arena, kind, true);
	run(&arena, MANY_THREADS, nest);
	for (unsigned i = 0; i < LOCK_NESTING; i++) {
		if (arena.counters[i] != MANY_THREADS * ORDERS * LOCK_NESTING)
			report(&arena, "K4: an increment was lost");
	}
	return arena_fini(&arena);
}

/* The first stays inside while the second comes; until one is seen waiting. */
static void hold_until_waited(struct arena *arena)
{
	const bool holder = atomic_fetch_add(&arena->announced, 1) == 0;
	struct lock *const lock = &arena->locks[0];
	struct lock_turn turn;

	for (unsigned round = 0; round < WAIT_ROUNDS; round++) {
		if (holder)
			lock_enter(lock, &turn);
		(void)pthread_barrier_wait(&arena->start);
		if (holder) {
			for (unsigned i = 0; i < LINGER_YIELDS / 10; i++)
				sched_yield();
		} else if (lock_enter(lock, &turn)) {
			atomic_store(&arena->waited, true);
		}
		lock_leave(lock, &turn);
		(void)pthread_barrier_wait(&arena->start);
		if (atomic_load(&arena->waited))
			break;
		(void)pthread_barrier_wait(&arena->start);
	}
}

static const char *tells_who_waited(const struct lock_ops *kind)
{
	static struct arena arena;

	arena_init(&arena, kind, true);
	run(&arena, FEW_THREADS, hold_until_waited);
	if (!atomic_load(&arena.waited))
		report(&arena, "waiting was never told");
	else if (atomic_load(&arena.locks[0].waited) != 1)
		report(&arena, "the wait was not counted once");
	return arena_fini(&arena);
}

static const char *does_not_wait_alone(const struct lock_ops *kind)
{
	static struct arena arena;
	struct lock_turn turn;

	arena_init(&arena, kind, false);
	for (unsigned i = 0; i < STEPS; i++) {
		if (lock_enter(&arena.locks[0], &turn))
			report(&arena, "waited for nobody");
		lock_leave(&arena.locks[0], &turn);
		if (lock_enter_shared(&arena.locks[0], &turn))
			report(&arena, "waited for nobody, shared");
		lock_leave_shared(&arena.locks[0], &turn);
	}
	if (atomic_load(&arena.locks[0].waited) != 0)
		report(&arena, "counted a wait for nobody");
	return arena_fini(&arena);
}

const struct lock_check lock_checks[LOCK_CHECKS] = {
	{ "does_not_wait_alone", does_not_wait_alone, false },
	{ "keeps_others_out", keeps_others_out, true },
	{ "keeps_shared_from_exclusive", keeps_shared_from_exclusive, true },
	{ "tells_who_waited", tells_who_waited, true },
	{ "shares_as_it_claims", shares_as_it_claims, true },
	{ "loses_no_increment", loses_no_increment, true },
	{ "hands_over_what_was_written", hands_over_what_was_written, false },
	{ "nests_four_and_leaves_in_any_order",
	  nests_four_and_leaves_in_any_order, false },
	{ "works_oversubscribed_with_yield", works_oversubscribed_with_yield,
	  true },
};
