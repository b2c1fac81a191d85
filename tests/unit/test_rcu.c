/* SPDX-License-Identifier: MIT */
/*
 * test_rcu.c - deferred functions run after the readers of their time, once,
 * in this process and in its children.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/list.h"
#include "base/os.h"
#include "base/page.h"
#include "base/rcu.h"

enum { READERS = 4, MANY = 1000, TURNS = 2000, CHILD_SECONDS = 30 };

struct item {
	struct rcu_head deferred;
	unsigned runs;
	const unsigned *left; /* how many readers have left */
	unsigned left_then;
	pthread_t runner;
};

static void item_run(struct rcu_head *head)
{
	struct item *const item = container_of(head, struct item, deferred);

	rcu_begin_deferred(head);
	item->runs++;
	item->runner = pthread_self();
	if (item->left != NULL)
		item->left_then = *item->left;
	rcu_end_deferred();
}

struct reader {
	sem_t is_inside;
	sem_t may_leave;
	unsigned *left;
};

static void *read_slowly(void *context)
{
	struct reader *const reader = context;

	rcu_enter();
	rcu_enter();
	(void)sem_post(&reader->is_inside);
	while (sem_wait(&reader->may_leave) != 0)
		;
	rcu_leave();
	/* Readers leave one by one: no two write at a time. */
	++*reader->left;
	rcu_leave();
	return NULL;
}

static void sem_take(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		;
}

static void a_deferred_function_waits_for_every_reader(void **state)
{
	struct reader readers[READERS];
	pthread_t threads[READERS];
	unsigned left = 0;
	struct item item = { .left = &left };

	(void)state;
	assert_int_equal(rcu_init(), 0);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i].left = &left;
		assert_int_equal(sem_init(&readers[i].is_inside, 0, 0), 0);
		assert_int_equal(sem_init(&readers[i].may_leave, 0, 0), 0);
		assert_int_equal(pthread_create(&threads[i], NULL, read_slowly,
						&readers[i]),
				 0);
		sem_take(&readers[i].is_inside);
	}
	rcu_defer(&item.deferred, item_run);
	for (unsigned i = 0; i < READERS; i++) {
		/* Time for it to run too early, if it would. */
		for (unsigned turn = 0; turn < TURNS; turn++)
			(void)sched_yield();
		assert_int_equal(sem_post(&readers[i].may_leave), 0);
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	rcu_wait();
	assert_int_equal(item.runs, 1);
	assert_int_equal(item.left_then, READERS);
}

static void all_run_once_and_on_one_thread(void **state)
{
	static struct item items[MANY];

	(void)state;
	assert_int_equal(rcu_init(), 0);
	assert_int_equal(rcu_init(), 0);
	for (unsigned i = 0; i < MANY; i++)
		rcu_defer(&items[i].deferred, item_run);
	rcu_wait();
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(items[i].runs, 1);
		assert_true(pthread_equal(items[i].runner, items[0].runner));
		assert_false(pthread_equal(items[i].runner, pthread_self()));
	}
}

/* run_child - the status of a child that ends with `body`'s answer. */
static int run_child(int (*body)(void))
{
	const pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		(void)alarm(CHILD_SECONDS);
		_exit(body());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* Room for everything but the stack of a thread. */
static int init_without_room(void)
{
	const rlim_t room = (rlim_t)os_linux.address_bytes() + (1 << 20);
	const struct rlimit limit = { room, room };

	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 1;
	if (rcu_init() != -EAGAIN)
		return 2;
	return strstr(error_text(), "RLIMIT_NPROC") == NULL;
}

/* First of all tests: this process has no such thread yet. */
static void a_thread_that_cannot_be_made_is_an_error(void **state)
{
	(void)state;
	/* The shadow of a sanitizer: it needs address space of its own. */
	if (os_linux.address_bytes() > TIB)
		skip();
	assert_int_equal(run_child(init_without_room), 0);
}

static int defer_in_child(void)
{
	struct item item = { .runs = 0 };

	rcu_enter();
	rcu_leave();
	rcu_defer(&item.deferred, item_run);
	rcu_wait();
	return item.runs != 1;
}

/* Deferred before the fork, run on both sides of it. */
static struct item inherited;

static int inherited_in_child(void)
{
	rcu_wait();
	return inherited.runs != 1;
}

static int fork_guarded(int (*body)(void))
{
	rcu_fork_begin();

	const pid_t child = fork();
	int status = 0;

	rcu_fork_end(child == 0);
	if (child == 0) {
		(void)alarm(CHILD_SECONDS);
		_exit(body());
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void a_child_has_such_a_thread_of_its_own(void **state)
{
	struct item item = { .runs = 0 };

	(void)state;
	/* It follows no child that makes a thread. */
	if (TSAN_ENABLED)
		skip();
	assert_int_equal(rcu_init(), 0);
	assert_int_equal(fork_guarded(defer_in_child), 0);
	rcu_defer(&item.deferred, item_run);
	rcu_wait();
	assert_int_equal(item.runs, 1);
}

static void what_was_deferred_runs_on_both_sides_of_a_fork(void **state)
{
	(void)state;
	/* It follows no child that makes a thread. */
	if (TSAN_ENABLED)
		skip();
	assert_int_equal(rcu_init(), 0);
	inherited.runs = 0;
	rcu_defer(&inherited.deferred, item_run);
	assert_int_equal(fork_guarded(inherited_in_child), 0);
	rcu_wait();
	assert_int_equal(inherited.runs, 1);
}

/* A fork before rcu_init() leaves nothing behind in either process. */
static void a_fork_without_that_thread_is_a_fork(void **state)
{
	(void)state;
	assert_int_equal(fork_guarded(rcu_init), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_that_cannot_be_made_is_an_error),
		cmocka_unit_test(a_fork_without_that_thread_is_a_fork),
		cmocka_unit_test(a_deferred_function_waits_for_every_reader),
		cmocka_unit_test(all_run_once_and_on_one_thread),
		cmocka_unit_test(a_child_has_such_a_thread_of_its_own),
		cmocka_unit_test(
			what_was_deferred_runs_on_both_sides_of_a_fork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
