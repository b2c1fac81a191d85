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

static inline void on_engine(const struct lfv_options *options,
			     void (*body)(struct lfv *lfv))
{
	struct lfv *lfv = engine_make(options);

	body(lfv);
	lfv_check(lfv);
	lfv_destroy(lfv);
}

/* With the cache in front, of a strategy with a page map, and of others. */
static const struct cached_engine {
	const char *strategy;
	const char *mapping;
} cached_engines[] = {
	{ "lockfree", "lazy" },      { "lockfree", "strict" },
	{ "lockfree", "keep" },      { "augmented", "lazy" },
	{ "augmented", "strict" },   { "augmented", "keep" },
	{ "list-2.6.24", "strict" }, { "list-2.6.24", "keep" },
	{ "nodes", "keep" },
};

enum { CACHED_ENGINES = sizeof(cached_engines) / sizeof(cached_engines[0]) };

static inline struct lfv_options cached_options(size_t which)
{
	struct lfv_options options = TEST_OPTIONS;

	options.strategy = cached_engines[which].strategy;
	options.mapping = cached_engines[which].mapping;
	options.cache = "percpu";
	return options;
}

static inline void for_each_engine(void (*body)(struct lfv *lfv), bool hardened)
{
	struct lfv_choice choice;

	for (size_t i = 0; lfv_choice_at(LFV_AXIS_STRATEGY, i, &choice); i++) {
		struct lfv_options options = TEST_OPTIONS;

		options.strategy = choice.name;
		options.hardened = hardened;
		if (!choice.busted)
			on_engine(&options, body);
	}
	for (size_t i = 0; i < CACHED_ENGINES; i++) {
		struct lfv_options options = cached_options(i);

		options.hardened = hardened;
		on_engine(&options, body);
	}
}

/*
 * Run `body` on an engine of every strategy that keeps its contract, with its
 * own defaults, and then with the cache in front.
 */
static inline void for_each_strategy(void (*body)(struct lfv *lfv))
{
	for_each_engine(body, false);
}

/* As above, where of two frees that race one is refused. */
static inline void for_each_hardened(void (*body)(struct lfv *lfv))
{
	for_each_engine(body, true);
}

static inline struct lfv_stats engine_stats(struct lfv *lfv)
{
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };

	assert_int_equal(lfv_get_stats(lfv, &stats), 0);
	return stats;
}

#endif
