/* SPDX-License-Identifier: MIT */
/*
 * quota.h - how much CPU time the control group leaves the process, and how
 * often it was stopped for using it up.
 *
 * Both versions of control groups are read; the tightest limit on the way to
 * the root counts.
 */
#ifndef LFV_BENCH_QUOTA_H
#define LFV_BENCH_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

/* quota_cpus - CPUs' worth of time in each period; 0: no limit. */
double quota_cpus(void);

/* quota_throttled - how often the group was stopped; false: not known. */
bool quota_throttled(uint64_t *times);

/* quota_read - "MAX PERIOD" of cpu.max as CPUs; 0: no limit or no sense. */
double quota_read(const char *text);

#endif
