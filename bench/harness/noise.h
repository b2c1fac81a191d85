/* SPDX-License-Identifier: MIT */
/*
 * noise.h - what others did to a sample: the time that a runnable thread was
 * kept waiting, its context switches, time stolen by the hypervisor, and stops
 * by the control group.
 *
 * A figure that this machine does not tell is zero.
 */
#ifndef LFV_BENCH_NOISE_H
#define LFV_BENCH_NOISE_H

#include <stdint.h>

/* noise_thread - of the calling thread, since it began. */
struct noise_thread {
	uint64_t run_delay_ns; /* runnable, but not running */
	uint64_t switches_involuntary;
	uint64_t switches_voluntary;
};

void noise_thread_read(struct noise_thread *noise);

/* noise_machine - of all CPUs, since the machine began. */
struct noise_machine {
	uint64_t steal_ns;
	uint64_t throttled; /* times */
};

void noise_machine_read(struct noise_machine *noise);

#endif
