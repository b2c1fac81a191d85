/* SPDX-License-Identifier: MIT */
/*
 * test_linear.c - every strategy, with every cache and mapping and two kinds of
 * lock, is linearizable: short histories completely, long ones but for -ENOMEM.
 *
 *	test_linear                                            the test
 *	test_linear STRATEGY CACHE MAPPING LOCK THREADS HISTORIES [SEED]
 *
 * The second form makes short histories of one row until one is rejected, of
 * all seeds from 0 on or of the one that a failure printed.
 *
 * `busted` must be caught, by the short histories and by the long ones.
 */
/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/page.h"
#include "base/tsan.h"
#include "linear/long_run.h"
#include "linear/page_lives.h"
#include "linear/short_run.h"

enum {
	SHORT_HISTORIES = 24000, /* over all rows, those of `busted` too */
	SHORT_THREADS_MIN = 2,
	BUSTED_HISTORIES_MAX = 20000,
	FEW_PAGES = 256,
	ALL_PAGES = 0,
	LONG_FACTOR = 8,       /* with LFV_TEST_LONG */
	SANITIZER_DIVISOR = 8, /* they are slower */
	ROWS_MAX = 256,
	LOCKS = 2,
	EXIT_REJECTED = 3, /* no assertion's, no sanitizer's */
	EXIT_RACE = 66,    /* the thread sanitizer's */
};

#if defined(__SANITIZE_ADDRESS__) || TSAN_ENABLED
#define SANITIZED true
#else
#define SANITIZED false
#endif

struct row {
	const char *strategy;
	const char *cache;
	const char *mapping; /* says when a freed range may be used again */
	const char *lock;
	bool busted;
};

/*
 * What the rows promise of -ENOMEM; those that are not here, the least:
 * FIT_ALONE, with no room to spare.
 *
 * `list` passes holes of the very size by.  `rbtree-2.6.28` leaves a page free
 * before an area and one behind it.  `rbtree` begins behind its cache though a
 * lower hole has the very size of the largest that it passed by.  All since
 * 5.2 look for the alignment on top of the size.
 */
static const struct {
	const char *strategy;
	struct fit_promise promise;
} promises[] = {
	{ "list", { .fit = FIT_EXACT, .spare_pages = 1 } },
	{ "list-2.6.24", { .fit = FIT_EXACT } },
	{ "rbtree-2.6.28",
	  { .fit = FIT_SETTLED, .spare_pages = 2, .align_apart = true } },
	{ "rbtree", { .fit = FIT_SETTLED, .spare_pages = 1 } },
	{ "busted", { .fit = FIT_SETTLED, .spare_pages = 1 } },
	{ "augmented-5.10", { .fit = FIT_SETTLED, .align_apart = true } },
	{ "augmented", { .fit = FIT_SETTLED, .align_apart = true } },
	{ "nodes", { .fit = FIT_SETTLED, .align_apart = true } },
};

#define LONG_LOCK "qspin"

static const char *const lock_names[LOCKS] = { "pthread-mutex", LONG_LOCK };

/* A cache in front makes searches no better, and moves ranges of its own. */
static struct fit_promise promise_of(const struct row *row)
{
	struct fit_promise promise = { .fit = FIT_ALONE };

	for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		if (strcmp(promises[i].strategy, row->strategy) == 0)
			promise = promises[i].promise;
	}
	if (strcmp(row->cache, "none") != 0)
		promise.fit = FIT_ALONE;
	return promise;
}

static struct lfv_options options_of(const struct row *row)
{
	return (struct lfv_options){
		.struct_bytes = sizeof(struct lfv_options),
		.strategy = row->strategy,
		.cache = row->cache,
		.mapping = row->mapping,
		.lock = row->lock,
		.worker = "none",
		.window_bytes = 128 * MIB,
		.cpus = 1,
		.nodes = 2,
		.address_plane = true,
		.hardened = true, /* programs free what others free as well */
		.magazine = 2,    /* so that the depot has traffic */
	};
}

/* The row with each kind of lock, if the engine can be had at all. */
static size_t rows_add(struct row *rows, size_t count, struct row row)
{
	for (size_t i = 0; i < LOCKS; i++) {
		struct lfv_options options;
		struct lfv_options resolved;

		row.lock = lock_names[i];
		options = options_of(&row);
		assert_true(count < ROWS_MAX);
		if (lfv_options_check(&options, &resolved) == 0)
			rows[count++] = row;
	}
	return count;
}

/* Every strategy with all that it may have in front, and every lock. */
static size_t rows_make(struct row *rows)
{
	struct lfv_choice strategy;
	struct lfv_choice cache;
	struct lfv_choice mapping;
	size_t count = 0;

	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &strategy); i++)
		for (size_t j = 0; lfv_choice_at(LFV_AXIS_CACHE, j, &cache);
		     j++)
			for (size_t k = 0;
			     lfv_choice_at(LFV_AXIS_MAPPING, k, &mapping); k++)
				count = rows_add(
					rows, count,
					(struct row){
						.strategy = strategy.name,
						.cache = cache.name,
						.mapping = mapping.name,
						.busted = strategy.busted,
					});
	return count;
}

static void recorder_make(struct recorder *recorder, const struct row *row,
			  uint32_t pages)
{
	const struct lfv_options options = options_of(row);

	if (!recorder_init(recorder, &options, pages))
		fail_msg("%s: %s", row->strategy, lfv_last_error());
}

/* tally - what a run of short histories was like. */
struct tally {
	unsigned histories;
	unsigned concurrent;
	unsigned refusals; /* -ENOMEM */
	unsigned steps_max;
	unsigned rejected;
};

static void tally_add(struct tally *tally, const struct history *history,
		      const struct verdict *verdict)
{
	tally->histories++;
	tally->concurrent += history_is_concurrent(history);
	for (size_t i = 0; i < history->count; i++)
		tally->refusals += history->ops[i].kind == OP_ALLOC &&
				   history->ops[i].answer == ANSWER_NO;
	if (verdict->steps > tally->steps_max)
		tally->steps_max = verdict->steps;
	tally->rejected += !verdict->is_linearizable;
}

static void rejected_print(const struct row *row, const struct short_run *run,
			   unsigned number)
{
	print_message(
		"not linearizable; again with\n"
		"\ttest_linear %s %s %s %s %u 100000 %llu\n",
		row->strategy, row->cache, row->mapping, row->lock,
		run->threads,
		(unsigned long long)(run->seed + number * run->seed_step));
	(void)fflush(stdout);
}

/* Judge one batch; the first that is rejected is printed, unless expected. */
static void batch_judge(const struct row *row, const struct short_run *run,
			struct tally *tally, FILE *stream)
{
	static struct history histories[SHORT_BATCH_MAX];
	const struct fit_promise promise = promise_of(row);

	assert_true(short_run(run, histories));
	for (unsigned i = 0; i < run->count; i++) {
		const struct verdict verdict =
			linearize(&histories[i], &promise);

		tally_add(tally, &histories[i], &verdict);
		if (stream != NULL && !verdict.is_linearizable &&
		    tally->rejected == 1) {
			rejected_print(row, run, i);
			verdict_print(stream, &histories[i], &verdict);
		}
		history_fini(&histories[i]);
	}
}

static void tally_print(const struct row *row, unsigned threads,
			const struct tally *tally)
{
	print_message(
		"%-14s %-6s %-6s %-13s %u threads: %u histories, %u%% with "
		"operations that overlap, %u refusals, at most %u steps\n",
		row->strategy, row->cache, row->mapping, row->lock, threads,
		tally->histories, 100 * tally->concurrent / tally->histories,
		tally->refusals, tally->steps_max);
}

/* Up to `histories` of the row, of programs that `run` says. */
static struct tally short_judge(const struct row *row, struct short_run run,
				unsigned histories, FILE *stream)
{
	struct recorder recorder;
	struct tally tally = { .histories = 0 };

	recorder_make(&recorder, row, SHORT_PAGES);
	run.recorder = &recorder;
	while (tally.histories < histories && tally.rejected == 0) {
		const unsigned left = histories - tally.histories;

		run.count = left < SHORT_BATCH_MAX ? left : SHORT_BATCH_MAX;
		batch_judge(row, &run, &tally, stream);
		run.seed += run.count * run.seed_step;
	}
	if (!row->busted)
		lfv_check(recorder.lfv);
	recorder_fini(&recorder);
	tally_print(row, run.threads, &tally);
	return tally;
}

static unsigned scaled(unsigned count)
{
	if (getenv("LFV_TEST_LONG") != NULL)
		count *= LONG_FACTOR;
	return SANITIZED ? count / SANITIZER_DIVISOR : count;
}

static void short_histories_are_linearizable_on_every_row(void **state)
{
	static struct row rows[ROWS_MAX];
	const size_t count = rows_make(rows);
	const unsigned kinds = SHORT_THREADS_MAX - SHORT_THREADS_MIN + 1;
	const unsigned histories =
		scaled(SHORT_HISTORIES) / (kinds * (unsigned)count) + 1;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (unsigned threads = SHORT_THREADS_MIN;
		     threads <= SHORT_THREADS_MAX && !rows[i].busted;
		     threads++) {
			const struct short_run run = {
				.threads = threads,
				.seed_step = 1,
			};

			assert_int_equal(
				short_judge(&rows[i], run, histories, stdout)
					.rejected,
				0);
		}
	}
}

/* Few pages, used again at once: what was freed, another has. */
static const struct long_shape few_pages = {
	.threads = 4,
	.ops = 5000,
	.slots = 8,
	.size_pages_max = 4,
	.jolt_steps = 32,
};

/*
 * The whole window, purged when it is due, and more areas of a size than lie in
 * front of a strategy.
 */
static const struct long_shape many_areas = {
	.threads = LONG_THREADS_MAX,
	.ops = 4000,
	.slots = 300,
	.size_pages_max = 1,
	.jolt_steps = 4,
};

/* Whether a long history of the row is right; if not, it is printed. */
static bool long_judge(const struct row *row, struct long_shape shape,
		       uint32_t pages, FILE *stream)
{
	struct recorder recorder;
	struct history history = { 0 };
	struct lives_breach breach;

	shape.ops = scaled(shape.ops);
	recorder_make(&recorder, row, pages);
	long_run(&recorder, &shape, &history);

	const bool right = lives_are_linearizable(&history, &breach);

	if (!right && stream != NULL) {
		print_message("%s %s %s %s, %u threads: ", row->strategy,
			      row->cache, row->mapping, row->lock,
			      shape.threads);
		lives_breach_print(stream, &breach);
	}
	history_fini(&history);
	if (!row->busted)
		lfv_check(recorder.lfv);
	recorder_fini(&recorder);
	return right;
}

/* With one kind of lock: they take the most time, and the short ones vary it.
 */
static void long_histories_are_linearizable_on_every_row(void **state)
{
	static struct row rows[ROWS_MAX];
	const size_t count = rows_make(rows);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].busted)
			continue;
		assert_true(long_judge(&rows[i], few_pages, FEW_PAGES, stdout));
		assert_true(
			long_judge(&rows[i], many_areas, ALL_PAGES, stdout));
	}
}

static bool short_rejects(const struct row *row)
{
	const struct short_run run = {
		.threads = SHORT_THREADS_MIN,
		.seed_step = 1,
	};

	return short_judge(row, run, BUSTED_HISTORIES_MAX, NULL).rejected > 0;
}

static bool long_rejects(const struct row *row)
{
	struct long_shape shape = few_pages;

	/* It breaks its contract now and then, under a sanitizer too. */
	shape.ops *= SANITIZER_DIVISOR;
	return !long_judge(row, shape, FEW_PAGES, NULL);
}

/*
 * In a child: what stands in front of a broken strategy may see by itself that
 * it is, and abort; the thread sanitizer may see two owners of one range race.
 * Both are as good.
 */
static bool is_caught_by_itself(int status)
{
	return WIFSIGNALED(status)
		       ? WTERMSIG(status) == SIGABRT
		       : TSAN_ENABLED && WEXITSTATUS(status) == EXIT_RACE;
}

static bool is_caught(const struct row *row,
		      bool (*rejects)(const struct row *row))
{
	int status = 0;

	(void)fflush(NULL);

	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		const bool rejected = rejects(row);

		(void)fflush(NULL);
		_exit(rejected ? EXIT_REJECTED : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return is_caught_by_itself(status) ||
	       (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_REJECTED);
}

static void each_busted_row_is_caught(bool (*rejects)(const struct row *row))
{
	static struct row rows[ROWS_MAX];
	const size_t count = rows_make(rows);

	for (size_t i = 0; i < count; i++) {
		if (rows[i].busted)
			assert_true(is_caught(&rows[i], rejects));
	}
}

static void short_histories_catch_busted(void **state)
{
	(void)state;
	each_busted_row_is_caught(short_rejects);
}

static void long_histories_catch_busted(void **state)
{
	(void)state;
	each_busted_row_is_caught(long_rejects);
}

/* STRATEGY CACHE MAPPING LOCK THREADS HISTORIES [SEED] */
static int one_row(int count, char **words)
{
	const struct row row = {
		.strategy = words[0],
		.cache = words[1],
		.mapping = words[2],
		.lock = words[3],
	};
	const struct short_run run = {
		.threads = (unsigned)strtoul(words[4], NULL, 10),
		.seed = count > 6 ? strtoull(words[6], NULL, 10) : 0,
		.seed_step = count > 6 ? 0 : 1,
	};
	const unsigned histories = (unsigned)strtoul(words[5], NULL, 10);

	return short_judge(&row, run, histories, stdout).rejected > 0;
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		/* They fork, which the thread sanitizer allows as long as no
		 * thread is there: `rcu` leaves one for good. */
		cmocka_unit_test(short_histories_catch_busted),
		cmocka_unit_test(long_histories_catch_busted),
		cmocka_unit_test(short_histories_are_linearizable_on_every_row),
		cmocka_unit_test(long_histories_are_linearizable_on_every_row),
	};

	if (count > 6)
		return one_row(count - 1, words + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
