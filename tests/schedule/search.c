/* SPDX-License-Identifier: MIT */
/*
 * search.c - dice, priorities, and the tree of all schedules.
 */
#include "schedule/search.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* One load of AGE_ODDS that could see an older value does. */
enum { AGE_ODDS = 4 };

struct searcher {
	struct chooser chooser; /* first: the way back from a chooser */
	const struct search *search;
	uint64_t random;
	unsigned choices; /* in this run */
	unsigned ages;    /* older values seen in this run */
	/* pct */
	unsigned horizon; /* choices of threads to expect */
	unsigned thread_choices;
	uint8_t priorities[SCHEDULE_THREADS_MAX];
	unsigned changes[SEARCH_BOUND_MAX];
	/* dfs, replay: the answers up to here are given, then 0 */
	unsigned given_count;
	struct decision given[SCHEDULE_CHOICES_MAX];
};

static struct searcher searcher;

const char *search_name(enum search_kind kind)
{
	static const char *const names[] = {
		[SEARCH_RANDOM] = "random",
		[SEARCH_PCT] = "pct",
		[SEARCH_DFS] = "dfs",
	};

	return names[kind];
}

/* draw - below `count`; the generator is splitmix64. */
static unsigned draw(struct searcher *self, unsigned count)
{
	uint64_t z = self->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (unsigned)((z >> 32) * count >> 32);
}

static unsigned draw_age(struct searcher *self, unsigned count)
{
	if (self->ages >= self->search->ages || draw(self, AGE_ODDS) != 0)
		return 0;
	self->ages++;
	return 1 + draw(self, count - 1);
}

static unsigned choose_random(struct chooser *chooser,
			      const struct choice *choice)
{
	struct searcher *const self = (struct searcher *)(void *)chooser;

	if (choice->kind == CHOICE_AGE)
		return draw_age(self, choice->count);
	return draw(self, choice->count);
}

static unsigned highest(const struct searcher *self,
			const struct choice *choice)
{
	unsigned best = 0;

	for (unsigned i = 1; i < choice->count; i++) {
		if (self->priorities[choice->threads[i]] >
		    self->priorities[choice->threads[best]])
			best = i;
	}
	return best;
}

/* fall - whoever would run now falls below all; later falls go lower. */
static void fall(struct searcher *self, const struct choice *choice,
		 unsigned number)
{
	const unsigned thread = choice->threads[highest(self, choice)];

	self->priorities[thread] = (uint8_t)(self->search->bound - 1 - number);
}

static unsigned choose_pct(struct chooser *chooser, const struct choice *choice)
{
	struct searcher *const self = (struct searcher *)(void *)chooser;

	if (choice->kind == CHOICE_AGE)
		return draw_age(self, choice->count);
	for (unsigned i = 0; i < self->search->bound; i++) {
		if (self->changes[i] == self->thread_choices)
			fall(self, choice, i);
	}
	self->thread_choices++;
	return highest(self, choice);
}

static unsigned choose_given(struct chooser *chooser,
			     const struct choice *choice)
{
	struct searcher *const self = (struct searcher *)(void *)chooser;
	const unsigned number = self->choices++;

	if (number >= self->given_count)
		return 0;
	/* A text may have been made for another case. */
	if (self->given[number].chosen >= choice->count)
		schedule_fail("this is no schedule of this case");
	return self->given[number].chosen;
}

static void begin_search(const struct search *search)
{
	searcher.search = search;
	searcher.chooser = (struct chooser){
		.has_ages = search->ages > 0,
		.stop_thread = search->stop_is_on ? search->stop_thread
						  : SCHEDULE_NO_THREAD,
		.stop_step = search->stop_step,
	};
	searcher.given_count = 0;
	require(search->kind != SEARCH_PCT ||
		search->bound <= SEARCH_BOUND_MAX);
}

static struct schedule_result run_one(const struct schedule_case *subject)
{
	searcher.choices = 0;
	searcher.ages = 0;
	searcher.thread_choices = 0;
	return schedule_run(subject, &searcher.chooser);
}

static void begin_seed(const struct schedule_case *subject, uint64_t seed)
{
	searcher.random = seed;
	for (unsigned i = 0; i < subject->threads; i++) {
		const unsigned other = draw(&searcher, i + 1);

		searcher.priorities[i] = searcher.priorities[other];
		searcher.priorities[other] = (uint8_t)(SEARCH_BOUND_MAX + i);
	}
	for (unsigned i = 0;
	     i < searcher.search->bound && searcher.search->kind == SEARCH_PCT;
	     i++)
		searcher.changes[i] = draw(&searcher, searcher.horizon);
}

/* text_of - the answers that are not 0; cut if there are too many. */
static void text_of(const struct schedule_result *run, char *text)
{
	size_t length = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < run->decisions; i++) {
		if (run->made[i].chosen == 0)
			continue;
		const int written = snprintf(
			text + length, SEARCH_TEXT_BYTES - length, "%s%u:%u",
			length > 0 ? "," : "", i, run->made[i].chosen);
		require(written > 0);
		if (length + (size_t)written >= SEARCH_TEXT_BYTES) {
			text[length] = '\0';
			return;
		}
		length += (size_t)written;
	}
}

/* count_run - true: it failed, the search is over. */
static bool count_run(struct search_result *result,
		      const struct schedule_result *run)
{
	result->schedules++;
	result->has_stopped = result->has_stopped || run->has_stopped;
	result->failure = run->failure;
	if (run->failure == NULL)
		return false;
	text_of(run, result->text);
	return true;
}

static void search_seeds(const struct schedule_case *subject,
			 const struct search *search,
			 struct search_result *result)
{
	/* How long a run is; the same for each seed, so that one replays. */
	searcher.chooser.choose = choose_given;
	searcher.horizon = run_one(subject).decisions + 1;
	searcher.chooser.choose =
		search->kind == SEARCH_PCT ? choose_pct : choose_random;

	for (uint64_t i = 0; i < search->schedules; i++) {
		result->seed = search->first_seed + i;
		begin_seed(subject, result->seed);

		const struct schedule_result run = run_one(subject);

		if (count_run(result, &run))
			return;
	}
}

/*
 * next_given - the last answer that can still be raised within the bounds is,
 * and what came before it is given; false: there is none.
 */
static bool next_given(const struct schedule_result *run)
{
	const struct search *const search = searcher.search;
	unsigned preempted = 0;
	unsigned aged = 0;
	unsigned found = run->decisions;

	for (unsigned i = 0; i < run->decisions; i++) {
		const struct decision *const made = &run->made[i];
		const bool may_more =
			(made->kind != CHOICE_PREEMPT ||
			 preempted < search->bound) &&
			(made->kind != CHOICE_AGE || aged < search->ages);

		if (made->chosen + 1 < made->count && may_more)
			found = i;
		preempted += made->kind == CHOICE_PREEMPT && made->chosen > 0;
		aged += made->kind == CHOICE_AGE && made->chosen > 0;
	}
	if (found == run->decisions)
		return false;
	memcpy(searcher.given, run->made, found * sizeof(run->made[0]));
	searcher.given[found] = run->made[found];
	searcher.given[found].chosen++;
	searcher.given_count = found + 1;
	return true;
}

static void search_tree(const struct schedule_case *subject,
			const struct search *search,
			struct search_result *result)
{
	searcher.chooser.choose = choose_given;
	for (;;) {
		const struct schedule_result run = run_one(subject);

		if (count_run(result, &run))
			return;
		if (!next_given(&run)) {
			result->is_exhausted = true;
			return;
		}
		if (result->schedules == search->schedules)
			return;
	}
}

struct search_result search_run(const struct schedule_case *subject,
				const struct search *search)
{
	struct search_result result = { 0 };

	begin_search(search);
	if (search->kind == SEARCH_DFS)
		search_tree(subject, search, &result);
	else
		search_seeds(subject, search, &result);
	return result;
}

/* give_text - "17:1,23:2" as given answers. */
static void give_text(const char *text)
{
	memset(searcher.given, 0, sizeof(searcher.given));
	while (*text != '\0') {
		char *end = NULL;
		const unsigned long at = strtoul(text, &end, 10);

		require(*end == ':' && at < SCHEDULE_CHOICES_MAX);
		const unsigned long chosen = strtoul(end + 1, &end, 10);
		require(*end == ',' || *end == '\0');
		require(chosen <= UINT8_MAX);
		searcher.given[at].chosen = (uint8_t)chosen;
		searcher.given_count = (unsigned)at + 1;
		text = *end == ',' ? end + 1 : end;
	}
}

struct search_result search_replay(const struct schedule_case *subject,
				   const struct search *search,
				   const char *text)
{
	struct search_result result = { 0 };

	begin_search(search);
	searcher.chooser.choose = choose_given;
	searcher.chooser.is_traced = true;
	give_text(text);

	const struct schedule_result run = run_one(subject);

	(void)count_run(&result, &run);
	return result;
}
