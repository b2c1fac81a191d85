/* SPDX-License-Identifier: MIT */
/*
 * schedule.c - fibers as threads, and a question before each operation.
 */
#include "schedule/schedule.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "schedule/fiber.h"
#include "schedule/memory_model.h"
#include "schedule/order_site.h"

static_assert((int)SCHEDULE_THREADS_MAX <= (int)MEMORY_THREADS_MAX,
	      "each thread has a view");

/* How often all may pause in turn: more than any spin loop of the engine. */
enum { IDLE_ROUNDS_MAX = 1000 };

struct thread {
	struct fiber fiber;
	jmp_buf leave; /* to the end of its body */
	bool has_begun;
	bool has_ended;
	bool is_stopped;
	bool is_paused;
	uint64_t paused_at; /* memory_changes() then */
	unsigned steps;
};

static struct {
	bool is_ready;
	const struct schedule_case *subject;
	struct chooser *chooser;
	struct thread threads[SCHEDULE_THREADS_MAX];
	struct fiber main;
	jmp_buf main_leave; /* out of begin() or end() */
	uint32_t current;   /* SCHEDULE_NO_THREAD outside */
	bool is_over;       /* what still runs shall leave */
	bool has_stopped;
	bool may_stop;
	unsigned steps;
	unsigned idle_rounds;
	uint64_t idle_since; /* memory_changes() at the last of them */
	unsigned decisions;
	const char *failure;
	struct decision made[SCHEDULE_CHOICES_MAX];
} schedule = { .current = SCHEDULE_NO_THREAD };

static struct thread *current_thread(void)
{
	return &schedule.threads[schedule.current];
}

uint32_t schedule_thread(void)
{
	return schedule.current;
}

bool schedule_has_ages(void)
{
	return schedule.chooser->has_ages;
}

/* leave - the current thread's body, or begin() or end(), ends here. */
static _Noreturn void leave(void)
{
	_longjmp(schedule.current == SCHEDULE_NO_THREAD
			 ? schedule.main_leave
			 : current_thread()->leave,
		 1);
}

static void fail_later(const char *text)
{
	if (schedule.failure == NULL)
		schedule.failure = text;
	schedule.is_over = true;
}

_Noreturn void schedule_fail(const char *text)
{
	fail_later(text);
	leave();
}

/* choose - ask, and write the answer down. */
static unsigned choose(enum choice_kind kind, unsigned count,
		       const uint8_t *threads)
{
	const struct choice choice = { kind, count, threads };

	if (count < 2)
		return 0;

	const unsigned chosen =
		schedule.chooser->choose(schedule.chooser, &choice);

	require(chosen < count);
	require(schedule.decisions < SCHEDULE_CHOICES_MAX);
	schedule.made[schedule.decisions++] = (struct decision){
		(uint8_t)kind,
		(uint8_t)count,
		(uint8_t)chosen,
	};
	return chosen;
}

static bool can_run(const struct thread *thread)
{
	return !thread->has_ended && !thread->is_stopped &&
	       (!thread->is_paused || memory_changes() > thread->paused_at);
}

/* next_waiting - somebody who only waits, the next in turn; S3. */
static uint32_t next_waiting(void)
{
	for (unsigned i = 1; i <= schedule.subject->threads; i++) {
		const uint32_t number =
			(schedule.current + i) % schedule.subject->threads;
		const struct thread *const thread = &schedule.threads[number];

		if (!thread->has_ended && !thread->is_stopped)
			return number;
	}
	return SCHEDULE_NO_THREAD;
}

/* next_idle - nobody can run: whoever waits looks again, a few times. */
static uint32_t next_idle(void)
{
	const uint32_t waiting = next_waiting();

	if (waiting != SCHEDULE_NO_THREAD) {
		if (memory_changes() != schedule.idle_since)
			schedule.idle_rounds = 0;
		schedule.idle_since = memory_changes();
		if (++schedule.idle_rounds <= IDLE_ROUNDS_MAX)
			return waiting;
		fail_later(schedule.has_stopped
				   ? "a thread waits for the stopped one"
				   : "the threads wait for each other");
		return SCHEDULE_NO_THREAD;
	}
	/* All others have ended: the stopped thread may end, too. */
	for (uint32_t i = 0; i < schedule.subject->threads; i++) {
		if (schedule.threads[i].is_stopped) {
			schedule.threads[i].is_stopped = false;
			return i;
		}
	}
	return SCHEDULE_NO_THREAD;
}

/* next_thread - who goes on; SCHEDULE_NO_THREAD: the run is over. */
static uint32_t next_thread(void)
{
	uint8_t able[SCHEDULE_THREADS_MAX];
	unsigned count = 0;
	const bool goes_on = can_run(current_thread());

	if (goes_on)
		able[count++] = (uint8_t)schedule.current;
	for (uint32_t i = 0; i < schedule.subject->threads; i++) {
		if (i != schedule.current && can_run(&schedule.threads[i]))
			able[count++] = (uint8_t)i;
	}
	if (count == 0)
		return next_idle();
	return able[choose(goes_on ? CHOICE_PREEMPT : CHOICE_NEXT, count,
			   able)];
}

/* hand_over - to the next thread; or to schedule_run() when all is over. */
static void hand_over(uint32_t next)
{
	const uint32_t self = schedule.current;
	struct fiber *const own = &schedule.threads[self].fiber;

	if (next == self)
		return;
	if (next == SCHEDULE_NO_THREAD) {
		schedule.current = SCHEDULE_NO_THREAD;
		fiber_switch(own, &schedule.main);
		return;
	}
	schedule.current = next;
	fiber_switch(own, &schedule.threads[next].fiber);
}

/* thread_main - one body after another, a run each. */
static void thread_main(void)
{
	for (;;) {
		current_thread()->has_begun = true;
		if (_setjmp(current_thread()->leave) == 0)
			schedule.subject->run(schedule.current);
		current_thread()->has_ended = true;
		hand_over(schedule.is_over ? SCHEDULE_NO_THREAD
					   : next_thread());
	}
}

/* go_on - the others have their turn; returns when ours has come. */
static void go_on(void)
{
	const uint32_t next = next_thread();

	if (next == SCHEDULE_NO_THREAD)
		leave();
	hand_over(next);
	if (schedule.is_over)
		leave();
	current_thread()->is_paused = false;
}

/* point - before each operation. */
static void point(void)
{
	struct thread *const thread = current_thread();
	const struct chooser *const chooser = schedule.chooser;

	if (schedule.is_over)
		leave();
	if (++schedule.steps > SCHEDULE_STEPS_MAX)
		schedule_fail("there is no end: too many operations"); /* S4 */
	if (schedule.may_stop && chooser->stop_thread == schedule.current &&
	    thread->steps == chooser->stop_step) {
		thread->is_stopped = true;
		schedule.has_stopped = true;
		schedule.may_stop = false;
	}
	thread->steps++;
	go_on();
}

void scheduled_pause(void)
{
	struct thread *const thread = current_thread();

	if (schedule.current == SCHEDULE_NO_THREAD)
		return;
	thread->is_paused = true;
	thread->paused_at = memory_changes();
	point();
}

static void trace(const struct operation *operation, uint64_t value,
		  const char *outcome)
{
	const char *const name = strrchr(operation->where, '/');

	if (!schedule.chooser->is_traced)
		return;
	(void)fprintf(stderr, "  %*s%u  %s_%s %#llx%s  %s (%s)\n",
		      4 * (int)schedule.current, "", schedule.current,
		      operation_name(operation->kind),
		      order_name(operation->order), (unsigned long long)value,
		      outcome, operation->function,
		      name != NULL ? name + 1 : operation->where);
}

/* end_operation - what has happened is told, and looked at. */
static void end_operation(const struct operation *operation, uint64_t value,
			  const char *outcome)
{
	const uint32_t self = schedule.current;

	trace(operation, value, outcome);
	if (schedule.subject->watch == NULL)
		return;
	/* What it does itself is done at once. */
	schedule.current = SCHEDULE_NO_THREAD;
	schedule.subject->watch(self);
	schedule.current = self;
}

/* begin_operation - a point, and the order that it has in this run. */
static struct operation begin_operation(const struct operation *operation)
{
	struct operation result = *operation;

	point();
	result.order = order_of(operation);
	return result;
}

static unsigned choose_age(const struct operation *operation)
{
	if (!schedule.chooser->has_ages)
		return 0;
	return choose(CHOICE_AGE, memory_versions(schedule.current, operation),
		      NULL);
}

uint64_t scheduled_load(const struct operation *operation)
{
	if (schedule.current == SCHEDULE_NO_THREAD)
		return memory_get(operation->address, operation->bytes);

	const struct operation own = begin_operation(operation);
	const unsigned age = choose_age(&own);
	const uint64_t value = memory_load(schedule.current, &own, age);

	end_operation(&own, value, age > 0 ? " (not the newest)" : "");
	return value;
}

void scheduled_store(const struct operation *operation, uint64_t value)
{
	if (schedule.current == SCHEDULE_NO_THREAD) {
		memory_put(operation->address, operation->bytes, value);
		return;
	}

	const struct operation own = begin_operation(operation);
	unsigned age = 0;

	if (schedule.chooser->has_ages)
		age = choose(CHOICE_AGE, memory_places(schedule.current, &own),
			     NULL);
	memory_store(schedule.current, &own, value, age);
	end_operation(&own, value, age > 0 ? " (before the newest)" : "");
}

uint64_t scheduled_change(const struct operation *operation, uint64_t operand)
{
	if (schedule.current == SCHEDULE_NO_THREAD) {
		const uint64_t before =
			memory_get(operation->address, operation->bytes);

		memory_put(operation->address, operation->bytes,
			   memory_result(operation->kind, before, operand));
		return before;
	}

	const struct operation own = begin_operation(operation);
	const uint64_t before = memory_change(schedule.current, &own, operand);

	end_operation(&own, operand, "");
	return before;
}

bool scheduled_cas(const struct operation *operation, void *old, uint64_t value)
{
	if (schedule.current == SCHEDULE_NO_THREAD) {
		const uint64_t found =
			memory_get(operation->address, operation->bytes);
		const uint64_t expected = memory_get(old, operation->bytes);

		memory_put(found == expected ? operation->address : old,
			   operation->bytes, found == expected ? value : found);
		return found == expected;
	}

	const struct operation own = begin_operation(operation);
	const unsigned age = choose_age(&own);
	const bool is_done =
		memory_cas(schedule.current, &own, old, value, age);

	end_operation(&own, value, is_done ? "" : " failed");
	return is_done;
}

void scheduled_fence(const struct operation *operation)
{
	if (schedule.current == SCHEDULE_NO_THREAD)
		return;

	const struct operation own = begin_operation(operation);

	memory_fence(schedule.current, own.order);
	end_operation(&own, 0, "");
}

void schedule_read(const void *cell)
{
	if (schedule.current != SCHEDULE_NO_THREAD &&
	    !memory_read(schedule.current, cell))
		schedule_fail("a plain read races with a write");
}

void schedule_write(const void *cell)
{
	if (schedule.current != SCHEDULE_NO_THREAD &&
	    !memory_write(schedule.current, cell))
		schedule_fail("a plain write races");
}

/* aborted - abort(3) was called; it may be left by a jump. */
static void aborted(int signal_number)
{
	(void)signal_number;
	schedule_fail("abort: an assertion of the code, see above");
}

static void prepare(void)
{
	const struct sigaction action = {
		.sa_handler = aborted,
		/* It is left by a jump that restores no mask. */
		.sa_flags = SA_NODEFER,
	};

	if (schedule.is_ready)
		return;
	for (unsigned i = 0; i < SCHEDULE_THREADS_MAX; i++)
		fiber_init(&schedule.threads[i].fiber, thread_main);
	require(sigaction(SIGABRT, &action, NULL) == 0);
	schedule.is_ready = true;
}

/* run_threads - until all have ended, or one has failed. */
static void run_threads(void)
{
	uint8_t able[SCHEDULE_THREADS_MAX];

	for (uint8_t i = 0; i < schedule.subject->threads; i++)
		able[i] = i;
	schedule.current =
		able[choose(CHOICE_NEXT, schedule.subject->threads, able)];
	fiber_switch(&schedule.main, &current_thread()->fiber);

	/* After a failure each body that stands in a point is left. */
	for (uint32_t i = 0; i < schedule.subject->threads; i++) {
		struct thread *const thread = &schedule.threads[i];

		if (!thread->has_begun || thread->has_ended)
			continue;
		schedule.current = i;
		fiber_switch(&schedule.main, &thread->fiber);
	}
	schedule.current = SCHEDULE_NO_THREAD;
}

static void reset(const struct schedule_case *subject, struct chooser *chooser)
{
	require(schedule.current == SCHEDULE_NO_THREAD);
	require(subject->threads >= 1);
	require(subject->threads <= SCHEDULE_THREADS_MAX);
	prepare();
	schedule.subject = subject;
	schedule.chooser = chooser;
	schedule.is_over = false;
	schedule.has_stopped = false;
	schedule.may_stop = chooser->stop_thread != SCHEDULE_NO_THREAD;
	schedule.steps = 0;
	schedule.idle_rounds = 0;
	schedule.idle_since = 0;
	schedule.decisions = 0;
	schedule.failure = NULL;
	for (unsigned i = 0; i < SCHEDULE_THREADS_MAX; i++) {
		struct thread *const thread = &schedule.threads[i];

		thread->has_begun = false;
		thread->has_ended = false;
		thread->is_stopped = false;
		thread->is_paused = false;
		thread->steps = 0;
	}
	memory_begin(subject->threads);
}

struct schedule_result schedule_run(const struct schedule_case *subject,
				    struct chooser *chooser)
{
	reset(subject, chooser);
	if (_setjmp(schedule.main_leave) == 0) {
		subject->begin();
		run_threads();
		if (schedule.failure == NULL && subject->end != NULL)
			subject->end();
	}
	return (struct schedule_result){
		.failure = schedule.failure,
		.steps = schedule.steps,
		.has_stopped = schedule.has_stopped,
		.decisions = schedule.decisions,
		.made = schedule.made,
	};
}
