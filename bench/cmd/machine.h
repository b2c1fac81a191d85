/* SPDX-License-Identifier: MIT */
/*
 * machine.h - what a figure belongs to: the machine, its kernel, our build.
 *
 * Nothing here names the machine or its owner.
 */
#ifndef LFV_BENCH_MACHINE_H
#define LFV_BENCH_MACHINE_H

#include <jansson.h>

/*
 * machine_describe - the "machine" of a result file; what this machine does not
 * tell is null.  NULL when out of memory.
 */
json_t *machine_describe(void);

#endif
