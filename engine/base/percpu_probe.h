/* SPDX-License-Identifier: MIT */
/*
 * percpu_probe.h - does this kernel abort a section that is preempted?
 *
 * Some do not: then two threads are inside one slot, and values are lost and
 * doubled.  So the one case that slots depend on most is tried, on one CPU:
 *
 *	victim                        intruder, pinned to the same CPU
 *	in a section: entered = n
 *	until awaited == n, wait
 *	                              entered is n: so the victim was preempted
 *	                              awaited = n
 *	goes on in the section:       no abort, the kernel cannot be trusted
 *	or at its abort:              the kernel keeps its word
 *
 * The intruder sleeps between looks, so that it is put before the victim when
 * it wakes.  Both are threads of the probe's own: the caller's affinity stays,
 * no signal is sent, and all are blocked in them.  One CPU is enough.
 *
 * What takes no part in the answer only delays it: other work on the CPU, or
 * an intruder that comes between two sections.  Without an answer after many
 * sections, or where a thread cannot be made or pinned, it is no.
 */
#ifndef LFV_BASE_PERCPU_PROBE_H
#define LFV_BASE_PERCPU_PROBE_H

#include <stdbool.h>
#include <stddef.h>

struct os;

/*
 * probe_sections - with areas `rseq_offset` from each thread's pointer; no
 * other thread is waited for, but those two.
 */
bool probe_sections(ptrdiff_t rseq_offset, const struct os *os);

#endif
