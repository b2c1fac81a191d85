/* SPDX-License-Identifier: MIT */
/*
 * beside.h - programs that were built together with this one lie beside it.
 */
#ifndef LFV_BENCH_BESIDE_H
#define LFV_BENCH_BESIDE_H

#include <limits.h>

/* beside_find - the path of an executable in this binary's own folder. */
__attribute__((warn_unused_result)) int beside_find(const char *name,
						    char path[PATH_MAX]);

/*
 * beside_gbench - the program that takes samples: LFV_GBENCH where it is set,
 * else lfv-gbench beside this binary.  -ENOENT after saying where it looked.
 */
__attribute__((warn_unused_result)) int beside_gbench(char path[PATH_MAX]);

#endif
