/* SPDX-License-Identifier: MIT */
/*
 * stopped.h - one operation, stopped at each of its points in turn, and who of
 * the bystanders gets on meanwhile.
 *
 *	for each point:  prepare
 *	                 operate, up to the point ---- each bystander in turn:
 *	                    :  (stopped)                order, verdict
 *	                 operate, to its end
 *	                 bystanders end, are restored, the last one first
 *	                 tidy
 *
 * The end of the operation before the point is reached ends the loop, or as
 * many stops that block somebody as the caller wants to see.
 */
#ifndef LFV_TESTS_STOPPED_H
#define LFV_TESTS_STOPPED_H

#include "progress/bystander.h"
#include "progress/step_marks.h"
#include "progress/stepper.h"

enum {
	STOPPED_PLACES_MAX = 12,
	STOPPED_NAME_BYTES = 48,
	STOPPED_EVERY_MAX = 3000,
	/* of an operation, where a sample will do */
	STOPPED_EVERY_SAMPLE_MAX = 400,
	STOPPED_STOPS_MAX = 150,
	STOPPED_STEPS_MAX = 300000,
};

/* Whose operation it is. */
enum stopped_thread {
	STOPPED_CALLER, /* of the calling thread, which has done it before */
	STOPPED_FRESH,  /* the first of a new thread */
	STOPPED_ENDING, /* the end of a thread that has done it */
};

struct stopped {
	void (*prepare)(void *context); /* or NULL */
	void (*operate)(void *context);
	void (*tidy)(void *context); /* or NULL */
	void *context;
	enum stopped_thread thread;
	/* Or NULL; what a fresh thread does first, unstepped. */
	void (*enter)(void *context);
	struct bystander *bystanders;
	unsigned bystander_count;
	const char *where;    /* begin of a function's name: blocked_there */
	unsigned blocked_max; /* give up after as many stops; 0: never */
	unsigned stride;      /* every how manyth point; 0: each */
	struct step_marks *marks; /* stopped_mark()'s; or NULL */
	/* Others work while it is brought to its point: no breakpoints. */
	bool is_unmarked;
};

/* stopped_place - where the thread stood while the same ones were blocked. */
struct stopped_place {
	char function[STOPPED_NAME_BYTES]; /* the innermost that is no lock's */
	uint64_t step;    /* the first such: instructions before it */
	uint64_t count;   /* of points */
	unsigned blocked; /* bit i: bystander i */
	unsigned spin;    /* of these, those that spin */
};

struct stopped_report {
	struct step_report whole; /* of the operation, unsuspended */
	uint64_t suspensions;
	uint64_t blocked;       /* suspensions at which somebody was */
	uint64_t blocked_there; /* of these, inside of such a function */
	uint64_t inside;        /* suspensions inside a restartable sequence */
	struct stopped_place places[STOPPED_PLACES_MAX];
	unsigned place_count;
	unsigned places_lost; /* more than fit */
};

/* stopped_init - once, before threads that are to be stopped at their end. */
void stopped_init(void);

/* stopped_count - step through it once, with nobody stopped. */
void stopped_count(const struct stopped *stopped, struct step_report *report);

/*
 * stopped_choose - step through it once, with nobody stopped; at which points
 * to stop it so that nothing is missed: all instructions, if there are up to
 * STOPPED_EVERY_MAX, else behind each write that others can see.  With
 * `samples` there is an end to what it takes: from STOPPED_EVERY_SAMPLE_MAX
 * instructions on behind writes, and if these are many at every second, third,
 * ... of them.
 *
 * Its marks are good until the next call.
 */
enum step_points stopped_choose(struct stopped *stopped, bool samples);

/*
 * stopped_mark - step through it once, with nobody stopped, for marks by which
 * stopped_run() gets to its points of this kind sooner; how many points there
 * are.  The end of a thread has no marks.
 */
uint64_t stopped_mark(struct stopped *stopped, enum step_points points,
		      struct step_marks *marks, struct step_report *report);

void stopped_run(const struct stopped *stopped, enum step_points points,
		 struct stopped_report *report);

/*
 * stopped_name - the innermost function where it stands that is neither a
 * lock's nor a library's, in STOPPED_NAME_BYTES.
 */
void stopped_name(const struct step_report *report, char *name);

/* stopped_at - stop it at one point alone; false: it has not so many. */
bool stopped_at(const struct stopped *stopped, enum step_points points,
		uint64_t target, struct stopped_report *report);

#endif
