/* SPDX-License-Identifier: MIT */
/*
 * operation.h - one atomic operation, as the scheduler sees it.
 *
 * scheduled_atomic.h makes one of each use of <stdatomic.h> in the sources that
 * are compiled with it.  Outside of a schedule (while a case is set up, and
 * when its threads have ended) each is done at once.
 */
#ifndef TESTS_SCHEDULE_OPERATION_H
#define TESTS_SCHEDULE_OPERATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum operation_kind {
	OPERATION_LOAD,
	OPERATION_STORE,
	OPERATION_SWAP,
	OPERATION_ADD,
	OPERATION_SUB,
	OPERATION_AND,
	OPERATION_OR,
	OPERATION_XOR,
	OPERATION_CAS,
	OPERATION_FENCE,
};

struct operation {
	enum operation_kind kind;
	memory_order order;
	unsigned bytes;
	void *address;
	const char *where; /* "file:line" */
	const char *function;
};

/* The whole object is a uint64_t, its low bytes are what counts. */
uint64_t scheduled_load(const struct operation *operation);
void scheduled_store(const struct operation *operation, uint64_t value);

/* scheduled_change - a swap or a fetch-and-something; the value before. */
uint64_t scheduled_change(const struct operation *operation, uint64_t operand);

/* scheduled_cas - `old` points to the expected value, updated on failure. */
bool scheduled_cas(const struct operation *operation, void *old,
		   uint64_t value);
void scheduled_fence(const struct operation *operation);

/*
 * scheduled_pause - this thread has looked in vain: it runs on when another
 * one has changed something.
 */
void scheduled_pause(void);

#endif
