/* SPDX-License-Identifier: MIT */
/*
 * model_check.c - searches, and how their findings are told.
 */
#include "schedule/model_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/order_site.h"
#include "schedule/search.h"

enum {
	SEARCHES = 3,
	PCT_CHANGES = 3,
	LONG_FACTOR = 30,
	RANDOM_AGES = 2,
};

static const char environment[] = "LFV_SCHEDULE";

/* searches_of - the plan, the cheapest first. */
static void searches_of(const struct model_plan *plan,
			struct search searches[SEARCHES])
{
	const uint64_t seeds =
		(uint64_t)plan->seeds *
		(getenv("LFV_TEST_LONG") != NULL ? LONG_FACTOR : 1);
	const unsigned ages = plan->ages > 0 ? RANDOM_AGES : 0;

	searches[0] = (struct search){
		.kind = SEARCH_DFS,
		.bound = plan->preemptions,
		.ages = plan->ages,
	};
	searches[1] = (struct search){
		.kind = SEARCH_RANDOM,
		.schedules = seeds,
		.ages = ages,
	};
	searches[2] = (struct search){
		.kind = SEARCH_PCT,
		.schedules = seeds,
		.bound = PCT_CHANGES,
		.ages = ages,
	};
}

/* tell - one failed schedule, step by step. */
static void tell(const struct schedule_case *subject,
		 const struct search *search,
		 const struct search_result *result)
{
	print_error("%s\n  %s, in schedule %llu of search %s", subject->name,
		    result->failure, (unsigned long long)result->schedules,
		    search_name(search->kind));
	if (search->kind != SEARCH_DFS)
		print_error(", seed %llu", (unsigned long long)result->seed);
	if (search->stop_is_on)
		print_error(", thread %u stopped at step %u",
			    search->stop_thread, search->stop_step);
	print_error("\n  again: %s='%s'\n", environment, result->text);
	(void)search_replay(subject, search, result->text);
}

static void expect_none(const struct schedule_case *subject,
			const struct search *search,
			const struct search_result *result)
{
	if (result->failure == NULL)
		return;
	tell(subject, search, result);
	fail_msg("%s: %s", subject->name, result->failure);
}

/* replayed - the environment names one schedule: that, and nothing else. */
static bool replayed(const struct schedule_case *subject,
		     const struct search searches[SEARCHES])
{
	const char *const text = getenv(environment);
	struct search_result result;

	if (text == NULL)
		return false;
	for (unsigned i = 1; i < SEARCHES; i++) {
		const char *const name = search_name(searches[i].kind);
		const size_t length = strlen(name);
		struct search search = searches[i];

		if (strncmp(text, name, length) != 0)
			continue;
		search.first_seed = strtoull(text + length, NULL, 10);
		search.schedules = 1;
		result = search_run(subject, &search);
		expect_none(subject, &search, &result);
		return true;
	}
	result = search_replay(subject, &searches[0], text);
	if (result.failure != NULL)
		fail_msg("%s: %s", subject->name, result.failure);
	return true;
}

void model_check(const struct schedule_case *subject,
		 const struct model_plan *plan)
{
	struct search searches[SEARCHES];

	searches_of(plan, searches);
	if (replayed(subject, searches))
		return;
	for (unsigned i = 0; i < SEARCHES; i++) {
		const struct search_result result =
			search_run(subject, &searches[i]);

		expect_none(subject, &searches[i], &result);
		print_message("  %s: %llu schedules%s, %s\n",
			      search_name(searches[i].kind),
			      (unsigned long long)result.schedules,
			      result.is_exhausted ? ", all there are" : "",
			      subject->name);
	}
}

void model_check_stopped(const struct schedule_case *subject,
			 const struct model_plan *plan)
{
	uint64_t schedules = 0;
	unsigned steps = 0;

	for (unsigned thread = 0; thread < subject->threads; thread++) {
		struct search search = {
			.kind = SEARCH_DFS,
			.bound = plan->stop_preemptions,
			.stop_is_on = true,
			.stop_thread = thread,
		};
		struct search_result result;

		do {
			result = search_run(subject, &search);
			expect_none(subject, &search, &result);
			schedules += result.schedules;
			search.stop_step++;
		} while (result.has_stopped);
		steps += search.stop_step - 1;
	}
	print_message("  stopped at each of %u steps: %llu schedules, %s\n",
		      steps, (unsigned long long)schedules, subject->name);
}

/* finds - in some search of the plan. */
static const char *finds(const struct schedule_case *subject,
			 const struct model_plan *plan)
{
	struct search searches[SEARCHES];

	searches_of(plan, searches);
	for (unsigned i = 0; i < SEARCHES; i++) {
		const struct search_result result =
			search_run(subject, &searches[i]);

		if (result.failure != NULL)
			return result.failure;
	}
	return NULL;
}

void model_find(const struct schedule_case *subject,
		const struct model_plan *plan, const char *failure)
{
	const char *const found = finds(subject, plan);

	if (found == NULL)
		fail_msg("%s: nothing found", subject->name);
	if (strstr(found, failure) == NULL)
		fail_msg("%s: found '%s' instead of '%s'", subject->name, found,
			 failure);
}

static const char *base_name(const char *where)
{
	const char *const slash = strrchr(where, '/');

	return slash != NULL ? slash + 1 : where;
}

/* is_needless - the list has it. */
static bool is_needless(const struct model_orders *orders,
			const struct order_site *site, memory_order weaker)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s_%s", operation_name(site->kind),
		       order_name(site->order));
	for (const struct needless_order *n = orders->needless;
	     n != NULL && n->function != NULL; n++) {
		if (strcmp(n->function, site->function) == 0 &&
		    strcmp(n->operation, name) == 0 &&
		    strcmp(n->weaker, order_name(weaker)) == 0)
			return true;
	}
	return false;
}

/* is_needed - some case fails without it; the first that does is told. */
static bool is_needed(const struct model_orders *orders,
		      const struct order_site *site, memory_order weaker)
{
	const char *found = NULL;

	order_weaken(site, weaker);
	for (unsigned i = 0; orders->cases[i] != NULL && found == NULL; i++)
		found = finds(orders->cases[i], &orders->plan);
	order_weaken(NULL, site->order);
	print_message("  %s: %s_%s as %s: %s\n", base_name(site->where),
		      operation_name(site->kind), order_name(site->order),
		      order_name(weaker), found != NULL ? found : "not seen");
	return found != NULL;
}

void model_check_orders(const struct model_orders *orders)
{
	const struct order_site *sites;
	unsigned count = 0;
	unsigned tried = 0;
	unsigned wrong = 0;

	if (getenv(environment) != NULL)
		return;
	order_sites_forget();
	for (unsigned i = 0; orders->cases[i] != NULL; i++)
		assert_null(finds(orders->cases[i], &orders->plan));
	sites = order_sites(&count);
	for (unsigned i = 0; i < count; i++) {
		memory_order weaker[ORDER_WEAKER_MAX];
		const unsigned steps = order_weaker(&sites[i], weaker);

		if (strncmp(base_name(sites[i].where), orders->source,
			    strlen(orders->source)) != 0)
			continue;
		for (unsigned j = 0; j < steps; j++, tried++)
			wrong += is_needed(orders, &sites[i], weaker[j]) ==
				 is_needless(orders, &sites[i], weaker[j]);
	}
	assert_true(tried > 0);
	assert_int_equal(wrong, 0);
}
