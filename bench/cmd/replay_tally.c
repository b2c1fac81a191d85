/* SPDX-License-Identifier: MIT */
#include "cmd/replay_tally.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const double NS_PER_MS = 1e6;

void replay_tally_add(struct replay_tally *tally, enum replay_fault fault,
		      size_t step, const char *format, ...)
{
	va_list arguments;

	tally->faults[fault]++;
	if (tally->why[0] && tally->why_step <= step)
		return;
	tally->why_step = step;
	va_start(arguments, format);
	vsnprintf(tally->why, sizeof(tally->why), format, arguments);
	va_end(arguments);
}

void replay_tally_merge(struct replay_tally *tally,
			const struct replay_tally *other)
{
	for (size_t i = 0; i < REPLAY_FAULTS; i++)
		tally->faults[i] += other->faults[i];
	if (!other->why[0] ||
	    (tally->why[0] && tally->why_step <= other->why_step))
		return;
	tally->why_step = other->why_step;
	memcpy(tally->why, other->why, sizeof(tally->why));
}

bool replay_tally_is_clean(const struct replay_tally *tally)
{
	for (size_t i = 0; i < REPLAY_FAULTS; i++) {
		if (tally->faults[i])
			return false;
	}
	return true;
}

void replay_step_text(const struct trace_program *program, size_t step,
		      char text[REPLAY_STEP_BYTES])
{
	static const char *const kinds[] = {
		[TRACE_STEP_PRELOAD] = "preload",
		[TRACE_STEP_ALLOC] = "alloc",
		[TRACE_STEP_FREE] = "free",
	};

	if (step >= program->step_count) {
		snprintf(text, REPLAY_STEP_BYTES, "after the last step");
		return;
	}

	const struct trace_step *at = &program->steps[step];

	snprintf(text, REPLAY_STEP_BYTES,
		 "step %zu (%s of %" PRIu64 " pages, slot %" PRIu32
		 ", at %.3f ms)",
		 step, kinds[at->kind], at->pages, at->slot,
		 (double)at->time_ns / NS_PER_MS);
}
