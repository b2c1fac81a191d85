/* SPDX-License-Identifier: MIT */
/*
 * va_suite.h - the contract of va/va.h, put to every strategy with a lock kind.
 *
 * A check is a function that works a strategy and looks for a breach: NULL, or
 * the text of the first thing it saw.  The strategies must pass all of them;
 * `busted` must be caught by each.
 */
#ifndef LFV_TESTS_VA_SUITE_H
#define LFV_TESTS_VA_SUITE_H

#include "base/cpu.h"
#include "base/percpu.h"
#include "lock/lock.h"
#include "va/va.h"

/* suite_case - one strategy with one lock kind. */
struct suite_case {
	const struct va_ops *ops;
	const struct lock_ops *lock;
	unsigned nodes;
	unsigned threads;
	unsigned steps;
	bool linger; /* yield inside the locks, where a walk's visit runs */
	bool cached; /* with the cache in front */
	bool reuse_at_once;
	bool hardened;
};

/* Few, so that stocks run empty and over in a small window. */
enum { SUITE_MAGAZINE = 4 };

/* Aligned to more than any request asks for; nothing is ever mapped there. */
#define SUITE_BASE ((uintptr_t)1 << 40)

/* The CPUs of the machine, read once. */
const struct cpu_map *suite_cpus(void);

static inline uint64_t suite_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline unsigned suite_below(uint64_t *state, unsigned limit)
{
	return (unsigned)(suite_random(state) % limit);
}

static inline struct va_config suite_config(const struct suite_case *test,
					    unsigned pages)
{
	return (struct va_config){
		.os = &os_linux,
		.lock = test->lock,
		.lock_yield = true,
		.start = SUITE_BASE,
		.end = SUITE_BASE + pages_to_bytes(pages),
		.cpus = test->nodes,
		.nodes = test->nodes,
		.cpu_map = suite_cpus(),
		.cached = test->cached,
		.percpu = &percpu_cas,
		.magazine = SUITE_MAGAZINE,
		.reuse_at_once = test->reuse_at_once,
		.hardened = test->hardened,
		.address_plane = true,
	};
}

static inline uintptr_t suite_address(unsigned page)
{
	return SUITE_BASE + pages_to_bytes(page);
}

static inline unsigned suite_page(uintptr_t address)
{
	return (unsigned)((address - SUITE_BASE) >> PAGE_SHIFT);
}

/* suite_alloc - as the core does: allocate and publish. */
static inline int suite_alloc(struct va *va, const struct va_request *request,
			      struct va_range *range)
{
	int error;

	do {
		error = va->ops->alloc(va, request, range);
	} while (!error && va->ops->publish &&
		 !va->ops->publish(va, range, request));
	return error;
}

/* suite_unmap - of a strategy that purges by itself; nothing is mapped. */
static inline void suite_unmap(void *context, struct va_run *runs, size_t count)
{
	(void)context;
	(void)runs;
	(void)count;
}

static inline void suite_purge(struct va *va, enum va_purge how)
{
	const struct va_unmapper unmapper = { .unmap = suite_unmap };

	if (va->ops->purge)
		(void)va->ops->purge(va, how, &unmapper);
	else
		va->ops->purge_give(va, va->ops->purge_take(va, how), how);
}

/*
 * oracle_breach - random operations of one thread against a map of the
 * window's pages; check() of the strategy in between, unless it is busted.
 */
const char *oracle_breach(const struct suite_case *test, uint64_t seed);

/*
 * churn_breach - threads allocate, look up, free, free each other's areas and
 * purge, all at once; each page has one stamp of its owner.
 */
const char *churn_breach(const struct suite_case *test, uint64_t seed);

#endif
