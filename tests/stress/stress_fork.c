/* SPDX-License-Identifier: MIT */
/*
 * stress_fork.c - one thread forks in a loop while others allocate and free.
 *
 * Each child finds its parent's engine closed to it, whatever the other threads
 * were doing in that instant, and makes one of its own, which works.  A child
 * that waits for a lock of a thread that it does not have is ended by an alarm.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/engine_fixture.h"

enum { THREADS = 3, FORKS = 150, HELD = 200, CHILD_SECONDS = 20 };

struct forks {
	struct lfv *lfv;
	_Atomic(bool) is_over;
	_Atomic(unsigned) errors;
};

/* Enough of them at a time that descriptors go to the depot and come back. */
static void *churn(void *argument)
{
	struct forks *forks = argument;
	void *held[HELD];

	/* acquire [fork-over]: the last child has ended. */
	while (!load_acquire(&forks->is_over)) {
		for (size_t i = 0; i < HELD; i++)
			held[i] = lfv_get_vm_area(forks->lfv, PAGE_SIZE, 0);
		for (size_t i = 0; i < HELD; i++) {
			if (held[i] == NULL ||
			    lfv_free_vm_area(forks->lfv, held[i]) != 0)
				/* relaxed: a sum, read after the join. */
				add_relaxed(&forks->errors, 1);
		}
		if (lfv_purge(forks->lfv) != 0)
			/* relaxed: as above. */
			add_relaxed(&forks->errors, 1);
	}
	return NULL;
}

static int child_work(struct lfv *parents)
{
	const struct lfv_options options = TEST_OPTIONS;

	(void)alarm(CHILD_SECONDS);
	if (lfv_vmalloc(parents, 1) != NULL || errno != EOWNERDEAD)
		return 1;

	struct lfv *own = lfv_create(&options);

	if (own == NULL)
		return 2;
	for (size_t i = 0; i < HELD; i++) {
		unsigned char *area = lfv_vmalloc(own, PAGE_SIZE);

		if (area == NULL)
			return 3;
		*area = 1;
	}
	lfv_check(own);
	lfv_destroy(own);
	return 0;
}

static void fork_once(struct lfv *lfv)
{
	const pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0)
		_exit(child_work(lfv));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void children_of_a_busy_parent_work(void **state)
{
	struct forks forks = { .lfv = engine_default() };
	pthread_t threads[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, churn, &forks), 0);
	for (int i = 0; i < FORKS; i++)
		fork_once(forks.lfv);
	/* release [fork-over]: see churn(). */
	store_release(&forks.is_over, true);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	/* relaxed: the threads are joined. */
	assert_int_equal(load_relaxed(&forks.errors), 0);
	assert_int_equal(engine_stats(forks.lfv).live_areas, 0);
	lfv_check(forks.lfv);
	lfv_destroy(forks.lfv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_of_a_busy_parent_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
