/* SPDX-License-Identifier: MIT */
/*
 * fiber.h - several stacks, one thread: who runs next is a function call.
 *
 *   F1  exactly one fiber runs; the others stand in fiber_switch();
 *   F2  a fiber lasts as long as the process, and its body never returns.
 *
 * A zero struct fiber is the stack that the process began with.  Switching
 * costs a _setjmp() and a _longjmp(), no system call.  The address sanitizer is
 * told of each switch.
 */
#ifndef TESTS_SCHEDULE_FIBER_H
#define TESTS_SCHEDULE_FIBER_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

struct fiber {
	jmp_buf context;
	ucontext_t begin; /* until it first runs */
	bool is_new;
	void *stack; /* lowest address */
	size_t stack_bytes;
	void *fake_stack; /* the address sanitizer's */
};

/* fiber_init - make it; `body` runs at the first switch to it. */
void fiber_init(struct fiber *fiber, void (*body)(void));

/* fiber_switch - returns when another fiber switches back. */
void fiber_switch(struct fiber *from, struct fiber *to);

#endif
