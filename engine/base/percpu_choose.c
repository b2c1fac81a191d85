/* SPDX-License-Identifier: MIT */
/*
 * percpu_choose.c - which member a process has, decided once.
 *
 * What the probe found is one word: whoever asks first probes, threads that ask
 * at the same time may probe as well, and the first answer is everybody's.
 */
#include "base/atomic.h"
#include "base/check.h"
#include "base/os.h"
#include "base/percpu.h"
#include "base/percpu_probe.h"

enum answer { NOT_ASKED, SECTIONS_WORK, SECTIONS_FAIL };

static _Atomic(int) first_answer;

static bool sections_work(const struct os *os)
{
	/* relaxed: the word says all there is. */
	int known = load_relaxed(&first_answer);

	if (known == NOT_ASKED) {
		const int found = probe_sections(rseq_offset(), os)
					  ? SECTIONS_WORK
					  : SECTIONS_FAIL;

		/* relaxed: as above. */
		if (cas_relaxed(&first_answer, &known, found))
			known = found;
	}
	return known == SECTIONS_WORK;
}

/* has_sections - a fork forgets what was registered, so each time anew. */
static bool has_sections(const struct os *os)
{
	return SECTIONS_EXIST && rseq_is_registered() &&
	       os->fence_register() == 0 && sections_work(os);
}

const struct percpu_ops *percpu_choose(enum percpu_wanted wanted,
				       const struct os *os)
{
	if (wanted == PERCPU_CAS)
		return &percpu_cas;
	if (has_sections(os))
		return &percpu_rseq;
	return wanted == PERCPU_RSEQ ? NULL : &percpu_cas;
}
