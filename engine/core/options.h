/* SPDX-License-Identifier: MIT */
/*
 * options.h - the axes of an engine, its choices, and which cannot go together.
 *
 * Every name that a user can give is resolved here, once, into tables; the rest
 * of the core never compares strings.
 */
#ifndef LFV_CORE_OPTIONS_H
#define LFV_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "backing/frame.h"
#include "backing/map.h"
#include "base/percpu.h"
#include "lfv/lfv.h"
#include "lock/lock.h"
#include "va/va.h"

/* choices - options with names resolved and defaults filled in. */
struct choices {
	const struct va_ops *strategy;
	const struct lock_ops *lock;
	const struct frame_ops *frames;
	const char *cache;
	const struct percpu_ops *percpu;
	bool cached; /* the cache of holes in front */
	bool strict; /* unmap in free */
	bool keep;   /* keep frames in the cache */
	enum map_flush flush;
	bool has_worker;
	bool lock_yield;
	bool address_plane;
	size_t window_bytes;
	size_t memory_bytes;
	unsigned nodes;
	unsigned cpus;     /* 0: the machine's */
	unsigned magazine; /* 0: default */
	bool hardened;
	uint64_t held_bytes_max; /* 0: default */
};

/* choices_resolve - -EINVAL with a message that names option and remedy. */
__attribute__((warn_unused_result)) int
choices_resolve(struct choices *choices, const struct lfv_options *options,
		const struct os *os);

#endif
