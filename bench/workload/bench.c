/* SPDX-License-Identifier: MIT */
/*
 * bench.c - one cell's failure and counters.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "workload/workload.h"

enum { FAILING_NOT, FAILING_BEING_WRITTEN, FAILING };

void bench_fail(struct bench *bench, const char *format, ...)
{
	const struct cell *cell = bench->cell;
	int expected = FAILING_NOT;
	va_list arguments;

	/* relaxed: only decides who writes the text. */
	if (!cas_relaxed(&bench->failing, &expected, FAILING_BEING_WRITTEN)) {
		timed_abort(&bench->signal);
		return;
	}
	va_start(arguments, format);

	const int letters = vsnprintf(bench->failure, sizeof(bench->failure),
				      format, arguments);

	va_end(arguments);

	const size_t used = strnlen(bench->failure, sizeof(bench->failure));

	if (letters > 0)
		(void)snprintf(bench->failure + used,
			       sizeof(bench->failure) - used,
			       "; strategy %s, lock %s, threads %u, seed %ju",
			       cell->strategy, cell->lock, cell->threads,
			       (uintmax_t)cell->seed);
	/* release [bench-failure]: the text. */
	store_release(&bench->failing, FAILING);
	timed_abort(&bench->signal);
}

bool bench_failed(struct bench *bench)
{
	/* acquire [bench-failure]: the text may be read. */
	return load_acquire(&bench->failing) == FAILING;
}

void bench_count(struct bench *bench, const char *name, double value)
{
	if (bench->counter_count == BENCH_COUNTERS_MAX)
		return;
	bench->counters[bench->counter_count++] =
		(struct bench_counter){ name, value };
}
