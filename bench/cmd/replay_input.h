/* SPDX-License-Identifier: MIT */
/*
 * replay_input.h - a recording, read once and handed to each sample's process.
 *
 * The steps lie in a memory file that the processes inherit: a recording that
 * comes through a pipe, or that grows while it is read, is the same for all.
 * In front of the steps stands the task, which is written anew for each
 * process; only one runs at a time.
 */
#ifndef LFV_BENCH_REPLAY_INPUT_H
#define LFV_BENCH_REPLAY_INPUT_H

#include <limits.h>
#include <stdbool.h>

#include "common/cell.h"
#include "trace/trace.h"

struct replay_input {
	char name[NAME_MAX + 1]; /* of the file, without its folder */
	char snapshot[PATH_MAX]; /* "" where there is none */
	enum trace_format format;
	struct trace_program program;
	int fd;
};

struct replay_source {
	const char *path;     /* "-": the standard input */
	const char *snapshot; /* NULL: the one beside it, if there is one */
	bool no_snapshot;
};

/* replay_input_init - -errno after saying what is wrong. */
__attribute__((warn_unused_result)) int
replay_input_init(struct replay_input *input,
		  const struct replay_source *source);
void replay_input_fini(struct replay_input *input);

/* replay_input_give - the cell of the process that is started next. */
__attribute__((warn_unused_result)) int
replay_input_give(const struct replay_input *input, const struct cell *cell);

/* replay_input_take - the other end, in that process. */
__attribute__((warn_unused_result)) int
replay_input_take(int fd, struct cell *cell, struct trace_program *program);

#endif
