/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - a few threads, one at a time, in an order that is chosen.
 *
 * A case is the body of each thread and what must hold.  schedule_run() runs it
 * once: before each atomic operation it asks the chooser which thread goes on,
 * and at a load that may see several values, which it sees, and at a store that
 * may be put in two places, where it goes (memory_model.h).
 * The answers are the schedule; the same answers are the same run:
 *
 *   S1  what happens depends on the case and the answers, on nothing else;
 *   S2  a case holds no plain data that its threads share but what its own
 *       rules keep apart; that they do is checked by schedule_read() and
 *       schedule_write();
 *   S3  a thread that pauses goes on when another has changed a value; if none
 *       is left that could, all wait for ever, and the run has failed;
 *   S4  a run of more than SCHEDULE_STEPS_MAX operations has failed: in a lock
 *       that lets nobody in, or a loop of two who undo each other.
 *
 * A thread may be stopped at its k-th operation, before it takes place.  The
 * others must end without it (a pause that only it could end fails the run);
 * then it goes on, so that the case can account for everything at its end.
 *
 * A failed assert() or require() of the code under test, a race and a failed
 * schedule_require() end a run at once.
 */
#ifndef TESTS_SCHEDULE_SCHEDULE_H
#define TESTS_SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SCHEDULE_THREADS_MAX = 4,
	SCHEDULE_STEPS_MAX = 8000,
	SCHEDULE_CHOICES_MAX = 3 * SCHEDULE_STEPS_MAX,
};

#define SCHEDULE_NO_THREAD UINT32_MAX

struct schedule_case {
	const char *name; /* a sentence: what must hold */
	unsigned threads;
	void (*begin)(void); /* make everything anew; no schedule yet */
	void (*run)(unsigned thread);
	void (*end)(void); /* when all threads have ended; or NULL */
	/* After each operation, with the thread that did it; or NULL. */
	void (*watch)(unsigned thread);
};

enum choice_kind {
	CHOICE_NEXT,    /* the thread before has ended or waits */
	CHOICE_PREEMPT, /* 0: the thread that ran goes on */
	CHOICE_AGE,     /* 0: the newest value is read, or made */
};

struct choice {
	enum choice_kind kind;
	unsigned count;         /* of answers, 2 or more */
	const uint8_t *threads; /* who goes on, for each answer; or NULL */
};

/* decision - a choice that was made. */
struct decision {
	uint8_t kind;
	uint8_t count;
	uint8_t chosen;
};

struct chooser {
	unsigned (*choose)(struct chooser *chooser,
			   const struct choice *choice);
	bool has_ages; /* loads may see older values, stores be put before */
	/* A thread to be stopped for ever, or SCHEDULE_NO_THREAD. */
	uint32_t stop_thread;
	unsigned stop_step;
	bool is_traced; /* each operation is printed */
};

struct schedule_result {
	const char *failure; /* NULL: none */
	unsigned steps;
	bool has_stopped; /* the thread came to that step */
	unsigned decisions;
	const struct decision *made;
};

/* schedule_run - one run; the result is valid until the next. */
struct schedule_result schedule_run(const struct schedule_case *subject,
				    struct chooser *chooser);

/* schedule_fail - ends the run; `text` must outlive it. */
_Noreturn void schedule_fail(const char *text);

#define SCHEDULE_TEXT(x) #x
#define SCHEDULE_LINE(x) SCHEDULE_TEXT(x)
#define schedule_require(condition)                              \
	((condition) ? (void)0                                   \
		     : schedule_fail(__FILE__ ":" SCHEDULE_LINE( \
			       __LINE__) ": does not hold: " #condition))

/* schedule_thread - the one that runs; SCHEDULE_NO_THREAD outside of a run. */
uint32_t schedule_thread(void);

/* schedule_has_ages - loads may see older values in this run. */
bool schedule_has_ages(void);

/* A plain access to shared data: it must not race. */
void schedule_read(const void *cell);
void schedule_write(const void *cell);

#endif
