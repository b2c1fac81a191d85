/* SPDX-License-Identifier: MIT */
/*
 * step_marks.h - the marks on an operation's way, found by stepping through it
 * once: each instruction of the program that was not met before.
 *
 * In a loop there are none but those of its first turn.
 */
#ifndef LFV_TESTS_STEP_MARKS_H
#define LFV_TESTS_STEP_MARKS_H

#include "progress/stepper.h"

enum { STEP_MARKS_MAX = 1 << 14 };

struct step_marks {
	struct step_mark marks[STEP_MARKS_MAX]; /* as they are met */
	unsigned count;
	/* while they are found */
	const struct step_report *report;   /* of the run */
	enum step_points points;            /* of the runs that use them */
	uint32_t slots[2 * STEP_MARKS_MAX]; /* index + 1, by hash of ip */
};

void step_marks_init(struct step_marks *marks, enum step_points points,
		     const struct step_report *report);

/* step_marks_look - the look() of the run's plan; its context is the marks. */
void step_marks_look(void *step_marks, const struct step *step);

/* step_marks_before - the last one before a point; NULL: none. */
const struct step_mark *step_marks_before(const struct step_marks *marks,
					  uint64_t point);

#endif
