/* SPDX-License-Identifier: MIT */
/*
 * schedule_holes.c - the map of holes: who owns which page, and that -ENOMEM is
 * never for nothing, under every schedule of two or three threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule/hole_plan.h"
#include "schedule/model_check.h"
#include "schedule/run_account.h"

#define PLAN(plan_, threads_, name_)                       \
	static void begin_##plan_(void)                    \
	{                                                  \
		hole_plan_begin(&plan_);                   \
	}                                                  \
	static const struct schedule_case case_##plan_ = { \
		.name = (name_),                           \
		.threads = (threads_),                     \
		.begin = begin_##plan_,                    \
		.run = hole_plan_run,                      \
		.end = hole_plan_end,                      \
		.watch = account_watch,                    \
	}

/* Three words; runs of two, which need one and the same. */
static const struct hole_plan crosswise = {
	.pages = 3 * WORD,
	.orders = {
		{ { TAKE_AND_GIVE, 2 * WORD, 0, 2 * WORD },
		  { TAKE_AND_GIVE, WORD, 0, 3 * WORD } },
		{ { TAKE_AND_GIVE, 2 * WORD, WORD, 3 * WORD },
		  { TAKE_AND_GIVE, WORD, WORD, 2 * WORD } },
	},
};
PLAN(crosswise, 2, "two runs that need one word");

static const struct hole_plan crosswise_three = {
	.pages = 3 * WORD,
	.orders = {
		{ { TAKE_AND_GIVE, 2 * WORD, 0, 2 * WORD } },
		{ { TAKE_AND_GIVE, 2 * WORD, WORD, 3 * WORD } },
		{ { TAKE_AND_GIVE, 3 * WORD, 0, 3 * WORD } },
	},
};
PLAN(crosswise_three, 3, "three runs that need one word");

/* Room for two and a half of what is wanted. */
static const struct hole_plan scarce = {
	.pages = 2 * WORD,
	.taken = { { TAKE, WORD + PART, 0, 2 * WORD } },
	.orders = {
		{ { TAKE_AND_GIVE, 2 * PART, 0, 2 * WORD },
		  { TAKE, PART, 0, 2 * WORD } },
		{ { TAKE_AND_GIVE, 2 * PART, 0, 2 * WORD },
		  { TAKE_AND_GIVE, 2 * PART, 0, 2 * WORD } },
	},
};
PLAN(scarce, 2, "two in a nearly full window");

static const struct hole_plan scarce_three = {
	.pages = 2 * WORD,
	.taken = { { TAKE, WORD + PART, 0, 2 * WORD } },
	.orders = {
		{ { TAKE_AND_GIVE, 2 * PART, 0, 2 * WORD },
		  { TAKE, PART, 0, 2 * WORD } },
		{ { TAKE_AND_GIVE, 2 * PART, 0, 2 * WORD } },
		{ { TAKE_AND_GIVE, 3 * PART, 0, 2 * WORD } },
	},
};
PLAN(scarce_three, 3, "three in a nearly full window");

/* The first word becomes free just before the second one is taken. */
static const struct hole_plan moving = {
	.pages = 2 * WORD,
	.is_hidden = true,
	.taken = { { TAKE, WORD, 0, WORD } },
	.orders = {
		{ { TAKE, WORD, 0, 2 * WORD } },
		{ { GIVE, WORD, 0, WORD }, { TAKE, WORD, WORD, 2 * WORD } },
	},
};
PLAN(moving, 2, "a hole that moves against the search");

/* One word, from owner to owner. */
static const struct hole_plan reused = {
	.pages = WORD,
	.orders = {
		{ { TAKE_AND_GIVE, WORD, 0, WORD } },
		{ { TAKE_AND_GIVE, WORD, 0, WORD } },
	},
};
PLAN(reused, 2, "pages that are used again");

/* All is given, and then somebody wants it. */
static const struct hole_plan given = {
	.pages = WORD,
	.taken = { { TAKE, WORD, 0, WORD } },
	.orders = {
		{ { TAKE, WORD, 0, WORD } },
		{ { GIVE, WORD, 0, WORD } },
	},
};
PLAN(given, 2, "a hole that has just been made");

/* Two chunks: a run over both, and one that begins at the end of the first. */
static const struct hole_plan two_chunks = {
	.pages = 2 * CHUNK,
	.taken = { { TAKE, CHUNK - WORD, 0, 2 * CHUNK },
		   { TAKE, CHUNK - WORD, CHUNK + WORD, 2 * CHUNK } },
	.orders = {
		{ { TAKE_AND_GIVE, 2 * WORD, 0, 2 * CHUNK },
		  { TAKE_AND_GIVE, WORD, 0, 2 * CHUNK } },
		{ { TAKE_AND_GIVE, WORD, 0, 2 * CHUNK },
		  { TAKE_AND_GIVE, 2 * WORD, 0, 2 * CHUNK } },
	},
};
PLAN(two_chunks, 2, "two chunks");

/* Two levels of rooms, and the only hole in the last chunk. */
static const struct hole_plan two_levels = {
	.pages = 9 * CHUNK,
	.taken = { { TAKE, 9 * CHUNK - WORD, 0, 9 * CHUNK } },
	.orders = {
		{ { TAKE_AND_GIVE, WORD, 0, 9 * CHUNK } },
		{ { TAKE_AND_GIVE, WORD, 0, 9 * CHUNK } },
	},
};
PLAN(two_levels, 2, "two levels of rooms");

/* Rooms are settled, up to the second level, while the hole is made. */
static const struct hole_plan settled = {
	.pages = 9 * CHUNK,
	.taken = { { TAKE, 9 * CHUNK, 0, 9 * CHUNK } },
	.orders = {
		{ { GIVE, WORD, 9 * CHUNK - WORD, 9 * CHUNK } },
		{ { TAKE, WORD, 0, 9 * CHUNK },
		  { TAKE, WORD, 0, 9 * CHUNK } },
	},
};
PLAN(settled, 2, "two levels of rooms are settled");

/* The second level is settled between the two measures of the first. */
static const struct hole_plan settled_three = {
	.pages = 9 * CHUNK,
	.taken = { { TAKE, 9 * CHUNK, 0, 9 * CHUNK } },
	.refused = { TAKE, WORD, 7 * CHUNK, 8 * CHUNK },
	.orders = {
		{ { GIVE, WORD, 9 * CHUNK - WORD, 9 * CHUNK } },
		{ { TAKE, WORD, 8 * CHUNK, 9 * CHUNK } },
		{ { TAKE, WORD, 8 * CHUNK - WORD, 8 * CHUNK } },
	},
};
PLAN(settled_three, 3, "two settle two levels of rooms");

/* One touches the chunk for both. */
static const struct hole_plan untouched = {
	.pages = 9 * CHUNK,
	.orders = {
		{ { TAKE_AND_LOOK, WORD, 8 * CHUNK, 8 * CHUNK + WORD } },
		{ { TAKE, WORD, 9 * CHUNK - WORD, 9 * CHUNK } },
	},
};
PLAN(untouched, 2, "two take the first pages of a chunk");

static void no_page_has_two_owners_and_no_refusal_is_spurious(void **state)
{
	static const struct model_plan deep = {
		.preemptions = 3,
		.seeds = 5000,
	};
	static const struct model_plan shallow = {
		.preemptions = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&case_crosswise, &deep);
	model_check(&case_scarce, &deep);
	model_check(&case_moving, &deep);
	model_check(&case_given, &deep);
	model_check(&case_two_chunks, &shallow);
	model_check(&case_two_levels, &shallow);
	model_check(&case_settled, &shallow);
	model_check(&case_untouched, &shallow);
}

static void three_threads_do_no_harm_either(void **state)
{
	static const struct model_plan three = {
		.preemptions = 2,
		.seeds = 5000,
	};

	(void)state;
	model_check(&case_crosswise_three, &three);
	model_check(&case_scarce_three, &three);
	model_check(&case_settled_three, &three);
}

static void values_that_come_late_do_no_harm(void **state)
{
	static const struct model_plan late = {
		.preemptions = 1,
		.ages = 1,
		.seeds = 5000,
	};

	(void)state;
	model_check(&case_crosswise, &late);
	model_check(&case_scarce, &late);
	model_check(&case_two_chunks, &late);
	model_check(&case_two_levels, &late);
	model_check(&case_settled, &late);
	model_check(&case_untouched, &late);
}

static void nobody_waits_for_a_stopped_thread(void **state)
{
	static const struct model_plan one = { .stop_preemptions = 1 };
	static const struct model_plan none = { .stop_preemptions = 0 };

	(void)state;
	model_check_stopped(&case_crosswise_three, &one);
	model_check_stopped(&case_scarce_three, &one);
	model_check_stopped(&case_two_levels, &none);
}

static void each_order_is_needed(void **state)
{
	static const struct schedule_case *const cases[] = {
		&case_given,   &case_reused,    &case_moving,
		&case_settled, &case_untouched, NULL,
	};
	static const struct needless_order needless[] = {
		{ "take_any", "load_seq_cst", 1, "acquire",
		  "V2 may be late: V4 differs then; one order for all is the "
		  "argument" },
		{ .function = NULL },
	};
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .preemptions = 1, .ages = 1 },
		.source = "",
		.needless = needless,
	};

	(void)state;
	model_check_orders(&orders);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			no_page_has_two_owners_and_no_refusal_is_spurious),
		cmocka_unit_test(three_threads_do_no_harm_either),
		cmocka_unit_test(values_that_come_late_do_no_harm),
		cmocka_unit_test(nobody_waits_for_a_stopped_thread),
		cmocka_unit_test(each_order_is_needed),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_holes", tests, NULL, NULL);
}
