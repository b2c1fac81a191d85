/* SPDX-License-Identifier: MIT */
/*
 * step_marks.c - a hash table of instructions that were met, open addressing.
 */
#include "progress/step_marks.h"

#include <string.h>

#include "progress/self_image.h"

enum { SLOTS = 2 * STEP_MARKS_MAX };

/* slot_of - where an instruction is, or is to be put. */
static uint32_t *slot_of(struct step_marks *marks, uintptr_t ip)
{
	size_t at = (size_t)(ip * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; at++) {
		uint32_t *const slot = &marks->slots[at % SLOTS];

		if (*slot == 0 || marks->marks[*slot - 1].ip == ip)
			return slot;
	}
}

void step_marks_init(struct step_marks *marks, enum step_points points,
		     const struct step_report *report)
{
	memset(marks->slots, 0, sizeof(marks->slots));
	marks->count = 0;
	marks->report = report;
	marks->points = points;
}

/*
 * What is no place to begin at: a section, which the breakpoint would abort,
 * libraries, and behind a write, of which the run would know nothing.
 */
static bool is_mark(const struct step_marks *marks, const struct step *step)
{
	return !step->in_section && self_image_has(step->ip) &&
	       (marks->points == STEP_EVERY || !step->before_wrote);
}

void step_marks_look(void *step_marks, const struct step *step)
{
	struct step_marks *const marks = step_marks;
	uint32_t *const slot = slot_of(marks, step->ip);

	if (*slot != 0 || marks->count == STEP_MARKS_MAX)
		return;
	/* One that is no mark now is none later: it has been met. */
	marks->marks[marks->count] = (struct step_mark){
		.ip = step->ip,
		.instructions = marks->report->instructions,
		.points = is_mark(marks, step) ? marks->report->points
					       : UINT64_MAX,
	};
	*slot = ++marks->count;
}

const struct step_mark *step_marks_before(const struct step_marks *marks,
					  uint64_t point)
{
	const struct step_mark *best = NULL;

	for (unsigned i = 0; i < marks->count; i++) {
		const struct step_mark *const mark = &marks->marks[i];

		if (mark->points > point)
			continue;
		best = mark;
	}
	return best;
}
