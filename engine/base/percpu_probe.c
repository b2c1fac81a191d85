/* SPDX-License-Identifier: MIT */
/*
 * percpu_probe.c - two threads on one CPU, one of them inside a section.
 */
#include "base/percpu_probe.h"

#include <pthread.h>
#include <signal.h>

#include "base/atomic.h"
#include "base/check.h"
#include "base/cpu.h"
#include "base/os.h"
#include "base/percpu_section.h"

enum {
	TURNS = 1 << 18, /* of one section: a fraction of a time slice */
	LOOK_NS = 50 * 1000,
	SECTIONS_MAX = 1000,
};

struct probe {
	/* constant */
	const struct os *os;
	ptrdiff_t rseq_offset;
	unsigned cpu;
	/* the victim's */
	bool saw_abort;
	/* shared */
	struct section_probe section;
	_Atomic(bool) is_over;
};

/* over - whichever thread cannot go on lets the other one end. */
static void over(struct probe *probe)
{
	/* relaxed: only ends a loop; the joins hand over what was found. */
	store_relaxed(&probe->is_over, true);
}

static bool is_over(struct probe *probe)
{
	/* relaxed: as above. */
	return load_relaxed(&probe->is_over);
}

/*
 * be_aborted - true: a section was left at its abort after the intruder had
 * been in; false: it ended as if nothing had been, or nobody ever came.
 *
 * Counted in sections and not by the clock, which runs on while a busy machine
 * gives us no time.
 */
static bool be_aborted(struct probe *probe)
{
	for (uint32_t number = 1; number <= SECTIONS_MAX; number++) {
		const int moved = section_wait(probe->rseq_offset,
					       &probe->section, number, TURNS);

		/* relaxed: written on this CPU, and nothing hangs on it. */
		const uint32_t awaited = load_relaxed(&probe->section.awaited);

		if (moved == SECTION_ABORTED && awaited == number)
			return true;
		if (moved > 0 || is_over(probe))
			return false;
	}
	return false;
}

static void *victim(void *argument)
{
	struct probe *const probe = argument;

	probe->saw_abort =
		probe->os->pin_thread(probe->cpu) == 0 && be_aborted(probe);
	over(probe);
	return NULL;
}

static void *intruder(void *argument)
{
	struct probe *const probe = argument;

	if (probe->os->pin_thread(probe->cpu) != 0)
		over(probe);
	while (!is_over(probe)) {
		/* relaxed: whoever looks at a number runs on the same CPU. */
		const uint32_t entered = load_relaxed(&probe->section.entered);

		/* relaxed: as above. */
		store_relaxed(&probe->section.awaited, entered);
		probe->os->sleep_ns(LOOK_NS);
	}
	return NULL;
}

/* run_both - the intruder first, so that the victim does not wait for long. */
static void run_both(struct probe *probe, const pthread_attr_t *attributes)
{
	pthread_t threads[2];

	if (pthread_create(&threads[0], attributes, intruder, probe) != 0)
		return;
	if (pthread_create(&threads[1], attributes, victim, probe) == 0)
		require(pthread_join(threads[1], NULL) == 0);
	else
		over(probe);
	require(pthread_join(threads[0], NULL) == 0);
}

bool probe_sections(ptrdiff_t rseq_offset, const struct os *os)
{
	struct probe probe = {
		.os = os,
		.rseq_offset = rseq_offset,
		.cpu = cpu_current().value,
	};
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	/* A real-time caller's threads would not preempt each other. */
	require(pthread_attr_setinheritsched(&attributes,
					     PTHREAD_EXPLICIT_SCHED) == 0);
	(void)sigfillset(&all);
	/* The user's signal handlers are not for our threads to run. */
	require(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	run_both(&probe, &attributes);
	require(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	require(pthread_attr_destroy(&attributes) == 0);
	return probe.saw_abort;
}
