/* SPDX-License-Identifier: MIT */
#include "cmd/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const uint64_t NS_PER_S = 1000 * 1000 * 1000;

/* Who waits shorter than this does not ask how long it will take. */
static const uint64_t LINES_AFTER_NS = UINT64_C(2) * 1000 * 1000 * 1000;

enum { S_PER_MIN = 60, S_PER_H = 3600 };

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void progress_time(uint64_t ns, char text[PROGRESS_TIME_BYTES])
{
	const uint64_t s = (ns + NS_PER_S - 1) / NS_PER_S;

	if (s < S_PER_MIN)
		snprintf(text, PROGRESS_TIME_BYTES, "%" PRIu64 " s", s);
	else if (s < S_PER_H)
		snprintf(text, PROGRESS_TIME_BYTES,
			 "%" PRIu64 " min %02" PRIu64 " s", s / S_PER_MIN,
			 s % S_PER_MIN);
	else
		snprintf(text, PROGRESS_TIME_BYTES,
			 "%" PRIu64 " h %02" PRIu64 " min", s / S_PER_H,
			 s % S_PER_H / S_PER_MIN);
}

void progress_begin(struct progress *progress, size_t total, bool quiet)
{
	*progress = (struct progress){
		.shown = !quiet && isatty(STDERR_FILENO),
		.total = total,
		.began_ns = clock_ns(),
	};
}

void progress_step(const struct progress *progress, size_t done,
		   const struct cell *next)
{
	const uint64_t spent = clock_ns() - progress->began_ns;
	char left[PROGRESS_TIME_BYTES] = "?";

	if (!progress->shown && (!progress->in_lines || spent < LINES_AFTER_NS))
		return;
	if (done > 0) {
		const size_t to_do =
			progress->total > done ? progress->total - done : 0;

		progress_time(spent / done * to_do, left);
	}
	fprintf(stderr, "%s[%zu/%zu] %s left: %s %s %s, %u thread%s%s",
		progress->shown ? "\r\033[K" : "", done, progress->total, left,
		next->workload, next->strategy, next->lock, next->threads,
		next->threads == 1 ? "" : "s", progress->shown ? "" : "\n");
	fflush(stderr);
}

void progress_clear(const struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}
