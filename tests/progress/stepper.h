/* SPDX-License-Identifier: MIT */
/*
 * stepper.h - one operation of the calling thread, instruction by instruction.
 *
 * With the trap flag set the CPU raises SIGTRAP behind each instruction.  The
 * handler decodes the next one, counts it, and can suspend the thread where it
 * stands: nothing but the plan's suspend() runs on it until that returns.  Then
 * the thread goes on to the end of the operation unstepped.  One operation is
 * suspended once: if others worked at every step, a compare-and-swap loop
 * would never end, and lock-free is not wait-free.
 *
 *   T1  each instruction of the operation is met once, in its order, from the
 *       operation's first to its return; the one behind a system call is not a
 *       point of suspension, but counted all the same;
 *   T2  a string instruction under rep counts as one, and is a point each time
 *       round;
 *   T3  a restartable sequence is stepped through as if it were plain code,
 *       which is right while nobody else works; a thread suspended inside goes
 *       on at the abort address, as the kernel would have it.
 *
 * To come to a point takes as many traps as there are instructions before it.
 * With a mark it is one, of a breakpoint, and those from there.  The breakpoint
 * is for whoever comes first: nobody else may be at work until it is met.
 *
 * T3 is needed since the kernel aborts a sequence at each signal: under the
 * trap flag alone none would ever commit.  test_stepper.c compares it with the
 * real thing, by a breakpoint at each instruction.
 *
 * What others can see of a stopped thread is what it wrote.  Hence the points
 * of STEP_WRITES, behind each write to memory that is not the thread's stack
 * and behind each system call, tell as much as those of STEP_EVERY and are far
 * fewer.  STEP_LOCKED, behind each atomic read-modify-write, is a sample that
 * meets each taken lock once.
 *
 * Not seen: a thread stopped inside the kernel, and the effects of weak memory.
 *
 * Who may run with whom: one operation is stepped at a time; the thread needs
 * stepper_thread_init().  Only x86-64, and no tool that uses the trap flag
 * itself (gdb, valgrind) or signals that are held back (sanitizers).
 */
#ifndef LFV_TESTS_STEPPER_H
#define LFV_TESTS_STEPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum step_points { STEP_COUNT, STEP_EVERY, STEP_WRITES, STEP_LOCKED };

enum { STEP_FRAMES_MAX = 16 };

/* step - the instruction that is about to run, for a plan's look(). */
struct step {
	uintptr_t ip;
	unsigned length;    /* as decoded; 0: unknown */
	bool may_jump;      /* a branch, a repeated one, a system call */
	bool before_wrote;  /* the instruction before it wrote to memory... */
	bool before_shared; /* ... other than the stack */
	bool in_section;    /* or the first of a section */
};

/*
 * step_mark - an instruction that an operation comes to for the first time when
 * it has met so many others: a run may do what comes before it unstepped.
 */
struct step_mark {
	uintptr_t ip; /* in the program, outside of restartable sequences */
	uint64_t instructions;
	uint64_t points; /* of the plan's kind; none is at the mark itself,
			    save with STEP_EVERY */
};

struct step_plan {
	enum step_points points;
	uint64_t target; /* suspend at this point, from 0 */
	/* or NULL; else asked at each point whether to suspend there */
	bool (*choose)(void *context);
	/*
	 * Or NULL.  Then the report counts instructions and points alone, and
	 * of an operation that has not come there, nothing.
	 */
	const struct step_mark *mark;
	void (*suspend)(void *context);
	void (*look)(void *context, const struct step *step); /* or NULL */
	void *context;
};

struct step_report {
	uint64_t instructions;
	uint64_t own;      /* of these in the program, the rest in libraries */
	uint64_t syscalls; /* save for the time and the CPU: see stepper.c */
	uint64_t locked;   /* atomic read-modify-writes */
	uint64_t sections; /* restartable sequences entered */
	uint64_t points;   /* met: of a finished operation, all there are */
	/* where it was suspended, innermost first; 0 frames: it was not */
	uintptr_t frames[STEP_FRAMES_MAX];
	unsigned frame_count;
	bool in_section;
};

/* stepper_init - false where a program cannot step itself. */
__attribute__((warn_unused_result)) bool stepper_init(void);
void stepper_fini(void);

/* stepper_thread - a stack for the handler, one a thread. */
struct stepper_thread {
	void *stack;
};

void stepper_thread_init(struct stepper_thread *thread);
void stepper_thread_fini(struct stepper_thread *thread);
/* stepper_thread_give - as fini, for the stack of a thread that has ended. */
void stepper_thread_give(struct stepper_thread *thread);

/* stepper_has_marks - whether code can be written to, for breakpoints. */
bool stepper_has_marks(void);

/* stepper_run - step through operation(argument). */
void stepper_run(const struct step_plan *plan, void (*operation)(void *),
		 void *argument, struct step_report *report);

/*
 * stepper_begin - step from here to the call of stepper_end(), wherever the
 * thread makes it: for what has no caller, as the end of a thread.  No mark.
 */
void stepper_begin(const struct step_plan *plan, struct step_report *report);
void stepper_end(void);

#endif
