/* SPDX-License-Identifier: MIT */
/*
 * schedule_worker.c - D1 of core/worker.h, and that no wake-up is lost: what
 * was freed before a worker_wake() is met by a purge after it.
 *
 * The calls of worker.c to the C library are wrapped by the linker: its thread
 * is thread 0 of the schedule, its semaphore a counter that synchronizes, as
 * sem_post(3) and sem_wait(3) do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/engine.h"
#include "schedule/model_check.h"

enum { FREERS = 2, THREADS = 1 + FREERS };

static struct lfv lfv;
static void *(*thread_body)(void *argument);
static _Atomic(unsigned) posted; /* the semaphore's count */
static _Atomic(unsigned) freers_left;
static _Atomic(bool) is_lazy[FREERS];
static bool is_purged[FREERS];
static _Atomic(bool) has_returned; /* the thread, for pthread_join(3) */
static bool is_fini;
static unsigned char engine_memory;

int __wrap_sem_init(sem_t *semaphore, int shared, unsigned value);
int __wrap_sem_destroy(sem_t *semaphore);
int __wrap_sem_post(sem_t *semaphore);
int __wrap_sem_wait(sem_t *semaphore);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *argument);
int __wrap_pthread_join(pthread_t thread, void **result);

int __wrap_sem_init(sem_t *semaphore, int shared, unsigned value)
{
	(void)semaphore;
	(void)shared;
	atomic_init(&posted, value);
	return 0;
}

int __wrap_sem_destroy(sem_t *semaphore)
{
	(void)semaphore;
	return 0;
}

int __wrap_sem_post(sem_t *semaphore)
{
	(void)semaphore;
	schedule_require(add_acq_rel(&posted, 1) == 0 || is_fini); /* D1 */
	return 0;
}

/* all_is_purged - the worker has come to rest; let it end. */
static void all_is_purged(void)
{
	for (unsigned i = 0; i < FREERS; i++)
		schedule_require(is_purged[i]);
	store_relaxed(&lfv.worker.is_ending, true);
}

int __wrap_sem_wait(sem_t *semaphore)
{
	unsigned old = 1;

	(void)semaphore;
	while (!cas_acq_rel(&posted, &old, old - 1)) {
		if (old > 0)
			continue;
		old = 1;
		/* The last look at the semaphore comes after the last freer. */
		if (add_acq_rel(&freers_left, 0) == 0 &&
		    add_acq_rel(&posted, 0) == 0) {
			all_is_purged();
			return 0;
		}
		scheduled_pause();
	}
	return 0;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *argument)
{
	(void)thread;
	(void)attributes;
	schedule_require(argument == &lfv);
	thread_body = body;
	return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
	(void)thread;
	(void)result;
	while (is_fini && !load_acquire(&has_returned))
		scheduled_pause();
	return 0;
}

/* purge_work - what is seen of the lazy areas is gone. */
/* No cache is in front. */
bool purge_is_idle(struct lfv *engine)
{
	schedule_require(engine == &lfv);
	return false;
}

void purge_work(struct lfv *engine, enum va_purge how)
{
	(void)engine;
	(void)how;
	schedule_read(&engine_memory);
	for (unsigned i = 0; i < FREERS; i++) {
		if (load_relaxed(&is_lazy[i]))
			is_purged[i] = true;
	}
}

static void begin(void)
{
	atomic_init(&lfv.worker.is_woken, false);
	atomic_init(&lfv.worker.is_ending, false);
	atomic_init(&freers_left, FREERS);
	atomic_init(&has_returned, false);
	is_fini = false;
	for (unsigned i = 0; i < FREERS; i++) {
		atomic_init(&is_lazy[i], false);
		is_purged[i] = false;
	}
	schedule_require(worker_init(&lfv) == 0);
}

static void work_or_free(unsigned thread)
{
	if (thread == 0) {
		schedule_require(thread_body(&lfv) == NULL);
		return;
	}
	store_relaxed(&is_lazy[thread - 1], true);
	worker_wake(&lfv.worker);
	(void)sub_release(&freers_left, 1);
}

static void end(void)
{
	worker_fini(&lfv);
	schedule_require(!lfv.worker.is_running);
}

static const struct schedule_case two_wake_one = {
	.name = "two wake the worker, and it purges what they freed",
	.threads = THREADS,
	.begin = begin,
	.run = work_or_free,
	.end = end,
};

static void work_or_end(unsigned thread)
{
	if (thread == 0) {
		schedule_require(thread_body(&lfv) == NULL);
		store_release(&has_returned, true);
		return;
	}
	store_relaxed(&is_lazy[0], true);
	worker_wake(&lfv.worker);
	is_fini = true;
	worker_fini(&lfv);
	schedule_write(&engine_memory);
}

static const struct schedule_case woken_and_ended = {
	.name = "the worker is woken, and then asked to end",
	.threads = 2,
	.begin = begin,
	.run = work_or_end,
};

static void no_wake_up_is_lost(void **state)
{
	static const struct model_plan plan = {
		.preemptions = 2,
		.ages = 1,
		.seeds = 10000,
	};

	(void)state;
	model_check(&two_wake_one, &plan);
}

static void the_worker_ends_when_it_is_asked_to(void **state)
{
	static const struct model_plan plan = {
		.preemptions = UINT32_MAX,
		.ages = 1,
		.seeds = 1000,
	};

	(void)state;
	model_check(&woken_and_ended, &plan);
}

static void the_orders_of_the_wake_up_are_needed(void **state)
{
	static const struct schedule_case *const cases[] = {
		&two_wake_one,
		&woken_and_ended,
		NULL,
	};
	static const struct model_orders orders = {
		.cases = cases,
		.plan = { .preemptions = 2, .ages = 1 },
		.source = "worker.c",
	};

	(void)state;
	model_check_orders(&orders);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wake_up_is_lost),
		cmocka_unit_test(the_worker_ends_when_it_is_asked_to),
		cmocka_unit_test(the_orders_of_the_wake_up_are_needed),
	};

	model_arguments(count, arguments);
	return cmocka_run_group_tests_name("schedule_worker", tests, NULL,
					   NULL);
}
