/* SPDX-License-Identifier: MIT */
/*
 * test_percpu_choose.c - which member a process gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/os.h"
#include "base/percpu.h"
#include "base/percpu_probe.h"
#include "fault/fault_os.h"

enum { THREADS = 4 };

static bool is_possible(void)
{
	return SECTIONS_EXIST && rseq_is_registered() &&
	       os_linux.fence_register() == 0 &&
	       probe_sections(rseq_offset(), &os_linux);
}

static void *ask(void *argument)
{
	(void)argument;
	return (void *)(uintptr_t)percpu_choose(PERCPU_AUTO, &os_linux);
}

/* First of all: what is found out later is what was found out here. */
static void threads_that_ask_at_once_get_one_answer(void **state)
{
	pthread_t threads[THREADS];
	void *answers[THREADS];
	unsigned others = 0;

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		require(pthread_create(&threads[i], NULL, ask, NULL) == 0);
	for (unsigned i = 0; i < THREADS; i++) {
		require(pthread_join(threads[i], &answers[i]) == 0);
		others += answers[i] != answers[0];
	}
	assert_int_equal(others, 0);
}

static void rseq_is_chosen_where_it_works(void **state)
{
	const struct percpu_ops *const expected =
		is_possible() ? &percpu_rseq : &percpu_cas;

	(void)state;
	assert_ptr_equal(percpu_choose(PERCPU_AUTO, &os_linux), expected);
}

static void rseq_is_given_or_nothing_where_it_is_asked_for(void **state)
{
	const struct percpu_ops *const expected =
		is_possible() ? &percpu_rseq : NULL;

	(void)state;
	assert_ptr_equal(percpu_choose(PERCPU_RSEQ, &os_linux), expected);
}

static void cas_is_given_where_it_is_asked_for(void **state)
{
	(void)state;
	assert_ptr_equal(percpu_choose(PERCPU_CAS, &os_linux), &percpu_cas);
}

static void without_the_fence_it_is_cas(void **state)
{
	(void)state;
	fault_arm(FAULT_FENCE_REGISTER, 1, FAULT_FROM_THEN_ON, -ENOSYS);
	assert_ptr_equal(percpu_choose(PERCPU_AUTO, &fault_os), &percpu_cas);
	assert_ptr_equal(percpu_choose(PERCPU_RSEQ, &fault_os), NULL);
	fault_disarm();
}

/* In a process whose libc was told not to register. */
static void without_a_registration_it_is_cas(void **state)
{
	int status = -1;
	const pid_t child = fork();

	(void)state;
	if (child == 0) {
		(void)setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
		(void)execl("/proc/self/exe", "unregistered", "child", NULL);
		_exit(2);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int be_unregistered(void)
{
	return !rseq_is_registered() &&
			       percpu_choose(PERCPU_AUTO, &os_linux) ==
				       &percpu_cas &&
			       percpu_choose(PERCPU_RSEQ, &os_linux) == NULL
		       ? 0
		       : 1;
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_that_ask_at_once_get_one_answer),
		cmocka_unit_test(rseq_is_chosen_where_it_works),
		cmocka_unit_test(
			rseq_is_given_or_nothing_where_it_is_asked_for),
		cmocka_unit_test(cas_is_given_where_it_is_asked_for),
		cmocka_unit_test(without_the_fence_it_is_cas),
		cmocka_unit_test(without_a_registration_it_is_cas),
	};

	(void)arguments;
	if (count > 1)
		return be_unregistered();
	return cmocka_run_group_tests_name("percpu_choose", tests, NULL, NULL);
}
