/* SPDX-License-Identifier: MIT */
/*
 * fiber.c - stacks by makecontext(3), switches by _setjmp(3) and _longjmp(3).
 *
 * Compiled without _FORTIFY_SOURCE: its longjmp() takes a jump to another stack
 * for a mistake.
 */
#include "schedule/fiber.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifndef FIBER_ASAN
#define FIBER_ASAN 0
#endif

#if FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#else
static void __sanitizer_start_switch_fiber(void **fake_stack,
					   const void *bottom, size_t bytes)
{
	(void)fake_stack;
	(void)bottom;
	(void)bytes;
}

static void __sanitizer_finish_switch_fiber(void *fake_stack,
					    const void **bottom, size_t *bytes)
{
	(void)fake_stack;
	(void)bottom;
	(void)bytes;
}
#endif

enum { FIBER_STACK_BYTES = 256 * 1024 };

/* Of the switch in progress. */
static struct fiber *leaving;
static struct fiber *entering;
static void (*first_body)(void);

/* arrived - on the stack of `entering`. */
static void arrived(void)
{
	const void *bottom = NULL;
	size_t bytes = 0;

	__sanitizer_finish_switch_fiber(entering->fake_stack, &bottom, &bytes);
	/* The stack that the process began with is known to the sanitizer. */
	if (leaving->stack == NULL) {
		leaving->stack = (void *)(size_t)bottom;
		leaving->stack_bytes = bytes;
	}
}

static void fiber_begin(void)
{
	arrived();
	first_body();
	abort(); /* F2: no body returns */
}

void fiber_init(struct fiber *fiber, void (*body)(void))
{
	fiber->stack_bytes = FIBER_STACK_BYTES;
	fiber->stack = mmap(NULL, fiber->stack_bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	require(fiber->stack != MAP_FAILED);
	require(getcontext(&fiber->begin) == 0);
	fiber->begin.uc_stack.ss_sp = fiber->stack;
	fiber->begin.uc_stack.ss_size = fiber->stack_bytes;
	fiber->begin.uc_link = NULL;
	require(first_body == NULL || first_body == body);
	first_body = body;
	makecontext(&fiber->begin, fiber_begin, 0);
	fiber->is_new = true;
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
	leaving = from;
	entering = to;
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack,
				       to->stack_bytes);
	if (_setjmp(from->context) == 0) {
		if (to->is_new) {
			to->is_new = false;
			(void)setcontext(&to->begin);
		}
		_longjmp(to->context, 1);
	}
	arrived();
}
