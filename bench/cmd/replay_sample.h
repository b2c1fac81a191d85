/* SPDX-License-Identifier: MIT */
/*
 * replay_sample.h - one sample of a replay: a process of its own.
 *
 * In the process: three replays in which every answer is judged and every
 * operation timed, then unobserved ones until they have taken 100 ms together.
 * An operation's own time is the least of the three: what the step costs, not
 * what the machine did meanwhile.
 *
 * What it writes is one JSON object: outcome, why, ops, seconds, and price,
 * latency, counters as in a result file.  Without "ops" there is no figure of
 * speed: the recording is too short for this machine's patience.
 */
#ifndef LFV_BENCH_REPLAY_SAMPLE_H
#define LFV_BENCH_REPLAY_SAMPLE_H

#include "cmd/interrupt.h"
#include "cmd/replay_input.h"
#include "cmd/sample.h"

/* How long the unobserved replays take together, at least. */
#define REPLAY_TIMED_NS (UINT64_C(100) * 1000 * 1000)

/*
 * replay_sample_take - start the process for this cell and read its sample.
 *
 * As sample_take(): 0 whatever the outcome, -EINTR, -errno.
 */
__attribute__((warn_unused_result)) int
replay_sample_take(const struct replay_input *input, const struct cell *cell,
		   struct interrupt *interrupt, struct sample *sample);

/* replay_sample_make - be that process; returns how it ends (verb_end). */
int replay_sample_make(int fd);

#endif
