/* SPDX-License-Identifier: MIT */
/*
 * stopped.c - the loop over the points, and the threads that are stopped.
 */
#include "progress/stopped.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "progress/self_image.h"

/* one_stop - a run of the operation, and what came of it. */
struct one_stop {
	const struct stopped *stopped;
	struct step_plan plan;
	struct step_report report;
	unsigned ordered; /* bystanders that have had their orders */
	unsigned blocked;
	unsigned spin;
};

/* Its destructor is the last thing that is stepped of a thread that ends. */
static pthread_key_t end_key;

static void at_end(void *value)
{
	(void)value;
	stepper_end();
}

void stopped_init(void)
{
	/* Destructors run in the order of the keys: ours comes last. */
	require(pthread_key_create(&end_key, at_end) == 0);
}

/* judge_all - what the stopped thread does: it has the others judged. */
static void judge_all(void *context)
{
	struct one_stop *const stop = context;
	struct bystander *const all = stop->stopped->bystanders;

	for (unsigned i = 0; i < stop->stopped->bystander_count; i++) {
		stop->ordered = i + 1;
		bystander_order(&all[i]);

		const enum verdict verdict = bystander_judge(all, i);

		stop->blocked |= (verdict != VERDICT_PASSED ? 1U : 0U) << i;
		stop->spin |= (verdict == VERDICT_SPINS ? 1U : 0U) << i;
	}
}

static void *fresh_main(void *argument)
{
	struct one_stop *const stop = argument;
	struct stepper_thread thread;

	stepper_thread_init(&thread);
	if (stop->stopped->enter != NULL)
		stop->stopped->enter(stop->stopped->context);
	stepper_run(&stop->plan, stop->stopped->operate, stop->stopped->context,
		    &stop->report);
	stepper_thread_fini(&thread);
	return NULL;
}

/* The handler's stack is in use until the thread is gone. */
struct ending {
	struct one_stop *stop;
	struct stepper_thread thread;
};

static void *ending_main(void *argument)
{
	struct ending *const ending = argument;
	struct one_stop *const stop = ending->stop;

	stepper_thread_init(&ending->thread);
	stop->stopped->operate(stop->stopped->context);
	require(pthread_setspecific(end_key, stop) == 0);
	stepper_begin(&stop->plan, &stop->report);
	return NULL;
}

static void thread_run(void *(*main)(void *), void *argument)
{
	pthread_t thread;

	require(pthread_create(&thread, NULL, main, argument) == 0);
	require(pthread_join(thread, NULL) == 0);
}

static void operate(struct one_stop *stop)
{
	struct ending ending = { .stop = stop };

	switch (stop->stopped->thread) {
	case STOPPED_CALLER:
		stepper_run(&stop->plan, stop->stopped->operate,
			    stop->stopped->context, &stop->report);
		return;
	case STOPPED_FRESH:
		thread_run(fresh_main, stop);
		return;
	case STOPPED_ENDING:
		thread_run(ending_main, &ending);
		stepper_thread_give(&ending.thread);
		return;
	}
}

static void stop_once(const struct stopped *stopped, struct one_stop *stop)
{
	stop->stopped = stopped;
	if (stop->plan.look == NULL) {
		stop->plan.suspend = judge_all;
		stop->plan.context = stop;
	}
	if (stopped->prepare != NULL)
		stopped->prepare(stopped->context);
	operate(stop);
	for (unsigned i = stop->ordered; i > 0; i--)
		bystander_settle(&stopped->bystanders[i - 1]);
	if (stopped->tidy != NULL)
		stopped->tidy(stopped->context);
}

void stopped_count(const struct stopped *stopped, struct step_report *report)
{
	struct one_stop stop = { .plan.points = STEP_COUNT };

	stop_once(stopped, &stop);
	*report = stop.report;
}

uint64_t stopped_mark(struct stopped *stopped, enum step_points points,
		      struct step_marks *marks, struct step_report *report)
{
	struct one_stop stop = {
		.plan = { .points = points,
			  .target = UINT64_MAX,
			  .look = step_marks_look,
			  .context = marks },
	};

	step_marks_init(marks, points, &stop.report);
	stop_once(stopped, &stop);
	*report = stop.report;
	if (stopped->thread != STOPPED_ENDING && !stopped->is_unmarked &&
	    stepper_has_marks())
		stopped->marks = marks;
	return report->points;
}

/* stops_max - marks are few in loops: there a stop takes many steps. */
static uint64_t stops_max(uint64_t instructions)
{
	const uint64_t most = STOPPED_STEPS_MAX / instructions;

	return most < STOPPED_STOPS_MAX ? most + 1 : STOPPED_STOPS_MAX;
}

enum step_points stopped_choose(struct stopped *stopped, bool samples)
{
	const uint64_t every_max =
		samples ? STOPPED_EVERY_SAMPLE_MAX : STOPPED_EVERY_MAX;
	static struct step_marks marks;
	struct step_report whole;

	(void)stopped_mark(stopped, STEP_EVERY, &marks, &whole);
	if (whole.instructions <= every_max)
		return STEP_EVERY;

	const uint64_t writes =
		stopped_mark(stopped, STEP_WRITES, &marks, &whole);

	if (samples)
		stopped->stride =
			(unsigned)(writes / stops_max(whole.instructions)) + 1;
	return STEP_WRITES;
}

void stopped_name(const struct step_report *report, char *name)
{
	const char *found = "?";
	int length;

	for (unsigned i = 0; i < report->frame_count; i++) {
		const struct place place = self_image_place(report->frames[i]);

		if (place.function == NULL ||
		    (place.file != NULL &&
		     strncmp(place.file, "lock_", strlen("lock_")) == 0))
			continue;
		found = place.function;
		break;
	}
	/* Without what the compiler has added: name.part.0 */
	length = (int)strcspn(found, ".");
	(void)snprintf(name, STOPPED_NAME_BYTES, "%.*s", length, found);
}

/* place_find - the place of that name and those blocked; NULL: no room. */
static struct stopped_place *place_find(struct stopped_report *report,
					const char *name, unsigned blocked)
{
	for (unsigned i = 0; i < report->place_count; i++) {
		struct stopped_place *const place = &report->places[i];

		if (place->blocked == blocked &&
		    strcmp(place->function, name) == 0)
			return place;
	}
	if (report->place_count == STOPPED_PLACES_MAX)
		return NULL;
	return &report->places[report->place_count++];
}

/* is_inside - of a function whose name begins so. */
static bool is_inside(const struct step_report *report, const char *where)
{
	for (unsigned i = 0; i < report->frame_count; i++) {
		const struct place place = self_image_place(report->frames[i]);

		if (place.function != NULL &&
		    strncmp(place.function, where, strlen(where)) == 0)
			return true;
	}
	return false;
}

static void add_blocked(struct stopped_report *report,
			const struct one_stop *stop)
{
	const char *const where = stop->stopped->where;
	char name[STOPPED_NAME_BYTES];

	report->blocked++;
	report->blocked_there +=
		where != NULL && is_inside(&stop->report, where);
	stopped_name(&stop->report, name);

	struct stopped_place *const place =
		place_find(report, name, stop->blocked);

	if (place == NULL) {
		report->places_lost++;
		return;
	}
	if (place->count++ > 0)
		return;
	memcpy(place->function, name, sizeof(name));
	place->step = stop->report.instructions;
	place->blocked = stop->blocked;
	place->spin = stop->spin;
}

/*
 * stop_at - one stop more in the report; false: it has no such point.  Where a
 * mark was not met this time, it is stepped all the way.
 */
static bool stop_at(const struct stopped *stopped, enum step_points points,
		    uint64_t target, struct stopped_report *report)
{
	const struct step_mark *mark =
		stopped->marks != NULL
			? step_marks_before(stopped->marks, target)
			: NULL;
	struct one_stop stop = {
		.plan = { .points = points, .target = target, .mark = mark },
	};

	stop_once(stopped, &stop);
	if (stop.report.frame_count == 0 && mark != NULL) {
		stop = (struct one_stop){
			.plan = { .points = points, .target = target },
		};
		stop_once(stopped, &stop);
	}
	report->whole = stop.report;
	if (stop.report.frame_count == 0)
		return false;
	report->suspensions++;
	report->inside += stop.report.in_section;
	if (stop.blocked != 0)
		add_blocked(report, &stop);
	return true;
}

bool stopped_at(const struct stopped *stopped, enum step_points points,
		uint64_t target, struct stopped_report *report)
{
	memset(report, 0, sizeof(*report));
	return stop_at(stopped, points, target, report);
}

void stopped_run(const struct stopped *stopped, enum step_points points,
		 struct stopped_report *report)
{
	const unsigned stride = stopped->stride > 0 ? stopped->stride : 1;

	memset(report, 0, sizeof(*report));
	for (uint64_t target = 0; stop_at(stopped, points, target, report);
	     target += stride) {
		if (stopped->blocked_max > 0 &&
		    report->blocked == stopped->blocked_max)
			return;
	}
}
