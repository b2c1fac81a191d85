/* SPDX-License-Identifier: MIT */
/*
 * map_refused.c - which limit it was.
 *
 * ENOMEM of mmap(2) has three causes and does not say which.  The figures of
 * the process are read after the fact: other threads may have changed them, so
 * the message is a finding, and the error is what the kernel said.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backing/map_steps.h"
#include "base/error.h"

/* A call may need this many more mappings than there are before it. */
enum { MAPPINGS_MARGIN = 8 };

int map_refused(const struct map *map, int error, const char *call)
{
	const struct os *const os = map->os;

	if (error != -ENOMEM)
		return error_set(error, "%s failed: %s", call,
				 strerror(-error));

	const size_t max = os->max_map_count();
	const size_t count = os->map_count();

	if (max != 0 && count + MAPPINGS_MARGIN >= max)
		return error_set(error,
				 "%s: the process has %zu mappings, and "
				 "vm.max_map_count is %zu: raise it, free "
				 "areas, or choose frames 'paired'",
				 call, count, max);

	const uint64_t limit = os->address_limit();
	const uint64_t used = os->address_bytes();

	if (limit != UINT64_MAX && used >= limit)
		return error_set(error,
				 "%s: RLIMIT_AS is %" PRIu64 " MiB, and "
				 "%" PRIu64 " MiB are in use: raise it "
				 "(ulimit -v)",
				 call, (uint64_t)(limit / MIB),
				 (uint64_t)(used / MIB));
	return error_set(error,
			 "%s: the kernel has no memory for it (%zu of %zu "
			 "mappings in use)",
			 call, count, max);
}
