/* SPDX-License-Identifier: MIT */
/*
 * fault_os.h - the real system calls, counted, of which chosen ones fail.
 *
 *	fault_arm(FAULT_ANY, k, FAULT_ONCE, 0);
 *	... the code under test, made with &fault_os ...
 *	was_hit = fault_was_hit();
 *	fault_disarm();
 *
 * A sweep raises k until a run ends without being hit: then every call that the
 * code makes has failed once.  With FAULT_FROM_THEN_ON the k-th call and all
 * behind it fail, undoing included.
 *
 * A call that is made to fail does not reach the kernel.  Calls that cannot
 * fail (limits, the clock) pass through.  One table, one process-wide plan: arm
 * and disarm while nobody works.
 */
#ifndef LFV_TESTS_FAULT_OS_H
#define LFV_TESTS_FAULT_OS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/os.h"

enum fault_call {
	FAULT_MMAP_ANON,
	FAULT_RESERVE,
	FAULT_UNRESERVE,
	FAULT_REMAP_NONE,
	FAULT_MAP_FILE,
	FAULT_MAP_LINEAR,
	FAULT_GUARD_INSTALL,
	FAULT_GUARD_REMOVE,
	FAULT_GUARD_INSTALL_MANY,
	FAULT_MEMFD_CREATE,
	FAULT_FTRUNCATE,
	FAULT_SEAL,
	FAULT_PUNCH_HOLE,
	FAULT_FSTAT_BYTES,
	FAULT_FENCE_REGISTER,
	FAULT_FENCE_CPU,
	FAULT_PIN_THREAD,
	FAULT_RANDOM,
	FAULT_CALLS,
	FAULT_ANY = FAULT_CALLS, /* counted together */
};

enum fault_mode { FAULT_ONCE, FAULT_FROM_THEN_ON };

extern const struct os fault_os;

/*
 * fault_arm - let the nth call from now on, counted from 1, fail with `error`;
 * 0: with what such a call fails with when a limit is met.
 */
void fault_arm(enum fault_call call, uint64_t nth, enum fault_mode mode,
	       int error);
/* fault_disarm - nothing fails any more; the plan and its hit are forgotten. */
void fault_disarm(void);
bool fault_was_hit(void);
/* fault_rest - while at rest calls pass through, and the plan goes on later. */
void fault_rest(bool at_rest);

/* fault_count - calls of that kind since the process began, failed included. */
uint64_t fault_count(enum fault_call call);

#endif
