/* SPDX-License-Identifier: MIT */
/*
 * replay_options.h - the flags of `lfv-bench replay`, and the cells of each
 * recording that they ask for.
 *
 * The factors of an engine are the axes of a cell (common/cell_axis.h) and
 * take lists.  What is run is the recording's: sizes, alignments, threads.
 */
#ifndef LFV_BENCH_REPLAY_OPTIONS_H
#define LFV_BENCH_REPLAY_OPTIONS_H

#include <stdbool.h>

#include "cmd/replay_input.h"
#include "common/cell_product.h"

enum { REPLAY_FILES_MAX = 256 };

struct replay_options {
	struct cell_lists lists;
	const char *files[REPLAY_FILES_MAX];
	size_t file_count;
	const char *snapshot;
	bool no_snapshot;
	bool parallel;
	bool quiet;
	bool json;
	unsigned rounds;
	const char *output;
	int sample_fd; /* -1, or: be the process of a sample */
};

/*
 * replay_options_read - 0; 1 after printing the help; -EINVAL after saying what
 * is wrong.  Only 0 leaves something for fini.
 */
__attribute__((warn_unused_result)) int
replay_options_read(struct replay_options *options, int argc, char **argv);
void replay_options_fini(struct replay_options *options);

/*
 * replay_options_cells - the cells of one recording, the caller's to free;
 * -errno after saying why there are none.
 */
__attribute__((warn_unused_result)) int
replay_options_cells(const struct replay_options *options,
		     const struct replay_input *input, struct cell **cells,
		     size_t *count);

#endif
