/* SPDX-License-Identifier: MIT */
/*
 * replay_report.h - what the replays found, for people.
 *
 * For each recording two tables with a row for each cell: whether the answers
 * were right and what room they took, and what that cost.  A figure is the
 * median over the rounds.  The first table ends with the recorded kernel's own
 * row: the same areas at the addresses that it chose.
 */
#ifndef LFV_BENCH_REPLAY_REPORT_H
#define LFV_BENCH_REPLAY_REPORT_H

#include <stdio.h>

#include "cmd/replay_session.h"

/* replay_report_print - all tables; 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int
replay_report_print(const struct replay_session *session, FILE *stream);

#endif
