/* SPDX-License-Identifier: MIT */
/*
 * session.h - a plan being carried out: samples are taken and kept.
 *
 *   S1  the samples come in the plan's order; one that the machine spoilt is
 *       taken again at once, up to twice, and all are kept.  On a machine
 *       that spoils more than half it is not: that would only take longer;
 *   S2  a cell that failed or was too slow is not run again: it would only be
 *       so once more;
 *   S3  after each round the result file, where there is one, holds all
 *       samples so far; at the end, however it comes, too;
 *   S4  a sample that was taken while the host had moved the CPUs is spoilt
 *       (line_modes.h).  Which are is judged anew after each sample, and what
 *       was lost that way is taken again at the end, within S1.
 */
#ifndef LFV_BENCH_SESSION_H
#define LFV_BENCH_SESSION_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "cmd/interrupt.h"
#include "cmd/plan.h"
#include "cmd/progress.h"
#include "cmd/result.h"
#include "cmd/sample.h"

struct session {
	/* constant after init */
	const struct plan *plan;
	const char *path; /* of the result file, or NULL */
	char gbench[PATH_MAX];
	/* what has come of it */
	struct result result;
	struct sample *samples;
	size_t sample_count;
	size_t failed_count;
	size_t invalid_count;
	size_t measured_count; /* without floors */
	bool *is_over;         /* cell: S2 */
	/* the run itself */
	struct interrupt interrupt;
	struct progress progress;
};

/*
 * session_run - carry it all out.
 *
 * 0 at the end of the plan; -EINTR when the user broke it off; other -errno
 * when it could not go on, after saying why.  What was measured is in
 * `samples` and in the file in each case.
 */
__attribute__((warn_unused_result)) int session_run(struct session *session);

/* session_init - `result` becomes the session's. */
__attribute__((warn_unused_result)) int
session_init(struct session *session, const struct plan *plan,
	     const struct result *result, const char *path);
void session_fini(struct session *session);

#endif
