/* SPDX-License-Identifier: MIT */
/*
 * replay_session.h - recordings, the cells that each is replayed on, and the
 * samples that were taken.
 *
 *   R1  a round takes one sample of each cell, recording by recording; what is
 *       compared lies near in time, and each round begins one cell later;
 *   R2  a cell that failed is not run again;
 *   R3  the result file is written after each round and at the end, however
 *       that comes.
 */
#ifndef LFV_BENCH_REPLAY_SESSION_H
#define LFV_BENCH_REPLAY_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/interrupt.h"
#include "cmd/progress.h"
#include "cmd/replay_options.h"
#include "cmd/result.h"
#include "cmd/sample.h"

/* One recording and where its cells begin in the plan. */
struct replay_track {
	struct replay_input input;
	size_t first_cell;
	size_t cell_count;
};

struct replay_session {
	/* constant after init */
	const struct replay_options *options;
	struct replay_track *tracks;
	size_t track_count;
	struct plan plan; /* the cells of all tracks */
	/* what has come of it */
	struct result result;
	struct sample *samples;
	size_t sample_count;
	size_t failed_count;
	bool *is_over; /* cell: R2 */
	/* the run itself */
	struct interrupt interrupt;
	struct progress progress;
};

/*
 * replay_session_init - read everything that was asked for.
 *
 * -ENODATA: there is nothing to replay; other -errno: something cannot be
 * read or run.  Each after saying so.
 */
__attribute__((warn_unused_result)) int
replay_session_init(struct replay_session *session,
		    const struct replay_options *options, int words,
		    char **command);
void replay_session_fini(struct replay_session *session);

/* replay_session_run - 0 at its end; -EINTR when broken off; -errno. */
__attribute__((warn_unused_result)) int
replay_session_run(struct replay_session *session);

#endif
