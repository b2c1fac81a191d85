/* SPDX-License-Identifier: MIT */
/*
 * gbench_flags.h - the command line of lfv-gbench: the axes of cell.h as
 * lists, and Google Benchmark's own flags, of which some act and some cannot.
 */
#ifndef LFV_BENCH_GBENCH_FLAGS_H
#define LFV_BENCH_GBENCH_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cell_product.h"

struct gbench_flags {
	struct cell_lists lists;
	bool help;
	bool list_workloads;
	const char *out; /* of --benchmark_out, or NULL */
	int argc;        /* the library's own flags, argv[0] in front */
	char **argv;
};

/*
 * gbench_flags_read - -EINVAL with a message for what is not understood.
 * Warns on stderr of flags without effect, and leaves them out.
 */
int gbench_flags_read(struct gbench_flags *flags, int argc, char **argv);
void gbench_flags_fini(struct gbench_flags *flags);

void gbench_help(void);
void gbench_list_workloads(void);

#endif
