/* SPDX-License-Identifier: MIT */
/*
 * va.c - the registry of strategies, and what all of them need made.
 */
#include "va/va.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/error.h"
#include "va/cached.h"
#include "va/strategies.h"

static const struct va_ops *const strategies[] = {
	&va_list_24,
	&va_list_2624,
	&va_rbtree_2628,
	&va_rbtree,
	&va_augmented_510,
	&va_augmented,
	&va_nodes,
	&va_rcu,
	&va_lockfree,
	&va_busted,
	NULL,
};

const struct va_ops *const *va_strategies(void)
{
	return strategies;
}

static bool has_alias(const struct va_ops *ops, const char *name)
{
	if (!ops->aliases)
		return false;
	for (const char *const *alias = ops->aliases; *alias; alias++) {
		if (strcmp(*alias, name) == 0)
			return true;
	}
	return false;
}

const struct va_ops *va_find_ops(const char *name)
{
	for (const struct va_ops *const *row = strategies; *row; row++) {
		if (strcmp((*row)->name, name) == 0 ||
		    strcmp((*row)->variant, name) == 0 || has_alias(*row, name))
			return *row;
	}
	return NULL;
}

/* The mapping that holds a strategy's state: whole pages, so aligned enough. */
static size_t state_bytes(const struct va_ops *ops,
			  const struct va_config *config)
{
	return align_up(config->cached ? cached_state_bytes()
				       : ops->state_bytes,
			PAGE_SIZE);
}

int va_init(struct va *va, const struct va_ops *ops,
	    const struct va_config *config)
{
	static_assert(FALSE_SHARING_BYTES <= 4096, "a page is aligned enough");
	assert(config->start < config->end);
	assert(is_page_aligned(config->start) && is_page_aligned(config->end));
	assert(config->cpus > 0);

	void *const state = config->os->mmap_anon(state_bytes(ops, config));

	if (!state)
		return error_set(-ENOMEM,
				 "no memory for the state of strategy %s"
				 " (RLIMIT_AS, vm.max_map_count)",
				 ops->name);
	va->ops = ops;
	va->config = *config;
	va->state = state;

	const int error = config->cached ? cached_init(va, ops) : ops->init(va);

	if (error) {
		va->state = NULL;
		config->os->munmap_anon(state, state_bytes(ops, config));
	}
	return error;
}

/* page_map_of - with or without a cache in front; NULL: there is none. */
static const struct page_map *page_map_of(struct va *va)
{
	if (va->config.cached)
		return ((struct cached *)va->state)->map;
	return va->ops->back ? va->ops->back->map(va) : NULL;
}

const struct page_map *va_index(struct va *va)
{
	const struct page_map *const map = page_map_of(va);

	return map && map->owners ? map : NULL;
}

void va_fini(struct va *va)
{
	/* The table of a cache in front lies in the state. */
	const size_t bytes = state_bytes(va->ops, &va->config);

	va->ops->fini(va);
	va->config.os->munmap_anon(va->state, bytes);
	va->state = NULL;
}
