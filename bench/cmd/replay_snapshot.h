/* SPDX-License-Identifier: MIT */
/*
 * replay_snapshot.h - the copy of /proc/vmallocinfo that belongs to a
 * recording: NAME.vmallocinfo beside NAME.trace, both plain or compressed.
 */
#ifndef LFV_BENCH_REPLAY_SNAPSHOT_H
#define LFV_BENCH_REPLAY_SNAPSHOT_H

#include <limits.h>
#include <stdbool.h>

/*
 * replay_snapshot_name - what the snapshot of this recording is called; false
 * for a name that does not end in .trace or .trace.gz.
 */
bool replay_snapshot_name(const char *path, bool compressed,
			  char name[PATH_MAX]);

/* replay_snapshot_find - the one that is there; `name` is "" without one. */
void replay_snapshot_find(const char *path, char name[PATH_MAX]);

#endif
