/* SPDX-License-Identifier: MIT */
/*
 * stress_threads.c - `lockfree` under more threads than CPUs, which come and
 * go.
 *
 * Threads allocate areas of many sizes, hand them over through a shared table,
 * free what they find there, move between CPUs, and end while the stocks of
 * their CPU are not empty; others start in their place.  Beside them one purges
 * and walks, and one takes all that is left of the window, again and again.
 *
 * Each page has its owner's number, in a table outside: two owners of one page
 * find each other's.  The table is plain memory: that its next owner sees what
 * the last one wrote is the engine's promise, to which the thread sanitizer
 * holds it.  Areas that live throughout must be found at each lookup, whole.
 *
 * At the end everything is given back, and all of the window is one hole.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/engine_fixture.h"
#include "base/check.h"

enum {
	THREADS_MAX = 32,
	SLOTS = 48,
	PINNED = 24,
	PAGES_MAX = 600,
	WINDOW_PAGES = 128 * 256, /* of 128 MiB */
	LIFE_OPERATIONS = 200,    /* of one thread; then the next one starts */
	AFFINITY_OPERATIONS = 40,
	HOARD_AREAS = 4096,
	HOARD_PAGES = 200,
	LIVES_MIN = 2, /* of each, however late it is */
	LONG_SECONDS = 20,
};

static const uint64_t NS_PER_S = UINT64_C(1000) * 1000 * 1000;

struct held {
	uintptr_t start;
	uintptr_t end; /* guard page and what was rounded up included */
	size_t bytes;
	uint32_t owner;
};

struct run {
	struct lfv *lfv;
	struct held pinned[PINNED]; /* constant while threads run */
	_Atomic(struct held *) slots[SLOTS];
	_Atomic(uint32_t) owners; /* numbers given out */
	_Atomic(unsigned) errors;
	_Atomic(unsigned) refused;
	_Atomic(bool) is_over;
	uint64_t until_ns;
	cpu_set_t cpus;
	uint32_t owner[WINDOW_PAGES]; /* a page's; 0: nobody */
};

struct place {
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

/* must_find - the area that covers `address` is this one. */
static void must_find(struct run *run, const struct held *held,
		      uintptr_t address)
{
	struct lfv_vm_info info = { 0 };

	if (lfv_find_vm_area(run->lfv, (const void *)address, &info) != 0)
		error_count(run, "a live area was not found");
	else if (info.va_start != held->start || info.size != held->bytes ||
		 (held->end != 0 && info.va_end != held->end))
		error_count(run, "another area was found");
}

/* own - hand all pages of an area from one owner to the next. */
static void own(struct run *run, const struct held *held, uint32_t from,
		uint32_t to)
{
	const size_t first =
		(held->start - lfv_vmalloc_start(run->lfv)) >> PAGE_SHIFT;
	const size_t pages = (held->end - held->start) >> PAGE_SHIFT;
	bool is_mine = true;

	for (size_t page = first; page < first + pages; page++) {
		is_mine &= run->owner[page] == from;
		run->owner[page] = to;
	}
	if (!is_mine)
		error_count(run, "a page has two owners");
}

/* area_make - false: no room, which is told apart from what must not be. */
static bool area_make(struct run *run, size_t pages, struct held *held)
{
	const void *const area =
		lfv_get_vm_area(run->lfv, pages_to_bytes(pages), 0);
	struct lfv_vm_info info = { 0 };

	if (area == NULL) {
		if (errno != ENOMEM)
			error_count(run, "get_vm_area");
		/* relaxed: a sum. */
		add_relaxed(&run->refused, 1);
		return false;
	}
	*held = (struct held){
		.start = (uintptr_t)area,
		.bytes = pages_to_bytes(pages),
		/* relaxed: a number of its own is all. */
		.owner = add_relaxed(&run->owners, 1) + 1,
	};
	if (lfv_find_vm_area(run->lfv, area, &info) != 0 ||
	    info.va_end < held->start + held->bytes + PAGE_SIZE) {
		error_count(run, "an area just made was not found");
		return false;
	}
	held->end = info.va_end;
	own(run, held, 0, held->owner);
	return true;
}

static void area_end(struct run *run, const struct held *held)
{
	must_find(run, held, held->start);
	must_find(run, held, held->end - 1);
	own(run, held, held->owner, 0);
	if (lfv_free_vm_area(run->lfv, (const void *)held->start) != 0)
		error_count(run, "free_vm_area");
}

/* Mostly small, as in life; some larger than any class, for the holes. */
static size_t random_pages(uint64_t random)
{
	const size_t most[] = { 4, 16, 64, PAGES_MAX };

	return (random >> 8) % most[random % 4] + 1;
}

static void pinned_find(struct run *run, uint64_t random)
{
	const struct held *const held = &run->pinned[random % PINNED];

	must_find(run, held,
		  held->start + (random >> 8) % (held->end - held->start));
}

/* move - to one of the CPUs that there are; the kernel may refuse. */
static void move(struct run *run, uint64_t random)
{
	const size_t wanted = random % (size_t)CPU_COUNT(&run->cpus);
	size_t met = 0;
	cpu_set_t one;

	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &run->cpus) && met++ == wanted)
			CPU_SET(cpu, &one);
	}
	(void)sched_setaffinity(0, sizeof(one), &one);
}

static void churn_once(struct place *self)
{
	struct run *const run = self->run;
	const uint64_t random = random_next(&self->random);
	struct held *held = malloc(sizeof(*held));

	require(held != NULL);
	if (!area_make(run, random_pages(random), held)) {
		free(held);
		held = NULL;
	}
	/*
	 * acq_rel [threads-slot]: the area and its owner's number are whole for
	 * whoever takes it, and those of the one taken here.
	 */
	held = swap_acq_rel(&run->slots[(random >> 40) % SLOTS], held);
	if (held != NULL)
		area_end(run, held);
	free(held);
	pinned_find(run, random_next(&self->random));
}

/* life - one thread, from its start to its end. */
static void *life(void *argument)
{
	struct place *const self = argument;

	for (unsigned i = 0; i < LIFE_OPERATIONS; i++) {
		if (i % AFFINITY_OPERATIONS == 0)
			move(self->run, random_next(&self->random));
		churn_once(self);
	}
	return NULL;
}

/* lives - one thread behind the other. */
static void *lives(void *argument)
{
	struct place *const self = argument;

	for (unsigned i = 0;
	     i < LIVES_MIN || os_linux.now_ns() < self->run->until_ns; i++) {
		pthread_t thread;

		require(pthread_create(&thread, NULL, life, self) == 0);
		require(pthread_join(thread, NULL) == 0);
	}
	return NULL;
}

static int visit_order(void *context, const struct lfv_vm_info *info)
{
	uintptr_t *const last = context;
	const bool is_ascending = info->va_end > *last;

	*last = info->va_end;
	return is_ascending ? 0 : 1;
}

static void *purge_and_walk(void *argument)
{
	struct run *const run = argument;

	/* acquire [threads-over]: the others have ended. */
	while (!load_acquire(&run->is_over)) {
		uintptr_t last = 0;

		if (lfv_purge(run->lfv) != 0)
			error_count(run, "purge");
		if (lfv_for_each_vm_area(run->lfv, visit_order, &last) != 0)
			error_count(run, "a walk went backwards");
		usleep(2000);
	}
	return NULL;
}

/* hoard - take what is left of the window, and give it back. */
static void *hoard(void *argument)
{
	struct run *const run = argument;
	static struct held all[HOARD_AREAS];

	/* acquire [threads-over]: as above. */
	while (!load_acquire(&run->is_over)) {
		unsigned count = 0;

		while (count < HOARD_AREAS &&
		       area_make(run, HOARD_PAGES, &all[count]))
			count++;
		while (count > 0)
			area_end(run, &all[--count]);
		usleep(20000);
	}
	return NULL;
}

static void threads_run(struct run *run, size_t count)
{
	static struct place places[THREADS_MAX];
	pthread_t beside[2];

	require(pthread_create(&beside[0], NULL, purge_and_walk, run) == 0);
	require(pthread_create(&beside[1], NULL, hoard, run) == 0);
	for (size_t i = 0; i < count; i++) {
		places[i].run = run;
		places[i].random = 0x9e3779b97f4a7c15u * (i + 1);
		require(pthread_create(&places[i].thread, NULL, lives,
				       &places[i]) == 0);
	}
	for (size_t i = 0; i < count; i++)
		require(pthread_join(places[i].thread, NULL) == 0);
	/* release [threads-over]: see purge_and_walk() and hoard(). */
	store_release(&run->is_over, true);
	require(pthread_join(beside[0], NULL) == 0);
	require(pthread_join(beside[1], NULL) == 0);
}

static void pinned_make(struct run *run)
{
	uint64_t random = 1;

	for (size_t i = 0; i < PINNED; i++)
		require(area_make(run, random_pages(random_next(&random)),
				  &run->pinned[i]));
}

static void all_end(struct run *run)
{
	for (size_t i = 0; i < PINNED; i++)
		area_end(run, &run->pinned[i]);
	for (size_t i = 0; i < SLOTS; i++) {
		/* acquire [threads-slot]: joined anyway; the same rule. */
		struct held *const held = swap_acquire(&run->slots[i], NULL);

		if (held != NULL)
			area_end(run, held);
		free(held);
	}
}

/* run_all - the number of errors. */
static unsigned run_all(struct run *run, const struct lfv_options *options,
			size_t threads, uint64_t ns)
{
	memset((void *)run, 0, sizeof(*run));
	require(sched_getaffinity(0, sizeof(run->cpus), &run->cpus) == 0);
	run->lfv = engine_make(options);
	pinned_make(run);
	run->until_ns = os_linux.now_ns() + ns;
	threads_run(run, threads);
	all_end(run);
	/* relaxed: all threads are joined. */
	return load_relaxed(&run->errors);
}

static const struct way {
	const char *mapping;
	const char *percpu;
	const char *worker;
} ways[] = {
	{ "lazy", "auto", "none" },   { "lazy", "cas", "thread" },
	{ "strict", "auto", "none" }, { "strict", "cas", "none" },
	{ "keep", "auto", "thread" }, { "keep", "cas", "none" },
};

enum { WAYS = sizeof(ways) / sizeof(*ways) };

static struct lfv_options way_options(const struct way *way)
{
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = "lockfree";
	options.cache = "percpu";
	options.address_plane = true;
	options.mapping = way->mapping;
	options.percpu = way->percpu;
	options.worker = way->worker;
	/* Else CPUs share stocks, and `auto` is cas. */
	options.cpus = 0;
	return options;
}

static void way_stress(const struct way *way, size_t threads)
{
	const struct lfv_options options = way_options(way);
	const bool is_long = getenv("LFV_TEST_LONG") != NULL;
	static struct run run;

	assert_int_equal(
		run_all(&run, &options, threads,
			is_long ? LONG_SECONDS * NS_PER_S : NS_PER_S / 3),
		0);
	assert_int_equal(lfv_purge(run.lfv), 0);

	const struct lfv_stats stats = engine_stats(run.lfv);

	/* relaxed: all threads are joined. */
	print_message("lockfree, %s, %s, %zu threads: %u areas, %u refused\n",
		      way->mapping, way->percpu, threads,
		      load_relaxed(&run.owners), load_relaxed(&run.refused));
	assert_int_equal(stats.live_areas, 0);
	assert_int_equal(stats.lazy_pages, 0);
	assert_int_equal(stats.pool_pages, 0);
	assert_int_equal(stats.hole_pages, WINDOW_PAGES);
	assert_int_equal(stats.hole_pages_max, WINDOW_PAGES);
	lfv_check(run.lfv);
	lfv_destroy(run.lfv);
}

static void eight_threads_keep_their_areas_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < WAYS; i++)
		way_stress(&ways[i], 8);
}

static void so_do_thirty_two(void **state)
{
	(void)state;
	for (size_t i = 0; i < WAYS; i++)
		way_stress(&ways[i], 32);
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
		options.address_plane = true;
		_exit(run_all(&run, &options, 8, 0) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_threads_keep_their_areas_apart),
		cmocka_unit_test(so_do_thirty_two),
		cmocka_unit_test(busted_is_caught),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
