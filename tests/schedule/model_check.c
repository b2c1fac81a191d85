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
	print_error("%s, in schedule %llu of search %s", result->failure,
		    (unsigned long long)result->schedules,
		    search_name(search->kind));
	if (search->kind != SEARCH_DFS)
		print_error(", seed %llu", (unsigned long long)result->seed);
	print_error("\n%s='%s: %s", environment, subject->name,
		    search->ages == 0 ? "sc " : "");
	if (search->stop_is_on)
		print_error("stop %u %u ", search->stop_thread,
			    search->stop_step);
	print_error("%s'\n", result->text);
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

/* word - it stands here; goes past it and the blanks behind. */
static bool word(const char **text, const char *expected)
{
	const size_t length = strlen(expected);

	if (strncmp(*text, expected, length) != 0)
		return false;
	*text += length;
	*text += strspn(*text, " ");
	return true;
}

static unsigned number(const char **text)
{
	char *end = NULL;
	const unsigned long value = strtoul(*text, &end, 10);

	*text = end + strspn(end, " ");
	return (unsigned)value;
}

/* replay - what LFV_SCHEDULE says behind the name of the case. */
static void replay(const struct schedule_case *subject, const char *text)
{
	struct search search = {
		.kind = SEARCH_DFS,
		.ages = word(&text, "sc") ? 0 : RANDOM_AGES,
		.schedules = 1,
		.bound = PCT_CHANGES,
	};
	struct search_result result;

	if (word(&text, "stop")) {
		search.stop_is_on = true;
		search.stop_thread = number(&text);
		search.stop_step = number(&text);
	}
	if (word(&text, search_name(SEARCH_RANDOM)))
		search.kind = SEARCH_RANDOM;
	else if (word(&text, search_name(SEARCH_PCT)))
		search.kind = SEARCH_PCT;
	if (search.kind == SEARCH_DFS) {
		result = search_replay(subject, &search, text);
	} else {
		search.first_seed = number(&text);
		result = search_run(subject, &search);
		if (result.failure != NULL)
			tell(subject, &search, &result);
	}
	if (result.failure != NULL)
		fail_msg("%s: %s", subject->name, result.failure);
}

/* replayed - the environment names a schedule: that one, and no other. */
static bool replayed(const struct schedule_case *subject)
{
	const char *text = getenv(environment);

	if (text == NULL)
		return false;
	if (word(&text, subject->name) && word(&text, ":"))
		replay(subject, text);
	return true;
}

void model_check(const struct schedule_case *subject,
		 const struct model_plan *plan)
{
	struct search searches[SEARCHES];

	if (replayed(subject))
		return;
	searches_of(plan, searches);
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

	if (replayed(subject))
		return;
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

static unsigned line_of(const struct order_site *site)
{
	return (unsigned)strtoul(strrchr(site->where, ':') + 1, NULL, 10);
}

/* which_of - of the same operations in the same function, from 1. */
static unsigned which_of(const struct order_site *site)
{
	unsigned count = 0;
	unsigned which = 1;
	const struct order_site *const sites = order_sites(&count);

	for (unsigned i = 0; i < count; i++)
		which += strcmp(sites[i].function, site->function) == 0 &&
			 sites[i].kind == site->kind &&
			 sites[i].order == site->order &&
			 line_of(&sites[i]) < line_of(site);
	return which;
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
		    n->which == which_of(site) &&
		    strcmp(n->weaker, order_name(weaker)) == 0)
			return true;
	}
	return false;
}

/* finds_any - in some case, with as few older values as will do. */
static const char *finds_any(const struct model_orders *orders, unsigned ages)
{
	struct model_plan plan = orders->plan;

	for (plan.ages = ages < 1 ? ages : 1; plan.ages <= ages; plan.ages++) {
		for (unsigned i = 0; orders->cases[i] != NULL; i++) {
			const char *const found =
				finds(orders->cases[i], &plan);

			if (found != NULL)
				return found;
		}
	}
	return NULL;
}

/* is_needed - some case fails without it. */
static bool is_needed(const struct model_orders *orders,
		      const struct order_site *site, memory_order weaker)
{
	const char *found;

	order_weaken(site, weaker);
	found = finds_any(orders, orders->plan.ages);
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
	/* As it is written nothing fails; and the sites are met. */
	assert_null(finds_any(orders, orders->plan.ages < 1 ? 0 : 1));
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

void model_arguments(int count, char **arguments)
{
	if (count > 1)
		cmocka_set_test_filter(arguments[1]);
}
