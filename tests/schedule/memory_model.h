/* SPDX-License-Identifier: MIT */
/*
 * memory_model.h - what an atomic load may see, and which plain accesses race.
 *
 * One thread runs at a time, so the last value stored is always known; but C
 * lets a load return an older one, unless an order forbids it.  Each location
 * remembers its last versions, and each thread how much it has to have seen (a
 * view: one number a location):
 *
 *	location  version 0   1   2   3      newest
 *	                      ^-------------- thread 1 may read 1, 2 or 3
 *	                              ^------ thread 2 has seen 2: 2 or 3
 *
 *   M1  a thread never reads a version older than one it has read, or written,
 *       or than one in a view it has acquired;
 *   M2  a release stores the thread's view beside the value; an acquire that
 *       reads it joins that view to its own.  A read-modify-write reads the
 *       newest version and hands on the view it found there;
 *   M3  a seq_cst access sees no version older than the last that a seq_cst
 *       access of the same location saw or wrote; fences in between join whole
 *       views;
 *   M4  of two plain accesses of a cell by two threads, one of them a write,
 *       the first is in the view of the second, or they race.
 *
 *   M5  a store that has not seen the newest version may be put before it: two
 *       stores that nothing orders take effect in either order.  Nothing is
 *       put between a read-modify-write and the version it read.
 *
 * Views also count each thread's operations, which is what M4 compares.
 *
 * This is C11 but for executions in which a load sees a store that has not run
 * yet (load buffering), and for a store that is late by more than one version.
 *
 * A location is found by its first byte.  In one that is accessed in several
 * sizes (lock_qspin.c) every version is the whole of it, and a store of a part
 * hands on the view.  Values that change without an operation here (a stack
 * that is used again) begin anew with what is found.
 */
#ifndef TESTS_SCHEDULE_MEMORY_MODEL_H
#define TESTS_SCHEDULE_MEMORY_MODEL_H

#include "schedule/operation.h"

enum {
	MEMORY_THREADS_MAX = 4,
	MEMORY_LOCATIONS_MAX = 508,
	MEMORY_CELLS_MAX = 128,
	MEMORY_VERSIONS = 8, /* older ones are forgotten, and not seen */
};

/* memory_begin - forget everything; what is in memory is seen by all. */
void memory_begin(unsigned threads);

/* memory_versions - how many values the load, or a failing CAS, may see. */
unsigned memory_versions(unsigned thread, const struct operation *operation);

/* `age` is below memory_versions(); 0 is the newest. */
uint64_t memory_load(unsigned thread, const struct operation *operation,
		     unsigned age);

/* memory_places - where a store may be put: behind the newest version, or 2. */
unsigned memory_places(unsigned thread, const struct operation *operation);
void memory_store(unsigned thread, const struct operation *operation,
		  uint64_t value, unsigned age);
uint64_t memory_change(unsigned thread, const struct operation *operation,
		       uint64_t operand);
/* With age > 0 it fails if that version is not the expected one. */
bool memory_cas(unsigned thread, const struct operation *operation, void *old,
		uint64_t value, unsigned age);
void memory_fence(unsigned thread, memory_order order);

/* memory_changes - how often a location has got another value. */
uint64_t memory_changes(void);

/* memory_read, memory_write - plain accesses; false: a race (M4). */
bool memory_read(unsigned thread, const void *cell);
bool memory_write(unsigned thread, const void *cell);

/* memory_get, memory_put - `bytes` at an address, without any model. */
uint64_t memory_get(const void *address, unsigned bytes);
void memory_put(void *address, unsigned bytes, uint64_t value);

/* memory_result - what a change of that kind makes of `before`. */
uint64_t memory_result(enum operation_kind kind, uint64_t before,
		       uint64_t operand);

#endif
