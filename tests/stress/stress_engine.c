/* SPDX-License-Identifier: MIT */
/*
 * stress_engine.c - the whole engine under many threads, on every strategy and
 * every way of mapping.
 *
 * Each thread allocates, stamps, looks up, verifies and frees areas, its own
 * and those that others hand over through a shared table, while one thread
 * purges and walks.  An area that overlaps another, a frame with two owners or
 * a page that is unmapped too early shows as a stamp that is not its owner's,
 * or as a fault.  At the end everything is given back and every figure is what
 * it was.
 *
 * A thread of a spinning lock that has lost its CPU holds up all who wait for
 * it, so a busy machine is slower by two orders of magnitude: a way of mapping
 * then ends before its operations do.
 *
 * `busted` must not get through: it is run as a child, which must fail.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/engine_fixture.h"
#include "base/tsan.h"

enum {
	THREADS = 6,
	SHARED_SLOTS = 64,
	OPERATIONS = 1500,
	LONG_FACTOR = 20,
	TSAN_DIVISOR = 10, /* it is ten times slower */
	PAGES_MAX = 12,
	WAY_SECONDS_MAX = 3,
	OPERATIONS_MIN = 50, /* of a thread, however late it is */
};

static const uint64_t NS_PER_S = UINT64_C(1000) * 1000 * 1000;

/*
 * held - an area and what must be in it.
 *
 * The stamp is remembered outside the area: two owners of one range would each
 * find a whole stamp inside, the other's.
 */
struct held {
	unsigned char *area;
	size_t pages;
	uint64_t stamp;
};

struct run {
	struct lfv *lfv;
	_Atomic(struct held *) slots[SHARED_SLOTS];
	_Atomic(unsigned) errors;
	_Atomic(bool) is_over;
	unsigned operations;
	uint64_t until_ns;
};

struct worker_thread {
	pthread_t thread;
	struct run *run;
	uint64_t random;
};

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void error_count(struct run *run, const char *what)
{
	/* relaxed: a sum, read after the threads have ended. */
	if (add_relaxed(&run->errors, 1) == 0)
		print_error("%s: %s\n", what, lfv_last_error());
}

/* Every page carries its owner's stamp and its own number. */
static void stamp_write(const struct held *held)
{
	for (size_t page = 0; page < held->pages; page++)
		*(uint64_t *)(void *)(held->area + page * PAGE_SIZE) =
			held->stamp + page;
}

static bool stamp_is_whole(const struct held *held)
{
	for (size_t page = 0; page < held->pages; page++) {
		if (*(const uint64_t *)(const void *)(held->area +
						      page * PAGE_SIZE) !=
		    held->stamp + page)
			return false;
	}
	return true;
}

static struct held *area_make(struct worker_thread *self)
{
	struct held *held = malloc(sizeof(*held));

	assert_non_null(held);
	held->stamp = random_next(&self->random);
	held->pages = held->stamp % PAGES_MAX + 1;
	held->area = lfv_vmalloc(self->run->lfv, held->pages * PAGE_SIZE);
	if (held->area == NULL) {
		if (errno != ENOMEM)
			error_count(self->run, "vmalloc");
		free(held);
		return NULL;
	}
	stamp_write(held);
	return held;
}

static void area_end(struct run *run, struct held *held)
{
	struct lfv_vm_info info;

	if (!stamp_is_whole(held))
		error_count(run, "a stamp is not its owner's");
	if (lfv_find_vm_area(run->lfv, held->area + PAGE_SIZE, &info) != 0 ||
	    info.va_start != (uintptr_t)held->area)
		error_count(run, "a live area was not found");
	if (lfv_vfree(run->lfv, held->area) != 0)
		error_count(run, "vfree");
	free(held);
}

static bool is_late(const struct run *run, unsigned operation)
{
	return operation >= OPERATIONS_MIN && os_linux.now_ns() > run->until_ns;
}

static void *churn(void *argument)
{
	struct worker_thread *self = argument;
	struct run *run = self->run;

	for (unsigned i = 0; i < run->operations && !is_late(run, i); i++) {
		const size_t slot = random_next(&self->random) % SHARED_SLOTS;
		struct held *held = area_make(self);

		/*
		 * acq_rel [stress-slot]: the stamp is whole for whoever takes
		 * the area, and the one taken is whole here.
		 */
		held = swap_acq_rel(&run->slots[slot], held);
		if (held != NULL)
			area_end(run, held);
	}
	return NULL;
}

static int visit_order(void *context, const struct lfv_vm_info *info)
{
	uintptr_t *last = context;
	/* By their ends: what begins below may be new since the last visit. */
	const bool ascending = info->va_end > *last;

	*last = info->va_end;
	return ascending ? 0 : 1;
}

static void *purge_and_walk(void *argument)
{
	struct run *run = argument;

	/* acquire [stress-over]: the churners have ended. */
	while (!load_acquire(&run->is_over)) {
		uintptr_t last = 0;
		struct lfv_stats stats = { .struct_bytes = sizeof(stats) };

		if (lfv_purge(run->lfv) != 0)
			error_count(run, "purge");
		if (lfv_for_each_vm_area(run->lfv, visit_order, &last) != 0)
			error_count(run, "a walk went backwards");
		if (lfv_get_stats(run->lfv, &stats) != 0)
			error_count(run, "stats");
		usleep(1000);
	}
	return NULL;
}

static unsigned churn_all(struct run *run)
{
	struct worker_thread threads[THREADS];
	pthread_t purger;

	assert_int_equal(pthread_create(&purger, NULL, purge_and_walk, run), 0);
	for (size_t i = 0; i < THREADS; i++) {
		threads[i].run = run;
		threads[i].random = 0x9e3779b97f4a7c15u * (i + 1);
		assert_int_equal(pthread_create(&threads[i].thread, NULL, churn,
						&threads[i]),
				 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i].thread, NULL), 0);
	/* release [stress-over]: see purge_and_walk(). */
	store_release(&run->is_over, true);
	assert_int_equal(pthread_join(purger, NULL), 0);
	for (size_t i = 0; i < SHARED_SLOTS; i++) {
		/* acquire [stress-slot]: joined anyway; the same rule. */
		struct held *held = swap_acquire(&run->slots[i], NULL);

		if (held != NULL)
			area_end(run, held);
	}
	/* relaxed: all threads are joined. */
	return load_relaxed(&run->errors);
}

static void stress(const struct lfv_options *options)
{
	static struct run run;

	memset((void *)&run, 0, sizeof(run));
	run.lfv = engine_make(options);
	run.operations = OPERATIONS / (TSAN_ENABLED ? TSAN_DIVISOR : 1);
	run.until_ns = os_linux.now_ns() + WAY_SECONDS_MAX * NS_PER_S;
	if (getenv("LFV_TEST_LONG") != NULL) {
		run.operations *= LONG_FACTOR;
		run.until_ns = UINT64_MAX;
	}

	const uint64_t frames = engine_stats(run.lfv).frames_free;

	assert_int_equal(churn_all(&run), 0);
	assert_int_equal(lfv_purge(run.lfv), 0);

	const struct lfv_stats stats = engine_stats(run.lfv);

	assert_int_equal(stats.live_areas, 0);
	assert_int_equal(stats.lazy_pages, 0);
	assert_int_equal(stats.frames_free, frames);
	assert_int_equal(stats.hole_pages + stats.pool_pages,
			 128 * MIB >> PAGE_SHIFT);
	lfv_check(run.lfv);
	lfv_destroy(run.lfv);
}

/* Every strategy, each with one other axis moved from its default at a time. */
static const struct {
	const char *name;
	const char *lock;
	const char *cache;
	const char *frames;
	const char *mapping;
	const char *flush;
	const char *worker;
} ways[] = {
	{ .name = "defaults" },
	{ .name = "mutex", .lock = "pthread-mutex" },
	{ .name = "bitmap", .frames = "bitmap" },
	{ .name = "paired", .frames = "paired" },
	{ .name = "strict", .mapping = "strict" },
	{ .name = "guard", .flush = "guard" },
	{ .name = "paired and guard", .frames = "paired", .flush = "guard" },
	{ .name = "worker", .worker = "thread" },
	{ .name = "cached", .cache = "percpu" },
	{ .name = "keep", .cache = "percpu", .mapping = "keep" },
	{ .name = "keep and paired",
	  .cache = "percpu",
	  .frames = "paired",
	  .mapping = "keep",
	  .worker = "thread" },
};

static void stress_strategy(const char *strategy)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct lfv_options options = TEST_OPTIONS;

		options.strategy = strategy;
		options.lock = ways[i].lock;
		options.cache = ways[i].cache;
		options.frames = ways[i].frames;
		options.mapping = ways[i].mapping;
		options.flush = ways[i].flush;
		if (ways[i].worker != NULL)
			options.worker = ways[i].worker;
		print_message("%s, %s\n", strategy, ways[i].name);
		stress(&options);
	}
}

static void areas_keep_their_stamps_on_every_strategy(void **state)
{
	struct lfv_choice choice;

	(void)state;
	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		if (!choice.busted)
			stress_strategy(choice.name);
	}
}

static void busted_is_caught(void **state)
{
	(void)state;
	(void)fflush(NULL);

	const pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		static struct run run;
		struct lfv_options options = TEST_OPTIONS;

		options.strategy = "busted";
		run.lfv = lfv_create(&options);
		run.operations = OPERATIONS;
		run.until_ns = UINT64_MAX;
		_exit(churn_all(&run) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* Caught by a stamp or a free, or by the kernel's fault. */
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_keep_their_stamps_on_every_strategy),
		cmocka_unit_test(busted_is_caught),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
