/* SPDX-License-Identifier: MIT */
#include "harness/line_transfer.h"

#include <limits.h>

#include "harness/bench_clock.h"

enum { LOOKS_A_CLOCK = 1024 }; /* looks at the word for one at the clock */

/* Odd, as what is served; no ball comes that far. */
static const unsigned ball_over = UINT_MAX;

/*
 * Waits for this ball, or for the end of the game.  False when the time came
 * first, T2; `ball` is then untouched.
 */
static bool ball_wait(struct line_transfer *line, unsigned wanted,
		      uint64_t until_ns)
{
	for (;;) {
		for (unsigned look = 0; look < LOOKS_A_CLOCK; look++) {
			/* relaxed: only its journey counts, it carries none. */
			const unsigned ball = load_relaxed(&line->ball);

			if (ball == wanted)
				return true;
			if (ball == ball_over)
				return false;
		}
		if (bench_clock_ns() >= until_ns)
			return false;
	}
}

static bool batch_serve(struct line_transfer *line, unsigned *ball,
			uint64_t until_ns)
{
	for (unsigned trip = 0; trip < LINE_ROUND_TRIPS; trip++) {
		/* relaxed: as in ball_wait(). */
		store_relaxed(&line->ball, *ball + 1);
		if (!ball_wait(line, *ball + 2, until_ns))
			return false;
		*ball += 2;
	}
	return true;
}

uint64_t line_serve(struct line_transfer *line)
{
	const uint64_t until_ns = bench_clock_ns() + LINE_LIMIT_NS;
	uint64_t least_ns = UINT64_MAX;
	unsigned ball = 0;
	bool is_whole = true;

	/* T1 */
	for (unsigned batch = 0; batch < LINE_BATCHES && is_whole; batch++) {
		const uint64_t begin_ns = bench_clock_ns();

		is_whole = batch_serve(line, &ball, until_ns);

		const uint64_t batch_ns = bench_clock_ns() - begin_ns;

		if (is_whole && batch_ns < least_ns)
			least_ns = batch_ns;
	}
	/* relaxed: a request to end. */
	store_relaxed(&line->ball, ball_over);
	if (!is_whole)
		return 0;
	/* To the nearest, and never the 0 that says "not known". */
	return (least_ns + LINE_ROUND_TRIPS / 2) / LINE_ROUND_TRIPS + !least_ns;
}

void line_return(struct line_transfer *line)
{
	const uint64_t until_ns = bench_clock_ns() + LINE_LIMIT_NS;

	for (unsigned ball = 1; ball_wait(line, ball, until_ns); ball += 2) {
		/* relaxed: as in ball_wait(). */
		store_relaxed(&line->ball, ball + 1);
	}
}

uint64_t line_mean_ns(uint64_t one_ns, uint64_t other_ns)
{
	if (!one_ns || !other_ns)
		return one_ns + other_ns;
	return (one_ns + other_ns + 1) / 2;
}
