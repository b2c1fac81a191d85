/* SPDX-License-Identifier: MIT */
/*
 * result.h - the file that a run leaves: results/README.md has its schema.
 *
 *   R1  at every instant FILE is either what it was before or a whole, valid
 *       result: it is written aside, synced, and renamed;
 *   R2  a run that was broken off leaves what it had, with "complete": false;
 *   R3  every sample is in it, in the order taken, the useless ones too.
 */
#ifndef LFV_BENCH_RESULT_H
#define LFV_BENCH_RESULT_H

#include <jansson.h>
#include <stdbool.h>

#include "cmd/plan.h"
#include "cmd/sample.h"

/* 15 digits: what was measured, without the tail of its binary form. */
#define RESULT_FORMAT (JSON_INDENT(1) | JSON_REAL_PRECISION(15))

struct result {
	json_t *root;
	json_t *plan;
	json_t *samples;
};

/*
 * result_init - a result without samples.  `command` is the words that the
 * user typed after the program's name.
 */
__attribute__((warn_unused_result)) int result_init(struct result *result,
						    const struct plan *plan,
						    int words, char **command);
void result_fini(struct result *result);

__attribute__((warn_unused_result)) int
result_add(struct result *result, const struct sample *sample, unsigned round);

/* result_judge - sample `index`, as added, has another outcome now. */
__attribute__((warn_unused_result)) int
result_judge(struct result *result, size_t index, const struct sample *sample);

/* result_complete - all that was planned has been run. */
void result_complete(struct result *result);

/*
 * result_try_path - whether `path` can be written, before it costs a minute of
 * measuring; -errno.  Changes nothing.
 */
__attribute__((warn_unused_result)) int result_try_path(const char *path);

/* result_path_why - what result_try_path() has against a path, in words. */
const char *result_path_why(int err);

/* result_write - R1; -errno, and FILE as it was. */
__attribute__((warn_unused_result)) int
result_write(const struct result *result, const char *path);

#endif
