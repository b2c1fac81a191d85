/* SPDX-License-Identifier: MIT */
/*
 * va_sequence.h - tables of steps with the addresses that the kernel chooses.
 *
 * Addresses and sizes are pages from the window's start, which is aligned to
 * 4 GiB unless the test says otherwise.  Each step says the rule it shows.
 */
#ifndef LFV_TESTS_VA_SEQUENCE_H
#define LFV_TESTS_VA_SEQUENCE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lock/lock.h"
#include "va/strategies.h"

#define SEQUENCE_BASE ((uintptr_t)1 << 32)

enum { NOWHERE = -1 };

enum step_op { STEP_ALLOC, STEP_FREE, STEP_PURGE };

struct step {
	enum step_op op;
	unsigned pages;
	unsigned align; /* in pages; 0: none, as vmalloc */
	unsigned vstart;
	unsigned vend; /* 0: the window's */
	int at;        /* where it must lie, or NOWHERE */
	const char *rule;
};

#define ALLOC(n, where, why)                                                 \
	{                                                                    \
		.op = STEP_ALLOC, .pages = (n), .at = (where), .rule = (why) \
	}
#define ALLOC_ALIGNED(n, alignment, where, why)                       \
	{                                                             \
		.op = STEP_ALLOC, .pages = (n), .align = (alignment), \
		.at = (where), .rule = (why)                          \
	}
#define ALLOC_WITHIN(n, low, high, where, why)                   \
	{                                                        \
		.op = STEP_ALLOC, .pages = (n), .vstart = (low), \
		.vend = (high), .at = (where), .rule = (why)     \
	}
#define ALLOC_FROM(n, alignment, low, where, why)                     \
	{                                                             \
		.op = STEP_ALLOC, .pages = (n), .align = (alignment), \
		.vstart = (low), .at = (where), .rule = (why)         \
	}
#define FREE(where, why)                                      \
	{                                                     \
		.op = STEP_FREE, .at = (where), .rule = (why) \
	}
#define PURGE(why)                              \
	{                                       \
		.op = STEP_PURGE, .rule = (why) \
	}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct sequence {
	const struct va_ops *ops;
	uintptr_t base; /* 0: SEQUENCE_BASE */
	unsigned pages; /* of the window */
};

static inline uintptr_t sequence_address(const struct va *va, unsigned page)
{
	return va->config.start + pages_to_bytes(page);
}

static inline struct va_config sequence_config(const struct sequence *sequence)
{
	const uintptr_t base = sequence->base ? sequence->base : SEQUENCE_BASE;

	return (struct va_config){
		.os = &os_linux,
		.lock = lock_find("pthread-mutex"),
		.start = base,
		.end = base + pages_to_bytes(sequence->pages),
		.cpus = 1,
		.nodes = 1,
	};
}

static inline void sequence_begin(const struct sequence *sequence,
				  struct va *va)
{
	const struct va_config config = sequence_config(sequence);

	assert_int_equal(va_init(va, sequence->ops, &config), 0);
}

static inline void sequence_end(struct va *va)
{
	va->ops->check(va);
	va_fini(va);
}

static inline int step_alloc(struct va *va, const struct step *step,
			     struct va_range *range)
{
	const struct va_request request = {
		.size = pages_to_bytes(step->pages),
		.align = step->align ? pages_to_bytes(step->align) : 1,
		.vstart = sequence_address(va, step->vstart),
		.vend = step->vend ? sequence_address(va, step->vend)
				   : va->config.end,
		.node = -1,
	};

	return va->ops->alloc(va, &request, range);
}

static inline void purge_all(struct va *va)
{
	va->ops->purge_give(va, va->ops->purge_take(va, VA_PURGE_FULL),
			    VA_PURGE_FULL);
}

/* step_run - true if the step ended as the table says. */
static inline bool step_run(struct va *va, const struct step *step)
{
	struct va_range range;
	bool purge_due = false;

	switch (step->op) {
	case STEP_FREE:
		return va->ops->free(va,
				     sequence_address(va, (unsigned)step->at),
				     &purge_due) == 0;
	case STEP_PURGE:
		purge_all(va);
		return true;
	case STEP_ALLOC:
		break;
	}

	const int error = step_alloc(va, step, &range);

	if (step->at == NOWHERE || error)
		return step->at == NOWHERE && error == -ENOMEM;
	return range.start == sequence_address(va, (unsigned)step->at) &&
	       range.end - range.start == pages_to_bytes(step->pages);
}

/* sequence_run - every step, with a full check after each. */
static inline void sequence_run(const struct sequence *sequence,
				const struct step *steps, size_t count)
{
	struct va va;

	sequence_begin(sequence, &va);
	for (size_t i = 0; i < count; i++) {
		if (!step_run(&va, &steps[i]))
			fail_msg("%s, step %zu: %s", sequence->ops->name, i,
				 steps[i].rule);
		va.ops->check(&va);
	}
	sequence_end(&va);
}

#endif
