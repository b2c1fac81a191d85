/* SPDX-License-Identifier: MIT */
/*
 * engine_fixture.h - engines for the tests of the core: small, without a
 * worker unless asked, and of any strategy.
 */
#ifndef LFV_TESTS_ENGINE_FIXTURE_H
#define LFV_TESTS_ENGINE_FIXTURE_H

/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/page.h"
#include "core/engine.h"
#include "lfv/lfv.h"

#define TEST_OPTIONS                                                          \
	{                                                                     \
		.struct_bytes = sizeof(struct lfv_options), .worker = "none", \
		.window_bytes = 128 * MIB, .memory_bytes = 64 * MIB,          \
		.cpus = 1, .nodes = 2,                                        \
	}

static inline struct lfv *engine_make(const struct lfv_options *options)
{
	struct lfv *lfv = lfv_create(options);

	if (lfv == NULL)
		print_error("%s\n", lfv_last_error());
	assert_non_null(lfv);
	return lfv;
}

static inline struct lfv *engine_default(void)
{
	const struct lfv_options options = TEST_OPTIONS;

	return engine_make(&options);
}

/* Run `body` on an engine of every strategy that keeps its contract. */
static inline void for_each_strategy(void (*body)(struct lfv *lfv))
{
	struct lfv_choice choice;

	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		struct lfv_options options = TEST_OPTIONS;

		if (choice.busted)
			continue;
		options.strategy = choice.name;

		struct lfv *lfv = engine_make(&options);

		body(lfv);
		lfv_check(lfv);
		lfv_destroy(lfv);
	}
}

static inline struct lfv_stats engine_stats(struct lfv *lfv)
{
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };

	assert_int_equal(lfv_get_stats(lfv, &stats), 0);
	return stats;
}

#endif
